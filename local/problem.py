"""What went wrong, in one line, with what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError


class Problem(Exception):
    """Ends the run. Its text is all that the user sees of it, so it names the remedy."""


@contextmanager
def told_of_servers(logs: Path) -> Iterator[None]:
    """A server that was started for the run says no, or nothing any more: its log tells why."""
    try:
        yield
    except (BotoCoreError, ClientError, OSError) as error:
        raise Problem(f"MiniStack or tpns-sim failed: {error}: see the logs in {logs}") from error
