"""One local AWS and one local TPNS for all tests, with the template deployed twice: a standard queue and a FIFO queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from deployment import Deployment

from local.build import Binaries, build
from local.cloud import Cloud
from local.processes import Processes
from local.run import ROOT, TEMPLATE, parameters
from local.scratch import scratch_folder
from local.stack import Stack, deploy
from local.tpns import Tpns


@dataclass(frozen=True)
class World:
    cloud: Cloud
    tpns: Tpns
    binaries: Binaries

    def deploy(self, name: str, **changed: str) -> Stack:
        return deploy(self.cloud, TEMPLATE, self.binaries.function, {**parameters(self.tpns), **changed}, name)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    with scratch_folder(ROOT) as folder:
        yield folder


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    with Processes() as processes:
        yield processes


@pytest.fixture(scope="session")
def binaries(processes: Processes) -> Binaries:
    return build(processes, ROOT)


@pytest.fixture(scope="session")
def world(processes: Processes, binaries: Binaries, folder: Path) -> World:
    tpns = Tpns.start(processes, binaries.tpns, folder)
    return World(Cloud.start(processes, folder), tpns, binaries)


@pytest.fixture(scope="session")
def standard_stack(world: World) -> Deployment:
    return Deployment(world.cloud, world.deploy("standard"), world.tpns)


@pytest.fixture(scope="session")
def fifo_stack(world: World) -> Deployment:
    return Deployment(world.cloud, world.deploy("fifo", QueueType="fifo"), world.tpns)


@pytest.fixture
def standard(standard_stack: Deployment) -> Deployment:
    standard_stack.forget()
    return standard_stack


@pytest.fixture
def fifo(fifo_stack: Deployment) -> Deployment:
    fifo_stack.forget()
    return fifo_stack


@pytest.fixture(params=["standard", "fifo"])
def either(request: pytest.FixtureRequest) -> Deployment:
    """The same test on both kinds of queue."""
    return request.getfixturevalue(request.param)
