"""Only failed events are redelivered; those that keep failing are dead-lettered."""

from __future__ import annotations

from auth_events import login, token
from deployment import DELIVERIES, Deployment
from waiting import eventually

ATTEMPTS = 3  # TPNS_MAX_ATTEMPTS: tries of one call within one invocation
NOT_JSON = "neither JSON nor sent by any other test"


def test_only_the_events_of_a_failed_call_are_redelivered(every_stack: Deployment) -> None:
    android, ios = token(), token()
    every_stack.tpns.inject({"fault": "status", "status": 503, "app": "ios", "times": ATTEMPTS})
    good, failed = every_stack.handle(login(android, "ann"), login(ios, "ben", app="ios"))

    assert every_stack.outcomes(good.message_id) == ["applied"]
    assert every_stack.outcomes(failed.message_id) == ["retry", "applied"]
    assert [one.receive_count for one in every_stack.deliveries(failed.message_id)] == [1, 2]
    assert calls_of(every_stack, "android") == [200]
    assert calls_of(every_stack, "ios") == [503] * ATTEMPTS + [200]
    assert every_stack.accounts("android", android) == {"ann"}
    assert every_stack.accounts("ios", ios) == {"ben"}


def test_only_the_failed_item_of_a_call_is_redelivered(every_stack: Deployment) -> None:
    devices = [token() for _ in range(4)]
    bad = devices[2]
    # "Internal error" for one item of the call, for all tries of the first invocation.
    every_stack.tpns.inject({"fault": "item_code", "code": 1008004, "token": bad, "times": ATTEMPTS})
    sent = every_stack.handle(*[login(device, f"user-{number}") for number, device in enumerate(devices)])

    outcomes = [every_stack.outcomes(one.message_id) for one in sent]
    assert outcomes == [["applied"], ["applied"], ["retry", "applied"], ["applied"]]
    first, *again = every_stack.tokens_called(2)
    assert first == set(devices)
    assert again
    assert all(tokens == {bad} for tokens in again), "an accepted event was sent to TPNS again"
    assert [every_stack.accounts("android", device) for device in devices] == [
        {f"user-{number}"} for number in range(4)
    ]


def test_a_bad_event_is_parked_at_once_with_the_reason_and_its_neighbours_are_applied(either: Deployment) -> None:
    device = token()
    unknown_app = login(token(), "ann", app="windows")
    bad, wrong, good = either.handle(NOT_JSON, unknown_app, login(device, "ben"))

    assert [either.outcomes(one.message_id) for one in (bad, wrong, good)] == [["parked"], ["parked"], ["applied"]]
    assert either.accounts("android", device) == {"ben"}
    parked = {message.body: message for message in either.parked()}
    reasons = {body: message.reason for body, message in parked.items()}
    assert reasons == {NOT_JSON: "malformed_json", wrong.line.body: "unknown_app"}
    assert "TPNS_APPS" in str(parked[wrong.line.body].detail), "the detail does not name the fix"
    assert either.dead_letters() == []


def test_without_a_parking_queue_a_bad_event_is_dead_lettered_after_all_its_deliveries(
    plain_standard: Deployment, plain_fifo: Deployment
) -> None:
    stages, device = (plain_standard, plain_fifo), token()
    # Both at the same time, because it is mostly waiting; with a short timeout, because no call is retried.
    with plain_standard.visibility(2), plain_fifo.visibility(2):
        sent = [stage.send(NOT_JSON, login(token(), "ann", app="windows"), login(device, "ben")) for stage in stages]
        for stage in stages:
            stage.drain()
    for stage, (bad, wrong, good) in zip(stages, sent, strict=True):
        for message in (bad, wrong):
            assert stage.outcomes(message.message_id) == ["rejected"] * DELIVERIES
            assert [one.receive_count for one in stage.deliveries(message.message_id)] == list(range(1, DELIVERIES + 1))
        assert stage.outcomes(good.message_id) == ["applied"]
        assert stage.accounts("android", device) == {"ben"}
        letters = {letter.message_id: letter.body for letter in stage.dead_letters()}
        assert letters == {bad.message_id: NOT_JSON, wrong.message_id: wrong.line.body}
        assert "app" in str(stage.deliveries(wrong.message_id)[-1].detail), "the log does not name the field"


def test_an_event_is_not_lost_while_tpns_is_down(every_stack: Deployment) -> None:
    device = token()
    every_stack.tpns.inject({"fault": "disconnect", "times": None})
    (event,) = every_stack.send(login(device, "ann"))
    eventually(lambda: len(every_stack.outcomes(event.message_id)) >= 2, seconds=30)
    every_stack.tpns.clear_faults()
    every_stack.drain()
    *failed, last = every_stack.outcomes(event.message_id)
    assert (set(failed), last) == ({"retry"}, "applied")
    assert every_stack.accounts("android", device) == {"ann"}


def calls_of(stage: Deployment, app: str) -> list[int]:
    return [call["status"] for call in stage.tpns.calls() if call["app"] == app]
