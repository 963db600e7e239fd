"""The command line of `make run`."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from .problem import Problem

DEFAULT_EVENTS = Path("events/stream.jsonl")
_SHORTHAND = re.compile(r"(?P<status>[2-5]\d\d)(x(?P<times>\d+))?")
# The kinds of crates/tpns-sim/src/fault/kind.rs: a fault that is mistyped is reported before anything is built. The
# rest is checked by tpns-sim itself.
FAULTS = (
    "status",
    "ret_code",
    "item_code",
    "delay",
    "effect",
    "hang",
    "reset",
    "truncated",
    "malformed",
    "result_length",
    "ok_words",
    "disconnect",
)


@dataclass(frozen=True)
class Options:
    events: Path
    faults: list[dict[str, Any]]
    visibility_seconds: int
    json: bool
    keep: bool
    strict: bool
    release: bool
    folder: Path | None


class OneLine(argparse.ArgumentParser):
    """Reports an error in one line. `prog`: the command of make."""

    def error(self, message: str) -> NoReturn:
        raise Problem(f"{message}; `{self.prog} ARGS=--help` lists the options")


def parse(argv: list[str]) -> Options:
    parser = OneLine(
        prog="make run", description="Runs the whole stack on this machine and shows each event's outcome."
    )
    parser.add_argument(
        "--events",
        default="",
        metavar="FILE",
        help=f"JSON lines, or any JSON with events; - is standard input (default {DEFAULT_EVENTS}); EVENTS=",
    )
    parser.add_argument(
        "--faults", default="", metavar="FAULTS", help="JSON, a JSON file, or a shorthand such as 503x8; FAULTS="
    )
    parser.add_argument("--visibility", type=int, metavar="SECONDS", help="the queue's visibility timeout; VISIBILITY=")
    parser.add_argument(
        "--json", action="store_true", help="print the result as JSON on stdout, progress on stderr; JSON=1"
    )
    parser.add_argument("--keep", action="store_true", help="keep the stack running until Ctrl-C; KEEP=1")
    parser.add_argument(
        "--strict", action="store_true", help="fail if an event is parked, dead-lettered or refused; STRICT=1"
    )
    parser.add_argument("--release", action="store_true", help="build optimised binaries, as for Lambda; RELEASE=1")
    parser.add_argument(
        "--folder", type=Path, metavar="FOLDER", help="folder for logs and state (default: a new one in .local)"
    )
    given = parser.parse_args(argv)
    faults = _faults(given.faults.strip())
    if given.visibility is not None and given.visibility < 1:
        raise Problem(
            "--visibility: must be at least 1 second; with 0 a message would be redelivered while it is being processed"
        )
    return Options(
        events=Path(given.events) if given.events else DEFAULT_EVENTS,
        faults=faults,
        visibility_seconds=given.visibility or _visibility_for(faults),
        json=given.json,
        keep=given.keep,
        strict=given.strict,
        release=given.release,
        folder=given.folder,
    )


def _faults(text: str) -> list[dict[str, Any]]:
    if not text:
        return []
    if match := _SHORTHAND.fullmatch(text):
        return [{"fault": "status", "status": int(match["status"]), "times": int(match["times"] or 1)}]
    source = "FAULTS"
    if text[0] not in "[{":
        source = text
        try:
            text = Path(text).read_text()
        except OSError as error:
            raise Problem(
                f"FAULTS={text}: is not JSON, not a shorthand such as 503x4, and not a readable file"
                f" ({error.strerror}); use one of these"
            ) from error
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Problem(f"{source}: is not valid JSON ({error}); fix it, or use a shorthand such as 503x4") from error
    faults = value if isinstance(value, list) else [value]
    if not all(isinstance(fault, dict) for fault in faults):
        raise Problem(
            f"{source}: must be a JSON object or an array of objects; fix it, or use a shorthand such as 503x4"
        )
    for fault in faults:
        if fault.get("fault") not in FAULTS:
            raise Problem(f"{source}: {json.dumps(fault.get('fault'))} is no fault; name one of {', '.join(FAULTS)}")
    return faults


def _visibility_for(faults: list[dict[str, Any]]) -> int:
    """Returns a visibility timeout longer than any invocation of this run, or messages would be processed twice at the
    same time; and otherwise short, because you wait for it."""
    # Three tries of one call, 3 s each, and the pauses between them.
    return 12 if any(fault.get("fault") in ("delay", "hang") for fault in faults) else 3
