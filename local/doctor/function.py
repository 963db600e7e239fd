"""The stack and the function: which version gets the events, and whether it can start."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .deployed import ALIAS, Deployed
from .finding import Finding, fail, note, ok

_RUNBOOK = 'docs/runbook.md, "The function fails"'
# Init is at the beginning of a log stream, and each of its tries is a few lines.
_LINES_OF_INIT = 100


def stack(deployed: Deployed) -> Iterator[Finding]:
    subject, status = f"stack {deployed.name}", deployed.status
    events = f"aws cloudformation describe-stack-events --stack-name {deployed.name} shows why"
    if status.endswith("_IN_PROGRESS"):
        yield note(subject, f"is in {status}", "check it again when that has ended")
    elif status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
        yield ok(subject, status)
    elif status in ("UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"):
        yield note(subject, f"is as it was before its last deployment, which failed ({status})", events)
    else:
        yield fail(subject, f"is in {status}", events)


def function(deployed: Deployed) -> Iterator[Finding]:
    live = deployed.live
    version = f"version {live['Version']}"
    alias = deployed.client("lambda").get_alias(FunctionName=deployed.function, Name=ALIAS)
    # An inactive function has not been used for weeks, and a pending one is being made ready.
    if live["State"] == "Failed":
        yield fail("function", f"{version} is live and in the state Failed", f"roll back: {_RUNBOOK}")
    else:
        yield from _last_start(deployed, version)
    for other, share in alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).items():
        yield note("function", f"version {other} gets {share:.0%} of the batches: a deployment is under way")


def _last_start(deployed: Deployed, version: str) -> Iterator[Finding]:
    start = last_start(deployed.client("logs"), deployed.live["LoggingConfig"]["LogGroup"], deployed.live["Version"])
    if start is None:
        yield note("function", f"{version} is live and has not started yet", "send an event")
        return
    when = datetime.fromtimestamp(start.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if start.failure:
        yield fail("function", f"{version} is live and could not start ({when}): {start.failure}", _RUNBOOK)
    else:
        yield ok("function", f"{version} is live and started at {when}")


@dataclass(frozen=True)
class Start:
    """Seconds since 1970, and why Init failed, in the words of the function or of Lambda."""

    at: float
    failure: str | None


def last_start(logs: Any, group: str, version: str) -> Start | None:
    """Returns how the newest sandbox of a version started; each has a log stream of its own."""
    newest = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=50)
    streams = [one for one in newest["logStreams"] if re.search(rf"\[{re.escape(version)}\]", one["logStreamName"])]
    if not streams:
        return None
    stream = max(streams, key=lambda one: one["creationTime"])
    events = logs.get_log_events(
        logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True, limit=_LINES_OF_INIT
    )["events"]
    return Start(stream["creationTime"] / 1000, _failure([event["message"] for event in events]))


def _failure(messages: list[str]) -> str | None:
    """Lambda repeats an Init that failed, so the last one counts."""
    failure, is_init = None, True
    for line in map(_json, messages):
        match line:
            case {"type": "platform.initStart"}:
                failure, is_init = None, True
            case {"type": "platform.initReport", "record": {"status": status}}:
                is_init = False
                if status != "success":
                    failure = failure or f"Init ended with {status}"
            case {"type": "platform.start"}:
                is_init = False
            case {"level": "ERROR", "message": message} if is_init:
                failure = str(message)
    return failure


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"type": "platform.start"} if text.startswith("START ") else {}
