"""Every command of docs/runbook.md works in the trouble it is for, and every query finds what it asks for."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import template
import working_copy
from insights import Query
from pages import SHELL, Block, page
from shell import Shell
from trouble import Trouble
from ward import NAME, Ward

from local import queues
from local.run import ROOT

PAGE = "docs/runbook.md"
REFUSED = "TPNS refuses the app (1008003, 1008035, 1008030)"
HEADINGS = [
    "The dead-letter queue is not empty",
    "Events are parked",
    "The oldest message gets older",
    REFUSED,
    "TPNS says: too fast (1008028)",
    "TPNS answers an unknown code",
    "The function fails",
    "The function is throttled",
    "Invocations run into the timeout",
    "The ledger fails",
    "Unbinds are late",
    "An account stays bound after a logout",
    "One person's messages reach another's phone",
    "How to redrive, and why it is safe",
]
# Lambda's own lines of a crash, which the trouble here has none of.
OF_THE_PLATFORM = ("Runtime",)
# Of several lines in a block, each query; a device is spliced in by the shell.
QUERY = re.compile(r"insights \d+ '(.*)'$", re.MULTILINE)


def test_it_has_the_headings_that_the_alarms_point_to() -> None:
    headings = page(PAGE).headings()
    assert [heading for heading in HEADINGS if heading not in headings] == []
    alarms = template.resources("AWS::CloudWatch::Alarm").values()
    pointed = [
        heading
        for alarm in alarms
        for heading in re.findall(r'docs/runbook\.md at "([^"]+)"', alarm["Properties"]["AlarmDescription"])
    ]
    assert [heading for heading in pointed if heading not in headings] == []


def test_each_alarm_is_in_its_table() -> None:
    alarms = set(template.resources("AWS::CloudWatch::Alarm"))
    told = set(re.findall(r"^\| `(\w+Alarm)` \|", (ROOT / PAGE).read_text(), re.MULTILINE))
    assert told == alarms


@pytest.fixture(scope="module")
def trouble(ward: Ward) -> Trouble:
    trouble = Trouble(ward)
    trouble.of_every_kind()
    return trouble


@pytest.fixture(scope="module")
def said(ward: Ward, trouble: Trouble, replay: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Block, str]]:
    """What each block said, run in the page's order in one shell."""
    folder = tmp_path_factory.mktemp("runbook")
    document = folder / "right.json"
    document.write_text(ward.tpns.apps_document())
    editor = folder / "editor"
    editor.write_text(f'#!/bin/sh\ncp "{document}" "$1"\n')
    editor.chmod(0o755)
    export = {"type": "user.login", "id": "from-a-file", "occurred_at": now(), "app": "android", "token": "replayed"}
    (folder / "events.jsonl").write_text(json.dumps({**export, "account_list": [{"account": "kim"}]}) + "\n")
    own = {"EDITOR": str(editor), "TOKEN": "dead", "TPNS_URL": ward.tpns.url, "STACK": NAME}
    environment = working_copy.environment(ward.cloud, **own)
    environment["PATH"] = f"{replay.parent}:{environment['PATH']}"
    said: dict[Block, str] = {}
    with Shell(folder, folder, environment) as shell:
        for block in page("docs/deploying.md").section("5. See it applied"):
            if "tpns()" in block.text:
                shell.run(block, block.text)
        for block in page(PAGE).blocks(SHELL):
            if block.heading == REFUSED and "fields @timestamp, reason" in block.text:
                trouble.wrong_key()
            if block.heading == REFUSED and "has changed" in block.text:
                trouble.next_is_applied()
            if "--reason unknown_app" in block.text:
                trouble.app_is_added("windows")
            said[block] = shell.run(block, block.text)
    yield said


def test_every_command_works_in_the_trouble_it_is_for(ward: Ward, said: dict[Block, str]) -> None:
    dead = text_of(said, "The dead-letter queue is not empty")
    assert "tpns_unavailable" in dead or "dead" in dead
    assert "unknown_app" in text_of(said, "Events are parked")
    assert '"retCode"' in text_of(said, "One person's messages reach another's phone")
    assert "owner" in text_of(said, "One person's messages reach another's phone")
    queues.drain(ward.cloud, ward.standard, 60)
    # Redriven: what was dead is applied, and the operator's logout, which is newer, holds.
    assert queues.dead_letters(ward.cloud, ward.standard) == []
    assert "dead" not in ward.bound()["android"]
    assert ward.bound()["ios"]["dead-too"] == {"owner-of-dead-too"}
    assert ward.bound()["android"]["replayed"] == {"kim"}


def test_every_query_names_fields_that_the_function_prints_and_finds_what_it_asks_for(
    trouble: Trouble, said: dict[Block, str]
) -> None:
    lines = trouble.lines()
    printed = {name for line in lines for name in line}
    device = hashlib.sha256(b"android\0dead").hexdigest()[:12]
    blind: list[str] = []
    for block in said:
        for text in QUERY.findall(block.text):
            query = Query(text.replace("'\"$DEVICE\"'", device))
            unknown = query.fields - printed
            assert unknown == set(), f"{block}: {text} asks for {unknown}"
            if not query.rows(lines) and not any(word in text for word in OF_THE_PLATFORM):
                blind.append(f"{block}: {text}")
    assert blind == []


def text_of(said: dict[Block, str], heading: str) -> str:
    return "\n".join(text for block, text in said.items() if block.heading == heading)


def now() -> int:
    return time.time_ns() // 1_000_000
