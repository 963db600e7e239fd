"""Makes the samples' fixed dates recent, because the function rejects events that are too old or in the future."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

# The samples happen before this. A later time in them is meant to be in the future, and is moved by as much.
_END_OF_SAMPLES = datetime(2026, 11, 23, tzinfo=UTC)
_A_MOMENT = timedelta(seconds=1)
_DATE_AND_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
# A value of thirteen digits; also in strings inside strings, where quotes are escaped once or more often.
_MILLISECONDS = re.compile(r'(:\s*\\*"?)(\d{13})\b')


def recent(texts: list[str], now: datetime) -> list[str]:
    """Returns the texts with all their times moved by the same number of seconds, so that the newest is a moment before
    `now`. Times of envelopes are moved too, because an event can't happen after it was sent."""
    past = [time for text in texts for time in _times(text) if time < _END_OF_SAMPLES]
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
