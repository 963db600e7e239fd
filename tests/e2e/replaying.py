"""Runs the command-line tool `replay` as an operator would."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud import REGION, Cloud

SECONDS = 60


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


def confirmed(file: Path) -> int:
    """Returns how many lines are sent, according to the state file beside the file."""
    try:
        state = json.loads(Path(f"{file}.replay").read_text())
    except FileNotFoundError:
        return 0
    return sum(last - first + 1 for first, last in state["sent"])
