"""`make run` as a process of its own, and what it leaves running."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local.run import ROOT

# With everything built: see the fixture in test_make_run.py.
UP_SECONDS = 60
RUN_SECONDS = 120


@dataclass(frozen=True)
class Ended:
    code: int
    stdout: str
    stderr: str


class MakeRun:
    """Starts at once, with `folder` for what it writes, which also tells its processes from others."""

    def __init__(self, folder: Path, *variables: str) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            ["make", "run", f"ARGS=--folder '{folder}'", *variables],
            cwd=ROOT,
            # Of an outer make it must know nothing: neither its variables nor its job slots.
            env={name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        """After a failed test it may still be up."""
        if self._process.poll() is None:
            self.signal_all(signal.SIGTERM)
            self.end()

    def end(self) -> Ended:
        stdout, stderr = self._process.communicate(timeout=RUN_SECONDS)
        return Ended(self._process.returncode, stdout, stderr)

    def wait_for(self, command: str) -> None:
        """Until a process of this run with `command` in its command line is up."""
        deadline = time.monotonic() + UP_SECONDS
        while not any(command in line for line in self.running()):
            assert self._process.poll() is None, f"ended before {command} was up: {self.end()}"
            assert time.monotonic() < deadline, f"{command} was not up after {UP_SECONDS} s"
            time.sleep(0.1)

    def signal_all(self, number: int) -> None:
        """As a terminal does it: make and what it started get the signal."""
        os.killpg(self._process.pid, number)

    def signal_make(self, number: int) -> None:
        """As a supervisor does it: make alone gets the signal."""
        self._process.send_signal(number)

    def running(self) -> list[str]:
        """Command lines of the processes that this run has started. What has ended and only waits to be collected is none."""
        table = subprocess.run(["ps", "-axww", "-o", "stat=,command="], capture_output=True, text=True, check=True).stdout
        lines = [line.split(None, 1) for line in table.splitlines()]
        return [
            line[1]
            for line in lines
            if len(line) == 2 and not line[0].startswith("Z") and str(self._folder) in line[1] and not line[1].startswith("make ")
        ]
