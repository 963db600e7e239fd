"""Prints the result as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from .links import carried, superseded_by
from .outcomes import Outcome
from .queues import FailedMessage
from .result import Result, tries, warnings
from .table import Column, Row, paragraph, table

COLOURS = {
    "applied": "green",
    "superseded": "cyan",
    "parked": "yellow",
    "ignored": "yellow",
    "dead-lettered": "red",
    "refused": "red",
    "unknown": "red",
}
_OPERATIONS = {2: "2 bind only these", 3: "3 unbind these", 4: "4 unbind all", 5: "5 delete account"}
# More calls than these are folded where neighbours are alike.
_MOST_CALLS = 20
# So many lines are named at one place.
_MOST_LINES = 8


def show(console: Console, result: Result) -> None:
    # In a pipe nothing is wrapped or dropped.
    width = console.width if console.is_terminal else None
    sections = (
        _events(result, width),
        _warnings(result, width),
        _calls(result, width),
        _bindings(result, width),
        _messages("parking queue", result.parked_events(), width),
        _messages("dead-letter queue", result.dead_events(), width),
    )
    for lines in sections:
        for line in lines:
            _print(console, line)
        if lines:
            console.print()
    for line in paragraph(totals(result), width):
        _print(console, line)


def totals(result: Result) -> str:
    """Returns the line of totals."""
    counts = Counter(event.outcome for event in result.events)
    outcomes = ", ".join(f"{counts[outcome]} {outcome}" for outcome in COLOURS if counts[outcome])
    warned = sum(bool(warnings(event)) for event in result.events)
    parts = [
        f"{_count(len(result.events), 'event')}: {outcomes}",
        f"{warned} with warnings",
        _count(len(result.calls), "TPNS call"),
        f"{_count(len(_bound(result)), 'device')} with accounts",
        _count(result.invocations, "invocation"),
    ]
    return "; ".join(parts)


def _print(console: Console, line: Text) -> None:
    # As it is: no emoji in place of `:name:`, no highlighting, no wrapping.
    console.print(line, soft_wrap=True, highlight=False, emoji=False, markup=False)


def _title(text: str) -> Text:
    return Text(text, style="bold")


def _events(result: Result, width: int | None) -> list[Text]:
    columns = [
        Column("line", right=True),
        Column("sent to", drop=4),
        Column("event"),
        Column("app"),
        Column("device"),
        Column("fingerprint", drop=2),
        Column("outcome"),
        Column("deliveries", right=True, drop=3),
        Column("call", right=True, drop=1),
    ]
    calls = _calls_of_events(result)

    def row(event: Outcome) -> Row:
        line = event.sent.line
        cells = (
            line.label,
            _sent_to(event),
            line.type or "-",
            line.app or "-",
            _short(line.token),
            line.device or "-",
            event.outcome,
            str(event.deliveries or "-"),
            calls.get(id(event), "-"),
        )
        return Row(cells, COLOURS.get(event.outcome, ""), _reason_of(event, result.events))

    title = f"{_count(len(result.events), 'event')}, {_count(result.invocations, 'invocation')} of the function"
    return [_title(title), *table(columns, [row(event) for event in result.events], width, "reason", styled=6)]


def _reason_of(event: Outcome, events: list[Outcome]) -> str:
    newer = superseded_by(event, events)
    return f"by line {newer.sent.line.label}" if newer else _reason(event)


def _warnings(result: Result, width: int | None) -> list[Text]:
    found: dict[tuple[str, str], list[str]] = {}
    for event in result.events:
        for one in warnings(event):
            as_line = f" (as line {one.other_line})" if one.other_line else ""
            found.setdefault((one.word, one.text), []).append(f"{event.sent.line.label}{as_line}")
    if not found:
        return []
    lines = [_title("Warnings: what the sender of the events should know")]
    for (word, text), places in sorted(found.items()):
        lines += paragraph(f"{word}, {_lines(places)}: {text}", width, indent="  ")
    return lines


@dataclass(frozen=True)
class _Call:
    """A call as it is shown."""

    number: int
    alike: tuple[str, str, str, str]
    items: int
    lines: tuple[str, ...]


def _shown_calls(result: Result) -> list[_Call]:
    return [
        _Call(
            call["seq"],
            (str(call["app"] or "-"), _operation(call), str(number), _answer(call)),
            int(call["items"] or 0),
            tuple(event.sent.line.label for event in carried(call, result.events)),
        )
        for call, number in zip(result.calls, tries(result.calls), strict=True)
    ]


def _calls_of_events(result: Result) -> dict[int, str]:
    """Returns the numbers of an event's calls by its identity; of several, the first and the last."""
    found: dict[int, list[int]] = {}
    for call in result.calls:
        for event in carried(call, result.events):
            found.setdefault(id(event), []).append(call["seq"])
    return {
        key: str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}…{numbers[-1]}" for key, numbers in found.items()
    }


