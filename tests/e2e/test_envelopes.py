"""Every envelope, through the service that makes it."""

from __future__ import annotations

import json

import pytest
from auth_events import deletion, login, on_bus, sent_by_bus, token
from deployment import Deployment
from waiting import eventually

from local import function_log


@pytest.mark.parametrize("raw", [True, False], ids=["raw delivery", "wrapped by SNS"])
@pytest.mark.parametrize("from_bus", [True, False], ids=["EventBridge event", "bare event"])
def test_an_sns_notification_reaches_the_function_over_the_queue(
    with_bus: Deployment, raw: bool, from_bus: bool
) -> None:
    sns = with_bus.cloud.client("sns")
    topic = sns.create_topic(Name=f"accounts-{token()}")["TopicArn"]
    attributes = {"RawMessageDelivery": str(raw).lower()}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=with_bus.stack.queue_arn, Attributes=attributes)
    device = token()
    event = login(device, "ann")
    # SNS gets the whole event, with an id and a time, as from a rule.
    sns.publish(TopicArn=topic, Message=json.dumps(sent_by_bus(event) if from_bus else event))
    with_bus.drain()
    eventually(lambda: with_bus.accounts("android", device) == {"ann"})
    assert with_bus.dead_letters() == []
    sns.delete_topic(TopicArn=topic)


def test_a_rule_can_invoke_the_function_without_a_queue(every_stack: Deployment) -> None:
    events, functions = every_stack.cloud.client("events"), every_stack.cloud.client("lambda")
    # A separate bus, because over the stack's own bus the events would also reach the queue.
    bus = f"straight-to-{every_stack.stack.function_name}"
    events.create_event_bus(Name=bus)
    pattern = {"detail-type": ["user.login", "account.deleted"]}
    rule = events.put_rule(Name=bus, EventBusName=bus, EventPattern=json.dumps(pattern))["RuleArn"]
    functions.add_permission(
        FunctionName=every_stack.stack.function_arn,
        StatementId=bus,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    events.put_targets(Rule=bus, EventBusName=bus, Targets=[{"Id": "function", "Arn": every_stack.stack.function_arn}])

    device = token()
    invoke_by(every_stack, bus, login(device, "ann@example.com", "ben"))
    assert every_stack.accounts("android", device) == {"ann@example.com", "ben"}
    invoke_by(every_stack, bus, deletion("ben"))
    assert every_stack.accounts("android", device) == {"ann@example.com"}


def test_an_event_that_fails_without_a_queue_is_a_function_error_so_that_lambda_retries(plain: Deployment) -> None:
    functions = plain.cloud.client("lambda")
    answer = functions.invoke(FunctionName=plain.stack.function_arn, Payload=json.dumps(event_of_an_unknown_app()))
    assert answer.get("FunctionError"), json.load(answer["Payload"])


def test_an_event_that_came_without_a_queue_is_parked_as_received(either: Deployment) -> None:
    event = event_of_an_unknown_app()
    assert either.invoke(event) is None
    (parked,) = either.parked()
    assert (json.loads(parked.body), parked.reason) == (event, "unknown_app")


def event_of_an_unknown_app() -> dict[str, object]:
    return sent_by_bus(login(token(), "ann", app="windows"))


def invoke_by(stage: Deployment, bus: str, event: dict[str, object]) -> None:
    """Waits until the invocation has ended: no queue shows that."""
    ended = invocations(stage)
    put(stage, bus, on_bus(event))
    eventually(lambda: invocations(stage) > ended)


def invocations(stage: Deployment) -> int:
    return function_log.invocations(function_log.lines(stage.cloud, stage.stack))


def put(stage: Deployment, bus: str, event: dict[str, object]) -> None:
    entry = {
        "EventBusName": bus,
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
    }
    answer = stage.cloud.client("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0, answer
