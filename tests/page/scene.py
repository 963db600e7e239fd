"""What the screenshots show: an ordinary quarter of an hour at TPNS."""

from __future__ import annotations

import hashlib

from simulator import QUERY, Simulator, item

EMAIL, PHONE, WECHAT = 1005, 1002, 1003
# How many calls `play` makes.
CALLS = 12


def token(number: int, app: str = "android") -> str:
    """Returns a token as TPNS's SDKs make them, always the same."""
    return hashlib.sha256(f"{app} {number}".encode()).hexdigest()[:36]


def play(sim: Simulator) -> None:
    """Signs people in and out, with a few calls that fail."""
    people = ["926@126.com", "lin.wei@example.com", "mo@example.com", "zhang.min@example.com", "eva@example.com"]
    for start in range(0, 40, 20):
        numbers = range(start, start + 20)
        items = [item(token(n), (people[n % 5].replace("@", f"+{n}@"), EMAIL), str(1527000000 + n)) for n in numbers]
        sim.operate({"operator_type": 2, "token_accounts": items})
    sim.operate({"operator_type": 2, "token_accounts": [item(token(n, "ios"), f"user-{1840 + n}") for n in range(6)]}, "ios")
    sim.bind(token(7, "ios"), ("+8613711112222", PHONE), ("oX4dE5s9pQ", WECHAT), app="ios")
    sim.operate({"operator_type": 4, "token_list": [token(3), token(4)]}, upper_case=True)
    sim.operate({"operator_type": 4, "token_list": [token(3), token(4)]})
    sim.control("faults", {"fault": "item_code", "code": 1008006, "token": token(41)})
    sim.operate({"operator_type": 2, "token_accounts": [item(token(n), f"user-{2200 + n}") for n in (40, 41, 42)]})
    sim.operate({"operator_type": 2, "token_list": [token(7, "ios"), token(99, "ios")]}, "ios", QUERY)
    sim.control("faults", {"fault": "status", "status": 503, "retry_after": 2, "times": 4})
    sim.bind(token(0), ("926+0@126.com", EMAIL))
    sim.operate({"operator_type": 5, "account_list": [{"account": "user-1842"}]}, "ios")
    sim.operate({"operator_type": 3, "token_accounts": [item(token(6), str(1527000006))]})
    sim.bind(token(12), ("lin.wei+12@example.com", EMAIL), "1527000012")
    sim.control("faults", {"fault": "delay", "ms": 1500, "app": "ios", "operator_type": 2, "times": None})