def _folded(calls: list[_Call]) -> Iterator[list[_Call]]:
    if len(calls) <= _MOST_CALLS:
        yield from ([call] for call in calls)
    else:
        for _, group in groupby(calls, lambda call: call.alike):
            yield list(group)


def _calls(result: Result, width: int | None) -> list[Text]:
    columns = [
        Column("call", right=True),
        Column("app"),
        Column("operator_type"),
        Column("items", right=True),
        Column("try", right=True, drop=1),
        Column("answer"),
    ]

    def row(group: list[_Call]) -> Row:
        first, last = group[0], group[-1]
        app, operation, number, answer = first.alike
        numbers = str(first.number) if len(group) == 1 else f"{first.number}…{last.number}"
        items = str(sum(call.items for call in group))
        lines = list(dict.fromkeys(line for call in group for line in call.lines))
        style = "" if answer == "HTTP 200, ret_code 0" else "yellow"
        return Row((numbers, app, operation, items, number, answer), style, _lines(lines) if lines else "")

    rows = [row(group) for group in _folded(_shown_calls(result))]
    title = _title(_count(len(result.calls), "TPNS call"))
    return [title, *table(columns, rows, width, "carried", styled=5)] if rows else [title]


def _bound(result: Result) -> list[tuple[str, str, list[dict[str, Any]]]]:
    return [
        (app, token, accounts)
        for app, tokens in result.bindings.items()
        for token, accounts in tokens.items()
        if accounts
    ]


def _bindings(result: Result, width: int | None) -> list[Text]:
    fingerprints = {(event.sent.line.app, event.sent.line.token): event.sent.line.device for event in result.events}
    bound = _bound(result)

    def row(app: str, token: str, accounts: list[dict[str, Any]]) -> Row:
        names = ", ".join(f"{account['account']} ({account['account_type']})" for account in accounts)
        return Row((app, _short(token), fingerprints.get((app, token)) or "-"), note=names)

    title = _title(f"{_count(len(bound), 'device')} with accounts at TPNS")
    columns = [Column("app"), Column("device"), Column("fingerprint")]
    rows = [row(*device) for device in bound]
    return [title, *table(columns, rows, width, "accounts (account_type)")] if rows else [title]


def _messages(queue: str, messages: list[tuple[FailedMessage, Outcome | None]], width: int | None) -> list[Text]:
    """The reason once, then the messages that it is of."""
    lines = [_title(f"{_count(len(messages), 'message')} in the {queue}")]
    by_reason: dict[str, list[tuple[FailedMessage, Outcome | None]]] = {}
    for message, event in messages:
        by_reason.setdefault(_reason(message) or "-", []).append((message, event))
    for reason, found in by_reason.items():
        lines += paragraph(reason, width, indent="  ")
        for message, event in found:
            line = event.sent.line.label if event else "-"
            lines.append(Text(f"    line {line}, message id {message.message_id}"))
    return lines


def _sent_to(event: Outcome) -> str:
    if event.sent.bus_event_id:
        return "bus"
    if event.sent.refused and not event.sent.message_id:
        return "-"
    envelope = event.sent.line.envelope
    return "queue SNS" if envelope.startswith("sns") else "queue"


def _reason(failed: Outcome | FailedMessage) -> str:
    return ": ".join(part for part in (failed.reason, failed.detail) if part)


def _operation(call: dict[str, Any]) -> str:
    return _OPERATIONS.get(call["operator_type"], str(call["operator_type"]))


def _answer(call: dict[str, Any]) -> str:
    parts = [f"HTTP {call['status']}" if call["status"] else "no answer"]
    if call["ret_code"] is not None:
        parts.append(f"ret_code {call['ret_code']}")
    if call["fault"]:
        parts.append(f"(fault: {call['fault']})")
    return ", ".join(parts)


def _lines(places: list[str]) -> str:
    named, rest = places[:_MOST_LINES], len(places) - _MOST_LINES
    more = f" and {rest} more" if rest > 0 else ""
    return f"line{'' if len(places) == 1 else 's'} {', '.join(named)}{more}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _short(token: str | None) -> str:
    if token is None:
        return "-"
    return token if len(token) <= 9 else f"{token[:8]}…"
