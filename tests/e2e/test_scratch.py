"""What a run leaves behind in .local, and the faults that it knows."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from local.options import FAULTS
from local.problem import Problem, Refused
from local.run import ROOT
from local.scratch import scratch_folder


def left(root: Path, error: BaseException | None) -> list[Path]:
    """Returns what is in .local after a run that has written a log and ends so."""
    expected = pytest.raises(type(error)) if error else nullcontext()
    with expected, scratch_folder(root) as folder:
        (folder / "tpns-sim.log").write_text("a log")
        if error:
            raise error
    return list((root / ".local").iterdir())


@pytest.mark.parametrize("error", [None, Refused("faults"), KeyboardInterrupt()])
def test_a_run_that_nothing_is_to_be_learnt_from_leaves_nothing(tmp_path: Path, error: BaseException | None) -> None:
    assert left(tmp_path, error) == []


def test_a_run_that_failed_leaves_its_logs(tmp_path: Path) -> None:
    (folder,) = left(tmp_path, Problem("see the log"))
    assert (folder / "tpns-sim.log").exists()


def test_the_faults_are_those_of_tpns_sim() -> None:
    source = (ROOT / "crates/tpns-sim/src/fault/kind.rs").read_text()
    names = re.search(r"NAMES: \[&'static str; \d+\] = \[(.*?)\];", source, re.DOTALL)
    assert names
    assert re.findall(r'"(\w+)"', names[1]) == list(FAULTS)
