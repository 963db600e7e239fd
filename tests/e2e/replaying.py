"""Runs the command-line tool `replay` as an operator would."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auth_events import login, logout, token
from deployment import Deployment

from local.cloud import REGION, Cloud

SECONDS = 60

Event = dict[str, Any]


@dataclass(frozen=True)
class Result:
    code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


class Replay:
    def __init__(self, binary: Path, cloud: Cloud, folder: Path) -> None:
        self.binary = binary
        self.folder = folder
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "AWS_ENDPOINT_URL": cloud.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def run(self, *arguments: str | Path, stdin: str = "", **changed: str) -> Result:
        done = subprocess.run(
            [self.binary, *arguments],
            check=False,
            input=stdin,
            env=self.environment | changed,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.binary, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def file(self, *bodies: str | dict[str, Any], name: str = "export.jsonl") -> Path:
        path = self.folder / name
        path.write_text("".join(f"{body if isinstance(body, str) else json.dumps(body)}\n" for body in bodies))
        return path


def stopped_when(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    """Runs a process in short slices, and leaves it stopped as soon as that is reached: no test has to be faster than
    the process. A signal that is sent then has its effect when the process is continued."""
    deadline = time.monotonic() + SECONDS
    process.send_signal(signal.SIGSTOP)
    while not reached():
        assert process.poll() is None, f"it has ended before: {process.communicate()}"
        assert time.monotonic() < deadline, f"this was not reached within {SECONDS} s"
        process.send_signal(signal.SIGCONT)
        time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)


def interrupt(process: subprocess.Popen[str], number: signal.Signals) -> tuple[str, str]:
    """Sends the signal to a stopped process, and returns what the process has printed until it ended."""
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    return process.communicate(timeout=SECONDS)


def confirmed(file: Path) -> int:
    """Returns how many lines are sent, according to the state file beside the file."""
    try:
        state = json.loads(Path(f"{file}.replay").read_text())
    except FileNotFoundError:
        return 0
    return sum(last - first + 1 for first, last in state["sent"])


def sent(ended: Result) -> int:
    found = re.search(r"^(\d+) messages? sent to ", ended.stdout, re.MULTILINE)
    assert found, ended
    return int(found[1])


def counts(stage: Deployment, url: str | None) -> tuple[int, int]:
    """Returns how many messages are visible and how many are in flight."""
    answer = stage.cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(answer["ApproximateNumberOfMessages"]), int(answer["ApproximateNumberOfMessagesNotVisible"])


def reveals_nothing(ended: Result, *events: Event) -> None:
    for sent in events:
        event = sent.get("detail", sent)
        names = [one["account"] for one in event.get("account_list", [])]
        for secret in filter(None, [event.get("token"), *names]):
            assert secret not in ended.output, f"{secret} is printed"


def logins_and_logouts(number: int) -> tuple[list[Event], dict[str, set[str]]]:
    """Returns logins of many devices, then logouts of every third one, and the bindings at the end."""
    devices = [token() for _ in range(number)]
    events = [login(device, f"name-of-{device}") for device in devices]
    events += [logout(device) for device in devices[::3]]
    return events, {device: set() if index % 3 == 0 else {f"name-of-{device}"} for index, device in enumerate(devices)}


def bound(stage: Deployment, ends: dict[str, set[str]]) -> dict[str, set[str]]:
    return {device: stage.accounts("android", device) for device in ends}
