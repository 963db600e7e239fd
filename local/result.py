"""The result of a run, and its JSON for scripts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from .outcomes import Outcome, of_parked
from .queues import FailedMessage
from .stream import Warned

OK_MEANS = (
    "nothing failed, and the outcome of each event is known; events may be parked or dead-lettered, unless STRICT=1 "
    "was given"
)


@dataclass
class Result:
    events: list[Outcome]
    calls: list[dict[str, Any]]
    bindings: dict[str, dict[str, list[dict[str, Any]]]]
    parked: list[FailedMessage]
    dead_letters: list[FailedMessage]
    invocations: int
    problems: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": not self.problems,
            "ok_means": OK_MEANS,
            "problems": self.problems,
            "summary": dict(Counter(event.outcome for event in self.events)),
            "invocations": self.invocations,
            "events": [_event(event) for event in self.events],
            "calls": self.calls,
            "bindings": self.bindings,
            "parked": [_message(*found) for found in self.parked_events()],
            "dead_letters": [_message(*found) for found in self.dead_events()],
            "seconds": self.seconds,
        }

    def not_applied(self) -> list[str]:
        """Returns as problems what got to no device: with STRICT=1 it fails the run."""
        lines: dict[str, list[str]] = {}
        for event in self.events:
            if event.outcome not in ("applied", "superseded"):
                lines.setdefault(event.outcome, []).append(event.sent.line.label)
        return [
            f"STRICT=1: {len(labels)} {outcome}, line{'' if len(labels) == 1 else 's'} {', '.join(labels)}"
            for outcome, labels in lines.items()
        ]

    def parked_events(self) -> list[tuple[FailedMessage, Outcome | None]]:
        """Returns the messages in the parking queue, in the order of the stream, each with its event."""
        return _in_order(zip(self.parked, of_parked(self.events, self.parked), strict=True))

    def dead_events(self) -> list[tuple[FailedMessage, Outcome | None]]:
        """The same for the dead-letter queue. Its messages have no reason; it comes from the function's log."""
        events = {event.sent.message_id: event for event in self.events}

        def with_reason(letter: FailedMessage) -> tuple[FailedMessage, Outcome | None]:
            event = events.get(letter.message_id)
            return (replace(letter, reason=event.reason, detail=event.detail) if event else letter), event

        return _in_order(map(with_reason, self.dead_letters))


def warnings(event: Outcome) -> list[Warned]:
    """Returns what the sender of an event should know; first of all, that only this run has taken it."""
    line = event.sent.line
    found = list(line.warnings)
    if line.parked and event.outcome in ("applied", "superseded"):
        found.insert(0, Warned("parked_by_default", f"the deployed default parks this as {line.parked}"))
    return found


def tries(calls: list[dict[str, Any]]) -> list[int]:
    """Returns for each call which try of its request it is."""
    seen: Counter[str] = Counter()
    numbers = []
    for call in calls:
        request = json.dumps([call["app"], call["request"]], sort_keys=True)
        seen[request] += 1
        numbers.append(seen[request])
    return numbers


def _in_order(found: Iterable[tuple[FailedMessage, Outcome | None]]) -> list[tuple[FailedMessage, Outcome | None]]:
    return sorted(found, key=lambda pair: pair[1].sent.line.number if pair[1] else 0)


def _message(message: FailedMessage, event: Outcome | None) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "line": event and event.sent.line.number,
        "reason": message.reason,
        "detail": message.detail,
        "body": message.body,
    }


def _event(event: Outcome) -> dict[str, Any]:
    line = event.sent.line
    return {
        "line": line.number,
        "path": line.path,
        "way": "bus" if event.sent.bus_event_id else "queue",
        "envelope": line.envelope,
        "type": line.type,
        "app": line.app,
        "token": line.token,
        "id": line.producer_id,
        "message_id": event.sent.message_id,
        "bus_event_id": event.sent.bus_event_id,
        "outcome": event.outcome,
        "reason": event.reason,
        "detail": event.detail,
        "deliveries": event.deliveries,
        "warnings": [{"warning": one.word, "text": one.text} for one in warnings(event)],
    }
