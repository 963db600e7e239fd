"""A shell that stays open from block to block, like a reader's, so that later blocks see the variables of earlier
ones."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pages import Block

# Ends a block that hangs. Some take minutes on a busy machine.
HUNG_SECONDS = 900.0
_END = "--end-of-block--"
# A block is sourced, with `set -e`: it stops at the first command that fails.
_RUN = "{{ set -e; . {file} </dev/null; }}; printf '\\n%s %s\\n' '{end}' $?\n"


@dataclass(frozen=True)
class Output:
    code: int
    text: str


class Shell:
    """bash in a folder, with exactly the given environment."""

    def __init__(self, folder: Path, scratch: Path, environment: dict[str, str]) -> None:
        self._scratch = scratch
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def run(self, block: Block, text: str, seconds: float = HUNG_SECONDS) -> str:
        """Runs the block and returns its output. All its commands must succeed."""
        try:
            output = self.attempt(text, seconds)
        except TimeoutError as error:
            raise AssertionError(f"{block} did not end within {seconds:.0f} s:\n{text}\n--- output:\n{error}") from None
        assert output.code == 0, f"{block} ended with exit code {output.code}:\n{text}\n--- output:\n{output.text}"
        return output.text

    def attempt(self, text: str, seconds: float = HUNG_SECONDS) -> Output:
        file = self._scratch / "block.sh"
        file.write_text(text)
        assert self._process.stdin
        self._process.stdin.write(_RUN.format(file=file, end=_END))
        self._process.stdin.flush()
        return self._until_the_end(time.monotonic() + seconds)

    def _until_the_end(self, deadline: float) -> Output:
        lines: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError("".join(lines)) from None
            if line is None:
                # `set -e` ended the shell: a command failed.
                return Output(self._process.wait() or 1, "".join(lines))
            if end := re.fullmatch(rf"{_END} (\d+)\n", line):
                return Output(int(end[1]), "".join(lines).removesuffix("\n"))
            lines.append(line)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)
