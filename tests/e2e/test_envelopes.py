"""Every way an event can be wrapped, over the service that wraps it."""

from __future__ import annotations

import json

import pytest
from auth_events import deletion, login, on_bus, token
from deployment import Deployment
from waiting import eventually


@pytest.mark.parametrize("raw", [True, False], ids=["raw delivery", "wrapped by SNS"])
@pytest.mark.parametrize("from_bus", [True, False], ids=["EventBridge event", "bare event"])
def test_a_notification_of_sns_reaches_the_function_over_the_queue(standard: Deployment, raw: bool, from_bus: bool) -> None:
    sns = standard.cloud.client("sns")
    topic = sns.create_topic(Name=f"accounts-{token()}")["TopicArn"]
    attributes = {"RawMessageDelivery": str(raw).lower()}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=standard.stack.queue_arn, Attributes=attributes)
    device = token()
    event = login(device, "ann")
    # SNS gets the whole event that a rule would give it, with an id and the time.
    bus_event = {**on_bus(event), "version": "0", "id": token(), "time": "2026-11-22T08:00:00Z"}
    sns.publish(TopicArn=topic, Message=json.dumps(bus_event if from_bus else event))
    standard.drain()
    eventually(lambda: standard.accounts("android", device) == {"ann"})
    assert standard.dead_letters() == []
    sns.delete_topic(TopicArn=topic)


def test_a_rule_can_invoke_the_function_without_a_queue(standard: Deployment) -> None:
    events, functions = standard.cloud.client("events"), standard.cloud.client("lambda")
    # A bus of its own: over the stack's own bus the events would come by the queue as well.
    bus = "straight-to-the-function"
    events.create_event_bus(Name=bus)
    pattern = {"detail-type": ["user.login", "account.deleted"]}
    rule = events.put_rule(Name=bus, EventBusName=bus, EventPattern=json.dumps(pattern))["RuleArn"]
    functions.add_permission(
        FunctionName=standard.stack.function_arn,
        StatementId=bus,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    events.put_targets(Rule=bus, EventBusName=bus, Targets=[{"Id": "function", "Arn": standard.stack.function_arn}])

    device = token()
    put(standard, bus, on_bus(login(device, "ann@example.com", "ben")))
    eventually(lambda: standard.accounts("android", device) == {"ann@example.com", "ben"})
    put(standard, bus, on_bus(deletion("ben")))
    eventually(lambda: standard.accounts("android", device) == {"ann@example.com"})


def test_an_event_that_fails_without_a_queue_is_a_function_error_so_that_lambda_tries_again(plain_standard: Deployment) -> None:
    functions = plain_standard.cloud.client("lambda")
    answer = functions.invoke(FunctionName=plain_standard.stack.function_arn, Payload=json.dumps(event_of_an_unknown_app()))
    assert answer.get("FunctionError"), json.load(answer["Payload"])


def test_an_event_that_came_without_a_queue_is_parked_as_it_came(standard: Deployment) -> None:
    event = event_of_an_unknown_app()
    assert standard.invoke(event) is None
    (parked,) = standard.parked()
    assert (json.loads(parked.body), parked.reason) == (event, "unknown_app")


def event_of_an_unknown_app() -> dict[str, object]:
    return {**on_bus(login(token(), "ann", app="windows")), "version": "0", "id": token(), "time": "2026-11-22T08:00:00Z"}


def put(stage: Deployment, bus: str, event: dict[str, object]) -> None:
    entry = {
        "EventBusName": bus,
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
    }
    answer = stage.cloud.client("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0, answer
