"""Logs Insights queries, as far as the runbook uses the language. MiniStack accepts any query and ignores our fields,
so here a query runs over the lines that the function printed, and one with a wrong field or value finds nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Line = dict[str, Any]
# What Lambda and CloudWatch add to a line.
GIVEN = {"@timestamp", "@message"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">=": lambda left, right: left is not None and left >= right,
    "<=": lambda left, right: left is not None and left <= right,
}
_FIELD = r"@?[A-Za-z_][\w.]*"
_PRESENT = re.compile(rf"ispresent\(({_FIELD})\)")
_COMPARISON = re.compile(rf'({_FIELD}) (=|!=|>=|<=) (?:"([^"]*)"|(\d+))')
_LIKE = re.compile(rf"({_FIELD}) like /(.*)/")
_IN = re.compile(rf"({_FIELD}) in \[(.*)\]")
_AGGREGATE = re.compile(rf"(count|sum|max|min)\((\*|{_FIELD})\)(?: as (\w+))?")


class Query:
    def __init__(self, text: str) -> None:
        self.text = text
        self.fields: set[str] = set()
        self._filters: list[Callable[[Line], bool]] = []
        self._made: set[str] = set()
        for stage in re.split(r" \| ", text):
            name, _, rest = stage.partition(" ")
            reader = {
                "filter": self._filter,
                "fields": self._fields,
                "stats": self._stats,
                "sort": self._sort,
                "limit": self._limit,
            }
            reader[name](rest)
        self.fields -= GIVEN | self._made

    def rows(self, lines: list[Line]) -> list[Line]:
        """Returns the lines that pass the query's filters."""
        return [line for line in lines if all(holds(line) for holds in self._filters)]

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
        raise AssertionError(f"{clause!r} in {self.text!r}: tests/docs/insights.py does not support this clause")

    def _fields(self, text: str) -> None:
        for name in text.split(", "):
            self._field(name)

    def _stats(self, text: str) -> None:
        aggregates, _, groups = text.partition(" by ")
        for aggregate in aggregates.split(", "):
            match = _AGGREGATE.fullmatch(aggregate)
            assert match, f"{aggregate!r} in {self.text!r}"
            if match[2] != "*":
                self._field(match[2])
            self._made.add(match[3])
        for group in filter(None, groups.split(", ")):
            if not re.fullmatch(r"bin\(\d+[mh]\)", group):
                self._field(group)

    def _sort(self, text: str) -> None:
        match = re.fullmatch(rf"({_FIELD}) (asc|desc)", text)
        assert match, f"{text!r} in {self.text!r}"
        if match[1] not in self._made:
            self._field(match[1])

    def _limit(self, text: str) -> None:
        assert text.isdigit(), f"{text!r} in {self.text!r}"

    def _field(self, name: str) -> str:
        assert re.fullmatch(_FIELD, name), f"{name!r} in {self.text!r} is not a field"
        self.fields.add(name)
        return name
