"""The depths of the queues, and the messages of the dead-letter queue and the parking queue."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .cloud import Cloud
from .problem import Problem
from .stack import Stack

_POLL_SECONDS = 0.1
_PEEK_SECONDS = 2


@dataclass(frozen=True)
class Depth:
    """Of the queues that the function reads, together, and of the dead-letter queue."""

    waiting: int
    in_flight: int
    dead: int

    @property
    def drained(self) -> bool:
        return self.waiting == 0 and self.in_flight == 0


@dataclass(frozen=True)
class FailedMessage:
    """A message of the dead-letter queue or the parking queue. Only parked messages have a reason."""

    message_id: str
    body: str
    reason: str | None = None
    detail: str | None = None


def depth(sqs: Any, stack: Stack) -> Depth:
    queues = [_counts(sqs, url) for url in stack.read_queue_urls]
    dead = _counts(sqs, stack.dead_letter_queue_url)
    return Depth(
        waiting=sum(q["ApproximateNumberOfMessages"] + q["ApproximateNumberOfMessagesDelayed"] for q in queues),
        in_flight=sum(q["ApproximateNumberOfMessagesNotVisible"] for q in queues),
        dead=sum(dead.values()),
    )


def drain(cloud: Cloud, stack: Stack, seconds: float, watch: Callable[[Depth], None] = lambda _depth: None) -> Depth:
    """Waits until every message is deleted or dead-lettered. `watch` gets each depth, and may raise."""
    sqs = cloud.client("sqs")
    deadline = time.monotonic() + seconds
    while True:
        now = depth(sqs, stack)
        watch(now)
        if now.drained:
            return now
        if time.monotonic() > deadline:
            raise Problem(
                f"queue: was not empty after {seconds:.0f} s ({now.waiting} waiting, {now.in_flight} in flight); "
                f"see the function's log in {cloud.log}"
            )
        time.sleep(_POLL_SECONDS)


def dead_letters(cloud: Cloud, stack: Stack) -> list[FailedMessage]:
    """Returns the messages that failed all their deliveries."""
    return _all_of(cloud, stack.dead_letter_queue_url)


def parked(cloud: Cloud, stack: Stack) -> list[FailedMessage]:
    """Returns the messages that can never be applied, with their reasons."""
    return _all_of(cloud, stack.parking_queue_url) if stack.parking_queue_url else []


def _all_of(cloud: Cloud, url: str) -> list[FailedMessage]:
    """Returns all messages of a queue. They stay in it, and can be received again after a moment."""
    sqs = cloud.client("sqs")
    expected = sum(_counts(sqs, url).values())
    found: dict[str, FailedMessage] = {}
    # Received messages are invisible for the visibility timeout, so each round returns others.
    while len(found) < expected:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=_PEEK_SECONDS, MessageAttributeNames=["All"]
        )
        messages = answer.get("Messages", [])
        if not messages:
            raise Problem(f"{url}: reports {expected} messages, but returns {len(found)}; run the command again")
        found |= {message["MessageId"]: _failed_message(message) for message in messages}
    return list(found.values())


def _failed_message(message: dict[str, Any]) -> FailedMessage:
    attributes = {name: value.get("StringValue") for name, value in message.get("MessageAttributes", {}).items()}
    return FailedMessage(message["MessageId"], message["Body"], attributes.get("reason"), attributes.get("detail"))


def _counts(sqs: Any, url: str) -> dict[str, int]:
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return {name: int(attributes.get(name, 0)) for name in names}
