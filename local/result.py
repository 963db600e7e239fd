"""All that a run found out, and its form for scripts."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .outcomes import Outcome
from .queues import DeadLetter


@dataclass
class Result:
    events: list[Outcome]
    calls: list[dict[str, Any]]
    bindings: dict[str, dict[str, list[dict[str, Any]]]]
    dead_letters: list[DeadLetter]
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
            "dead_letters": [self._dead_letter(letter) for letter in self.dead_letters],
            "seconds": self.seconds,
        }

    def event_of(self, letter: DeadLetter) -> Outcome | None:
        return next((event for event in self.events if event.sent.message_id == letter.message_id), None)

    def _dead_letter(self, letter: DeadLetter) -> dict[str, Any]:
        event = self.event_of(letter)
        return {
            "message_id": letter.message_id,
            "line": event and event.sent.line.number,
            "reason": event and event.reason,
            "detail": event and event.detail,
            "body": letter.body,
        }


def tries(calls: list[dict[str, Any]]) -> list[int]:
    """For each call, the how-manieth of its request it is."""
    seen: Counter[str] = Counter()
    numbers = []
    for call in calls:
        request = json.dumps([call["app"], call["request"]], sort_keys=True)
        seen[request] += 1
        numbers.append(seen[request])
    return numbers


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
