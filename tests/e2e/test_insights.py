"""`insights` of a local stack: the runbook's queries over the function's lines."""

from __future__ import annotations

from typing import Any

import pytest

from local.insights import Query
from local.problem import Problem


def line(at: str, **fields: Any) -> dict[str, Any]:
    return {"@timestamp": f"2026-11-22 08:{at}.000", "@message": str(fields), **fields}


LINES = [
    line("01:10", outcome="retry", reason="tpns_timeout", app="ios", took_ms=7),
    line("02:10", outcome="retry", reason="tpns_timeout", app="ios", took_ms=9),
    line("04:10", outcome="applied", app="ios"),
    line("09:10", outcome="retry", reason="ledger_throttled", app="android", took_ms=100),
]


def values(text: str) -> list[list[Any]]:
    return [list(row.values()) for row in Query(text).results(LINES)]


def test_events_are_counted_by_reason_the_most_frequent_first() -> None:
    text = 'filter outcome = "retry" and ispresent(reason) | stats count(*) as n by reason, app | sort n desc'
    assert values(text) == [["tpns_timeout", "ios", 2], ["ledger_throttled", "android", 1]]
    assert values(f"{text} | limit 1") == [["tpns_timeout", "ios", 2]]
    assert values(text.replace("desc", "asc"))[0] == ["ledger_throttled", "android", 1]


def test_numbers_are_summed_in_slices_of_time_and_a_field_that_is_missing_is_empty() -> None:
    assert values("stats sum(took_ms) as sum, max(took_ms) as most by bin(5m)") == [
        ["2026-11-22 08:00:00.000", 16, 9],
        ["2026-11-22 08:05:00.000", 100, 100],
    ]
    assert values('filter outcome = "applied" | stats max(took_ms) as most') == [[""]]
    assert values('filter outcome = "applied" | fields @timestamp, reason') == [["2026-11-22 08:04:10.000", ""]]


@pytest.mark.parametrize(
    "text", ["parse @message", "filter took_ms * 2 = 4", "stats avg(took_ms)", "sort by n", "limit x", "fields a-b"]
)
def test_what_it_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(Problem, match=r"^insights: "):
        Query(text)
