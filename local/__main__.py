"""`python -m local`, which is what `make run` calls."""

from __future__ import annotations

import json
import sys
from typing import TextIO

from rich.console import Console
from rich.markup import escape

from .options import Options, parse
from .problem import Problem, told_of_servers
from .processes import Interrupted, Processes
from .result import Result
from .run import ROOT, run
from .scratch import scratch_folder
from .show import show

# Wide enough for the tables when no terminal says how wide it is.
_PLAIN_WIDTH = 150


def main(argv: list[str]) -> int:
    progress = _console(sys.stderr)
    try:
        options = parse(argv)
        with scratch_folder(ROOT, options.folder) as folder, told_of_servers(folder), Processes() as processes:
            result, running = run(options, folder, progress, processes)
            _tell(options, result)
            if options.keep:
                for problem in result.problems:
                    _say(progress, problem)
                running.keep_up(progress)
            if result.problems:
                raise Problem("\n".join(result.problems))
    except Interrupted as interrupted:
        _say(progress, str(interrupted))
        return interrupted.exit_code
    except Problem as problem:
        _say(progress, str(problem))
        return 1
    return 0


def _tell(options: Options, result: Result) -> None:
    if options.json:
        json.dump(result.as_json(), sys.stdout, indent=2, ensure_ascii=False)
        print(flush=True)
    else:
        show(_console(sys.stdout), result)


def _console(stream: TextIO) -> Console:
    console = Console(file=stream)
    return console if console.is_terminal else Console(file=stream, width=_PLAIN_WIDTH)


def _say(console: Console, text: str) -> None:
    console.print(f"[bold red]make run:[/] {escape(text)}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
