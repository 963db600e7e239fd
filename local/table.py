"""Tables of plain text. In a terminal they fit its width: columns are dropped, and texts move to lines of their own,
but no row is wrapped. In a pipe nothing is dropped, and no line ends with a blank."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

_GAP = "  "
_INDENT = " " * 6


@dataclass(frozen=True)
class Column:
    """`drop`: columns with a higher number are dropped first where there is no space; 0 is never dropped."""

    name: str
    right: bool = False
    drop: int = 0


@dataclass(frozen=True)
class Row:
    """`note`: a text of any length, behind the row or, where there is no space, below it."""

    cells: Sequence[str]
    style: str = ""
    note: str = ""


def table(
    columns: Sequence[Column], rows: Sequence[Row], width: int | None, note: str = "", styled: int = 0
) -> list[Text]:
    """Returns the lines. `width`: of the terminal; `note`: the name of the notes' column; `styled`: the index of the
    column that gets the rows' styles."""
    widths = [
        max([cell_len(column.name), *(cell_len(_plain(row.cells[index])) for row in rows)])
        for index, column in enumerate(columns)
    ]
    kept = list(range(len(columns)))
    while width is not None and _total(widths[index] for index in kept) > width:
        droppable = [index for index in kept if columns[index].drop]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda index: columns[index].drop))
    used = _total(widths[index] for index in kept) + len(_GAP)

    def is_beside(note: str) -> bool:
        return width is None or cell_len(note) <= width - used

    def line(cells: Sequence[str], style: str, note: str) -> Text:
        text = Text()
        for index in kept:
            cell = _plain(cells[index])
            padding = " " * (widths[index] - cell_len(cell))
            text.append(padding + cell if columns[index].right else cell + padding, style if index == styled else "")
            text.append(_GAP)
        if is_beside(note):
            text.append(_plain(note))
        text.rstrip()
        return text

    header = line([column.name for column in columns], "", note)
    header.stylize("bold")
    lines = [header]
    for row in rows:
        lines.append(line(row.cells, row.style, row.note))
        if row.note and not is_beside(row.note):
            lines += paragraph(row.note, width, indent=_INDENT)
    return lines


def paragraph(text: str, width: int | None, indent: str = "") -> list[Text]:
    """Returns a text wrapped at the terminal's width; in a pipe as one line."""
    if width is None:
        return [Text(indent + _plain(text))]
    further = f"{indent}  " if indent else ""
    wrapped = textwrap.wrap(
        _plain(text), max(width, 40), initial_indent=indent, subsequent_indent=further, break_on_hyphens=False
    )
    return [Text(line) for line in wrapped]


def _total(widths: Iterable[int]) -> int:
    found = list(widths)
    return sum(found) + len(_GAP) * (len(found) - 1)


def _plain(text: str) -> str:
    """Without control characters, which could control a terminal."""
    return "".join(" " if ord(character) < 32 or 127 <= ord(character) < 160 else character for character in text)
