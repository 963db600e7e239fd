"""Logs Insights queries, as far as the runbook uses the language, over the lines that the function printed: MiniStack
accepts any query and ignores our fields. The `env.sh` of a run calls `python -m local.insights URL LOG HOURS QUERY`."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import function_log
from .cloud import Cloud
from .problem import Problem, server_failures_as_problems

Line = dict[str, Any]
Stage = Callable[[list[Line]], list[Line]]
# What Lambda and CloudWatch add to a line.
GIVEN = {"@timestamp", "@message"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">=": lambda left, right: left is not None and left >= right,
    "<=": lambda left, right: left is not None and left <= right,
}
_AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {"count": len, "sum": sum, "max": max, "min": min}
_FIELD = r"@?[A-Za-z_][\w.]*"
_PRESENT = re.compile(rf"ispresent\(({_FIELD})\)")
_COMPARISON = re.compile(rf'({_FIELD}) (=|!=|>=|<=) (?:"([^"]*)"|(\d+))')
_LIKE = re.compile(rf"({_FIELD}) like /(.*)/")
_IN = re.compile(rf"({_FIELD}) in \[(.*)\]")
_AGGREGATE = re.compile(rf"(count|sum|max|min)\((\*|{_FIELD})\)(?: as (\w+))?")
_BIN = re.compile(r"bin\((\d+)([mh])\)")
# CloudWatch returns no more rows than this without a `limit`.
_MOST_ROWS = 10_000


class Query:
    """A query; `fields` are those of the function's lines that it names."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.fields: set[str] = set()
        self._filters: list[Callable[[Line], bool]] = []
        self._stages: list[Stage] = []
        self._made: set[str] = set()
        readers = {
            "filter": self._filter,
            "fields": self._fields,
            "stats": self._stats,
            "sort": self._sort,
            "limit": self._limit,
        }
        for stage in re.split(r" \| ", text):
            name, _, rest = stage.partition(" ")
            if name not in readers:
                raise Problem(f"insights: {name!r} is not supported here; use {', '.join(readers)}")
            readers[name](rest)
        self.fields -= GIVEN | self._made

    def rows(self, lines: list[Line]) -> list[Line]:
        """Returns the lines that pass the query's filters."""
        return [line for line in lines if all(holds(line) for holds in self._filters)]

    def results(self, lines: list[Line]) -> list[Line]:
        """Returns the rows that CloudWatch shows."""
        rows = self.rows(lines)
        for stage in self._stages:
            rows = stage(rows)
        return rows[:_MOST_ROWS]

    def _filter(self, text: str) -> None:
        for clause in text.split(" and "):
            self._filters.append(self._clause(clause))

    def _clause(self, clause: str) -> Callable[[Line], bool]:
        if match := _PRESENT.fullmatch(clause):
            field = self._field(match[1])
            return lambda line: field in line
        if match := _COMPARISON.fullmatch(clause):
            field, compare = self._field(match[1]), _COMPARE[match[2]]
            value = match[3] if match[3] is not None else int(match[4])
            return lambda line: compare(line.get(field), value)
        if match := _LIKE.fullmatch(clause):
            field, pattern = self._field(match[1]), re.compile(match[2])
            return lambda line: bool(pattern.search(str(line if field == "@message" else line.get(field, ""))))
        if match := _IN.fullmatch(clause):
            field, values = self._field(match[1]), re.findall(r'"([^"]*)"', match[2])
            return lambda line: line.get(field) in values
        raise Problem(f"insights: {clause!r} is not supported here; use a clause of the runbook's queries")

    def _fields(self, text: str) -> None:
        names = [self._field(name) for name in text.split(", ")]
        self._stages.append(lambda rows: [{name: row.get(name, "") for name in names} for row in rows])

    def _stats(self, text: str) -> None:
        aggregates, _, groups = text.partition(" by ")
        columns: list[tuple[str, str, str]] = []
        for aggregate in aggregates.split(", "):
            match = _AGGREGATE.fullmatch(aggregate)
            if not match:
                raise Problem(f"insights: {aggregate!r} is not supported here; use count, sum, max or min")
            if match[2] != "*":
                self._field(match[2])
            name = match[3] or aggregate
            self._made.add(name)
            columns.append((name, match[1], match[2]))
        keys: list[tuple[str, Callable[[Line], Any]]] = []
        for group in filter(None, groups.split(", ")):
            if match := _BIN.fullmatch(group):
                keys.append((group, _bin(int(match[1]) * (60 if match[2] == "m" else 3600))))
            else:
                keys.append((group, _getter(self._field(group))))
        self._stages.append(lambda rows: _grouped(rows, columns, keys))

    def _sort(self, text: str) -> None:
        match = re.fullmatch(rf"({_FIELD}) (asc|desc)", text)
        if not match:
            raise Problem(f"insights: `sort {text}` is not supported here; name a field and asc or desc")
        name, descending = match[1], match[2] == "desc"
        if name not in self._made:
            self._field(name)
        self._stages.append(lambda rows: sorted(rows, key=lambda row: _sortable(row.get(name)), reverse=descending))

    def _limit(self, text: str) -> None:
        if not text.isdigit():
            raise Problem(f"insights: `limit {text}` is not supported here; name a number")
        self._stages.append(lambda rows: rows[: int(text)])

    def _field(self, name: str) -> str:
        if not re.fullmatch(_FIELD, name):
            raise Problem(f"insights: {name!r} is not a field")
        self.fields.add(name)
        return name


def _grouped(
    rows: list[Line], columns: list[tuple[str, str, str]], keys: list[tuple[str, Callable[[Line], Any]]]
) -> list[Line]:
    groups: dict[tuple[Any, ...], list[Line]] = {}
    for row in rows:
        groups.setdefault(tuple(of(row) for _, of in keys), []).append(row)
    found = []
    for key, members in groups.items():
        result: Line = dict(zip((name for name, _ in keys), key, strict=True))
        for name, aggregate, field in columns:
            values = members if field == "*" else [row[field] for row in members if field in row]
            result[name] = _AGGREGATES[aggregate](values) if values else ""
        found.append(result)
    return found


def _getter(name: str) -> Callable[[Line], Any]:
    return lambda row: row.get(name, "")


def _bin(seconds: int) -> Callable[[Line], str]:
    def begin(row: Line) -> str:
        at = datetime.fromisoformat(row["@timestamp"]).timestamp()
        return _time((int(at) // seconds) * seconds * 1000)

    return begin


def _sortable(value: Any) -> tuple[int, Any]:
    return (0, value) if isinstance(value, (int, float)) else (1, str(value))


def _time(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def main(argv: list[str]) -> int:
    url, log_group, hours, text = argv
    try:
        query = Query(text)
        with server_failures_as_problems(Path(".local")):
            since = int((time.time() - float(hours) * 3600) * 1000)
            found = function_log.written(Cloud(url, Path()), log_group, since)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    lines = [{"@timestamp": _time(at), "@message": json.dumps(line), **line} for at, line in found]
    for row in query.results(lines):
        print("  ".join(str(value) for value in row.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
