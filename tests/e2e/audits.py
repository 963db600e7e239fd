"""Runs `replay audit` and `replay adopt` on a stack, and holds that no output reveals an account, a token or a key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from auth_events import login, token
from deployment import Deployment
from replaying import Replay, Result
from waiting import eventually

from local import loopback

AT_ONCE = ("--recent", "0s", "--settle", "0s", "--rate", "1000")


class Audited:
    """A stack, and its apps document in a file."""

    def __init__(self, stage: Deployment, replay: Replay) -> None:
        self.stage = stage
        self.replay = replay
        self.apps = replay.folder / "apps.json"
        self.apps.write_text(stage.tpns.apps_document())
        self.state = replay.folder / "audit.state"
        self.csv = replay.folder / "drift.csv"
        document = json.loads(stage.tpns.apps_document())
        self.secrets = set(document.pop("ledger_keys")) | {app["secret_key"] for app in document.values()}

    @property
    def table(self) -> str:
        assert self.stage.stack.ledger_table
        return self.stage.stack.ledger_table

    def signed_in(self, *accounts: str, number: int = 1, app: str = "android") -> list[str]:
        """Returns devices that have signed in, once TPNS has their accounts and no check of them is left."""
        devices = [token() for _ in range(number)]
        self.secrets |= {*devices, *accounts}
        self.handle(*[login(device, *accounts, app=app) for device in devices])
        return devices

    def handle(self, *events: dict[str, Any]) -> None:
        self.stage.handle(*events)
        # Otherwise they would repair what a test is about to change.
        eventually(lambda: self.stage.checks_waiting() == 0, seconds=60)

    def bind(self, device: str, *accounts: str, app: str = "android") -> None:
        """Gives a device these accounts at TPNS, whatever it had."""
        self.secrets |= {device, *accounts}
        listed = login(device, *accounts)["account_list"]
        loopback.post(f"{self.stage.tpns.url}/_sim/bindings", {app: {device: listed}})

    def command(self, *options: str | Path) -> list[str | Path]:
        return ["audit", "--table", self.table, "--apps", self.apps, *options]

    def audit(self, *options: str | Path) -> Result:
        return self.silent(self.replay.run(*self.command(*AT_ONCE, *options)))

    def found(self, *options: str | Path) -> dict[str, Any]:
        """Returns the audit's JSON. Its exit code says whether anything differs."""
        ended = self.audit("--json", *options)
        assert ended.stdout, ended
        found = json.loads(ended.stdout)
        assert isinstance(found, dict)
        assert ended.code == (3 if found["devices"] else 0), ended
        return found

    def silent(self, ended: Result) -> Result:
        """Nothing that was printed or written holds a secret."""
        written = [path.read_text() for path in (self.state, self.csv) if path.exists()]
        for output in [ended.output, *written]:
            for secret in self.secrets:
                assert secret not in output, f"{secret} is in {output}"
        return ended

    def fingerprint(self, device: str, app: str = "android") -> str:
        return self.replay.run("fingerprint", "--app", app, device).stdout.strip()

    def queries(self) -> int:
        """Returns how many devices TPNS has been asked for."""
        calls = loopback.get(f"{self.stage.tpns.url}/_sim/calls")
        return sum(len(call["request"].get("token_list", [])) for call in calls if call["path"].endswith("/query"))


def row(ended: Result, app: str) -> list[str]:
    """Returns the line of an app in the first table."""
    return next(line.split() for line in ended.stdout.splitlines() if line.split()[:1] == [app])


def confirmed(state: Path) -> int:
    """Returns how many lines are written, according to the state file of `replay adopt`."""
    if not state.exists():
        return 0
    return sum(last - first + 1 for first, last in json.loads(state.read_text())["sent"])
