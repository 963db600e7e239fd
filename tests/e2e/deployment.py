"""A deployed stack for the tests: send events, wait, inspect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from table import Table
from waiting import eventually

from local import function_log, pace, queues
from local.cloud import Cloud
from local.feed import Sent, feed
from local.function_log import Delivery
from local.mapping import Mappings
from local.queues import FailedMessage
from local.stack import Stack
from local.stream import parse_line
from local.tpns import Tpns

# Longer than any invocation of these tests on a busy machine, so that no message is redelivered while it is being
# processed.
VISIBILITY_SECONDS = 3
# Until a message is dead-lettered; the template's GiveUpAfter is hours.
DELIVERIES = 5
DRAIN_SECONDS = 90


class Deployment:
    def __init__(self, cloud: Cloud, stack: Stack, tpns: Tpns) -> None:
        self.cloud = cloud
        self.stack = stack
        self.tpns = tpns
        self.table = Table(cloud, stack.ledger_table) if stack.ledger_table else None
        pace.give_up_after(cloud, stack, DELIVERIES)
        pace.shorten_visibility_timeout(cloud, stack, VISIBILITY_SECONDS)
        pace.one_batch_at_a_time(cloud, stack)

    def reset(self) -> None:
        """Empties the queues, the table and TPNS."""
        sqs = self.cloud.client("sqs")
        for url in self.stack.queue_urls:
            sqs.purge_queue(QueueUrl=url)
        if self.table:
            self.table.clear()
        self.tpns.reset()

    def settle(self, checks: bool = False) -> None:
        """Leaves nothing on its way: a redelivery or a check would call TPNS while it is used by a test of another
        stack. The checks of a stack that has them after minutes are removed, those that come at once are awaited."""
        self.tpns.clear_faults()
        self.drain()
        if checks:
            eventually(lambda: self.checks_waiting() == 0, seconds=60)
        elif self.stack.check_queue_url:
            self.cloud.client("sqs").purge_queue(QueueUrl=self.stack.check_queue_url)

    def send(self, *bodies: str | dict[str, Any]) -> list[Sent]:
        """Sends the bodies as one batch: EventBridge events over the bus, the others to the queue."""
        lines = [
            parse_line(number, body if isinstance(body, str) else json.dumps(body))
            for number, body in enumerate(bodies, 1)
        ]
        with pace.queue_paused(self.cloud, self.stack) if len(lines) > 1 else nullcontext():
            sent = feed(self.cloud, self.stack, lines)
        assert [one.refused for one in sent] == [None] * len(sent)
        return sent

    def drain(self) -> None:
        queues.drain(self.cloud, self.stack, DRAIN_SECONDS)

    def handle(self, *bodies: str | dict[str, Any]) -> list[Sent]:
        sent = self.send(*bodies)
        self.drain()
        return sent

    def deliveries(self, message_id: str | None) -> list[Delivery]:
        assert message_id, "this needs the id of a message in the queue"
        logged = function_log.deliveries(function_log.lines(self.cloud, self.stack))
        return sorted((one for one in logged if one.message_id == message_id), key=lambda one: one.receive_count)

    def outcomes(self, message_id: str | None) -> list[str]:
        return [delivery.outcome for delivery in self.deliveries(message_id)]

    @contextmanager
    def giving_up_after(self, deliveries: int) -> Iterator[None]:
        """Changes how often a failing message is delivered before it is dead-lettered."""
        pace.give_up_after(self.cloud, self.stack, deliveries)
        try:
            yield
        finally:
            pace.give_up_after(self.cloud, self.stack, DELIVERIES)

    def dead_letters(self) -> list[FailedMessage]:
        return queues.dead_letters(self.cloud, self.stack)

    def checks_waiting(self) -> int:
        """Returns how many checks are not completed."""
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        url = self.stack.check_queue_url
        attributes = self.cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def parked(self) -> list[FailedMessage]:
        return queues.parked(self.cloud, self.stack)

    @contextmanager
    def visibility(self, seconds: int) -> Iterator[None]:
        """Changes the visibility timeout, for events whose redelivery must wait."""
        pace.shorten_visibility_timeout(self.cloud, self.stack, seconds)
        try:
            yield
        finally:
            pace.shorten_visibility_timeout(self.cloud, self.stack, VISIBILITY_SECONDS)

    @contextmanager
    def side_by_side(self, functions: int, batch_size: int) -> Iterator[None]:
        """Allows this number of concurrent invocations, each in its own process, as in Lambda."""
        lambdas, name = self.cloud.client("lambda"), self.stack.function_name
        mappings = Mappings(self.cloud, self.stack)
        sizes = mappings.set_batch_size(batch_size)
        lambdas.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=functions)
        try:
            yield
        finally:
            mappings.set_batch_sizes(sizes)
            pace.one_batch_at_a_time(self.cloud, self.stack)

    def environment(self, **changed: str) -> AbstractContextManager[None]:
        return changed_environment(self.cloud, self.stack, **changed)

    def accounts(self, app: str, token: str) -> set[str]:
        """Returns the accounts that TPNS has bound to a device."""
        return {account["account"] for account in self.tpns.bindings().get(app, {}).get(token, [])}

    def calls_about(self, token: str) -> list[tuple[int, int | None]]:
        """Returns operator_type and status of each call that names a device."""
        calls = [call for call in self.tpns.calls() if token in json.dumps(call["request"])]
        return [(call["operator_type"], call["status"]) for call in calls]

    def tokens_called(self, operator_type: int) -> list[set[str]]:
        """Returns the devices in each call of this operator_type, in the order of the calls."""
        return [
            {item["token"] for item in call["request"]["token_accounts"]}
            for call in self.tpns.calls()
            if call["operator_type"] == operator_type
        ]

    def invoke(self, payload: Any) -> Any:
        """Invokes the function directly, with Lambda's Invoke."""
        answer = self.cloud.client("lambda").invoke(FunctionName=self.stack.function_arn, Payload=json.dumps(payload))
        body = json.load(answer["Payload"])
        assert "FunctionError" not in answer, body
        return body


@contextmanager
def changed_environment(cloud: Cloud, stack: Stack, **changed: str) -> Iterator[None]:
    """Publishes a version of the function with changed environment variables."""
    lambdas, name = cloud.client("lambda"), stack.function_name
    alias = stack.function_arn.rpartition(":")[2]
    before = lambdas.get_alias(FunctionName=name, Name=alias)["FunctionVersion"]
    given = lambdas.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    lambdas.update_function_configuration(FunctionName=name, Environment={"Variables": given | changed})
    version = lambdas.publish_version(FunctionName=name)["Version"]
    assert version != before
    lambdas.update_alias(FunctionName=name, Name=alias, FunctionVersion=version)
    try:
        yield
    finally:
        lambdas.update_alias(FunctionName=name, Name=alias, FunctionVersion=before)
        lambdas.update_function_configuration(FunctionName=name, Environment={"Variables": given})
