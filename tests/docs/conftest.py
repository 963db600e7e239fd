"""The walk through docs/deploying.md, and the stacks of the other pages, each with an AWS and a TPNS of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import working_copy
from elsewhere import Elsewhere
from shell import Shell
from stacks import Stacks
from walk import Walk

from local.build import Binaries, build_apps_check
from local.cloud import Cloud
from local.processes import Processes
from local.run import ROOT
from local.stack import host_architecture
from local.tpns import Tpns


@pytest.fixture(scope="session")
def walk(processes: Processes, binaries: Binaries, folder: Path) -> Iterator[Walk]:
    cloud, tpns = Cloud.start(processes, folder), Tpns.start(processes, binaries.tpns, folder)
    environment = working_copy.environment(cloud, TPNS_URL=tpns.url, ARCHITECTURE=host_architecture())
    with Shell(working_copy.make(), folder, environment) as shell:
        yield Walk(cloud, tpns, shell, build_apps_check(processes, ROOT))


@pytest.fixture(scope="session")
def built(walk: Walk, built_elsewhere: Elsewhere) -> Walk:
    """The walk, after `sam build`."""
    walk.go_to("Build")
    built_elsewhere.start(walk.cloud)
    return walk


@pytest.fixture(scope="session")
def built_elsewhere(request: pytest.FixtureRequest) -> Iterator[Elsewhere]:
    other = Elsewhere(wanted=any(_waits(item) for item in request.session.items))
    yield other
    other.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_waits)


def _waits(item: pytest.Item) -> bool:
    """Whether a test waits for the other architecture's build."""
    names = getattr(item, "fixturenames", ())
    return "elsewhere" in names or "[elsewhere]" in item.name


@pytest.fixture(scope="session")
def walked(built: Walk) -> Walk:
    """The walk, at the end of the page."""
    built.go_to("Deleting")
    return built


@pytest.fixture(scope="session")
def stacks(processes: Processes, binaries: Binaries, folder: Path) -> Stacks:
    """Not where the walk is: it begins and ends with an empty AWS, and compares all that its TPNS has."""
    return Stacks.open(processes, binaries, folder / "stacks")


@pytest.fixture(scope="session")
def replay(binaries: Binaries) -> Path:
    """The operator's tool, as `cargo install` would build it."""
    assert binaries.replay
    return binaries.replay
