"""The template's role allows what the function does, and nothing that it doesn't need, on a local AWS that checks
signatures and policies.

Queues are not tested, the one of the checks included: they deny requests without TLS, and MiniStack 1.5.33 requires
sqs:SendMessageBatch, which AWS does not have."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import function_processes
import pytest
from auth_events import deletion, login, token
from conftest import World
from table import Table

from local.cloud import Cloud
from local.processes import Processes
from local.stack import Stack

SECRET = "tpns/apps"


@dataclass(frozen=True)
class Guarded:
    cloud: Cloud
    stack: Stack
    role: str

    def invoke(self, *events: dict[str, Any]) -> dict[str, Any]:
        """Returns the function's answer to these events, as if they came from its queue."""
        records = [
            {
                "messageId": str(uuid.uuid4()),
                "body": json.dumps(event),
                "eventSource": "aws:sqs",
                "eventSourceARN": self.stack.queue_arn,
            }
            for event in events
        ]
        functions = self.cloud.client("lambda")
        answer = functions.invoke(FunctionName=self.stack.function_arn, Payload=json.dumps({"Records": records}))
        return json.load(answer["Payload"])

    @contextmanager
    def without(self, policy: str, action: str) -> Iterator[None]:
        iam = self.cloud.client("iam")
        document = iam.get_role_policy(RoleName=self.role, PolicyName=policy)["PolicyDocument"]
        assert action in str(document)
        harmless = json.dumps(document).replace(action, "sts:GetCallerIdentity")
        iam.put_role_policy(RoleName=self.role, PolicyName=policy, PolicyDocument=harmless)
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=self.role, PolicyName=policy, PolicyDocument=json.dumps(document))


# Of the session, for tests of one file may be run by a worker in several portions.
@pytest.fixture(scope="session")
def guarded(world: World, processes: Processes, folder: Path) -> Guarded:
    inside = folder / "guarded"
    inside.mkdir()
    cloud = Cloud.start(processes, inside, AUTH="true")
    cloud.client("secretsmanager").create_secret(Name=SECRET, SecretString=world.tpns.apps_document())
    stack = World(cloud, world.tpns, world.binaries).deploy(
        "guarded", Checks="off", TpnsApps="", TpnsAppsSecretId=SECRET
    )
    role = cloud.client("lambda").get_function_configuration(FunctionName=stack.function_name)["Role"]
    return Guarded(cloud, stack, role.rpartition("/")[2])


def test_the_role_allows_what_the_function_does_with_the_ledger(guarded: Guarded, world: World) -> None:
    device, table = token(), Table(guarded.cloud, str(guarded.stack.ledger_table))
    before = table.rows()  # of the tests that ran before this one
    assert guarded.invoke(login(device, "ann"), deletion("ben")) == {"batchItemFailures": []}
    assert [account["account"] for account in world.tpns.bindings()["android"][device]] == ["ann"]
    assert len(table.rows().keys() - before.keys()) == 3


@pytest.mark.parametrize("action", ["dynamodb:UpdateItem", "dynamodb:BatchGetItem"])
def test_without_a_permission_on_the_ledger_events_are_reported(guarded: Guarded, action: str) -> None:
    event = login(token(), "ann")
    with guarded.without("keep-the-ledger", action):
        assert len(guarded.invoke(event)["batchItemFailures"]) == 1
    assert guarded.invoke(event) == {"batchItemFailures": []}


def test_the_role_may_read_its_parameter_and_signs_the_request_as_aws_wants_it(guarded: Guarded, world: World) -> None:
    name = "/tpns/guarded"
    parameters, given = guarded.cloud.client("ssm"), {"Checks": "off", "TpnsApps": "", "TpnsAppsSsmParameter": name}
    parameters.put_parameter(Name=name, Type="SecureString", Value=world.tpns.apps_document())
    stack = World(guarded.cloud, world.tpns, world.binaries).deploy("with-parameter", **given)
    role = guarded.cloud.client("lambda").get_function_configuration(FunctionName=stack.function_name)["Role"]
    with_parameter = Guarded(guarded.cloud, stack, role.rpartition("/")[2])
    with with_parameter.without("run-the-function", "ssm:GetParameter"):
        assert "batchItemFailures" not in with_parameter.invoke(login(token(), "ann"))
    assert with_parameter.invoke(login(token(), "ann")) == {"batchItemFailures": []}


def test_without_a_permission_on_the_secret_the_function_does_not_start(guarded: Guarded) -> None:
    event = login(token(), "ann")
    with guarded.without("read-the-secret", "secretsmanager:GetSecretValue"):
        function_processes.kill(guarded.cloud)  # the next process reads the secret again
        assert "batchItemFailures" not in guarded.invoke(event)
    assert guarded.invoke(event) == {"batchItemFailures": []}
