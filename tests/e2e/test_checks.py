"""Some time after a delivery the stack asks TPNS what it has, and repairs what differs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from auth_events import login, logout, token
from conftest import World
from deployment import Deployment
from waiting import eventually

from local import pace


# Of the session, for tests of one file may be run by a worker in several portions.
@pytest.fixture(scope="session")
def for_checks(world: World) -> Deployment:
    # The shortest that the template allows, and a visibility timeout for which a test can wait.
    stack = world.deploy("checked", CheckAfterSeconds="2", FunctionTimeout="10")
    assert stack.check_queue_url
    attributes = {"VisibilityTimeout": "5"}
    world.cloud.client("sqs").set_queue_attributes(QueueUrl=stack.check_queue_url, Attributes=attributes)
    return Deployment(world.cloud, stack, world.tpns)


@pytest.fixture
def checked(for_checks: Deployment) -> Iterator[Deployment]:
    for_checks.reset()
    yield for_checks
    for_checks.settle(checks=True)


def test_a_device_that_is_changed_at_tpns_is_repaired(checked: Deployment) -> None:
    device = token()
    with pace.checks_paused(checked.cloud, checked.stack):
        checked.handle(login(device, "ann"))
        checked.tpns.bind("android", device, "ben")
    eventually(lambda: checked.accounts("android", device) == {"ann"}, seconds=60)
    eventually(lambda: checked.checks_waiting() == 0, seconds=60)


def test_a_logout_that_tpns_accepts_and_does_not_do_is_repaired(checked: Deployment) -> None:
    device = token()
    checked.handle(login(device, "ann"))
    eventually(lambda: checked.checks_waiting() == 0, seconds=60)
    checked.tpns.inject({"fault": "effect", "apply": False, "times": 1})
    with pace.checks_paused(checked.cloud, checked.stack):
        checked.handle(logout(device))
        assert checked.accounts("android", device) == {"ann"}, "TPNS said that it did"
    eventually(lambda: checked.accounts("android", device) == set(), seconds=60)
    eventually(lambda: checked.checks_waiting() == 0, seconds=60)
    assert checked.dead_letters() == []
