"""One local AWS and one local TPNS for all tests, with the template deployed in four variants: a standard queue and a
FIFO queue, each with the template's defaults, and each "plain", without ledger and parking queue."""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from audits import Audited
from deployment import Deployment
from replaying import Replay

from local.build import Binaries
from local.cloud import Cloud
from local.processes import Processes
from local.run import TEMPLATE, parameters
from local.stack import Stack, deploy
from local.tpns import Tpns

# Faults are injected for a number of calls. With pauses between the calls to a TPNS that fails, a test would wait for
# them, and the next one would begin in such a pause.
ENVIRONMENT = {"TPNS_PROBE_INTERVAL": "0"}


def pytest_configure() -> None:
    # In the environment, which the workers of pytest-xdist inherit: all must have the same order.
    os.environ.setdefault("SEED", str(random.randrange(10**6)))


def pytest_report_header() -> str:
    return f"order of the tests: SEED={os.environ['SEED']}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Shuffles the files, and the tests of each: a test that depends on those before it fails in some run. A file's
    tests stay together, because they share a stack, which each worker that needs it deploys."""
    dice = random.Random(os.environ["SEED"])
    files = {item.path: dice.random() for item in items}
    items.sort(key=lambda item: (files[item.path], dice.random()))


@dataclass(frozen=True)
class World:
    cloud: Cloud
    tpns: Tpns
    binaries: Binaries

    def deploy(self, name: str, **changed: str) -> Stack:
        return self.deploy_with({}, name, changed)

    def deploy_with(self, environment: dict[str, str], name: str, changed: dict[str, str]) -> Stack:
        given = {**parameters(self.tpns), **changed}
        return deploy(self.cloud, TEMPLATE, self.binaries.function, given, name, {**ENVIRONMENT, **environment})


Deploy = Callable[..., Stack]


@pytest.fixture(scope="session")
def world(processes: Processes, binaries: Binaries, folder: Path) -> World:
    tpns = Tpns.start(processes, binaries.tpns, folder)
    return World(Cloud.start(processes, folder), tpns, binaries)


@pytest.fixture
def deploy_for_test(world: World) -> Iterator[Deploy]:
    """Deploys a stack for one test. Afterwards its mappings must not invoke the function while other tests run."""
    names: list[str] = []

    def deploy(name: str, **changed: str) -> Stack:
        names.append(name)
        return world.deploy(name, **changed)

    yield deploy
    for name in names:
        world.cloud.client("cloudformation").delete_stack(StackName=name)


_PLAIN = {"Ledger": "off", "ParkingQueue": "off"}
_STACKS = {
    "standard": {},
    "fifo": {"QueueType": "fifo"},
    "plain-standard": _PLAIN,
    "plain-fifo": {"QueueType": "fifo", **_PLAIN},
}

# Where a failed message waits for the visibility timeout, so that a test decides how long.
_ENVIRONMENTS = {"without-delays": {"RETRY_MAX_DELAY": "0"}}

Stacks = Callable[[str], Deployment]


@pytest.fixture(scope="session")
def deployed(world: World) -> Stacks:
    """Each stack is deployed when a test first needs it."""

    def deploy(name: str) -> Deployment:
        stack = world.deploy_with(_ENVIRONMENTS.get(name, {}), name, _STACKS.get(name, {}))
        return Deployment(world.cloud, stack, world.tpns)

    return functools.cache(deploy)


@pytest.fixture
def stacks(deployed: Stacks) -> Iterator[Stacks]:
    used: list[Deployment] = []

    def fresh(name: str) -> Deployment:
        stage = deployed(name)
        stage.reset()
        used.append(stage)
        return stage

    yield fresh
    for stage in used:
        stage.settle()


@pytest.fixture
def standard(stacks: Stacks) -> Deployment:
    return stacks("standard")


@pytest.fixture
def plain_standard(stacks: Stacks) -> Deployment:
    return stacks("plain-standard")


@pytest.fixture
def plain_fifo(stacks: Stacks) -> Deployment:
    return stacks("plain-fifo")


@pytest.fixture(params=["standard", "fifo"])
def either(request: pytest.FixtureRequest, stacks: Stacks) -> Deployment:
    """Runs the test with both types of queue, with ledger and parking queue: for tests of these two."""
    return stacks(request.param)


@pytest.fixture(params=["plain-standard", "plain-fifo"])
def plain(request: pytest.FixtureRequest, stacks: Stacks) -> Deployment:
    """Runs the test with both types of queue, without ledger and parking queue: for tests of their absence."""
    return stacks(request.param)


@pytest.fixture(params=["standard", "plain-standard"])
def with_bus(request: pytest.FixtureRequest, stacks: Stacks) -> Deployment:
    """Runs the test with and without ledger and parking queue. A FIFO queue has no bus, and gets nothing from a
    standard SNS topic."""
    return stacks(request.param)


@pytest.fixture(params=_STACKS)
def every_stack(request: pytest.FixtureRequest, stacks: Stacks) -> Deployment:
    """Runs the test in all four variants. A test that does not use them all says why."""
    return stacks(request.param)


@pytest.fixture
def replay(world: World, tmp_path: Path) -> Replay:
    assert world.binaries.replay
    return Replay(world.binaries.replay, world.cloud, tmp_path)


# Of the session, for tests of one file may be run by a worker in several portions.
@pytest.fixture(scope="session")
def for_audits(world: World) -> Deployment:
    stack = world.deploy("audited", CheckAfterSeconds="2", FunctionTimeout="10")
    attributes = {"VisibilityTimeout": "5"}
    world.cloud.client("sqs").set_queue_attributes(QueueUrl=stack.check_queue_url, Attributes=attributes)
    return Deployment(world.cloud, stack, world.tpns)


@pytest.fixture
def audited(for_audits: Deployment, replay: Replay) -> Iterator[Audited]:
    for_audits.reset()
    yield Audited(for_audits, replay)
    for_audits.settle(checks=True)
