"""Reads a stream of events with `check-events`, which finds the events in any JSON and knows what the deployed default
would do with each. An unreadable line is an event too, a bad one, and never an error."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .problem import Refused
from .recent import recent

# As `check-events` ends if it could check the events, and if some of them would be refused.
_CHECKED = (0, 3)
_STDIN = Path("-")


@dataclass(frozen=True)
class Warned:
    """What the sender of an event should know: a stable word, and the field with what to do."""

    word: str
    text: str
    other_line: int | None = None


@dataclass(frozen=True)
class Line:
    """One event of the stream. All but `body` is for showing it, and for finding its outcome."""

    number: int
    body: str
    envelope: str  # eventbridge | bare | sns | sns/eventbridge | unknown
    type: str | None
    app: str | None
    token: str | None
    producer_id: str | None
    path: str | None = None  # where it is in the document that begins at this line
    device: str | None = None  # the device's fingerprint
    occurred_at: str | None = None
    not_taken: str | None = None  # why AWS would not take it
    parked: str | None = None  # the reason for which the deployed default parks it
    warnings: tuple[Warned, ...] = ()

    @property
    def label(self) -> str:
        """Where it is in the file."""
        return f"{self.number}{' ' if self.path else ''}{self.path or ''}"

    @property
    def by_bus(self) -> bool:
        return self.envelope == "eventbridge"


def read(path: Path, now: datetime | None = None) -> bytes:
    """Returns the file, or standard input for `-`, unchanged, or with its times moved to `now`: see `recent`."""
    try:
        content = sys.stdin.buffer.read() if path == _STDIN else path.read_bytes()
    except OSError as error:
        raise Refused(f"{path}: can't be read ({error.strerror}); name a file of events") from error
    if now is None:
        return content
    return "\n".join(recent(content.decode().split("\n"), now)).encode()


def check(binary: Path, content: bytes, name: Path, apps: Path) -> list[Line]:
    """Returns the events in it, each with what the deployed default would do with it. `apps`: the apps document."""
    argv = [str(binary), "--json", "--with-bodies", "--apps", str(apps), "-"]
    ended = subprocess.run(argv, input=content, capture_output=True, check=False)
    if ended.returncode not in _CHECKED:
        error = ended.stderr.decode(errors="replace").strip().removeprefix("error: ")
        raise Refused(error.replace("standard input", str(name), 1))
    return [_line(event) for event in json.loads(ended.stdout)["events"]]


def _line(event: dict[str, Any]) -> Line:
    warnings = (Warned(one["warning"], one["text"], one.get("other_line")) for one in event["warnings"])
    return Line(
        number=event["line"],
        body=event["body"],
        envelope=event["envelope"],
        type=event["type_text"],
        app=event["app_text"],
        token=event["token"],
        producer_id=event["id"],
        path=event.get("path"),
        device=event["device"],
        occurred_at=event["occurred_at"],
        not_taken=event["detail"] if event["result"] == "not_taken" else None,
        parked=event["reason"] if event["result"] == "parked" else None,
        warnings=tuple(warnings),
    )


def parse_line(number: int, body: str) -> Line:
    """Returns a body that a test sends, unchecked."""
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


def event_in(body: str) -> dict[str, Any]:
    """Returns the fields of the event in a body; none of a body that can't be read."""
    return _open(_object(body))[1]


def _open(outer: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if "detail-type" in outer:
        detail = outer.get("detail")
        return "eventbridge", {**(detail if isinstance(detail, dict) else {}), "type": outer["detail-type"]}
    if outer.get("Type") == "Notification":
        inner_envelope, event = _open(_object(outer.get("Message")))
        return ("sns/eventbridge" if inner_envelope == "eventbridge" else "sns"), event
    return ("bare" if "type" in outer else "unknown"), outer


def _object(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(event: dict[str, Any], key: str) -> str | None:
    value = event.get(key)
    return value if isinstance(value, str) else None
