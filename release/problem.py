"""An error of one line that says what is wrong and what to do."""

from __future__ import annotations


class Problem(Exception):
    """Ends `make release`. Its text is all that the user sees, so it says what to do."""
