"""A failed login that other events supersede before it is redelivered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from auth_events import deletion, login, logout, token
from conftest import Stacks
from table import Row, is_version_of
from waiting import eventually

ATTEMPTS = 3  # TPNS_MAX_ATTEMPTS: tries of one call within one invocation

Event = dict[str, Any]


@dataclass(frozen=True)
class Newer:
    """Events that happened after a login of a mail address and a name, but arrive first."""

    events: list[Event]
    left: set[str]  # the accounts that are then bound to the device
    pushes: list[int]  # the operator_types of the calls that lead to that, in any order
    owner: Event  # the event whose accounts the device then has, except those that were removed later


def accounts(number: int) -> tuple[str, str]:
    return f"ann-{number}@example.com", f"ann-{number}"


def names(late: Event) -> tuple[str, str]:
    mail, name = (one["account"] for one in late["account_list"])
    return mail, name


def a_logout(late: Event) -> Newer:
    out = logout(late["token"])
    return Newer([out], set(), [4], out)


def a_logout_of_one_account(late: Event) -> Newer:
    mail, name = names(late)
    return Newer([logout(late["token"], name)], {mail}, [2, 3], late)


def a_login_as_another_user(late: Event) -> Newer:
    other = login(late["token"], "ben", "ben@example.com")
    return Newer([other], {"ben", "ben@example.com"}, [2], other)


def a_deletion_of_one_account(late: Event) -> Newer:
    mail, name = names(late)
    return Newer([deletion(mail)], {name}, [2, 3], late)


def a_deletion_of_all_accounts(late: Event) -> Newer:
    return Newer([deletion(*names(late))], set(), [4], late)


def a_logout_at_the_same_time(late: Event) -> Newer:
    out = {**logout(late["token"]), "occurred_at": late["occurred_at"]}
    return Newer([out], set(), [4], out)


def a_deletion_at_the_same_time(late: Event) -> Newer:
    return Newer([{**deletion(*names(late)), "occurred_at": late["occurred_at"]}], set(), [4], late)


def its_own_duplicate_and_a_logout(late: Event) -> Newer:
    out = logout(late["token"])
    return Newer([late, out, late], set(), [4], out)


SUPERSEDED_BY: list[Callable[[Event], Newer]] = [
    a_logout,
    a_logout_of_one_account,
    a_login_as_another_user,
    a_deletion_of_one_account,
    a_deletion_of_all_accounts,
    a_logout_at_the_same_time,
    a_deletion_at_the_same_time,
    its_own_duplicate_and_a_logout,
]


@dataclass(frozen=True)
class Observed:
    """The results of a login that failed and of the events that superseded it."""

    newer: Newer
    outcomes: list[str]
    newer_outcomes: list[list[str]]
    calls: list[tuple[int, int | None]]
    calls_of_second_delivery: list[tuple[int, int | None]]
    accounts: set[str]
    row: Row
    failures: tuple[list[Any], list[Any]]


# Of the session, for tests of one file may be run by a worker in several portions.
@pytest.fixture(scope="session")
def superseded(deployed: Stacks) -> dict[Callable[[Event], Newer], Observed]:
    """Runs all cases in the same three batches, because most of the time is waiting. Only on a standard queue: a FIFO
    queue holds back events behind a failed one of the same device, so nothing can supersede it."""
    stage = deployed("without-delays")
    stage.reset()
    assert stage.table
    late_logins = [login(token(), *accounts(number)) for number in range(len(SUPERSEDED_BY))]
    newers = [supersede(late) for supersede, late in zip(SUPERSEDED_BY, late_logins, strict=True)]
    stage.tpns.inject({"fault": "status", "status": 503, "operator_type": 2, "times": ATTEMPTS})
    # Longer than a busy machine needs for the newer events.
    with stage.visibility(40):
        failed = stage.send(*late_logins)
        eventually(lambda: all(stage.outcomes(one.message_id) == ["retry"] for one in failed))
    assert not any(stage.accounts("android", late["token"]) for late in late_logins)
    passed = [stage.send(*newer.events) for newer in newers]
    eventually(lambda: all(stage.outcomes(one.message_id) for some in passed for one in some))
    assert all(stage.outcomes(one.message_id) == ["retry"] for one in failed), "they were redelivered too early"
    before = [len(stage.calls_about(late["token"])) for late in late_logins]
    stage.drain()
    failures = (stage.parked(), stage.dead_letters())
    observed = {
        supersede: Observed(
            newer=newers[n],
            outcomes=stage.outcomes(failed[n].message_id),
            newer_outcomes=[stage.outcomes(one.message_id) for one in passed[n]],
            calls=stage.calls_about(late_logins[n]["token"])[: before[n]],
            calls_of_second_delivery=stage.calls_about(late_logins[n]["token"])[before[n] :],
            accounts=stage.accounts("android", late_logins[n]["token"]),
            row=stage.table.device("android", late_logins[n]["token"]),
            failures=failures,
        )
        for n, supersede in enumerate(SUPERSEDED_BY)
    }
    stage.settle()
    return observed


@pytest.mark.parametrize("superseded_by", SUPERSEDED_BY)
def test_a_failed_login_that_is_redelivered_undoes_nothing(
    superseded: dict[Callable[[Event], Newer], Observed], superseded_by: Callable[[Event], Newer]
) -> None:
    observed = superseded[superseded_by]
    assert observed.accounts == observed.newer.left
    assert observed.outcomes in (["retry", "applied"], ["retry", "superseded"])
    assert all(outcomes in (["applied"], ["superseded"]) for outcomes in observed.newer_outcomes)
    assert observed.calls[:ATTEMPTS] == [(2, 503)] * ATTEMPTS
    assert all(status == 200 for _, status in observed.calls[ATTEMPTS:])
    # A redelivery pushes the current state, which corrects anything that an older call might have done meanwhile.
    assert sorted(observed.calls_of_second_delivery) == [
        (operator_type, 200) for operator_type in observed.newer.pushes
    ]
    assert is_version_of(observed.row["owner"], observed.newer.owner["id"])
    assert observed.failures == ([], [])
