"""Reads a stream of events, one body per line, and recognises each line's envelope. An unreadable line is an event too,
a bad one, and never an error."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .problem import Problem
from .recent import recent


@dataclass(frozen=True)
class Line:
    """One line of the stream. All but `number` and `body` is for showing it, and for finding its outcome."""

    number: int
    body: str
    envelope: str  # eventbridge | bare | sns | sns/eventbridge | unreadable
    type: str | None
    app: str | None
    token: str | None
    producer_id: str | None

    @property
    def by_bus(self) -> bool:
        return self.envelope == "eventbridge"


def read(path: Path, now: datetime | None = None) -> list[Line]:
    """Returns the file's lines unchanged, or with their times moved to `now`: see `recent`."""
    try:
        text = path.read_text()
    except OSError as error:
        raise Problem(f"{path}: can't be read ({error.strerror}); name a file with one JSON body per line") from error
    except UnicodeDecodeError as error:
        raise Problem(f"{path}: is not UTF-8 text; name a file with one JSON body per line") from error
    bodies = text.split("\n") if now is None else recent(text.split("\n"), now)
    lines = [parse_line(number, body) for number, body in enumerate(bodies, 1) if body.strip()]
    if not lines:
        raise Problem(f"{path}: has no events; put one JSON body on each line, see events/stream.jsonl")
    return lines


def parse_line(number: int, body: str) -> Line:
    envelope, event = _open(_object(body))
    return Line(
        number=number,
        body=body,
        envelope=envelope,
        type=_text(event, "type"),
        app=_text(event, "app"),
        token=_text(event, "token"),
        producer_id=_text(event, "id"),
    )


def _open(outer: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if "detail-type" in outer:
        detail = outer.get("detail")
        return "eventbridge", {**(detail if isinstance(detail, dict) else {}), "type": outer["detail-type"]}
    if outer.get("Type") == "Notification":
        inner_envelope, event = _open(_object(outer.get("Message")))
        return ("sns/eventbridge" if inner_envelope == "eventbridge" else "sns"), event
    return ("bare" if "type" in outer else "unreadable"), outer


def _object(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(event: dict[str, Any], key: str) -> str | None:
    value = event.get(key)
    return value if isinstance(value, str) else None
