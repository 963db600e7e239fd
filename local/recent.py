"""Makes the samples' fixed dates recent. The function refuses what is too old, and of a wrong clock it refuses what is ahead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

# The samples happen before this. What they say of later times is meant to be in the future, and stays as far in it.
_TOLD = datetime(2026, 11, 23, tzinfo=UTC)
_A_MOMENT = timedelta(seconds=1)
_DATE_AND_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
# A value of thirteen digits; also in text inside of text, where quotes are escaped once or several times.
_MILLISECONDS = re.compile(r'(:\s*\\*"?)(\d{13})\b')


def recent(texts: list[str], now: datetime) -> list[str]:
    """The same texts with all their times moved by one number of seconds, so that the newest is a moment before `now`: those of
    events and those of their envelopes, for an event does not happen after it was sent."""
    past = [time for text in texts for time in _times(text) if time < _TOLD]
    if not past:
        return texts
    by = timedelta(seconds=(now - _A_MOMENT - max(past)) // timedelta(seconds=1))
    return [_moved(text, by) for text in texts]


def _times(text: str) -> Iterator[datetime]:
    for match in _DATE_AND_TIME.finditer(text):
        yield datetime.fromisoformat(match[0])
    for match in _MILLISECONDS.finditer(text):
        yield datetime.fromtimestamp(int(match[2]) / 1000, UTC)


def _moved(text: str, by: timedelta) -> str:
    def date_and_time(match: re.Match[str]) -> str:
        moved = datetime.fromisoformat(match[1]) + by
        return f"{moved:%Y-%m-%dT%H:%M:%S}{match[2] or ''}{match[3]}"

    def milliseconds(match: re.Match[str]) -> str:
        return f"{match[1]}{int(match[2]) + by // timedelta(milliseconds=1)}"

    return _MILLISECONDS.sub(milliseconds, _DATE_AND_TIME.sub(date_and_time, text))
