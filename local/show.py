"""Prints the result as tables."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .outcomes import Outcome
from .queues import FailedMessage
from .result import Result, tries

_COLOURS = {
    "applied": "green",
    "superseded": "cyan",
    "parked": "yellow",
    "ignored": "yellow",
    "dead-lettered": "red",
    "refused": "red",
    "unknown": "red",
}
_OPERATIONS = {2: "2 bind only these", 3: "3 unbind these", 4: "4 unbind all", 5: "5 delete account"}

_WIDE = 110
_BODY = 40


def show(console: Console, result: Result) -> None:
    # On a narrow terminal only the parked messages and the dead letters are shown with their reasons.
    with_reasons = console.width >= _WIDE
    failed = (
        _messages("parking queue", result.parked_events()),
        _messages("dead-letter queue", result.dead_events()),
    )
    for table in (_events(result, with_reasons), _calls(result), _bindings(result), *failed):
        # Rich would wrap a title to the width of its table, and an empty table is narrow.
        title, table.title = table.title, None
        console.print(f"\n[bold]{title}[/bold]")
        if table.rows:
            console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in columns:
        right = column in ("line", "deliveries", "call", "items", "try")
        free_text = column in ("reason", "accounts (account_type)", "answer", "body")
        table.add_column(column, justify="right" if right else "left", overflow="fold", no_wrap=not free_text)
    return table


def _events(result: Result, with_reasons: bool) -> Table:
    title = f"{_count(len(result.events), 'event')}, {_count(result.invocations, 'invocation')} of the function"
    reason = ["reason"] if with_reasons else []
    table = _table(title, "line", "sent to", "event", "app", "device", "outcome", "deliveries", *reason)
    for event in result.events:
        line = event.sent.line
        table.add_row(
            str(line.number),
            _sent_to(event),
            escape(line.type or "-"),
            escape(line.app or "-"),
            escape(_short(line.token)),
            f"[{_COLOURS.get(event.outcome, 'white')}]{event.outcome}[/]",
            str(event.deliveries or "-"),
            *([escape(_reason(event))] if with_reasons else []),
        )
    return table


def _calls(result: Result) -> Table:
    table = _table(_count(len(result.calls), "TPNS call"), "call", "app", "operator_type", "items", "try", "answer")
    for call, number in zip(result.calls, tries(result.calls), strict=True):
        operation = call["operator_type"]
        table.add_row(
            str(call["seq"]),
            escape(str(call["app"] or "-")),
            _OPERATIONS.get(operation, str(operation)),
            str(call["items"]),
            str(number),
            _answer(call),
        )
    return table


def _bindings(result: Result) -> Table:
    devices = [
        (app, token, accounts)
        for app, tokens in result.bindings.items()
        for token, accounts in tokens.items()
        if accounts
    ]
    table = _table(
        f"{_count(len(devices), 'device')} with accounts at TPNS", "app", "device", "accounts (account_type)"
    )
    for app, token, accounts in devices:
        names = ", ".join(f"{account['account']} ({account['account_type']})" for account in accounts)
        table.add_row(escape(app), escape(_short(token)), escape(names))
    return table


def _messages(queue: str, messages: list[tuple[FailedMessage, Outcome | None]]) -> Table:
    table = _table(f"{_count(len(messages), 'message')} in the {queue}", "line", "reason", "body")
    for message, event in messages:
        body = message.body if len(message.body) <= _BODY else message.body[: _BODY - 1] + "…"
        table.add_row(str(event.sent.line.number) if event else "-", escape(_reason(message) or "-"), escape(body))
    return table


def _sent_to(event: Outcome) -> str:
    if event.sent.bus_event_id:
        return "bus"
    envelope = event.sent.line.envelope
    return "queue SNS" if envelope.startswith("sns") else "queue"


def _reason(failed: Outcome | FailedMessage) -> str:
    return ": ".join(part for part in (failed.reason, failed.detail) if part)


def _answer(call: dict[str, object]) -> str:
    parts = [f"HTTP {call['status']}" if call["status"] else "no answer"]
    if call["ret_code"] is not None:
        parts.append(f"ret_code {call['ret_code']}")
    if call["fault"]:
        parts.append(f"(fault: {call['fault']})")
    text = escape(", ".join(parts))
    return text if call["applied"] else f"[yellow]{text}[/]"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _short(token: str | None) -> str:
    if token is None:
        return "-"
    return token if len(token) <= 9 else f"{token[:8]}…"
