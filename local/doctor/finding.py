"""What a check found, and how it is printed: one line each, wrapped only for a terminal."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import dataclass
from enum import Enum

# Longer than any line: what is not read on a terminal is searched by line.
_UNLIMITED = 100_000


class State(Enum):
    OK = "ok"
    # Worth knowing, and no fault of the stack.
    NOTE = "note"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """`text` and `remedy` name no AWS account and hold nothing of an apps document but names and hosts."""

    state: State
    subject: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.state.value:<5} {self.subject}: {'; '.join(part for part in (self.text, self.remedy) if part)}"


def ok(subject: str, text: str) -> Finding:
    return Finding(State.OK, subject, text)


def note(subject: str, text: str, remedy: str = "") -> Finding:
    return Finding(State.NOTE, subject, text, remedy)


def fail(subject: str, text: str, remedy: str) -> Finding:
    return Finding(State.FAIL, subject, text, remedy)


def printed(finding: Finding) -> str:
    """Returns the finding, wrapped to the width of the terminal. Words stay whole, so that commands can be copied."""
    width = shutil.get_terminal_size((_UNLIMITED, 0)).columns
    return textwrap.fill(str(finding), width, subsequent_indent=" " * 6, break_long_words=False, break_on_hyphens=False)


def summary(findings: list[Finding]) -> str:
    failed = sum(finding.state is State.FAIL for finding in findings)
    return f"{len(findings)} checks, {failed or 'none'} failed"
