"""The processes in which MiniStack runs the function. Their stacks can't be distinguished from outside; MiniStack
starts new ones when it needs them."""

from __future__ import annotations

import os
import signal
import subprocess

from waiting import eventually

from local.cloud import Cloud


def running(cloud: Cloud) -> set[int]:
    """Returns their ids. Every process of this run's MiniStack has its folder in the command line."""
    folder = str(cloud.log.parent)
    table = subprocess.run(
        ["ps", "-axww", "-o", "pid=,stat=,command="], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split(None, 2) for line in table.splitlines()]
    return {
        int(line[0])
        for line in lines
        if len(line) == 3 and not line[1].startswith("Z") and folder in line[2] and line[2].endswith("bootstrap")
    }


def kill(cloud: Cloud) -> None:
    """Kills them as Lambda kills a sandbox that uses too much memory: at once, in the middle of anything."""
    killed = running(cloud)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    # Before, MiniStack might give one of them the next invocation.
    eventually(lambda: not killed & running(cloud))
