"""`python -m local.doctor STACK`, which is what `make doctor` calls. Exit code 1: a check has failed, or could not be
made."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from local.build import build_apps_check
from local.options import OneLine
from local.problem import Problem
from local.processes import Interrupted, Processes
from local.run import ROOT

from . import apps, events, function, watching
from .deployed import Deployed, code_of
from .finding import Finding, State, fail, printed, summary
from .policy import Unsupported

_PROG = "make doctor"
_IAM = "use credentials that may; docs/deploying.md says what they need"


def main(argv: list[str]) -> int:
    parser = OneLine(prog=_PROG, description="Checks a deployed stack and changes nothing.")
    parser.add_argument("stack", metavar="STACK", help="the stack's name; STACK=")
    parser.add_argument(
        "--apps-check", type=Path, metavar="FILE", help="the binary of crates/apps-check, if it is built"
    )
    try:
        given = parser.parse_args(argv)
        deployed = Deployed.of(given.stack)
        found: list[Finding] = []
        for finding in findings(deployed, given.apps_check or _built()):
            print(printed(finding), flush=True)
            found.append(finding)
        print(summary(found))
    except Interrupted as interrupted:
        print(f"{_PROG}: {interrupted}", file=sys.stderr)
        return interrupted.exit_code
    except (Problem, BotoCoreError) as problem:
        print(f"{_PROG}: {problem}", file=sys.stderr)
        return 1
    except ClientError as error:
        print(f"{_PROG}: {error.operation_name} was refused ({code_of(error)}); {_IAM}", file=sys.stderr)
        return 1
    return int(any(finding.state is State.FAIL for finding in found))


def findings(deployed: Deployed, apps_check: Path) -> Iterator[Finding]:
    checks: list[tuple[str, Callable[[Deployed], Iterator[Finding]]]] = [
        ("stack", function.stack),
        ("function", function.function),
        (apps.SUBJECT, partial(apps.apps, check=apps_check)),
        ("rules", events.rules),
        ("mappings", events.mappings),
        ("ledger", watching.ledger),
        ("alarms", watching.alarms),
        ("queues", watching.waiting),
    ]
    for subject, check in checks:
        try:
            yield from check(deployed)
        except ClientError as error:
            refused = f"could not be checked: {error.operation_name} was refused ({code_of(error)})"
            yield fail(subject, refused, _IAM)
        except Unsupported as unsupported:
            yield fail(subject, f"a queue's policy has {unsupported}, which is not evaluated here", "check it by hand")


def _built() -> Path:
    with Processes() as processes:
        return build_apps_check(processes, ROOT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
