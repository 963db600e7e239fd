"""One row per event as the function settles it, while a stack is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

from . import function_log
from .cloud import Cloud
from .show import COLOURS
from .stack import Stack
from .table import Column, Row, table

_POLL_SECONDS = 0.5
# A line may get to the log later than a newer one.
_LATE_MILLIS = 10_000
# Of the columns; a longer text moves the rest of its row.
_COLUMNS = (
    Column("at".ljust(8)),
    Column("event".ljust(15)),
    Column("app".ljust(8)),
    Column("device".ljust(12)),
    Column("outcome".ljust(13)),
    Column("deliveries", right=True),
)


class Live:
    """The lines of a log that have not been seen yet."""

    def __init__(self, cloud: Cloud, stack: Stack, most_receives: int) -> None:
        self._cloud = cloud
        self._stack = stack
        self._most = most_receives
        self._since = 0
        self._seen: set[str] = set()
        # What the run itself has shown.
        list(self._new())

    def rows(self) -> Iterator[Row]:
        """Returns the events settled since the last time."""
        for at, line in self._new():
            if "outcome" in line and not str(line.get("message", "")).startswith("check"):
                yield row(at, line, self._most)

    def show_until_interrupted(self, console: Console) -> None:
        width = console.width if console.is_terminal else None
        _print(console, table(_COLUMNS, [], width, "reason")[0])
        while True:
            for text in table(_COLUMNS, list(self.rows()), width, styled=4)[1:]:
                _print(console, text)
            time.sleep(_POLL_SECONDS)

    def _new(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for at, line in function_log.written(self._cloud, self._stack.log_group, self._since):
            key = f"{at} {line}"
            if key not in self._seen:
                self._seen.add(key)
                self._since = max(self._since, at - _LATE_MILLIS)
                yield at, line


def row(at: int, line: dict[str, Any], most_receives: int) -> Row:
    """Returns a line of the log as a row; a failure at its last delivery is the way to the dead-letter queue."""
    outcome, deliveries = str(line["outcome"]), int(line.get("receive_count") or 0)
    if outcome not in COLOURS and deliveries >= most_receives:
        outcome = "dead-lettered"
    cells = (
        time.strftime("%H:%M:%S", time.localtime(at / 1000)),
        str(line.get("type") or "-").ljust(15),
        str(line.get("app") or "-").ljust(8),
        str(line.get("device") or "-").ljust(12),
        outcome.ljust(13),
        str(deliveries or "-"),
    )
    reason = ": ".join(str(part) for part in (line.get("reason"), line.get("detail")) if part)
    return Row(cells, COLOURS.get(outcome, "red"), reason)


def _print(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True, highlight=False, emoji=False, markup=False)
