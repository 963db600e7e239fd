"""The programs of docs/producers.md run, and what they send ends at TPNS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import working_copy
from pages import SHELL, Block, page
from shell import Shell
from ward import Ward, eventually

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
    },
    "ios": {"token-of-eve": {"eve"}, "token-of-ida": {"ida"}},
}


@pytest.fixture(scope="module")
def environment(ward: Ward) -> dict[str, str]:
    return working_copy.environment(ward.cloud, EVENT_BUS=str(ward.standard.bus_name), FIFO_QUEUE_URL=ward.fifo.queue_url)


def test_every_example_is_run_and_its_events_are_applied(ward: Ward, environment: dict[str, str], tmp_path: Path) -> None:
    ward.forget()
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    for number, block in enumerate(PROGRAMS):
        run(block, number, tmp_path, environment)
    with Shell(tmp_path, tmp_path, environment) as shell:
        for block in page(PAGE).blocks(SHELL):
            if block.heading != OWN_EVENTS:
                shell.run(block, block.text)
    eventually(lambda: ward.bound() == BOUND)
    for stack in (ward.standard, ward.fifo):
        queues.drain(ward.cloud, stack, 30)
        assert (queues.parked(ward.cloud, stack), queues.dead_letters(ward.cloud, stack)) == ([], [])
    assert ward.bound() == BOUND


def test_both_languages_show_the_bus_and_the_queue() -> None:
    shown = {(block.language, "EVENT_BUS" in block.text, "FIFO_QUEUE_URL" in block.text) for block in PROGRAMS}
    assert shown == {(language, bus, not bus) for language in ("python", "js") for bus in (True, False)}


def test_ones_own_events_are_tried_as_the_page_says(environment: dict[str, str], tmp_path: Path) -> None:
    (block,) = page(PAGE).section(OWN_EVENTS)
    # The page is read in the checkout; here the file shall not lie about in it.
    assert "make run EVENTS=my.jsonl" in block.text
    text = block.text.replace("make run EVENTS=my.jsonl", f'make -C {ROOT} run EVENTS="$PWD/my.jsonl" JSON=1 2>/dev/null')
    own = {**environment, "PATH": os.environ["PATH"], "CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR", "")}
    own = {name: value for name, value in own.items() if value and not name.startswith("AWS_")}
    with Shell(tmp_path, tmp_path, own) as shell:
        said = shell.run(block, text, 300)
    assert '"unknown_app"' in said
    assert said.count('"applied"') + said.count('"superseded"') >= 2


def run(block: Block, number: int, folder: Path, environment: dict[str, str]) -> None:
    name, argv = (f"{number}.py", [sys.executable]) if block.language == "python" else (f"{number}.mjs", ["node"])
    (folder / name).write_text(block.text)
    ended = subprocess.run([*argv, name], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, f"{block}: {ended.stdout}{ended.stderr}"
