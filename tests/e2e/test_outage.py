"""`make outage`: what it breaks, and what it measures."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from conftest import World
from waiting import eventually

from local.outage.stage import FAULTS, start
from local.processes import Processes
from local.run import TEMPLATE


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_delays_logouts_until_it_is_over(
    fault: str, world: World, processes: Processes, tmp_path: Path
) -> None:
    tools = (world.binaries.function, world.binaries.tpns)
    stage = start(world.cloud, processes, tmp_path, TEMPLATE, tools, fault, "new")
    sqs, began = world.cloud.client("sqs"), time.time()

    def late() -> list[float | None]:
        return [late for _, late in stage.result(began, sqs)["unbinds"]]

    stage.send(sqs)
    eventually(lambda: None not in late())
    stage.break_it()
    # The apps document is read again when it is a second old.
    time.sleep(2)
    stage.send(sqs)
    time.sleep(2)
    assert late()[1] is None, "the fault has no effect"
    repaired = time.time()
    stage.repair_it()
    eventually(lambda: None not in late(), seconds=60)
    eventually(lambda: stage.is_settled(sqs), seconds=60)
    _, second = late()
    assert second is not None
    # Not compared with the first, which is as late as the machine is slow.
    assert second >= repaired - stage.logouts[1].sent - 0.01
    assert stage.result(began, sqs)["dead_lettered"] == 0
