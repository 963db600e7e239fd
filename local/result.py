"""All that a run found out, and its form for scripts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from .outcomes import Outcome, of_parked
from .queues import Kept


@dataclass
class Result:
    events: list[Outcome]
    calls: list[dict[str, Any]]
    bindings: dict[str, dict[str, list[dict[str, Any]]]]
    parked: list[Kept]
    dead_letters: list[Kept]
    invocations: int
    problems: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": not self.problems,
            "problems": self.problems,
            "summary": dict(Counter(event.what for event in self.events)),
            "invocations": self.invocations,
            "events": [_event(event) for event in self.events],
            "calls": self.calls,
            "bindings": self.bindings,
            "parked": [_kept(*found) for found in self.parked_events()],
            "dead_letters": [_kept(*found) for found in self.dead_events()],
            "seconds": self.seconds,
        }

    def parked_events(self) -> list[tuple[Kept, Outcome | None]]:
        """The messages in the parking queue, in the order of the stream, each with the event it is."""
        return _in_order(zip(self.parked, of_parked(self.events, self.parked), strict=True))

    def dead_events(self) -> list[tuple[Kept, Outcome | None]]:
        """The same of the dead-letter queue. No attribute tells the reason there, the function's log does."""
        events = {event.sent.message_id: event for event in self.events}

        def with_reason(letter: Kept) -> tuple[Kept, Outcome | None]:
            event = events.get(letter.message_id)
            return (replace(letter, reason=event.reason, detail=event.detail) if event else letter), event

        return _in_order(map(with_reason, self.dead_letters))


def tries(calls: list[dict[str, Any]]) -> list[int]:
    """For each call, the how-manieth of its request it is."""
    seen: Counter[str] = Counter()
    numbers = []
    for call in calls:
        request = json.dumps([call["app"], call["request"]], sort_keys=True)
        seen[request] += 1
        numbers.append(seen[request])
    return numbers


def _in_order(found: Iterable[tuple[Kept, Outcome | None]]) -> list[tuple[Kept, Outcome | None]]:
    return sorted(found, key=lambda pair: pair[1].sent.line.number if pair[1] else 0)


def _kept(kept: Kept, event: Outcome | None) -> dict[str, Any]:
    return {
        "message_id": kept.message_id,
        "line": event and event.sent.line.number,
        "reason": kept.reason,
        "detail": kept.detail,
        "body": kept.body,
    }


def _event(event: Outcome) -> dict[str, Any]:
    line = event.sent.line
    return {
        "line": line.number,
        "way": "bus" if event.sent.bus_event_id else "queue",
        "envelope": line.envelope,
        "type": line.type,
        "app": line.app,
        "token": line.token,
        "id": line.producer_id,
        "message_id": event.sent.message_id,
        "bus_event_id": event.sent.bus_event_id,
        "outcome": event.what,
        "reason": event.reason,
        "detail": event.detail,
        "deliveries": event.deliveries,
    }
