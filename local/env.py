"""`env.sh`: what a shell needs to work with the stack of a run, with the names of docs/runbook.md."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from .cloud import REGION, Cloud
from .stack import NAME, Stack
from .tpns import Tpns

_ROOT = Path(__file__).resolve().parent.parent


def write(folder: Path, cloud: Cloud, tpns: Tpns, stack: Stack) -> Path:
    """Writes the file into the run's folder and returns its path."""
    variables = {
        "AWS_ENDPOINT_URL": cloud.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_PAGER": "",
        "NO_PROXY": "127.0.0.1",
        "LOCAL_ROOT": str(_ROOT),
        "LOCAL_PYTHON": sys.executable,
        "STACK": NAME,
        "QUEUE": stack.queue_url,
        "UNBINDS": stack.unbind_queue_url,
        "DEAD": stack.dead_letter_queue_url,
        "PARKED": stack.parking_queue_url,
        "CHECKS": stack.check_queue_url,
        "CHECKS_DEAD": stack.check_dead_letter_queue_url,
        "EVENT_BUS": stack.bus_name,
        "TABLE": stack.ledger_table,
        "FUNCTION": stack.function_name,
        "LOG": stack.log_group,
        "TPNS_URL": tpns.url,
    }
    exports = "".join(f"export {name}={shlex.quote(value or '')}\n" for name, value in variables.items())
    file = folder / "env.sh"
    # A reader that waits for it must not find half of it.
    unfinished = file.with_suffix(".new")
    unfinished.write_text(
        f"# The stack of one `make run KEEP=1`, for bash: . {file}\n"
        f'unset AWS_PROFILE AWS_SESSION_TOKEN\n{exports}. "$LOCAL_ROOT/local/functions.sh"\n'
    )
    unfinished.replace(file)
    return file
