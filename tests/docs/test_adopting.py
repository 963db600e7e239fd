"""docs/deploying.md, "If you have bindings already": its commands, on a stack whose TPNS has bindings that the ledger
does not know."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest
import working_copy
from pages import page
from shell import Shell
from stacks import NAME, Stacks
from walk import ADOPTING, PAGE

# The ledger and TPNS of one of them differ.
SIGNED_IN = {"kept": "lee", "kept-too": "kim", "differs": "ann"}


@pytest.fixture(scope="module")
def folder_with_export(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    stacks.reset()
    folder = tmp_path_factory.mktemp("adopting")
    for token, account in {**SIGNED_IN, "differs": "ben"}.items():
        stacks.tpns.bind("android", token, account)
    lines = [
        {
            "type": "user.login",
            "app": "android",
            "token": token,
            "occurred_at": "2025-03-01T08:00:00Z",
            "account_list": [{"account": account}],
        }
        for token, account in SIGNED_IN.items()
    ]
    (folder / "signed-in.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder


def test_an_export_is_adopted_and_what_differs_is_shown(stacks: Stacks, folder_with_export: Path, replay: Path) -> None:
    environment = working_copy.environment(stacks.cloud, STACK=NAME)
    environment["PATH"] = f"{replay.parent}:{environment['PATH']}"
    functions = [block for block in page(PAGE).blocks("sh") if block.text.startswith("output()")]
    output = ""
    with Shell(folder_with_export, folder_with_export, environment) as shell:
        for block in [*functions, *page(PAGE).section(ADOPTING)]:
            # What differs is looked at again after two minutes, as TPNS may show a change late; this one does not.
            output += shell.run(block, block.text.replace("replay audit", "replay audit --settle 0s"))
    assert "3 devices written to" in output
    fingerprints = {row["device"] for row in csv.DictReader((folder_with_export / "drift.csv").open())}
    assert fingerprint(replay, "differs") in fingerprints
    assert not {fingerprint(replay, token) for token in ("kept", "kept-too")} & fingerprints


def fingerprint(replay: Path, token: str) -> str:
    return subprocess.run(
        [replay, "fingerprint", "--app", "android", token], capture_output=True, text=True, check=True
    ).stdout.strip()
