"""An error of one line that says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError


class Problem(Exception):
    """Ends the run. Its text is all that the user sees, so it says what to do."""


class Refused(Problem):
    """The command can't be carried out as given: nothing has happened that logs would explain."""


@contextmanager
def server_failures_as_problems(logs: Path) -> Iterator[None]:
    """Turns a failed or missing answer of MiniStack or tpns-sim into a Problem that points to their logs."""
    try:
        yield
    except (BotoCoreError, ClientError, OSError) as error:
        raise Problem(f"MiniStack or tpns-sim: failed: {error}; see the logs in {logs}") from error
