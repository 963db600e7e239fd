"""Shows the run's progress: a spinner on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

# Plain output gets a line only this often while it waits.
_NOTE_SECONDS = 2.0


class Steps:
    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._number = 0
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, title: str, *, noisy: bool = False) -> Iterator[Callable[[str], None]]:
        """One step. The block gets a function that shows a note. `noisy`: the step writes to the terminal itself."""
        self._number += 1
        head = f"[dim]{self._number}/{self._total}[/dim] {escape(title)}"
        began = time.monotonic()
        if self._console.is_terminal and not noisy:
            with self._console.status(head) as status:
                yield lambda note: status.update(f"{head} [dim]{escape(note)}[/dim]")
        else:
            self._console.print(head)
            yield self._plain_note()
        self.seconds[title] = round(time.monotonic() - began, 2)
        self._console.print(f"{head} [green]done[/green] [dim]{self.seconds[title]:.1f} s[/dim]")

    def _plain_note(self) -> Callable[[str], None]:
        last_at, last_text = time.monotonic(), ""

        def note(text: str) -> None:
            nonlocal last_at, last_text
            if text != last_text and time.monotonic() - last_at >= _NOTE_SECONDS:
                self._console.print(f"    [dim]{escape(text)}[/dim]")
                last_at, last_text = time.monotonic(), text

        return note
