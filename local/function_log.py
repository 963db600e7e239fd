"""The function's log lines, from the log group that the template gives it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from .cloud import Cloud
from .stack import Stack


@dataclass(frozen=True)
class Delivery:
    """One event in one invocation, as the function logged it."""

    message_id: str | None
    event_id: str | None
    event_id_hash: str | None  # in place of an id that could identify a person
    outcome: str
    reason: str | None
    detail: str | None
    receive_count: int


def lines(cloud: Cloud, stack: Stack) -> list[dict[str, Any]]:
    """Returns the log's JSON lines, in the order in which they were written."""
    return [line for _, line in written(cloud, stack.log_group)]


def written(cloud: Cloud, log_group: str, since: int = 0) -> list[tuple[int, dict[str, Any]]]:
    """The same from a time on, each line with its time; times are epoch milliseconds."""
    logs = cloud.client("logs")
    found: list[tuple[int, dict[str, Any]]] = []
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=log_group, startTime=since):
        # START, END and REPORT are the platform's, and not JSON.
        found += [
            (event["timestamp"], _json(event["message"]))
            for event in page["events"]
            if event["message"].startswith("{")
        ]
    return found


def deliveries(log: list[dict[str, Any]]) -> list[Delivery]:
    return [
        Delivery(
            message_id=line.get("message_id"),
            event_id=line.get("event_id"),
            event_id_hash=line.get("event_id_hash"),
            outcome=line["outcome"],
            reason=line.get("reason"),
            detail=line.get("detail"),
            receive_count=int(line.get("receive_count") or 0),
        )
        for line in log
        if "outcome" in line
    ]


def event_id_hash(app: str | None, token: str | None, event_id: str) -> str:
    """Returns what the function logs in place of an id. For a deletion it has neither app nor token."""
    device = [app or "", token] if token else ["", ""]
    return hashlib.sha256("\0".join([*device, event_id]).encode()).hexdigest()[:12]


def invocations(log: list[dict[str, Any]]) -> int:
    return sum(line.get("message") == "batch done" for line in log)


def crashes(cloud: Cloud, stack: Stack) -> list[str]:
    """Returns the invocations that ended without an answer. Their whole batch is redelivered, so no event's outcome
    shows it."""
    text = cloud.log.read_text(errors="replace")
    name = re.escape(stack.function_name)
    return re.findall(rf"ESM: Lambda {name} failed processing SQS batch from \S+ (\(.*?\))\n", text)


def _json(text: str) -> dict[str, Any]:
    try:
        return json.loads(text)
    except ValueError:
        # A truncated line is shown as it is.
        return {"message": text}
