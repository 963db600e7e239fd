"""JSON over HTTP to a server on this machine."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

# A proxy from the environment must neither see nor break calls to 127.0.0.1.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url: str, timeout: float = 10) -> Any:
    return answer(urllib.request.Request(url), timeout)


def answer(request: urllib.request.Request, timeout: float = 10) -> Any:
    """Returns what the server answers."""
    with _direct.open(request, timeout=timeout) as response:
        return json.load(response)


def post(url: str, body: Any, timeout: float = 10) -> None:
    """Sends `body`. Raises Refused, with the server's text, if the server answers with an error."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with _direct.open(request, timeout=timeout) as response:
            response.read()
    except urllib.error.HTTPError as error:
        raise Refused(error.code, error.read().decode(errors="replace").strip()) from error


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text}")
        self.status = status
        self.text = text
