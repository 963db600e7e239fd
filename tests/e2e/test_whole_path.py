"""Events go through the whole stack, and TPNS ends with the bindings that they describe."""

from __future__ import annotations

from auth_events import deletion, login, logout, on_bus, token
from deployment import Deployment


def test_login_logout_and_deletion_end_as_bindings(every_stack: Deployment) -> None:
    stays, leaves, loses_one, changes_hands = token(), token(), token(), token()
    every_stack.handle(
        login(stays, "ann", "ann@example.com"),
        login(leaves, "ben"),
        login(loses_one, "cem@example.com", "dan"),
        login(changes_hands, "eve"),
        login(changes_hands, "fay"),
        logout(leaves),
        deletion("dan"),
    )
    assert every_stack.accounts("android", stays) == {"ann", "ann@example.com"}
    assert every_stack.accounts("android", leaves) == set()
    assert every_stack.accounts("android", loses_one) == {"cem@example.com"}
    assert every_stack.accounts("android", changes_hands) == {"fay"}
    assert (every_stack.parked(), every_stack.dead_letters()) == ([], [])


def test_events_of_later_batches_change_earlier_bindings(every_stack: Deployment) -> None:
    device, other = token(), token()
    every_stack.handle(login(device, "ann@example.com", "ben"), login(other, "ben"))
    assert every_stack.accounts("android", device) == {"ann@example.com", "ben"}
    every_stack.handle(logout(device, "ann@example.com"))
    assert every_stack.accounts("android", device) == {"ben"}
    every_stack.handle(deletion("ben"))
    assert every_stack.accounts("android", device) == set()
    assert every_stack.accounts("android", other) == set()


def test_a_fifo_queue_delivers_a_devices_events_in_order(plain_fifo: Deployment) -> None:
    # Without a ledger, which would correct any order.
    device = token()
    # More than one batch, in one message group.
    plain_fifo.handle(*[event for number in range(8) for event in (logout(device), login(device, f"user-{number}"))])
    assert plain_fifo.accounts("android", device) == {"user-7"}
    assert len(plain_fifo.tokens_called(2)) >= 2, "there was only one invocation, so the queue had no order to keep"


def test_the_rule_moves_events_from_the_bus_to_the_queue(with_bus: Deployment) -> None:
    device, leaves = token(), token()
    with_bus.handle(
        on_bus(login(device, "ann", app="ios")),
        on_bus(login(leaves, "ben", app="ios")),
        on_bus(logout(leaves, app="ios")),
        on_bus(login(token(), "cem", app="ios")),
        on_bus(deletion("cem")),
    )
    assert with_bus.accounts("ios", device) == {"ann"}
    assert with_bus.accounts("ios", leaves) == set()
    # A deletion without `app` goes to every app.
    assert {call["app"] for call in with_bus.tpns.calls() if call["operator_type"] == 5} == {"android", "ios"}


def test_the_rule_ignores_other_events(with_bus: Deployment) -> None:
    device = token()
    other = {**on_bus(login(token(), "ann")), "detail-type": "user.renamed"}
    with_bus.handle(other, on_bus(login(device, "ben")))
    assert with_bus.accounts("android", device) == {"ben"}
    assert with_bus.dead_letters() == []
    assert len(with_bus.tpns.calls()) == 1
