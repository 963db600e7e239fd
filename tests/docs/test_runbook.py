"""Every command of docs/runbook.md works in the failure that it is for, and every query finds lines."""

from __future__ import annotations

import hashlib
import json
import re
import time
from pathlib import Path

import pytest
import template
import working_copy
from failures import Failures
from pages import SHELL, Block, page
from shell import Shell
from stacks import NAME, Stacks

from local import queues
from local.insights import Query
from local.run import ROOT

PAGE = "docs/runbook.md"
REFUSED = "TPNS refuses the app (1008003, 1008035, 1008030)"
HEADINGS = [
    "The dead-letter queue is not empty",
    "Events are lost",
    "Events are parked",
    "An outage",
    "The oldest message gets older",
    "Too many messages are in flight",
    REFUSED,
    "TPNS says: too fast (1008028)",
    "TPNS answers an unknown code",
    "The function fails",
    "The function is throttled",
    "Invocations run into the timeout",
    "The ledger fails",
    "Unbinds are late",
    "TPNS had not kept what it accepted",
    "Checks fail",
    "Checks are dead-lettered",
    "An account stays bound after a logout",
    "One person's messages reach another's phone",
    "How to redrive, and why it is safe",
]
# Lambda's own lines about a crash; the failures here have none.
OF_THE_PLATFORM = ("Runtime",)
# Each query in a block; the shell inserts the device.
QUERY = re.compile(r"insights \d+ '(.*)'$", re.MULTILINE)


def test_the_page_has_the_headings_that_the_alarms_name() -> None:
    headings = page(PAGE).headings()
    assert [heading for heading in HEADINGS if heading not in headings] == []
    alarms = template.resources("AWS::CloudWatch::Alarm").values()
    named = [
        heading
        for alarm in alarms
        for heading in re.findall(r'docs/runbook\.md at "([^"]+)"', alarm["Properties"]["AlarmDescription"])
    ]
    assert [heading for heading in named if heading not in headings] == []


def test_each_alarm_is_in_the_table() -> None:
    alarms = set(template.resources("AWS::CloudWatch::Alarm"))
    listed = set(re.findall(r"^\| `(\w+Alarm)` \|", (ROOT / PAGE).read_text(), re.MULTILINE))
    assert listed == alarms


@pytest.fixture(scope="module")
def failures(stacks: Stacks) -> Failures:
    failures = Failures(stacks)
    failures.of_every_kind()
    return failures


@pytest.fixture(scope="module")
def outputs(
    stacks: Stacks, failures: Failures, replay: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[Block, str]:
    """The output of each block, run in the page's order in one shell."""
    folder = tmp_path_factory.mktemp("runbook")
    document = folder / "right.json"
    document.write_text(stacks.tpns.apps_document())
    editor = folder / "editor"
    editor.write_text(f'#!/bin/sh\ncp "{document}" "$1"\n')
    editor.chmod(0o755)
    export = {"type": "user.login", "id": "from-a-file", "occurred_at": now(), "app": "android", "token": "replayed"}
    (folder / "events.jsonl").write_text(json.dumps({**export, "account_list": [{"account": "kim"}]}) + "\n")
    own = {"EDITOR": str(editor), "TOKEN": "dead", "TPNS_URL": stacks.tpns.url, "STACK": NAME}
    environment = working_copy.environment(stacks.cloud, **own)
    environment["PATH"] = f"{replay.parent}:{environment['PATH']}"
    outputs: dict[Block, str] = {}
    with Shell(folder, folder, environment) as shell:
        for block in page("docs/deploying.md").section("5. See it applied"):
            if "tpns()" in block.text:
                shell.run(block, block.text)
        for block in page(PAGE).blocks(SHELL):
            if block.heading == REFUSED and "fields @timestamp, reason" in block.text:
                failures.wrong_key()
            if block.heading == REFUSED and "has changed" in block.text:
                failures.next_is_applied()
            if "--reason unknown_app" in block.text:
                failures.app_is_added("windows")
            if "replay audit" in block.text:
                failures.drift_again()
            # What differs is looked at again after two minutes, as TPNS may show a change late; here it does not.
            outputs[block] = shell.run(block, block.text.replace("replay audit", "replay audit --settle 0s"))
    return outputs


def test_every_command_works_in_the_failure_it_is_for(stacks: Stacks, outputs: dict[Block, str]) -> None:
    dead = text_of(outputs, "The dead-letter queue is not empty")
    # What `replay list` shows. The rows of the query are checked below: MiniStack returns the first lines of the log.
    assert "delivered_in_vain" in dead
    assert "unknown_app" in text_of(outputs, "Events are parked")
    assert '"retCode"' in text_of(outputs, "One person's messages reach another's phone")
    assert "owner" in text_of(outputs, "One person's messages reach another's phone")
    queues.drain(stacks.cloud, stacks.standard, 60)
    # After the redrive the dead letters are applied, and the operator's logout, which is newer, still holds.
    assert queues.dead_letters(stacks.cloud, stacks.standard) == []
    assert "dead" not in stacks.bound()["android"]
    assert stacks.bound()["ios"]["dead-too"] == {"owner-of-dead-too"}
    assert stacks.bound()["android"]["replayed"] == {"kim"}


def test_an_audit_finds_a_drift_and_sends_checks_of_it(outputs: dict[Block, str]) -> None:
    audits = text_of(outputs, "TPNS had not kept what it accepted")
    assert audits.count("TPNS differs for ") == 2, audits
    # The queue delivers them after CheckAfterSeconds.
    assert re.search(r"checks of \d+ devices? sent", audits), audits


def test_every_query_uses_fields_that_the_function_prints_and_finds_lines(
    failures: Failures, outputs: dict[Block, str]
) -> None:
    lines = failures.lines()
    printed = {name for line in lines for name in line}
    device = hashlib.sha256(b"android\0dead").hexdigest()[:12]
    empty: list[str] = []
    for block in outputs:
        for text in QUERY.findall(block.text):
            query = Query(text.replace("'\"$DEVICE\"'", device))
            unknown = query.fields - printed
            assert unknown == set(), f"{block}: {text} asks for {unknown}"
            if not query.rows(lines) and not any(word in text for word in OF_THE_PLATFORM):
                empty.append(f"{block}: {text}")
    assert empty == []


def text_of(outputs: dict[Block, str], heading: str) -> str:
    return "\n".join(text for block, text in outputs.items() if block.heading == heading)


def now() -> int:
    return time.time_ns() // 1_000_000
