"""The command line of `make run`."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from samtranslator.yaml_helper import yaml_parse

from .problem import Problem

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"
# What a stack on one machine can't have otherwise.
OF_THE_RUN = ("Architecture", "GradualDeployment", "LogLevel", "TpnsApps", "TpnsAppsSecretId")
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
    # The names in your apps document; none for the two apps of the samples.
    apps: list[str] | None
    # Of the template, instead of its defaults.
    parameters: dict[str, str]


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
    parser.add_argument(
        "--apps", default="", metavar="FILE", help="your apps document; only the apps' names are read; APPS="
    )
    parser.add_argument(
        "--parameters",
        default="",
        metavar="PARAMETERS",
        help="of the template, such as 'QueueType=fifo MaxEventAge=7d'; PARAMETERS=",
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
        apps=_app_names(Path(given.apps)) if given.apps else None,
        parameters=_parameters(given.parameters),
    )


def _app_names(path: Path) -> list[str]:
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise Problem(f"APPS={path}: can't be read ({error.strerror}); name the apps document") from error
    except ValueError as error:
        raise Problem(f"APPS={path}: is not JSON; name the apps document") from error
    # An app is an object; the ledger's keys beside them are a list.
    names = [name for name, app in document.items() if isinstance(app, dict)] if isinstance(document, dict) else []
    if not names:
        raise Problem(f"APPS={path}: is not an apps document; it is a JSON object with the apps by name")
    return names


def _parameters(text: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise Problem(f"PARAMETERS: {error}; write Name=value, with quotes around a value that has blanks") from error
    given = {name: value for name, equals, value in (word.partition("=") for word in words) if equals}
    if len(given) != len(words):
        raise Problem("PARAMETERS: must be Name=value pairs, each name once; for example QueueType=fifo MaxEventAge=7d")
    known = yaml_parse(TEMPLATE.read_text())["Parameters"]
    for name, value in given.items():
        if name not in known:
            raise Problem(f"PARAMETERS: {name} is no parameter of template.yaml; name one of {', '.join(known)}")
        if name in OF_THE_RUN:
            raise Problem(f"PARAMETERS: {name} is set by make run; omit it")
        allowed = known[name].get("AllowedValues")
        if allowed and value not in map(str, allowed):
            raise Problem(f"PARAMETERS: {name}={value} is not allowed; use one of {', '.join(map(str, allowed))}")
    return given


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
