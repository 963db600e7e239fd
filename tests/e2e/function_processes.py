"""The processes that MiniStack runs the function in. Which stack one of them belongs to can't be told from outside; those that
idle are started anew when they are needed."""

from __future__ import annotations

import os
import signal
import subprocess

from local.cloud import Cloud


def running(cloud: Cloud) -> set[int]:
    """Their ids. Everything of this run's MiniStack has its folder in the command line."""
    folder = str(cloud.log.parent)
    table = subprocess.run(["ps", "-axww", "-o", "pid=,stat=,command="], capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 2) for line in table.splitlines()]
    return {
        int(line[0])
        for line in lines
        if len(line) == 3 and not line[1].startswith("Z") and folder in line[2] and line[2].endswith("bootstrap")
    }


def kill(cloud: Cloud) -> None:
    """As Lambda ends a sandbox that takes too much memory: at once, whatever is under way."""
    for pid in running(cloud):
        os.kill(pid, signal.SIGKILL)
