"""The local AWS: a MiniStack process, and clients for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from . import loopback
from .problem import Problem
from .processes import Processes

REGION = "us-east-1"
_HOST = "127.0.0.1"
_READY_SECONDS = 120
_PORT_ATTEMPTS = 3
_ROOT = Path(__file__).resolve().parent.parent
# The second argument shows in the list of processes to which run this MiniStack belongs.
_MAIN = "import sys; sys.path.append(sys.argv[1]); del sys.argv[1:]; from local.ministack_server import main; main()"


class Cloud:
    """A running MiniStack."""

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self.log = log
        self._session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)

    @staticmethod
    def start(processes: Processes, folder: Path, **settings: str) -> Cloud:
        """Starts it on a free port. All its files, including logs, are under `folder`. `settings` are MiniStack's
        own."""
        log = folder / "ministack.log"
        (folder / "tmp").mkdir(exist_ok=True)
        for _ in range(_PORT_ATTEMPTS):
            # Another program can take the port before MiniStack binds it: then try another one.
            port = _free_port()
            url = f"http://{_HOST}:{port}"
            argv = [sys.executable, "-c", _MAIN, str(_ROOT), str(folder)]
            process = processes.start(argv, env={**_environment(port, url, folder), **settings}, log=log, cwd=folder)
            if _becomes_ready(process, url):
                return Cloud(url, log)
            processes.stop(process)
        raise Problem(f"MiniStack: did not start within {_READY_SECONDS} s; see {log}")

    def client(self, service: str) -> Any:
        config = Config(proxies={}, retries={"max_attempts": 1}, connect_timeout=5, read_timeout=60)
        return self._session.client(service, endpoint_url=self.url, config=config)


def _environment(port: int, url: str, folder: Path) -> dict[str, str]:
    """The whole environment of MiniStack, which the function inherits: nothing of the developer's shell, such as a
    proxy or real AWS credentials."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "BIND_HOST": _HOST,
        "GATEWAY_PORT": str(port),
        # The host in queue URLs; "localhost" would mean IPv6 to some clients.
        "MINISTACK_HOST": _HOST,
        "AWS_ENDPOINT_URL": url,
        "MINISTACK_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
        # Lambda sets these two from the template's LoggingConfig, MiniStack does not.
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return probe.getsockname()[1]


def _becomes_ready(process: subprocess.Popen[bytes], url: str) -> bool:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        try:
            loopback.get(f"{url}/_ministack/health", timeout=1)
            return True
        except (OSError, ValueError):
            time.sleep(0.05)
    return False
