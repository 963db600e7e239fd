"""The samples' dates become recent, and nothing else in them changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.recent import recent
from local.run import ROOT

NOW = datetime(2029, 2, 28, 12, 0, 0, 500_000, tzinfo=UTC)
STREAM = ROOT / "events" / "stream.jsonl"
FILES = [path for path in (ROOT / "events").rglob("*.json*") if not path.name.endswith("schema.json")]
FILES += (ROOT / "examples").rglob("events/*.json")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"occurred_at":"2026-11-22T10:30:00.123Z"}', '{"occurred_at":"2029-02-28T11:59:59.123Z"}'),
        ('{"occurred_at": "2026-11-22T18:30:00+08:00"}', '{"occurred_at": "2029-02-28T19:59:59+08:00"}'),
        ('{"occurred_at": 1795344601250}', '{"occurred_at": 1866974399250}'),
        (r'{"Message":"{\"occurred_at\":1795344601250}"}', r'{"Message":"{\"occurred_at\":1866974399250}"}'),
        ('{"SentTimestamp":"1795344601250"}', '{"SentTimestamp":"1866974399250"}'),
        (
            '{"id":"17953446012501795344601250","account":"1527000000"}',
            '{"id":"17953446012501795344601250","account":"1527000000"}',
        ),
        ("this is not JSON", "this is not JSON"),
        ('{"occurred_at":"2031-01-01T00:00:00Z"}', '{"occurred_at":"2031-01-01T00:00:00Z"}'),
    ],
)
def test_a_time_keeps_its_form_and_everything_else_stays(old: str, new: str) -> None:
    assert recent([old], NOW) == [new]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_all_times_of_a_sample_move_by_the_same_amount_and_nothing_else_changes(path: Path) -> None:
    old, new = texts(path), recent(texts(path), NOW)
    leaves = [(*pair,) for pair in zip(map(leaf, all_leaves(old)), map(leaf, all_leaves(new)), strict=True)]
    moved = [(before, after) for before, after in leaves if before != after]
    assert all(isinstance(value, datetime) for pair in moved for value in pair)
    assert [pair for pair in leaves if isinstance(pair[0], datetime) and pair not in moved] == []
    assert len({after - before for before, after in moved}) == 1
    newest = max(after for before, after in moved if before.year == 2026)
    assert timedelta(seconds=1) <= NOW - newest < timedelta(seconds=2)


def test_one_event_of_the_stream_stays_in_the_future() -> None:
    ahead = [
        time for time in map(leaf, all_leaves(recent(texts(STREAM), NOW))) if isinstance(time, datetime) and time > NOW
    ]
    assert len(ahead) == 1
    assert ahead[0] - NOW > timedelta(days=365)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_event_of_a_sample_happens_after_it_was_sent(path: Path) -> None:
    for envelope, inside in [found for text in texts(path) for found in envelopes(unfolded(text))]:
        # The bus has whole seconds.
        sent = leaf(envelope) + timedelta(milliseconds=999)
        assert all(time <= sent for time in map(leaf, leaves_of(inside)) if isinstance(time, datetime))


def texts(path: Path) -> list[str]:
    text = path.read_text()
    return text.split("\n") if path.suffix == ".jsonl" else [text]


def unfolded(value: Any) -> Any:
    """Returns the value with JSON in strings, as in SNS and SQS, parsed."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        return unfolded(json.loads(value))
    if isinstance(value, dict):
        return {key: unfolded(inner) for key, inner in value.items()}
    return [unfolded(inner) for inner in value] if isinstance(value, list) else value


def leaves_of(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves_of(inner)
    else:
        yield value


def all_leaves(found: list[str]) -> list[Any]:
    return [one for text in found for one in leaves_of(unfolded(text))]


def leaf(value: Any) -> Any:
    """Returns a time if the value is one, else the value."""
    if (isinstance(value, int) and value > 10**12) or (isinstance(value, str) and value.isdigit() and len(value) == 13):
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else value
    except ValueError:
        return value


def envelopes(value: Any) -> Iterator[tuple[str, Any]]:
    """Yields when each envelope was sent, and what is in it."""
    if isinstance(value, dict):
        if "detail-type" in value:
            yield value["time"], value["detail"]
        if value.get("Type") == "Notification":
            yield value["Timestamp"], value["Message"]
        if "SentTimestamp" in value.get("attributes", {}):
            yield value["attributes"]["SentTimestamp"], value["body"]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from envelopes(inner)
