"""A function that can't start is reported."""

from __future__ import annotations

import time

from auth_events import login, token
from conftest import World
from deployment import Deployment

from local import function_log


def test_a_function_that_fails_in_init_is_reported_as_a_crash(world: World) -> None:
    broken = Deployment(
        world.cloud, world.deploy("broken", TpnsApps='{"android":{"access_id":"not a number"}}'), world.tpns
    )
    before = len(function_log.crashes(world.cloud))
    broken.send(login(token(), "ann"))
    deadline = time.monotonic() + 20
    while len(function_log.crashes(world.cloud)) == before:
        assert time.monotonic() < deadline, f"no failed invocation in {world.cloud.log}"
        time.sleep(0.2)
    # Or its mapping would keep invoking it while other tests run.
    world.cloud.client("cloudformation").delete_stack(StackName="broken")
