"""Starts processes and makes sure that none outlives this program."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from types import FrameType
from typing import Any, Self

# Time to end by itself; after that the process is killed.
GRACE_SECONDS = 3.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """A signal asked the program to end. It is not an Exception, so no error handler swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.exit_code = 128 + number


def _raise_interrupted(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)


class Processes:
    """Starts processes, each in a process group of its own, and ends the groups when the block ends in any way.

    It ends groups because MiniStack starts the function's binary as a child, which would outlive MiniStack.
    """

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._handlers = {number: signal.signal(number, _raise_interrupted) for number in _SIGNALS}
        return self

    def __exit__(self, *_exc: object) -> None:
        # A second Ctrl-C must not interrupt the cleanup.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        for process in self._running:
            _signal_group(process, signal.SIGTERM)
        for process in self._running:
            _end(process)
        self._running.clear()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def start(
        self,
        argv: list[str],
        *,
        env: dict[str, str] | None = None,
        stdout: int | None = None,
        log: Path | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts `argv`. With `log`, its output (except a piped stdout) goes to that file."""
        sink = log.open("ab") if log else None
        try:
            process = subprocess.Popen(
                argv,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=stdout if stdout is not None else sink,
                stderr=sink,
                start_new_session=True,
            )
        finally:
            if sink:
                sink.close()
        self._running.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ends one process and its group."""
        _signal_group(process, signal.SIGTERM)
        _end(process)
        self._running.remove(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    # Even if the leader has ended, its children may still run.
    _signal_group(process, signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # It may have ended already; macOS reports "permission" for a group that has only ended processes.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
