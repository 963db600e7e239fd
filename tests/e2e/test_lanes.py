"""Logouts and deletions have a lane of their own, and an unbind in the other lane is right, too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from auth_events import deletion, login, logout, on_bus, token
from deployment import Deployment

from local import pace


def depths(stage: Deployment) -> tuple[int, int]:
    """Returns how many messages wait in the main queue and in the unbind lane."""
    main, unbinds = (waiting(stage, url) for url in stage.stack.read_queue_urls)
    return main, unbinds


def waiting(stage: Deployment, url: str) -> int:
    names = ["ApproximateNumberOfMessages"]
    answer = stage.cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return int(answer["Attributes"][names[0]])


def put(stage: Deployment, *events: dict[str, Any]) -> None:
    entries = [
        {
            "EventBusName": stage.stack.bus_name,
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
        }
        for event in map(on_bus, events)
    ]
    assert stage.cloud.client("events").put_events(Entries=entries)["FailedEntryCount"] == 0


def test_the_bus_sends_each_event_to_one_lane_and_both_are_applied(standard: Deployment) -> None:
    stays, leaves, deleted = token(), token(), token()
    logins = [login(stays, "ann"), login(leaves, "ben"), login(deleted, "cem")]
    with pace.queue_paused(standard.cloud, standard.stack):
        put(standard, *logins, logout(leaves), deletion("cem"))
        assert depths(standard) == (3, 2)
    standard.drain()
    bound = [standard.accounts("android", device) for device in (stays, leaves, deleted)]
    assert bound == [{"ann"}, set(), set()]
    assert (standard.parked(), standard.dead_letters()) == ([], [])


@pytest.mark.parametrize("lane", ["the main queue", "the unbind lane"])
def test_a_logout_is_right_in_either_lane(standard: Deployment, lane: str) -> None:
    url = standard.stack.queue_url if lane == "the main queue" else str(standard.stack.unbind_queue_url)
    device = token()
    bind, unbind = login(device, "ann"), logout(device)
    standard.handle(bind)
    assert standard.accounts("android", device) == {"ann"}
    standard.cloud.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(unbind))
    standard.drain()
    assert standard.accounts("android", device) == set()


def test_a_login_that_its_logout_has_overtaken_does_not_bind(standard: Deployment) -> None:
    device = token()
    bind, unbind = login(device, "ann"), logout(device)
    put(standard, unbind)
    standard.drain()
    (late,) = standard.handle(bind)
    assert standard.outcomes(late.message_id) == ["superseded"]
    assert standard.accounts("android", device) == set()


def test_a_login_in_the_unbind_lane_is_applied(standard: Deployment) -> None:
    device = token()
    url = str(standard.stack.unbind_queue_url)
    standard.cloud.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(login(device, "ann")))
    standard.drain()
    assert standard.accounts("android", device) == {"ann"}


def test_what_fails_in_either_lane_ends_in_the_same_dead_letter_queue(standard: Deployment) -> None:
    bind, unbind = login(token(), "ann"), logout(token())
    standard.tpns.inject({"fault": "status", "status": 503, "times": None})
    with standard.visibility(1), standard.giving_up_after(2):
        put(standard, bind, unbind)
        standard.drain()
    types = sorted(json.loads(letter.body)["detail-type"] for letter in standard.dead_letters())
    assert types == ["user.login", "user.logout"]


def test_without_a_ledger_or_with_a_fifo_queue_there_is_no_lane(
    plain_standard: Deployment, plain_fifo: Deployment
) -> None:
    assert [stage.stack.unbind_queue_url for stage in (plain_standard, plain_fifo)] == [None, None]
    device = token()
    plain_standard.handle(on_bus(login(device, "ann")))
    put(plain_standard, logout(device))
    plain_standard.drain()
    assert plain_standard.accounts("android", device) == set()
