"""`python -m local`, which is what `make run` calls."""

from __future__ import annotations

import json
import sys
from typing import TextIO

from rich.console import Console
from rich.markup import escape

from .options import Options, parse
from .problem import Problem, server_failures_as_problems
from .processes import Interrupted, Processes
from .result import Result
from .run import ROOT, run
from .scratch import scratch_folder
from .show import show

# Of progress that is not written to a terminal; the result's tables are as wide as they need to be.
_PLAIN_WIDTH = 150


def main(argv: list[str]) -> int:
    progress = _console(sys.stderr)
    try:
        options = parse(argv)
        with (
            scratch_folder(ROOT, options.folder) as folder,
            server_failures_as_problems(folder),
            Processes() as processes,
        ):
            result, running = run(options, folder, progress, processes)
            if options.strict:
                result.problems += result.not_applied()
            _print_result(options, result)
            if options.keep:
                for problem in result.problems:
                    _print_error(progress, problem)
                running.wait_for_interrupt(progress, folder)
            if result.problems:
                raise Problem("\n".join(result.problems))
    except Interrupted as interrupted:
        _print_error(progress, str(interrupted))
        return interrupted.exit_code
    except Problem as problem:
        _print_error(progress, str(problem))
        return 1
    return 0


def _print_result(options: Options, result: Result) -> None:
    if options.json:
        json.dump(result.as_json(), sys.stdout, indent=2, ensure_ascii=False)
        print(flush=True)
    else:
        show(_console(sys.stdout), result)


def _console(stream: TextIO) -> Console:
    console = Console(file=stream, emoji=False)
    return console if console.is_terminal else Console(file=stream, emoji=False, width=_PLAIN_WIDTH)


def _print_error(console: Console, text: str) -> None:
    console.print(f"[bold red]make run:[/] {escape(text)}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
