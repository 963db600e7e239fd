"""The local TPNS: a process of crates/tpns-sim, and its control API."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any

from . import loopback
from .problem import Problem, Refused
from .processes import Processes

_READY = "tpns-sim listening on "

# Only this machine's tpns-sim knows these keys; they are not secret.
APPS: dict[str, dict[str, Any]] = {
    "android": {"access_id": 1500001048, "secret_key": "local-android-key"},
    "ios": {"access_id": 1600001061, "secret_key": "local-ios-key"},
}
LEDGER_KEYS = ["local-ledger-key-that-is-not-secret"]


def apps_named(names: list[str]) -> dict[str, dict[str, Any]]:
    """Returns apps with these names and keys of this machine: keys of a real document stay where they are."""
    return {
        name: {"access_id": 1500001048 + number, "secret_key": f"local-{name}-key"} for number, name in enumerate(names)
    }


class Tpns:
    """A running tpns-sim."""

    def __init__(self, url: str, apps: dict[str, dict[str, Any]] | None = None) -> None:
        self.url = url
        self._apps = apps or APPS

    @staticmethod
    def start(
        processes: Processes, binary: Path, folder: Path, *options: str, apps: dict[str, dict[str, Any]] | None = None
    ) -> Tpns:
        document = tpns_apps(folder, apps)
        log = folder / "tpns-sim.log"
        argv = [str(binary), "--listen", "127.0.0.1:0", "--apps", str(document), *options]
        process = processes.start(argv, stdout=subprocess.PIPE, log=log)
        return Tpns(_listening_at(process, log), apps)

    def apps_document(self) -> str:
        """Returns TPNS_APPS for the function: its apps, all at this tpns-sim, and a key for the ledger."""
        return json.dumps({**_apps_at(self.url, self._apps), "ledger_keys": LEDGER_KEYS}, separators=(",", ":"))

    def app(self, name: str) -> dict[str, Any]:
        """Returns the keys of an app, as tpns-sim has them."""
        return self._apps[name]

    def bindings(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Returns app -> token -> accounts, with everything accepted so far applied."""
        return loopback.get(f"{self.url}/_sim/bindings?flush=1")

    def calls(self) -> list[dict[str, Any]]:
        """Returns the calls that bind or unbind, and not those that only ask."""
        return [call for call in loopback.get(f"{self.url}/_sim/calls") if not call["path"].endswith("/query")]

    def inject(self, faults: Any) -> None:
        try:
            loopback.post(f"{self.url}/_sim/faults", faults)
        except loopback.Refused as refused:
            raise Refused(
                f"FAULTS: tpns-sim refuses them ({refused}); see crates/tpns-sim for their shape"
            ) from refused

    def bind(self, app: str, token: str, *accounts: str) -> None:
        """Gives a device these accounts, whatever it had, as someone other than the function would."""
        listed = [{"account": account} for account in accounts]
        loopback.post(f"{self.url}/_sim/bindings", {app: {token: listed}})

    def clear_faults(self) -> None:
        loopback.post(f"{self.url}/_sim/reset", {"faults": True})

    def reset(self) -> None:
        loopback.post(f"{self.url}/_sim/reset", {"bindings": True, "calls": True, "faults": True})


def tpns_apps(folder: Path, named: dict[str, dict[str, Any]] | None = None) -> Path:
    """Writes the apps document for tpns-sim, which needs no endpoint of its own."""
    apps = folder / "apps.json"
    apps.write_text(json.dumps(_apps_at("http://127.0.0.1:1", named or APPS)))
    return apps


def _apps_at(endpoint: str, apps: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {**app, "endpoint": endpoint} for name, app in apps.items()}


def _listening_at(process: subprocess.Popen[bytes], log: Path) -> str:
    """Returns the URL in the first line of output, and keeps reading the rest, or the pipe would fill and block the
    server."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line.decode(errors="replace").strip())
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    try:
        first = lines.get(timeout=10)
    except queue.Empty:
        first = ""
    if not first.startswith(_READY):
        raise Problem(f"tpns-sim: did not start (its output: {first!r}); see {log}")
    return first.removeprefix(_READY).rstrip("/")
