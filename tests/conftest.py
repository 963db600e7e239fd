"""What every run of the whole stack needs: a folder for its files, its processes, and the binaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.build import Binaries, build
from local.processes import Processes
from local.run import ROOT
from local.scratch import scratch_folder


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
    return build(processes, ROOT, with_replay=True)
