"""A function that can't start is reported."""

from __future__ import annotations

from auth_events import login, token
from conftest import Deploy, World
from deployment import Deployment
from waiting import eventually

from local import function_log


def test_a_function_that_fails_in_init_is_reported_as_a_crash(world: World, deploy_for_test: Deploy) -> None:
    stack = deploy_for_test("broken", TpnsApps='{"android":{"access_id":"not a number"}}')
    Deployment(world.cloud, stack, world.tpns).send(login(token(), "ann"))
    eventually(lambda: bool(function_log.crashes(world.cloud, stack)), seconds=20)
