"""Every file under events/ is accepted over the path it is meant for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from deployment import Deployment

from local.recent import recent
from local.run import ROOT

EVENTS = ROOT / "events"
# Folder -> how its files reach the function.
TO_THE_QUEUE = ("bare", "eventbridge")
AS_INVOCATION = ("eventbridge-array", "sqs-bare", "sqs-eventbridge", "sqs-sns")


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (EVENTS / folder).glob("*.json"))


def name(path: Path) -> str:
    return str(path.relative_to(EVENTS))


def text(path: Path) -> str:
    return recent([path.read_text()], datetime.now(UTC))[0]


@pytest.mark.parametrize("path", files(*TO_THE_QUEUE), ids=name)
def test_a_sample_event_is_accepted_over_bus_or_queue(every_stack: Deployment, path: Path) -> None:
    # Without a bus, an EventBridge event comes over the queue, where a rule would have put it.
    every_stack.handle(text(path))
    assert every_stack.tpns.calls(), "the event did not reach TPNS"
    assert all(call["applied"] for call in every_stack.tpns.calls())
    assert (every_stack.parked(), every_stack.dead_letters()) == ([], [])


@pytest.mark.parametrize("path", files(*AS_INVOCATION), ids=name)
def test_a_sample_invocation_is_accepted(every_stack: Deployment, path: Path) -> None:
    payload = json.loads(text(path))
    answer = every_stack.invoke(payload)
    assert answer == ({"batchItemFailures": []} if "Records" in payload else None)
    assert every_stack.tpns.calls(), "the events did not reach TPNS"
    assert all(call["applied"] for call in every_stack.tpns.calls())


def test_every_sample_file_is_tested() -> None:
    known = {*files(*TO_THE_QUEUE, *AS_INVOCATION), EVENTS / "stream.jsonl", EVENTS / "auth-event.v1.schema.json"}
    untested = [name(path) for path in EVENTS.rglob("*") if path.is_file() and path not in known]
    assert untested == [], "add their folder to this file, with the path to the function"
    for folder in (*TO_THE_QUEUE, *AS_INVOCATION):
        assert files(folder), f"events/{folder} is empty"
