"""A tpns-sim for one test, and calls to it as a client makes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.processes import Processes

BATCH = "/v3/device/account/batchoperate"
QUERY = "/v3/device/account/query"

_APPS = {"android": ("1500001048", "android-key"), "ios": ("1600001049", "ios-key")}


class Simulator:
    """A running tpns-sim with the apps android and ios."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self.url = url
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)

    @staticmethod
    def start(processes: Processes, binary: Path, listen: str = "127.0.0.1:0") -> Simulator:
        apps = [f"--app={name}:{access_id}:{key}" for name, (access_id, key) in _APPS.items()]
        process = processes.start([str(binary), "--listen", listen, *apps], stdout=subprocess.PIPE)
        assert process.stdout is not None
        return Simulator(process, process.stdout.readline().decode().removeprefix("tpns-sim listening on ").strip())

    def operate(self, body: Any, app: str = "android", path: str = BATCH, upper_case: bool = False) -> dict[str, Any]:
        """Makes a signed call and returns the answer. `upper_case`: with a signature made of the wrong hex text."""
        access_id, key = _APPS[app]
        text, now = json.dumps(body), str(int(time.time()))
        digest = hmac.new(key.encode(), f"{now}{access_id}{text}".encode(), hashlib.sha256).hexdigest()
        sign = base64.b64encode((digest.upper() if upper_case else digest).encode()).decode()
        headers = {"AccessId": access_id, "TimeStamp": now, "Sign": sign, "User-Agent": "page-test"}
        return json.loads(self._request("POST", path, text, headers) or b"{}")

    def bind(self, token: str, *accounts: str | tuple[str, int], app: str = "android") -> dict[str, Any]:
        """Signs the accounts in on the device."""
        return self.operate({"operator_type": 2, "token_accounts": [item(token, *accounts)]}, app)

    def control(self, path: str, body: Any = None) -> Any:
        """Posts to /_sim, or reads from it if there is no body."""
        method, text = ("GET", None) if body is None else ("POST", json.dumps(body))
        return json.loads(self._request(method, f"/_sim/{path}", text, {}))

    def size(self, path: str) -> int:
        """Returns the number of bytes that /_sim answers with."""
        return len(self._request("GET", f"/_sim/{path}", None, {}))

    def _request(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> bytes:
        self._connection.request(method, path, body, headers)
        return self._connection.getresponse().read()


def item(token: str, *accounts: str | tuple[str, int]) -> dict[str, Any]:
    """Returns an item of operator_type 1 to 3. An account is a name, or a name and a type."""
    pairs = [account if isinstance(account, tuple) else (account, 0) for account in accounts]
    return {"token": token, "account_list": [{"account": name, "account_type": kind} for name, kind in pairs]}
