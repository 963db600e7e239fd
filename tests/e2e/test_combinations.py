"""The template deploys in every combination of its parts that it allows. That it refuses the others before anything is
created is tested in tests/template/test_combinations.py, since MiniStack 1.5.33 ignores a template's rules."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from auth_events import login, token
from conftest import World

from local.stack import Stack

QUEUE, LEDGER, PARKING = ["standard", "fifo"], ["on", "off"], ["on", "off"]
SOURCES = {"TpnsApps": "", "TpnsAppsSecretId": "tpns/combined", "TpnsAppsSsmParameter": "/tpns/combined"}


def lanes(queue_type: str, ledger: str) -> list[str]:
    """Only a standard queue with a ledger may be asked for a lane."""
    return ["auto", "on", "drain", "off"] if (queue_type, ledger) == ("standard", "on") else ["auto", "off"]


COMBINATIONS = [
    (queue_type, ledger, parking, lane)
    for queue_type, ledger, parking in itertools.product(QUEUE, LEDGER, PARKING)
    for lane in lanes(queue_type, ledger)
]


@pytest.fixture(scope="session")
def sources(world: World) -> list[dict[str, str]]:
    """The parameters for each place where the apps document can be."""
    document = world.tpns.apps_document()
    world.cloud.client("secretsmanager").create_secret(Name=SOURCES["TpnsAppsSecretId"], SecretString=document)
    world.cloud.client("ssm").put_parameter(Name=SOURCES["TpnsAppsSsmParameter"], Type="SecureString", Value=document)
    return [{}, *({"TpnsApps": "", name: value} for name, value in SOURCES.items() if value)]


@pytest.mark.parametrize("combination", COMBINATIONS, ids="-".join)
def test_a_combination_deploys_and_applies_an_event(
    world: World, sources: list[dict[str, str]], combination: tuple[str, ...]
) -> None:
    parts = dict(zip(("QueueType", "Ledger", "ParkingQueue", "UnbindLane"), combination, strict=True))
    cloudformation = world.cloud.client("cloudformation")
    for number, source in enumerate(sources):
        name = f"combined-{'-'.join(combination)}-{number}"
        stack = world.deploy(name, GradualDeployment="off", **parts, **source)
        device = token()
        assert invoked(world, stack, login(device, "ann")) == {"batchItemFailures": []}
        assert [one["account"] for one in world.tpns.bindings()["android"][device]] == ["ann"]
        cloudformation.delete_stack(StackName=name)


def invoked(world: World, stack: Stack, event: dict[str, Any]) -> Any:
    record: dict[str, Any] = {
        "messageId": "m1",
        "body": json.dumps(event),
        "eventSource": "aws:sqs",
        "eventSourceARN": stack.queue_arn,
    }
    if stack.queue_arn.endswith(".fifo"):
        record["attributes"] = {"MessageGroupId": "g1", "SequenceNumber": "1"}
    payload = json.dumps({"Records": [record]})
    answer = world.cloud.client("lambda").invoke(FunctionName=stack.function_arn, Payload=payload)
    return json.load(answer["Payload"])
