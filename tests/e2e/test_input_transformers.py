"""examples/input-transformers: events of Cognito, Auth0 and Keycloak go over the example's rules to the queue, through
the function, to TPNS."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import Stacks, World
from deployment import Deployment
from samtranslator.yaml_helper import yaml_parse
from table import is_version_of

from local.cloud import Cloud
from local.recent import recent
from local.run import ROOT

EXAMPLE = ROOT / "examples" / "input-transformers"
BUSES = {"keycloak": "keycloak", "auth0": "auth0"}  # all others use the default bus
# AWS does not accept events with the source of AWS or its partners, and neither does MiniStack. So their source has
# another name here, in the rules and in the events. TestEventPattern checks the unchanged rules.
OF_AWS, STAND_IN = "aws.", "not-aws."

TOKEN = "05da87c0ae5973bd2dfa9e08d884aada5bb2"
COGNITO_USER = "aaaabbbb-cccc-dddd-eeee-ffff00001111"
AUTH0_USER = "auth0|6012d7ecc1f41076d8ed3d00"
KEYCLOAK_USER = "11111111-2222-3333-4444-555555555555"

EVERY_APP = ["android", "ios"]
# Sample -> the expected call to TPNS: operator_type, apps, accounts. None: no call.
WANTED: dict[str, tuple[int, list[str], list[str]] | None] = {
    "cognito-admin-delete-user": (5, EVERY_APP, [COGNITO_USER]),
    "cognito-delete-user": (5, EVERY_APP, [COGNITO_USER]),
    "cognito-admin-delete-user-refused": None,
    "cognito-login": (2, ["android"], [COGNITO_USER]),
    "cognito-login-in-a-browser": None,
    "auth0-user-deleted": (5, EVERY_APP, [AUTH0_USER]),
    "auth0-login": None,
    "keycloak-login": (2, ["ios"], [KEYCLOAK_USER]),
    "keycloak-logout": (4, ["ios"], []),
    "keycloak-delete-account": (5, EVERY_APP, [KEYCLOAK_USER]),
    "keycloak-admin-delete-user": (5, EVERY_APP, [KEYCLOAK_USER]),
}
# Moved together, so that their order stays the same.
SAMPLES = dict(
    zip(
        WANTED,
        recent([(EXAMPLE / "events" / f"{name}.json").read_text() for name in WANTED], datetime.now(UTC)),
        strict=True,
    )
)


# Of the session, for tests of one file may be run by a worker in several portions.
@pytest.fixture(scope="session")
def with_rules(deployed: Stacks) -> Deployment:
    stage = deployed("standard")
    cloud = stage.cloud
    events, sqs = cloud.client("events"), cloud.client("sqs")
    for bus in BUSES.values():
        events.create_event_bus(Name=bus)
    attributes = sqs.get_queue_attributes(QueueUrl=stage.stack.dead_letter_queue_url, AttributeNames=["QueueArn"])
    parameters = {
        "QueueArn": stage.stack.queue_arn,
        "UnbindQueueArn": str(stage.stack.unbind_queue_arn),
        "DeadLetterQueueArn": attributes["Attributes"]["QueueArn"],
        "Auth0BusName": BUSES["auth0"],
        "KeycloakBusName": BUSES["keycloak"],
    }
    create(cloud, "identities", parameters)
    return stage


@pytest.fixture
def example(with_rules: Deployment, standard: Deployment) -> Deployment:
    """The standard stack, as other tests have it, beside the example's rules."""
    assert with_rules is standard
    return standard


def create(cloud: Cloud, name: str, parameters: dict[str, str]) -> None:
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=(EXAMPLE / "template.yaml").read_text().replace(f"source: [{OF_AWS}", f"source: [{STAND_IN}"),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        DisableRollback=True,
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )


def sample(name: str) -> dict[str, Any]:
    return json.loads(SAMPLES[name])


def put(stage: Deployment, name: str, event: dict[str, Any]) -> None:
    entry = {
        "EventBusName": BUSES.get(name.partition("-")[0], "default"),
        "Source": event["source"].replace(OF_AWS, STAND_IN),
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "Time": event["time"],
    }
    answer = stage.cloud.client("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0, answer


@pytest.mark.parametrize(("name", "wanted"), WANTED.items(), ids=WANTED)
def test_a_sample_reaches_tpns_with_its_meaning(
    example: Deployment, name: str, wanted: tuple[int, list[str], list[str]] | None
) -> None:
    put(example, name, sample(name))
    if wanted is None:
        # There is nothing to wait for; a rule that matches it would do so at once.
        time.sleep(0.5)
    example.drain()
    calls = [call for call in example.tpns.calls() if call["applied"]]
    assert sorted({(call["operator_type"], call["app"]) for call in calls}) == (
        [] if wanted is None else [(wanted[0], app) for app in wanted[1]]
    )
    if wanted:
        requests = json.dumps([call["request"] for call in calls])
        assert all(account in requests for account in wanted[2])
        assert (TOKEN in requests) == (wanted[0] != 5)
    assert (example.parked(), example.dead_letters()) == ([], [])


@pytest.mark.parametrize(("name", "wanted"), WANTED.items(), ids=WANTED)
def test_exactly_one_unchanged_rule_matches_a_sample_that_has_a_meaning(
    world: World, name: str, wanted: tuple[int, list[str], list[str]] | None
) -> None:
    events = world.cloud.client("events")
    rules = [r["Properties"] for r in yaml_parse((EXAMPLE / "template.yaml").read_text())["Resources"].values()]
    event = json.dumps(sample(name))
    matching = [
        rule
        for rule in rules
        if events.test_event_pattern(EventPattern=json.dumps(rule["EventPattern"]), Event=event)["Result"]
    ]
    assert len(matching) == (0 if wanted is None else 1)


def test_an_event_keeps_the_time_and_id_of_its_source(example: Deployment) -> None:
    assert example.table
    put(example, "keycloak-login", sample("keycloak-login"))
    put(example, "auth0-user-deleted", sample("auth0-user-deleted"))
    example.drain()
    owner = example.table.device("ios", TOKEN)["owner"]
    # A version in the row begins with the milliseconds and ends with what stands for the id.
    assert str(sample("keycloak-login")["detail"]["time"]) in owner
    assert is_version_of(owner, sample("keycloak-login")["detail"]["id"])
    deleted = {row["deleted"] for row in example.table.accounts().values()}
    assert all(is_version_of(version, sample("auth0-user-deleted")["detail"]["log_id"]) for version in deleted)
    happened = datetime.fromisoformat(sample("auth0-user-deleted")["detail"]["data"]["date"])
    assert all(str(round(happened.timestamp() * 1000)) in version for version in deleted)


def test_a_login_and_a_later_logout_end_signed_out(example: Deployment) -> None:
    put(example, "keycloak-login", sample("keycloak-login"))
    example.drain()
    assert example.accounts("ios", TOKEN) == {KEYCLOAK_USER}
    put(example, "keycloak-logout", sample("keycloak-logout"))
    example.drain()
    assert example.accounts("ios", TOKEN) == set()


def test_quotes_in_a_value_are_escaped(example: Deployment) -> None:
    event = sample("keycloak-login")
    event["detail"]["userId"] = 'o"brien\\'
    put(example, "keycloak-login", event)
    example.drain()
    assert example.accounts("ios", TOKEN) == {'o"brien\\'}


def test_every_sample_is_tested() -> None:
    assert {path.stem for path in (EXAMPLE / "events").glob("*.json")} == WANTED.keys()
