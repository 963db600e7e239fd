"""The ledger: events count by when they happened, however late, duplicated and shuffled they arrive."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import function_processes
import pytest
from auth_events import deletion, login, logout, token
from deployment import Deployment
from table import Table, device_key, is_version_of
from waiting import eventually

ATTEMPTS = 3  # TPNS_MAX_ATTEMPTS: tries of one call within one invocation
LIFETIME_SECONDS = 45 * 24 * 3600
DAY_SECONDS = 24 * 3600

Event = dict[str, Any]


@pytest.fixture
def stage(either: Deployment) -> Deployment:
    """Both types of queue, with a ledger, which is the template's default."""
    assert either.table, "the template's default has no table"
    return either


def only_on_a_standard_queue(_why: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("either", ["standard"], indirect=True)


def again(event: Event) -> str:
    """The same event in another body."""
    return f"{json.dumps(event)} "


@pytest.fixture
def table(stage: Deployment) -> Table:
    assert stage.table
    return stage.table


@pytest.mark.parametrize("known", [True, False], ids=["delivered before", "never delivered before"])
def test_a_login_that_arrives_after_everything_was_acknowledged_undoes_nothing(
    stage: Deployment, table: Table, known: bool
) -> None:
    device = token()
    late, newer = login(device, "ann"), logout(device)
    for event in [late, newer] if known else [newer]:
        stage.handle(event)
    before = table.device("android", device)
    calls = len(stage.calls_about(device))
    # A new message, with another message id, sent later than the logout.
    (once_more,) = stage.handle(again(late))

    assert stage.outcomes(once_more.message_id) == ["superseded"]
    assert stage.accounts("android", device) == set()
    assert stage.calls_about(device)[calls:] == [(4, 200)]
    assert without_expiry(table.device("android", device)) == without_expiry(before)
    assert parked_and_dead(stage) == ([], [])


def test_an_old_deletion_that_is_redriven_does_not_unbind_an_account_that_was_registered_again(
    stage: Deployment, table: Table
) -> None:
    device, account = token(), "ann"
    deleted = deletion(account)
    stage.handle(login(device, account))
    stage.handle(deleted)
    rows = table.accounts()
    assert len(rows) == 2, "a deletion without `app` goes to every app"
    assert all(row["accepted"] == row["deleted"] for row in rows.values())
    assert all(is_version_of(row["deleted"], deleted["id"]) for row in rows.values())
    stage.handle(login(device, account))
    assert stage.accounts("android", device) == {account}

    (redriven,) = stage.handle(again(deleted))
    assert stage.accounts("android", device) == {account}
    assert stage.outcomes(redriven.message_id) in (["applied"], ["superseded"])
    assert {call["app"] for call in calls_of(stage, 5)} == {"android", "ios"}
    assert len(calls_of(stage, 5)) == 2, "the deletion was sent to TPNS again"
    assert {key: without_expiry(row) for key, row in table.accounts().items()} == {
        key: without_expiry(row) for key, row in rows.items()
    }
    assert parked_and_dead(stage) == ([], [])


def test_a_deletion_that_tpns_has_not_accepted_is_sent_again(stage: Deployment, table: Table) -> None:
    device = token()
    stage.handle(login(device, "ann"))
    stage.tpns.inject({"fault": "status", "status": 503, "app": "ios", "operator_type": 5, "times": None})
    (deleted,) = stage.send(deletion("ann"))
    eventually(lambda: bool(stage.outcomes(deleted.message_id)))
    assert sorted("accepted" in row for row in table.accounts().values()) == [False, True]
    stage.tpns.clear_faults()
    stage.drain()
    assert all(row["accepted"] == row["deleted"] for row in table.accounts().values())
    *failed, last = stage.outcomes(deleted.message_id)
    assert (set(failed), last) == ({"retry"}, "applied")
    # Only the call that was not accepted is repeated.
    calls = [(call["app"], call["status"]) for call in calls_of(stage, 5)]
    assert [call for call in calls if call != ("ios", 503)] == [("android", 200), ("ios", 200)]
    assert calls.count(("ios", 503)) >= ATTEMPTS
    assert stage.accounts("android", device) == set()
    assert parked_and_dead(stage) == ([], [])


def test_the_rows_of_a_deletion_do_not_name_the_account(stage: Deployment, table: Table) -> None:
    number, mail = f"15{token()}", f"{token()}@example.com"
    stage.handle(deletion(number, mail))
    rows = table.rows()
    assert len(rows) == 4, "two accounts in two apps"
    assert number not in str(rows)
    assert mail not in str(rows)
    assert all(set(row) == {"deleted", "accepted", "expires_at"} for row in rows.values())
    assert len(calls_of(stage, 5)) == 2
    assert parked_and_dead(stage) == ([], [])


def test_no_row_has_an_account_or_an_id_in_clear_before_or_after_a_deletion(stage: Deployment, table: Table) -> None:
    device, account, other = token(), f"15{token()}", f"16{token()}"
    events = [
        login(device, account, other),
        logout(device, other),
        deletion(account),
        login(device, other),
        logout(device),
    ]
    for number, event in enumerate(events):
        stage.handle({**event, "id": f"{number}-{account}"})
        rows = str(table.everything())
        assert account not in rows
        assert other not in rows
    assert stage.accounts("android", device) == set()
    assert parked_and_dead(stage) == ([], [])


def test_a_row_expires_45_days_after_its_last_change(stage: Deployment, table: Table) -> None:
    device = token()
    began = int(time.time())
    stage.handle(login(device, "ann"), deletion("ben"))
    ended = int(time.time())
    rows = table.rows()
    assert len(rows) == 3
    assert all(began <= row["expires_at"] - LIFETIME_SECONDS <= ended for row in rows.values())

    table.put(device_key("android", device), **{**table.device("android", device), "expires_at": ended + DAY_SECONDS})
    stage.handle(logout(device, "ann"))
    assert table.device("android", device)["expires_at"] >= began + LIFETIME_SECONDS
    assert stage.accounts("android", device) == set()
    assert parked_and_dead(stage) == ([], [])


@contextmanager
def deleted(_stage: Deployment, table: Table) -> Iterator[None]:
    with table.dropped():
        yield


@contextmanager
def refusing_connections(stage: Deployment, _table: Table) -> Iterator[None]:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        with stage.environment(AWS_ENDPOINT_URL_DYNAMODB=f"http://127.0.0.1:{unused.getsockname()[1]}"):
            yield


@pytest.mark.parametrize("outage", [deleted, refusing_connections])
def test_without_its_table_nothing_is_pushed_and_nothing_is_lost(
    stage: Deployment, table: Table, outage: Callable[[Deployment, Table], Any]
) -> None:
    device, leaves = token(), token()
    stage.handle(login(leaves, "ben"))
    calls = len(stage.tpns.calls())
    with outage(stage, table):
        sent = stage.send(login(device, "ann"), logout(leaves), deletion("cem"))
        eventually(lambda: all(stage.outcomes(one.message_id) for one in sent), seconds=30)
        assert {outcome for one in sent for outcome in stage.outcomes(one.message_id)} == {"retry"}
        reasons = {delivery.reason for one in sent for delivery in stage.deliveries(one.message_id)}
        assert reasons == {"ledger_unreachable"}
        assert len(stage.tpns.calls()) == calls, "TPNS was called without the ledger"
    stage.drain()
    assert [stage.outcomes(one.message_id)[-1] for one in sent] == ["applied"] * 3
    assert stage.accounts("android", device) == {"ann"}
    assert stage.accounts("android", leaves) == set()
    assert len(table.rows()) == 4
    assert parked_and_dead(stage) == ([], [])


def test_an_unreadable_row_stops_only_its_own_events(stage: Deployment, table: Table) -> None:
    no_version, no_text, no_logout, no_deletion, healthy = (token() for _ in range(5))
    stage.handle(deletion("ann"))
    (deleted,) = (key for key in table.accounts() if key.startswith("account#android#"))
    bad: dict[str, dict[str, str | int]] = {
        device_key("android", no_version): {"owner": "yesterday", "accounts": "{}"},
        device_key("android", no_text): {"owner": 5, "accounts": "{}"},
        device_key("android", no_logout): {"out:0:ann": "yesterday"},
        deleted: {"deleted": "yesterday"},
    }
    for key, row in bad.items():
        table.put(key, **row)
    calls = len(stage.tpns.calls())
    *blocked, passes = stage.send(
        login(no_version, "ben"),
        login(no_text, "ben"),
        login(no_logout, "ben"),
        login(no_deletion, "ann"),
        login(healthy, "ben"),
    )
    eventually(lambda: all(stage.outcomes(one.message_id) for one in (*blocked, passes)))
    assert stage.outcomes(passes.message_id) == ["applied"]
    assert {outcome for one in blocked for outcome in stage.outcomes(one.message_id)} == {"retry"}
    assert {delivery.reason for one in blocked for delivery in stage.deliveries(one.message_id)} == {
        "ledger_unreadable"
    }
    assert stage.tokens_called(2) == [{healthy}]
    assert len(stage.tpns.calls()) == calls + 1

    for key in bad:
        table.delete(key)
    stage.drain()
    assert [stage.outcomes(one.message_id)[-1] for one in blocked] == ["applied"] * 4
    assert [stage.accounts("android", device) for device in (no_version, no_text, no_logout, healthy)] == [{"ben"}] * 4
    assert stage.accounts("android", no_deletion) == {"ann"}
    assert parked_and_dead(stage) == ([], [])


def test_a_logout_of_a_hundred_accounts_is_stored_completely(stage: Deployment, table: Table) -> None:
    many = [{"account": f"user-{number}", "account_type": number} for number in range(100)]
    signed_in, unknown = token(), token()
    late = {**login(unknown, "-"), "account_list": many}
    stage.handle({**login(signed_in, "-"), "account_list": many})
    assert len(stage.accounts("android", signed_in)) == 100
    stage.handle(
        {**logout(signed_in), "account_list": many[:-1]},
        {**logout(unknown), "account_list": many[1:]},
    )
    assert stage.accounts("android", signed_in) == {"user-99"}
    assert stage.calls_about(unknown) == [(3, 200)]
    assert sum(name.startswith("out:") for name in table.device("android", unknown)) == 99
    # The login to which those logouts belong arrives last.
    stage.handle(late)
    assert stage.accounts("android", unknown) == {"user-0"}
    assert parked_and_dead(stage) == ([], [])


@only_on_a_standard_queue("MiniStack delivers the groups of a FIFO queue one after the other")
def test_concurrent_functions_end_with_the_bindings_of_version_order(stage: Deployment, table: Table) -> None:
    dice = random.Random(20261124)
    devices = [token() for _ in range(10)]
    events, ends = [], {}
    for number, device in enumerate(devices):
        mine, users = [], [f"user-{number}-{change}" for change in range(3)]
        for user in users:
            mine += [login(device, user), logout(device)]
        if number % 2:
            mine.pop()
        events += mine
        ends[device] = {users[-1]} if number % 2 else set()
    # One account is deleted after its last login.
    events.append(deletion("user-1-2"))
    ends[devices[1]] = set()
    dice.shuffle(events)
    # Calls take long enough to take effect in another order, and some fail.
    stage.tpns.inject(
        [
            {"fault": "status", "status": 503, "probability": 0.15, "seed": 7},
            {"fault": "delay", "ms": 200, "late": True, "probability": 0.5, "seed": 7},
        ]
    )
    before = function_processes.running(stage.cloud)
    # A call that a busy machine makes time out may land late, and is settled by its check, which comes after the test.
    patient = stage.environment(TPNS_TIMEOUT_MS="12000")
    with patient, stage.side_by_side(functions=4, batch_size=3):
        sent = stage.handle(*events)
        processes = function_processes.running(stage.cloud) - before
    assert len(processes) >= 2, "they did not run concurrently"
    # First what explains wrong bindings.
    assert parked_and_dead(stage) == ([], [])
    outcomes = [stage.outcomes(one.message_id) for one in sent]
    assert [each for each in outcomes if each[-1] not in ("applied", "superseded")] == []
    assert {device: stage.accounts("android", device) for device in devices} == ends
    newest = {
        device: max((e for e in events if e.get("token") == device), key=lambda e: e["occurred_at"])
        for device in devices
    }
    for device, event in newest.items():
        assert is_version_of(table.device("android", device)["owner"], event["id"])


@only_on_a_standard_queue("the logout would wait behind the login")
def test_a_function_that_is_killed_during_a_login_leaves_no_wrong_binding(stage: Deployment, table: Table) -> None:
    lands_late, lands_at_once = token(), token()
    logins = login(lands_late, "ann"), login(lands_at_once, "ben", app="ios")
    logouts = logout(lands_late), logout(lands_at_once, app="ios")
    # Both calls are in flight when the function dies. One has taken effect but is never verified; the other takes
    # effect after the function's death, when the device is signed out.
    stage.tpns.inject(
        [
            {"fault": "delay", "ms": 10000, "late": True, "token": lands_late},
            {"fault": "delay", "ms": 10000, "token": lands_at_once},
        ]
    )
    # Longer than a busy machine needs for the logouts.
    with stage.visibility(15), stage.environment(TPNS_TIMEOUT_MS="12000"):
        killed = stage.send(*logins)
        eventually(lambda: len(stage.tpns.calls()) == 2)
        function_processes.kill(stage.cloud)
        passed = stage.send(*logouts)
        eventually(lambda: all(stage.outcomes(one.message_id) == ["applied"] for one in passed))
        assert [stage.outcomes(one.message_id) for one in killed] == [[], []], "it was not killed"
        eventually(lambda: stage.accounts("android", lands_late) == {"ann"})
        stage.drain()
    assert stage.accounts("android", lands_late) == set()
    assert stage.accounts("ios", lands_at_once) == set()
    assert stage.calls_about(lands_late) == [(2, None), (4, 200), (4, 200)]
    assert stage.calls_about(lands_at_once) == [(2, None), (4, 200), (4, 200)]
    assert all(call["applied"] for call in stage.tpns.calls())
    assert [stage.outcomes(one.message_id) for one in killed] == [["superseded"]] * 2
    assert [one.receive_count for event in killed for one in stage.deliveries(event.message_id)] == [2, 2]
    assert is_version_of(table.device("android", lands_late)["owner"], logouts[0]["id"])
    assert parked_and_dead(stage) == ([], [])


def test_a_deletion_whose_function_is_killed_before_it_is_recorded_is_sent_again(
    stage: Deployment, table: Table
) -> None:
    device = token()
    stage.handle(login(device, "ann"))
    stage.tpns.inject({"fault": "delay", "ms": 10000, "operator_type": 5, "app": "android"})
    with stage.visibility(15), stage.environment(TPNS_TIMEOUT_MS="12000"):
        (event,) = stage.send({**deletion("ann"), "app": "android"})
        eventually(lambda: len(calls_of(stage, 5)) == 1)
        function_processes.kill(stage.cloud)
    (row,) = table.accounts().values()
    assert "accepted" not in row
    stage.drain()
    assert [call["status"] for call in calls_of(stage, 5)] == [None, 200]
    (row,) = table.accounts().values()
    assert row["accepted"] == row["deleted"]
    assert stage.accounts("android", device) == set()
    assert stage.outcomes(event.message_id) == ["applied"]
    assert parked_and_dead(stage) == ([], [])


def calls_of(stage: Deployment, operator_type: int) -> list[dict[str, Any]]:
    return [call for call in stage.tpns.calls() if call["operator_type"] == operator_type]


def without_expiry(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "expires_at"}


def parked_and_dead(stage: Deployment) -> tuple[list[Any], list[Any]]:
    return stage.parked(), stage.dead_letters()
