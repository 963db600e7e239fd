"""Which event superseded another one, and which call carried which event: concluded from what was sent, the outcomes
and the calls' contents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .outcomes import Outcome
from .stream import event_in

_RANKS = {"user.login": 0, "user.logout": 1, "account.deleted": 2}
# Which type of event makes which operator_type first of all.
_TYPES = {
    2: ("user.login",),
    3: ("user.logout", "user.login"),
    4: ("user.logout", "user.login"),
    5: ("account.deleted",),
}


def superseded_by(event: Outcome, events: list[Outcome]) -> Outcome | None:
    """Returns the newest applied event that changes the same device or, of a login, deletes one of its accounts; `None`
    where the events' own times do not show it."""
    order = _order(event)
    if event.outcome != "superseded" or order is None:
        return None
    newer = [
        (other_order, index, other)
        for index, other in enumerate(events)
        if other is not event
        and other.outcome in ("applied", "superseded")
        and (other_order := _order(other)) is not None
        and other_order >= order
        and _changes_the_same(event, other)
    ]
    applied = [found for found in newer if found[2].outcome == "applied"]
    return max(applied, default=(None, 0, None))[2]


def carried(call: dict[str, Any], events: list[Outcome]) -> list[Outcome]:
    """Returns the events that a call is about."""
    request = call["request"] if isinstance(call["request"], dict) else {}
    devices, accounts = _devices(request), _accounts(request.get("account_list"))
    of_call = [
        event
        for event in events
        if event.outcome in ("applied", "superseded", "dead-lettered")
        and _may_be_of(event, call)
        and (event.sent.line.token in devices or (call["operator_type"] == 5 and accounts & _own_accounts(event)))
    ]
    for type_ in _TYPES.get(call["operator_type"], ()):
        fitting = [event for event in of_call if event.sent.line.type == type_]
        if fitting:
            return [event for event in fitting if event.outcome != "superseded"] or fitting
    return of_call


def _may_be_of(event: Outcome, call: dict[str, Any]) -> bool:
    return event.sent.line.app in (None, call["app"])


def _devices(request: dict[str, Any]) -> set[str]:
    pairs = request.get("token_accounts") or []
    tokens = [pair.get("token") for pair in pairs if isinstance(pair, dict)] + list(request.get("token_list") or [])
    return {token for token in tokens if isinstance(token, str)}


def _accounts(listed: Any) -> set[str]:
    items = listed if isinstance(listed, list) else []
    return {item["account"] for item in items if isinstance(item, dict) and isinstance(item.get("account"), str)}


def _own_accounts(event: Outcome) -> set[str]:
    return _accounts(event_in(event.sent.line.body).get("account_list"))


def _changes_the_same(event: Outcome, other: Outcome) -> bool:
    one, two = event.sent.line, other.sent.line
    if one.token is not None and two.token is not None:
        return (one.app, one.token) == (two.app, two.token)
    return two.type == "account.deleted" and bool(_own_accounts(event) & _own_accounts(other))


def _order(event: Outcome) -> tuple[datetime, int, str] | None:
    line = event.sent.line
    if line.occurred_at is None or line.type not in _RANKS:
        return None
    return datetime.fromisoformat(line.occurred_at), _RANKS[line.type], line.producer_id or ""
