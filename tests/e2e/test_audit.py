"""`replay audit` compares TPNS with the whole ledger, or with the devices of a file, and has the function repair what
differs."""

from __future__ import annotations

import csv
import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from auth_events import MAIL, deletion, login, logout, token
from conftest import World
from deployment import Deployment
from replaying import Replay, Result
from waiting import eventually

NOTHING_LEFT_OUT = ("--recent", "0s", "--settle", "0s")
LONGEST_NAME_SHOWN = 12


# Of the session, for tests of one file may be run by a worker in several portions. The checks of its events are delayed
# for longer than the tests take, and those that `--repair` sends are handled only in the test that waits for them.
@pytest.fixture(scope="session")
def deployed_for_audits(world: World) -> Deployment:
    stack = world.deploy("audited", CheckAfterSeconds="2", FunctionTimeout="10")
    return Deployment(world.cloud, stack, world.tpns)


class Audited:
    """A stack with its apps document in a file."""

    def __init__(self, stage: Deployment, replay: Replay) -> None:
        self.stage = stage
        self.replay = replay
        self.apps = replay.folder / "apps.json"
        self.apps.write_text(stage.tpns.apps_document())
        self.names: set[str] = set()
        self.tokens: set[str] = set()

    def signs_in(self, *accounts: str, app: str = "android") -> str:
        """Has a device sign in, and waits until TPNS has its accounts."""
        return self.sign_in(1, *accounts, app=app)[0]

    def sign_in(self, number: int, *accounts: str, app: str = "android") -> list[str]:
        devices = [token() for _ in range(number)]
        self.stage.handle(*[login(device, *accounts, app=app) for device in devices])
        self.tokens |= set(devices)
        self.names |= set(accounts)
        return devices

    def command(self, *options: str | Path) -> list[str | Path]:
        assert self.stage.stack.ledger_table
        return ["audit", "--table", self.stage.stack.ledger_table, "--apps", self.apps, *options]

    def audit(self, *options: str | Path) -> Result:
        return self.revealing_nothing(self.replay.run(*self.command(*NOTHING_LEFT_OUT, *options)))

    def revealing_nothing(self, ended: Result) -> Result:
        keys = [app["secret_key"] for app in json.loads(self.stage.tpns.apps_document()).values()]
        written = [path.read_text() for path in self.replay.folder.iterdir() if path.suffix in (".state", ".csv")]
        for output in [ended.output, *written]:
            for secret in [*self.names, *self.tokens, *keys]:
                assert secret not in output, f"{secret} is printed"
        return ended

    def found(self, *options: str | Path) -> dict[str, Any]:
        """Returns the audit's JSON."""
        ended = self.audit("--json", *options)
        assert ended.code in (0, 3), ended
        found = json.loads(ended.stdout)
        assert isinstance(found, dict)
        assert ended.code == (3 if found["devices"] else 0)
        return found

    def fingerprint(self, device: str, app: str = "android") -> str:
        return self.replay.run("fingerprint", "--app", app, device).stdout.strip()


@pytest.fixture
def audited(deployed_for_audits: Deployment, replay: Replay) -> Audited:
    deployed_for_audits.reset()
    return Audited(deployed_for_audits, replay)


def counts(**other: int) -> dict[str, int]:
    zeros = dict.fromkeys(("devices", "agree", "differ", "bound_but_out", "not_bound_but_in", "unknown_bindings"), 0)
    return zeros | other


def table_line(ended: Result, first: str) -> list[str]:
    return next(line.split() for line in ended.stdout.splitlines() if line.split()[:1] == [first])


def test_a_healthy_table_agrees(audited: Audited) -> None:
    audited.sign_in(25, "annabel", "annabel@example.com")
    out = audited.signs_in("benedict", app="ios")
    audited.stage.handle(logout(out, app="ios"))
    audited.signs_in("caroline")
    audited.stage.handle(deletion("caroline"))
    ended = audited.audit()
    assert ended.code == 0, ended
    assert table_line(ended, "android") == ["android", "26", "26", "0", "0", "0"]
    assert table_line(ended, "ios") == ["ios", "1", "1", "0", "0", "0"]
    assert ended.stdout.endswith("TPNS agrees with the ledger\n")
    assert "1 row of deleted accounts" in ended.stdout or "rows of deleted accounts" in ended.stdout
    assert all(len(line) <= 80 for line in ended.stdout.splitlines())


def test_it_only_reads(audited: Audited) -> None:
    audited.tpns_differs_for = audited.signs_in("annabel")  # type: ignore[attr-defined]
    audited.stage.tpns.bind("android", audited.tpns_differs_for, "benedict")  # type: ignore[attr-defined]
    assert audited.stage.table
    rows, bindings, calls = audited.stage.table.rows(), audited.stage.tpns.bindings(), audited.stage.tpns.calls()
    assert audited.audit().code == 3
    assert (audited.stage.table.rows(), audited.stage.tpns.bindings()) == (rows, bindings)
    assert audited.stage.tpns.calls() == calls
