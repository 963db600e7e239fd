"""`python -m local.outage`, which is what `make outage` calls: real parts first, then the simulation, which draws the
picture."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from local.build import Binaries, build
from local.cloud import Cloud
from local.options import OneLine
from local.problem import Problem, server_failures_as_problems
from local.processes import Interrupted, Processes
from local.run import ROOT, TEMPLATE
from local.scratch import scratch_folder
from local.steps import Steps

from .stage import FAULTS, TIMINGS, Stage, start

# Seconds from the beginning of the traffic.
_FAULT = (20, 80)
_TRAFFIC = 110
# The template's visibility timeout, and time for the redelivered messages.
_DRAIN = 180 + 60
# Wide enough for a line if the output is not a terminal.
_PLAIN_WIDTH = 150
_RESULT = ROOT / "target/outage/real.json"


def main(argv: list[str]) -> int:
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        console = Console(file=sys.stderr, width=_PLAIN_WIDTH)
    try:
        parser = OneLine(
            prog="make outage",
            description="Runs the stack with faults, simulates long outages, and draws docs/outage.svg.",
        )
        parser.add_argument("--simulate", action="store_true", help="without the real parts, which take five minutes")
        given = parser.parse_args(argv)
        _run(console, given)
    except Interrupted as interrupted:
        console.print(f"[bold red]make outage:[/] {interrupted}")
        return interrupted.exit_code
    except Problem as problem:
        console.print(f"[bold red]make outage:[/] {escape(str(problem))}", highlight=False, soft_wrap=True)
        return 1
    return 0


def _run(console: Console, given: argparse.Namespace) -> None:
    with scratch_folder(ROOT) as folder, server_failures_as_problems(folder), Processes() as processes:
        steps = Steps(console, total=2 if given.simulate else 5)
        with steps.step("building the function, tpns-sim and the simulation", noisy=True):
            binaries = build(processes, ROOT, with_outage=True)
        if not given.simulate:
            _RESULT.parent.mkdir(parents=True, exist_ok=True)
            _RESULT.write_text(json.dumps(_real_parts(steps, processes, folder, binaries)))
        with steps.step("simulating long outages", noisy=True):
            assert binaries.outage is not None
            process = processes.start([str(binaries.outage), str(ROOT)], stdout=subprocess.PIPE, cwd=ROOT)
            assert process.stdout is not None
            for line in process.stdout:
                print(line.decode(), end="", flush=True)
            if process.wait() != 0:
                raise Problem(f"simulation: failed with exit code {process.returncode}; see above")


def _real_parts(steps: Steps, processes: Processes, folder: Path, binaries: Binaries) -> dict[str, object]:
    with steps.step(f"deploying template.yaml {len(FAULTS) * len(TIMINGS)} times") as note:
        cloud = Cloud.start(processes, folder)
        stages: list[Stage] = []
        for fault in FAULTS:
            for timing in TIMINGS:
                tools = (binaries.function, binaries.tpns)
                stages.append(start(cloud, processes, folder, TEMPLATE, tools, fault, timing))
                note(f"{FAULTS[fault]}, {TIMINGS[timing]}")
    sqs = cloud.client("sqs")
    with steps.step(f"traffic for {_TRAFFIC} s, with a fault from {_FAULT[0]} s to {_FAULT[1]} s") as note:
        began = time.time()
        _traffic(stages, cloud, began, note)
    with steps.step("waiting until every event is applied, up to three minutes") as note:
        deadline = time.monotonic() + _DRAIN
        while left := [stage for stage in stages if not stage.is_settled(sqs)]:
            if time.monotonic() > deadline:
                raise Problem(f"queue: {len(left)} of {len(stages)} were not empty after {_DRAIN} s; see {cloud.log}")
            note(f"{len(left)} of {len(stages)} queues are not empty")
            time.sleep(1)
    return {"fault": _FAULT, "runs": [stage.result(began, sqs) for stage in stages]}


def _traffic(stages: list[Stage], cloud: Cloud, began: float, note: Callable[[str], None]) -> None:
    """Each stack gets a login and a logout a second."""

    def run(stage: Stage) -> None:
        sqs = cloud.client("sqs")
        is_broken = False
        for second in range(_TRAFFIC):
            time.sleep(max(0.0, began + second - time.time()))
            if is_broken != (_FAULT[0] <= second < _FAULT[1]):
                is_broken = not is_broken
                (stage.break_it if is_broken else stage.repair_it)()
            stage.send(sqs)

    threads = [threading.Thread(target=run, args=(stage,), daemon=True) for stage in stages]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(1)
        note(f"{time.time() - began:.0f} s")
    if any(len(stage.logouts) != _TRAFFIC for stage in stages):
        raise Problem(f"traffic: not all events could be sent; see {cloud.log}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
