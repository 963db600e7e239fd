"""The runbook's section "Practise": its commands, in its order, on the stack that its first one starts."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import working_copy
from pages import Block, page
from shell import Shell
from stacks import eventually

from local.build import Binaries
from local.run import ROOT

HEADING = "Practise"
# The samples are delivered five times each.
UP_SECONDS = 900
SETTLE_SECONDS = 300


def commands() -> list[tuple[Block, str]]:
    blocks = [block for block in page("docs/runbook.md").blocks("console") if block.heading == HEADING]
    return [(block, line[2:]) for block in blocks for line in block.text.splitlines() if line.startswith("$ ")]


@pytest.fixture(scope="module")
def practise(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the run that the first command starts."""
    del binaries  # built, because building takes minutes
    folder = tmp_path_factory.mktemp("practise")
    (_, first), *_ = commands()
    output = (folder / "output").open("wb")
    process = subprocess.Popen(
        [*shlex.split(first), f"ARGS=--folder '{folder}'"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    deadline = time.monotonic() + UP_SECONDS
    while not (folder / "env.sh").exists():
        assert process.poll() is None, (folder / "output").read_text()
        assert time.monotonic() < deadline, (folder / "output").read_text()
        time.sleep(0.2)
    yield folder
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=300)
    output.close()


def test_the_commands_find_the_dead_letters_explain_them_and_apply_them(practise: Path, replay: Path) -> None:
    environment = {
        "PATH": os.pathsep.join(
            [str(replay.parent), *map(str, working_copy.TOOLS), os.environ.get("PATH", os.defpath)]
        ),
        "HOME": str(practise),
        "LANG": "C.UTF-8",
        # Of another account: env.sh leaves nothing of it.
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "of production",
    }
    _, *rest = commands()
    outputs: dict[str, str] = {}
    with Shell(practise, practise, environment) as shell:
        for block, command in rest:
            here = f". {practise}/env.sh" if command.startswith(". .local/") else command
            outputs[command] = shell.run(block, here)
        last = rest[-1][1]
        deadline = time.monotonic() + SETTLE_SECONDS
        while "android" not in outputs[last] or "ios" not in outputs[last]:
            assert time.monotonic() < deadline, outputs
            outputs[last] = shell.run(rest[-1][0], last)
        left = shell.run(rest[-1][0], 'depth "$DEAD"; output QueueUrl; echo "$QUEUE $EVENT_BUS $TABLE $LOG $PARKED"')
    text = "\n".join(outputs.values())
    assert "tpns_unavailable" in text
    assert "delivered_in_vain" in text
    assert left.splitlines()[0].split() == ["0", "0"]
    assert left.splitlines()[1] in left.splitlines()[2]
    assert all(left.splitlines()[2].split()), left
    assert len(left.splitlines()[2].split()) == 5


def test_each_event_is_a_row_as_it_settles(practise: Path) -> None:
    def rows() -> list[str]:
        shown = (practise / "output").read_text().split("The stack keeps running")[1]
        return [line for line in shown.splitlines() if line[2:3] == ":"]

    eventually(lambda: any("user.logout" in row and "applied" in row for row in rows()))
