"""Events as the producers make them; every call a new device."""

from __future__ import annotations

import datetime
import itertools
import uuid
from typing import Any

MAIL = 1005
_SECONDS = itertools.count()
# Young enough for MaxEventAge, and far enough from now for one second more for each event.
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
    """As an EventBridge event: the type becomes the detail-type."""
    detail = {key: value for key, value in event.items() if key != "type"}
    return {"source": "com.example.accounts", "detail-type": event["type"], "detail": detail}


def sent_by_bus(event: dict[str, Any]) -> dict[str, Any]:
    """As a rule hands it over: with the bus's own id and time, which are those of the sending."""
    return {**on_bus(event), "version": "0", "id": token(), "time": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"}


def _event(kind: str, **fields: Any) -> dict[str, Any]:
    """Each later than the one made before it."""
    when = _BEGIN + datetime.timedelta(seconds=next(_SECONDS))
    return {"type": kind, "id": str(uuid.uuid4()), "occurred_at": when.isoformat(), **fields}


def _list(accounts: tuple[str, ...]) -> list[dict[str, Any]]:
    """A device keeps one account of each type, so whoever has two of them has a mail address as the second."""
    return [{"account": account, "account_type": MAIL if "@" in account else 0} for account in accounts]
