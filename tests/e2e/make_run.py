"""`make run` as a process, and the processes that it leaves running."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local.run import ROOT

# With everything built: see the fixture in test_make_run.py. They only end what hangs.
UP_SECONDS = 300
RUN_SECONDS = 600


@dataclass(frozen=True)
class Result:
    code: int
    stdout: str
    stderr: str


def outside_make() -> dict[str, str]:
    """Returns an environment isolated from an outer make: without its variables and job slots."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


class MakeRun:
    """Starts `make run`. `folder` is for its files, and identifies its processes."""

    def __init__(self, folder: Path, *variables: str) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            ["make", "run", f"ARGS=--folder '{folder}'", *variables],
            cwd=ROOT,
            env=outside_make(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        """Stops it if it is still running after a failed test."""
        if self._process.poll() is None:
            self.signal_all(signal.SIGTERM)
            self.end()

    def end(self) -> Result:
        stdout, stderr = self._process.communicate(timeout=RUN_SECONDS)
        return Result(self._process.returncode, stdout, stderr)

    def wait_for(self, command: str) -> None:
        """Waits until a process of this run with `command` in its command line exists."""
        deadline = time.monotonic() + UP_SECONDS
        while not any(command in line for line in self.running()):
            assert self._process.poll() is None, f"ended before {command} started: {self.end()}"
            assert time.monotonic() < deadline, f"{command} did not start within {UP_SECONDS} s"
            time.sleep(0.1)

    def signal_all(self, number: int) -> None:
        """Like a terminal: make and all its processes get the signal."""
        os.killpg(self._process.pid, number)

    def signal_make(self, number: int) -> None:
        """Like a supervisor: only make gets the signal."""
        self._process.send_signal(number)

    def running(self) -> list[str]:
        """Returns the command lines of this run's processes, without zombies."""
        table = subprocess.run(
            ["ps", "-axww", "-o", "stat=,command="], capture_output=True, text=True, check=True
        ).stdout
        lines = [line.split(None, 1) for line in table.splitlines()]
        return [
            line[1]
            for line in lines
            if len(line) == 2
            and not line[0].startswith("Z")
            and str(self._folder) in line[1]
            and not line[1].startswith("make ")
        ]
