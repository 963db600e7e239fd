"""Events as producers build them."""

from __future__ import annotations

import datetime
import itertools
import uuid
from typing import Any

MAIL = 1005
_SECONDS = itertools.count()
# Recent enough for MaxEventAge, and early enough to add one second for each event.
_BEGIN = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)


def token() -> str:
    return uuid.uuid4().hex


def login(device: str, *accounts: str, app: str = "android") -> dict[str, Any]:
    return _event("user.login", app=app, token=device, account_list=_list(accounts))


def logout(device: str, *accounts: str, app: str = "android") -> dict[str, Any]:
    event = _event("user.logout", app=app, token=device)
    return {**event, "account_list": _list(accounts)} if accounts else event


def deletion(*accounts: str) -> dict[str, Any]:
    return _event("account.deleted", account_list=_list(accounts))


def on_bus(event: dict[str, Any]) -> dict[str, Any]:
    """Returns the event as an EventBridge event: its type becomes the detail-type."""
    detail = {key: value for key, value in event.items() if key != "type"}
    return {"source": "com.example.accounts", "detail-type": event["type"], "detail": detail}


def sent_by_bus(event: dict[str, Any]) -> dict[str, Any]:
    """Returns the event as a rule delivers it: with the bus's own id and the time of sending."""
    return {
        **on_bus(event),
        "version": "0",
        "id": token(),
        "time": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}",
    }


def _event(kind: str, **fields: Any) -> dict[str, Any]:
    """Returns an event that is later than the one built before it."""
    when = _BEGIN + datetime.timedelta(seconds=next(_SECONDS))
    return {"type": kind, "id": str(uuid.uuid4()), "occurred_at": when.isoformat(), **fields}


def _list(accounts: tuple[str, ...]) -> list[dict[str, Any]]:
    """A device keeps one account per type, so a second account is a mail address."""
    return [{"account": account, "account_type": MAIL if "@" in account else 0} for account in accounts]
