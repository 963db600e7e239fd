"""The programs of docs/producers.md run, and their events end at TPNS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import working_copy
from pages import SHELL, Block, page
from shell import Shell
from stacks import Stacks, eventually

from local import queues
from local.run import ROOT

PAGE = "docs/producers.md"
NODE_MODULES = ROOT / "tests" / "docs" / "node" / "node_modules"
PROGRAMS = page(PAGE).blocks("python", "js")
OWN_EVENTS = "Trying your own events"
BOUND = {
    "android": {
        "token-of-ann": {"ann"},
        "token-of-ben": {"ben"},
        "token-of-cem": {"cem", "cem@example.com"},
        "token-of-gil": {"gil"},
        "token-of-kim": {"kim"},
        "token-of-lea": {"lea"},
        "token-of-sam": {"sam"},
    },
    "ios": {"token-of-eve": {"eve"}, "token-of-ida": {"ida"}},
}


@pytest.fixture(scope="module")
def environment(stacks: Stacks) -> dict[str, str]:
    queue = stacks.standard.queue_arn
    return working_copy.environment(
        stacks.cloud,
        EVENT_BUS=str(stacks.standard.bus_name),
        FIFO_QUEUE_URL=stacks.fifo.queue_url,
        QUEUE_ARN=queue,
        DEAD_LETTER_QUEUE_ARN=queue.removesuffix("-events") + "-dead-letters",
    )


def test_every_example_is_run_and_its_events_are_applied(
    stacks: Stacks, environment: dict[str, str], tmp_path: Path
) -> None:
    stacks.reset()
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    for number, block in enumerate(PROGRAMS):
        run(block, number, tmp_path, environment)
    with Shell(tmp_path, tmp_path, environment) as shell:
        for block in page(PAGE).blocks(SHELL):
            if block.heading != OWN_EVENTS:
                shell.run(block, block.text)
    eventually(lambda: stacks.bound() == BOUND)
    for stack in (stacks.standard, stacks.fifo):
        queues.drain(stacks.cloud, stack, 30)
        assert (queues.parked(stacks.cloud, stack), queues.dead_letters(stacks.cloud, stack)) == ([], [])
    assert stacks.bound() == BOUND


def test_there_are_examples_for_bus_and_queue_in_both_languages() -> None:
    shown = {(block.language, "EVENT_BUS" in block.text, "FIFO_QUEUE_URL" in block.text) for block in PROGRAMS}
    assert shown == {(language, bus, not bus) for language in ("python", "js") for bus in (True, False)}


def test_your_own_events_can_be_tried_as_the_page_says(environment: dict[str, str], tmp_path: Path) -> None:
    (block,) = page(PAGE).section(OWN_EVENTS)
    # The page's commands run in the checkout; the test must not leave the file there.
    assert "make run EVENTS=my.jsonl" in block.text
    text = block.text.replace(
        "make run EVENTS=my.jsonl", f'make -C {ROOT} run EVENTS="$PWD/my.jsonl" JSON=1 2>/dev/null'
    )
    own = {**environment, "PATH": os.environ["PATH"], "CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR", "")}
    own = {name: value for name, value in own.items() if value and not name.startswith("AWS_")}
    with Shell(tmp_path, tmp_path, own) as shell:
        output = shell.run(block, text, 300)
    assert '"unknown_app"' in output
    assert output.count('"applied"') + output.count('"superseded"') >= 2


def run(block: Block, number: int, folder: Path, environment: dict[str, str]) -> None:
    name, argv = (f"{number}.py", [sys.executable]) if block.language == "python" else (f"{number}.mjs", ["node"])
    (folder / name).write_text(block.text)
    result = subprocess.run(
        [*argv, name], check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, f"{block}: {result.stdout}{result.stderr}"
