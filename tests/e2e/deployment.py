"""A deployed stack as the tests handle it: send, wait, look."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

from local import function_log, pace, queues
from local.cloud import Cloud
from local.feed import Sent, feed
from local.function_log import Delivery
from local.mapping import Mapping
from local.queues import DeadLetter
from local.stack import Stack
from local.stream import look_at
from local.tpns import Tpns

# Longer than any invocation of these tests takes on a busy machine, so that no message is delivered while it is being handled.
VISIBILITY_SECONDS = 3
DRAIN_SECONDS = 90


class Deployment:
    def __init__(self, cloud: Cloud, stack: Stack, tpns: Tpns) -> None:
        self.cloud = cloud
        self.stack = stack
        self.tpns = tpns
        Mapping(cloud, stack).mend_numbers()
        pace.hurry(cloud, stack, VISIBILITY_SECONDS)
        pace.one_batch_at_a_time(cloud, stack)

    def forget(self) -> None:
        """What earlier tests left."""
        sqs = self.cloud.client("sqs")
        for url in (self.stack.queue_url, self.stack.dead_letter_queue_url):
            sqs.purge_queue(QueueUrl=url)
        self.tpns.reset()

    def send(self, *bodies: str | dict[str, Any]) -> list[Sent]:
        """As one batch: EventBridge events over the bus, the rest to the queue."""
        lines = [look_at(number, body if isinstance(body, str) else json.dumps(body)) for number, body in enumerate(bodies, 1)]
        with pace.held(self.cloud, self.stack) if len(lines) > 1 else nullcontext():
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
        assert message_id, "a message of the queue was meant"
        seen = function_log.deliveries(function_log.lines(self.cloud, self.stack))
        return sorted((one for one in seen if one.message_id == message_id), key=lambda one: one.receive_count)

    def outcomes(self, message_id: str | None) -> list[str]:
        return [delivery.outcome for delivery in self.deliveries(message_id)]

    def dead_letters(self) -> list[DeadLetter]:
        return queues.dead_letters(self.cloud, self.stack)

    def accounts(self, app: str, token: str) -> set[str]:
        """What TPNS has bound to a device."""
        return {account["account"] for account in self.tpns.bindings().get(app, {}).get(token, [])}

    def tokens_called(self, operator_type: int) -> list[set[str]]:
        """The devices in each call of this kind, in the order of the calls."""
        return [
            {item["token"] for item in call["request"]["token_accounts"]}
            for call in self.tpns.calls()
            if call["operator_type"] == operator_type
        ]

    def invoke(self, payload: Any) -> Any:
        """The function straight, as Lambda's own Invoke."""
        answer = self.cloud.client("lambda").invoke(FunctionName=self.stack.function_name, Payload=json.dumps(payload))
        body = json.load(answer["Payload"])
        assert "FunctionError" not in answer, body
        return body
