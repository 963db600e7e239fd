"""Reads the widgets and metrics from a dashboard's body."""

from __future__ import annotations

import json
import re
from typing import Any

from known_metrics import Metric

# The grid of CloudWatch's dashboards.
COLUMNS = 24
_SEARCH = re.compile(r"SEARCH\('\{(?P<namespace>[^,}]+),(?P<dimensions>[^}]+)\} (?P<terms>[^']*)', '\w+', \d+\)")


def widgets(body: str, kind: str | None = None) -> list[dict[str, Any]]:
    return [widget for widget in json.loads(body)["widgets"] if kind in (None, widget["type"])]


def metrics(body: str) -> list[Metric]:
    return [metric for widget in widgets(body, "metric") for metric in _of_widget(widget)]


def overlapping(body: str) -> list[tuple[Any, Any]]:
    """Returns pairs of widgets that overlap, and widgets that exceed the grid, each paired with itself."""
    places = [tuple(widget[key] for key in ("x", "y", "width", "height")) for widget in widgets(body)]
    outside = [(place, place) for place in places if place[0] + place[2] > COLUMNS]
    return outside + [
        (one, other)
        for number, one in enumerate(places)
        for other in places[:number]
        if one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    ]


def _of_widget(widget: dict[str, Any]) -> list[Metric]:
    found: list[Metric] = []
    above: list[str] = []
    for row in widget["properties"]["metrics"]:
        if isinstance(row[0], dict):
            found.append(_searched(row[0]["expression"]))
            continue
        words = [word for word in row if isinstance(word, str)]
        # "." repeats the word above it, "..." all words above.
        above = above if words == ["..."] else [old if word == "." else word for word, old in _beside(words, above)]
        found.append(Metric(above[0], above[1], frozenset(above[2::2])))
    return found


def _beside(words: list[str], above: list[str]) -> list[tuple[str, str]]:
    return list(zip(words, [*above, *[""] * (len(words) - len(above))], strict=False))


def _searched(expression: str) -> Metric:
    match = _SEARCH.fullmatch(expression)
    assert match, f"dashboard.py does not support this SEARCH: {expression}"
    name = re.search(r'MetricName="(\w+)"', match["terms"])
    assert name, f"this SEARCH has no metric name: {expression}"
    return Metric(match["namespace"], name[1], frozenset(match["dimensions"].split(",")))
