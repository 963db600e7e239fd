"""The built function under AWS's Runtime Interface Emulator, which AWS's base images for Lambda contain. SAM CLI brings
it along: its own Runtime API, and one HTTP endpoint that takes an invocation's payload and returns the answer."""

from __future__ import annotations

import json
import socket
import urllib.request
from pathlib import Path
from typing import Any

from waiting import eventually

from local import loopback
from local.problem import Problem
from local.processes import Processes
from local.run import ROOT
from local.stack import host_architecture

_INVOCATIONS = "/2015-03-31/functions/function/invocations"


class Emulator:
    def __init__(self, url: str, log: Path) -> None:
        self._url = url
        self._log = log

    @staticmethod
    def start(processes: Processes, bootstrap: Path, folder: Path, **environment: str) -> Emulator:
        """Starts the emulator, which starts `bootstrap` for the first invocation, with this environment alone."""
        folder.mkdir(parents=True)
        (endpoint, runtime_api), log = free_ports(2), folder / "emulator.log"
        argv = [
            str(binary()),
            *("--runtime-interface-emulator-address", endpoint),
            *("--runtime-api-address", runtime_api),
            str(bootstrap),
            "bootstrap",
        ]
        processes.start(argv, env=environment, log=log, cwd=folder)
        emulator = Emulator(f"http://{endpoint}", log)
        eventually(lambda: accepts_connections(endpoint))
        return emulator

    def invoke(self, payload: Any, timeout: float = 60) -> Any:
        """Returns what Lambda would return for `payload`."""
        request = urllib.request.Request(self._url + _INVOCATIONS, json.dumps(payload).encode(), method="POST")
        return loopback.answer(request, timeout)

    def log(self) -> str:
        """Returns the emulator's lines, with the function's among them."""
        return self._log.read_text()


def binary() -> Path:
    name = f"aws-lambda-rie-{host_architecture()}"
    found = list((ROOT / ".venv-sam").glob(f"lib/python*/site-packages/samcli/local/rapid/{name}"))
    if len(found) != 1:
        raise Problem(f"{name}: is not in .venv-sam; run: make .venv-sam/.made")
    return found[0]


def free_ports(number: int) -> list[str]:
    """Returns addresses that nothing listens at. All are taken at once, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return addresses


def accepts_connections(address: str) -> bool:
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True
