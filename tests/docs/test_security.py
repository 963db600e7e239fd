"""The times and permissions in docs/security.md are those of template.yaml and the code, and its command works."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
from pathlib import Path

import template
import working_copy
from pages import SHELL, page
from shell import Shell
from stacks import Stacks

from local import queues
from local.run import ROOT

PAGE = "docs/security.md"
TEXT = (ROOT / PAGE).read_text()
DAY = 24 * 3600


def test_the_times_are_those_of_the_template_and_the_code() -> None:
    kept = {
        name: int(queue["Properties"]["MessageRetentionPeriod"]) // DAY
        for name, queue in template.resources("AWS::SQS::Queue").items()
    }
    events = {"Queue": 10, "UnbindQueue": 10, "DeadLetterQueue": 14, "ParkedEvents": 14}
    assert kept == events | {"CheckQueue": 10, "CheckDeadLetterQueue": 14}
    for text in (
        "queues<br>10 days",
        "dead letters<br>14 days",
        "parked<br>14 days",
        "ledger<br>45 days",
        "its dead letters<br>14 days",
        "minutes as a rule, at most 10 days",
        "log 30 days",
    ):
        assert text in TEXT
    assert template.parameters()["LogRetentionDays"]["Default"] == 30
    lifetime = "LEDGER_ROW_LIFETIME: Duration = Duration::from_secs(45 * 24 * 3600)"
    assert lifetime in (ROOT / "src/table.rs").read_text()


def test_the_functions_permissions_are_those_of_the_template() -> None:
    allowed = set(
        re.findall(
            r"\b(?:sqs|dynamodb|secretsmanager|logs|xray):\w+",
            json.dumps(template.document()["Resources"]["FunctionRole"]),
        )
    )
    # X-Ray and the log can only be written, so they give no access to personal data.
    with_access = {action for action in allowed if not action.startswith(("xray:Put", "logs:"))}
    assert with_access == {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ChangeMessageVisibility",
        "sqs:SendMessage",
        "dynamodb:UpdateItem",
        "dynamodb:BatchGetItem",
        "secretsmanager:GetSecretValue",
    }
    assert "`UpdateItem`, `BatchGetItem`: not `Scan`, not `Delete`" in TEXT


def test_the_number_of_crates_is_that_of_the_lock_file() -> None:
    argv = ["cargo", "tree", "--locked", "-p", "tpns-account-sync", "-e", "normal", "--prefix", "none"]
    tree = subprocess.run(
        [*argv, "--target", "x86_64-unknown-linux-gnu"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    crates = {line.removesuffix(" (*)") for line in tree.stdout.splitlines()}
    # Crates of this workspace are listed with their folder.
    others = {crate for crate in crates if str(ROOT) not in crate}
    (stated,) = set(re.findall(r"about (\d+) crates", TEXT))
    assert abs(len(others) - int(stated)) <= 5, len(others)


def test_a_devices_row_can_be_deleted_by_hand(stacks: Stacks, tmp_path: Path) -> None:
    stacks.reset()
    token, table = "who-asks-for-deletion", str(stacks.standard.ledger_table)
    event = {
        "type": "user.login",
        "id": "asks",
        "occurred_at": time.time_ns() // 1_000_000,
        "app": "android",
        "token": token,
    }
    body = json.dumps({**event, "account_list": [{"account": "lea"}]})
    stacks.cloud.client("sqs").send_message(QueueUrl=stacks.standard.queue_url, MessageBody=body)
    queues.drain(stacks.cloud, stacks.standard, 60)
    key = {"pk": {"S": f"device#android#{token}"}}
    dynamodb = stacks.cloud.client("dynamodb")
    assert "Item" in dynamodb.get_item(TableName=table, Key=key)
    make_key, block = page(PAGE).blocks(SHELL)
    with Shell(tmp_path, tmp_path, working_copy.environment(stacks.cloud, TABLE=table, TOKEN=token)) as shell:
        ledger_key = shell.run(make_key, make_key.text).strip()
        shell.run(block, block.text)
    assert len(ledger_key) == len(base64.b64encode(bytes(32)))
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key)
