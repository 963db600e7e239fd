"""What the screenshots show: an ordinary quarter of an hour at TPNS."""

from __future__ import annotations

import hashlib

from simulator import QUERY, Simulator, item

EMAIL, PHONE, WECHAT = 1005, 1002, 1003
# How many calls `play` makes.
CALLS = 11


def token(number: int, app: str = "android") -> str:
    """Returns a token as TPNS's SDKs make them, always the same."""
    return hashlib.sha256(f"{app} {number}".encode()).hexdigest()[:36]


def play(sim: Simulator) -> None:
    """Signs people in and out, with a few calls that fail."""
    names = ["926", "lin.wei", "mo", "zhang.min", "eva"]
    sim.control("faults", {"fault": "status", "status": 503, "retry_after": 2, "times": 2})
    for start in (0, 0, 0, 20):
        numbers = range(start, start + 20)
        items = [item(token(n), (f"{names[n % 5]}+{n}@126.com", EMAIL), str(1527000000 + n)) for n in numbers]
        sim.operate({"operator_type": 2, "token_accounts": items})
    users = [item(token(n, "ios"), f"user-{1840 + n}") for n in range(4)]
    sim.operate({"operator_type": 2, "token_accounts": users}, "ios")
    sim.operate({"operator_type": 4, "token_list": [token(3), token(4)]}, upper_case=True)
    sim.operate({"operator_type": 4, "token_list": [token(3), token(4)]})
    sim.operate({"operator_type": 2, "token_list": [token(3, "ios"), token(99, "ios")]}, "ios", QUERY)
    sim.operate({"operator_type": 5, "account_list": [{"account": "user-1842"}]}, "ios")
    sim.control("faults", {"fault": "item_code", "code": 1008006, "token": token(41)})
    sim.operate({"operator_type": 2, "token_accounts": [item(token(n), f"user-{2200 + n}") for n in (40, 41, 42)]})
    sim.operate({"operator_type": 3, "token_accounts": [item(token(6), str(1527000006))]})
    sim.control("faults", {"fault": "delay", "ms": 1500, "app": "ios", "operator_type": 3, "times": None})


def sign_in(sim: Simulator) -> None:
    """Signs someone in on one more device."""
    sim.bind(token(7, "ios"), ("+8613711112222", PHONE), ("oX4dE5s9pQ", WECHAT), app="ios")
