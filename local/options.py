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
_SHORTHAND = re.compile(r"(?P<status>[1-5]\d\d)(x(?P<times>\d+))?")


@dataclass(frozen=True)
class Options:
    events: Path
    faults: list[dict[str, Any]]
    visibility_seconds: int
    json: bool
    keep: bool
    release: bool
    folder: Path | None


class _OneLine(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Problem(f"{message}: `make run ARGS=--help` shows what there is")


def parse(argv: list[str]) -> Options:
    parser = _OneLine(prog="make run", description="Runs the whole stack on this machine and shows what becomes of events.")
    parser.add_argument(
        "--events", default="", metavar="FILE", help=f"one JSON body per line (default {DEFAULT_EVENTS}); EVENTS="
    )
    parser.add_argument(
        "--faults", default="", metavar="FAULTS", help="JSON, a file of it, or a shorthand such as 503x8; FAULTS="
    )
    parser.add_argument("--visibility", type=int, metavar="SECONDS", help="how long a failed message waits; VISIBILITY=")
    parser.add_argument("--json", action="store_true", help="the result as JSON on stdout, progress on stderr; JSON=1")
    parser.add_argument("--keep", action="store_true", help="leave the stack up until Ctrl-C; KEEP=1")
    parser.add_argument("--release", action="store_true", help="build the binaries as Lambda would get them; RELEASE=1")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="where logs and state go (default: a new one in .local)")
    given = parser.parse_args(argv)
    faults = _faults(given.faults.strip())
    if given.visibility is not None and given.visibility < 1:
        raise Problem("--visibility must be at least 1 second: with 0 a message would be delivered again while it is handled")
    return Options(
        events=Path(given.events) if given.events else DEFAULT_EVENTS,
        faults=faults,
        visibility_seconds=given.visibility or _visibility_for(faults),
        json=given.json,
        keep=given.keep,
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
                f"FAULTS={text} is no shorthand such as 503x4, no JSON, and no file that can be read ({error.strerror}): give one"
            ) from error
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Problem(f"{source} is not valid JSON ({error}): mend it, or use a shorthand such as 503x4") from error
    faults = value if isinstance(value, list) else [value]
    if not all(isinstance(fault, dict) for fault in faults):
        raise Problem(f"{source} must be one JSON object or an array of them: mend it, or use a shorthand such as 503x4")
    return faults


def _visibility_for(faults: list[dict[str, Any]]) -> int:
    """Longer than any invocation of this run takes, or messages would be delivered twice at once; as short as that allows,
    since whoever looks on waits for it."""
    # Three tries of one call, 3 s each, and the pauses between them.
    return 12 if any(fault.get("fault") in ("delay", "hang") for fault in faults) else 3
