"""One signed call to TPNS, for both Python peers."""

import base64
import hashlib
import hmac
import json
import os
import time
from typing import Any

import requests

APPS = json.loads(os.environ["TPNS_APPS"])
ONLY_APP = next(iter(APPS)) if len(APPS) == 1 else None

# Outside the handler, so that warm invocations reuse the connections (AWS Lambda developer guide, "Best practices").
SESSION = requests.Session()

BIND, UNBIND, UNBIND_ALL = 2, 3, 4
PARTLY_FAILED, ALL_FAILED = 1008026, 1008027


class Refused(Exception):
    """TPNS did not accept an item, or the whole call."""


def item_of(event: dict[str, Any]) -> tuple[str, int, object]:
    """Returns app, operator_type and item for an event of the contract."""
    app: Any = event.get("app", ONLY_APP)
    accounts = event.get("account_list")
    match event["type"]:
        case "user.login":
            return app, BIND, {"token": event["token"], "account_list": accounts}
        case "user.logout" if accounts is None:
            return app, UNBIND_ALL, event["token"]
        case "user.logout":
            return app, UNBIND, {"token": event["token"], "account_list": accounts}
    raise ValueError("unknown type")


def call(app: str, operator_type: int, items: list[object]) -> list[bool]:
    """Sends one call and returns for each item whether TPNS has accepted it."""
    app_settings = APPS[app]
    field = "token_list" if operator_type == UNBIND_ALL else "token_accounts"
    body = json.dumps({"operator_type": operator_type, field: items}).encode()
    access_id, timestamp = str(app_settings["access_id"]), str(int(time.time()))
    signed = timestamp.encode() + access_id.encode() + body
    # Base64 of the lower-case hex text, not of the digest. TPNS's formula does not say so, but its samples show it.
    digest = hmac.new(app_settings["secret_key"].encode(), signed, hashlib.sha256).hexdigest()
    response = SESSION.post(
        f"{app_settings['endpoint']}/v3/device/account/batchoperate",
        data=body,
        headers={
            "Content-Type": "application/json",
            "AccessId": access_id,
            "TimeStamp": timestamp,
            "Sign": base64.b64encode(digest.encode()).decode(),
        },
        timeout=3,
    )
    answer = response.json()
    code, result = answer["ret_code"], answer.get("result")
    if code == 0:
        return [True] * len(items)
    if code in (PARTLY_FAILED, ALL_FAILED) and isinstance(result, list) and len(result) == len(items):
        return [each in ("0", "ok") for each in result]
    raise Refused(f"TPNS answered {code}")
