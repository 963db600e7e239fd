"""The tables of `make run` at each width, and what they conclude of the events and calls."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from auth_events import deletion, login, logout
from rich.console import Console

from local.feed import Sent
from local.links import carried, superseded_by
from local.outcomes import Outcome
from local.queues import FailedMessage
from local.result import Result, warnings
from local.show import show
from local.stream import Line, Warned

PARKED = ("missing_field", "token: is missing; name the device's TPNS token, which the SDK on the phone has returned")
DEVICE = "a1f4c7d09b2e4836a5c8e1f7d3b9064c2e58"


def event(
    number: int, body: dict[str, Any], outcome: str, reason: tuple[str, str] | None = None, **more: Any
) -> Outcome:
    line = Line(
        number=number,
        body=json.dumps(body),
        envelope="bare",
        type=body["type"],
        app=body.get("app"),
        token=body.get("token"),
        producer_id=body.get("id"),
        device="2aa183252edf" if "token" in body else None,
        occurred_at=more.pop("at", None),
        warnings=more.pop("warned", ()),
        **more,
    )
    word, detail = reason or (None, None)
    return Outcome(Sent(line, message_id=f"m-{number}"), outcome, word, detail, deliveries=1)


def call(seq: int, operator_type: int, **request: Any) -> dict[str, Any]:
    answer = {"status": 200, "ret_code": 0, "fault": None, "applied": True}
    return {"seq": seq, "app": "android", "operator_type": operator_type, "items": 1, "request": request, **answer}


def binding(seq: int, token: str) -> dict[str, Any]:
    return call(seq, 2, token_accounts=[{"token": token, "account_list": [{"account": "ann"}]}])


def result(events: list[Outcome], calls: list[dict[str, Any]]) -> Result:
    parked = [
        FailedMessage(f"p-{one.sent.line.number}", one.sent.line.body, one.reason, one.detail)
        for one in events
        if one.outcome == "parked"
    ]
    bindings = {"android": {DEVICE: [{"account": f"account-{n}-北京", "account_type": n} for n in range(9)]}}
    return Result(events, calls, bindings, parked, dead_letters=[], invocations=2)


def sample() -> Result:
    odd = Warned("every_account", "account_list: is missing, so every account of the device is signed out; name it")
    old, new = "2026-11-22T08:00:00.000Z", "2026-11-22T08:03:00.000Z"
    events = [
        event(1, login(DEVICE, "ann"), "superseded", at=old),
        event(2, {**logout(DEVICE), "type": ":smile:\x1b[2J"}, "parked", PARKED),
        event(3, login(DEVICE, "ann"), "parked", PARKED, path="[1]"),
        event(4, {**logout(DEVICE)}, "applied", at=new, warned=(odd,)),
    ]
    return result(events, [binding(1, DEVICE), call(2, 4, token_list=[DEVICE])])


def printed(found: Result, width: int | None) -> str:
    out = io.StringIO()
    show(Console(file=out, force_terminal=width is not None, color_system=None, width=width or 150, emoji=False), found)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 110, 200])
def test_no_line_is_wider_than_the_terminal_and_every_reason_is_shown(width: int) -> None:
    text = printed(sample(), width)
    assert all(len(line) <= width for line in text.splitlines()), text
    assert " ".join(text.split()).count(PARKED[1]) == 3, "two rows, and once for the parking queue"


@pytest.mark.parametrize("width", [None, 80, 110, 200])
def test_no_line_ends_with_a_blank_and_nothing_of_an_event_controls_the_terminal(width: int | None) -> None:
    text = printed(sample(), width)
    assert all(line == line.rstrip() for line in text.splitlines()), text
    assert ":smile:" in text
    assert "\x1b[2J" not in text


def test_in_a_pipe_each_event_is_one_line() -> None:
    lines = printed(sample(), None).splitlines()
    (second,) = (line for line in lines if line.split()[:1] == ["2"] and "smile" in line)
    assert PARKED[1] in second


def test_the_last_line_has_the_totals() -> None:
    assert printed(sample(), None).splitlines()[-1] == (
        "4 events: 1 applied, 1 superseded, 2 parked; 1 with warnings; 2 TPNS calls; 1 device with accounts; "
        "2 invocations"
    )


def test_an_event_is_shown_with_its_fingerprint_its_call_and_the_event_that_superseded_it() -> None:
    lines = printed(sample(), 110).splitlines()
    rows = {line.split()[0]: line for line in lines[2:8] if line[:1] == " "}
    assert "a1f4c7d0…  2aa183252edf  superseded" in rows["1"]
    assert rows["1"].endswith("by line 4")
    assert rows["4"].split()[-2:] == ["1", "2"], "deliveries, and the call"


def test_a_reason_is_listed_once_in_the_parking_queue_with_the_messages_ids_and_without_their_bodies() -> None:
    text = printed(sample(), None)
    queue = text[text.index("2 messages in the parking queue") :]
    assert queue.count(PARKED[1]) == 1
    assert "line 2, message id p-2" in queue
    assert "line 3 [1], message id p-3" in queue
    assert DEVICE not in text


def test_many_calls_are_folded_where_they_are_alike() -> None:
    calls = [binding(number, f"token-{number}") for number in range(1, 41)]
    calls[20] |= {"status": 503, "ret_code": None, "applied": False, "fault": "status"}
    text = printed(result([], calls), None)
    table = text[text.index("40 TPNS calls") :].split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in table[2:]] == ["1…20", "21", "22…40"]
    few = printed(result([], calls[:20]), None)
    assert len(few[few.index("20 TPNS calls") :].split("\n\n")[0].splitlines()) == 22


def test_a_deletion_supersedes_a_login_with_its_account_and_an_older_event_supersedes_nothing() -> None:
    at = [f"2026-11-22T08:0{minute}:00.000Z" for minute in range(4)]
    first = event(1, login(DEVICE, "ann"), "superseded", at=at[1])
    gone = event(2, deletion("ann"), "applied", at=at[2])
    assert superseded_by(first, [first, gone]) is gone
    assert superseded_by(first, [first, replace(gone, outcome="parked")]) is None
    older = event(3, logout(DEVICE), "applied", at=at[0])
    assert superseded_by(first, [first, older]) is None
    assert superseded_by(gone, [first, gone, older]) is None, "it is not superseded"
    timeless = event(4, login(DEVICE, "ann"), "superseded")
    assert superseded_by(timeless, [timeless, gone]) is None


def test_a_call_carries_the_events_whose_devices_or_accounts_it_names() -> None:
    bound = event(1, login(DEVICE, "ann"), "applied")
    unbound = event(2, logout(DEVICE), "applied")
    other = event(3, login("another", "ben"), "applied")
    gone = event(4, deletion("ann"), "applied")
    events = [bound, unbound, other, gone]
    assert carried(binding(1, DEVICE), events) == [bound]
    assert carried(call(2, 4, token_list=[DEVICE]), events) == [unbound]
    assert carried(call(3, 5, account_list=[{"account": "ann"}]), events) == [gone]
    assert carried({**binding(4, DEVICE), "app": "ios"}, events) == []
    assert carried({**binding(5, DEVICE), "request": "not JSON"}, events) == []


def test_an_event_that_only_this_run_has_taken_is_marked() -> None:
    taken = event(1, login(DEVICE, "ann"), "applied", parked="too_old")
    assert [one.word for one in warnings(taken)] == ["parked_by_default"]
    assert "parks this as too_old" in warnings(taken)[0].text
    assert warnings(replace(taken, outcome="parked")) == []


def test_strict_lists_what_got_to_no_device() -> None:
    assert sample().not_applied() == ["STRICT=1: 2 parked, lines 2, 3 [1]"]
