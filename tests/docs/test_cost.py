"""docs/cost.md says what docs/cost.py works out, and both say what the function prints."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import time
from types import ModuleType

import pytest
from pages import SHELL, page
from shell import Shell
from ward import Ward

from local import function_log, pace, queues
from local.run import ROOT

PAGE = "docs/cost.md"
TEXT = (ROOT / PAGE).read_text()


@pytest.fixture(scope="module")
def cost() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cost", ROOT / "docs" / "cost.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_row_of_the_table_is_what_the_program_prints(cost: ModuleType) -> None:
    rows = re.findall(r"^\| .+? \| `(--[^`]+)` \| (.+) \|$", TEXT, re.MULTILINE)
    assert len(rows) >= 5
    for arguments, said in rows:
        worked_out = cost.million(cost.parse(arguments.split()))
        cells = [f"${dollars:.2f}" for dollars in worked_out.values()] + [f"**${sum(worked_out.values()):.2f}**"]
        assert said.split(" | ") == cells, arguments


def test_the_month_is_what_the_program_prints(cost: ModuleType) -> None:
    months = cost.month(cost.parse([]))
    section = TEXT.partition("## A month, besides")[2].partition("##")[0]
    for dollars in [*months.values(), sum(months.values())]:
        assert f"${dollars:.2f}" in section, dollars


def test_the_command_on_the_page_works(tmp_path_factory: pytest.TempPathFactory) -> None:
    (block,) = page(PAGE).blocks(SHELL)
    with Shell(ROOT, tmp_path_factory.mktemp("cost"), {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin"}) as shell:
        assert "together" in shell.run(block, block.text)


def test_a_batch_prints_as_many_bytes_and_metrics_as_it_is_said_to(cost: ModuleType, ward: Ward) -> None:
    sqs, stack = ward.cloud.client("sqs"), ward.standard
    before = len(function_log.lines(ward.cloud, stack))
    with pace.held(ward.cloud, stack):
        for number in range(10):
            kind = "user.logout" if number else "user.login"
            event = {
                "type": kind,
                "id": f"cost-{number}",
                "app": "ios",
                "token": f"cost-{number}",
                "occurred_at": time.time_ns() // 1_000_000 - 60_000 + number,
            }
            event |= {"account_list": [{"account": "ann"}]} if kind == "user.login" else {}
            sqs.send_message(QueueUrl=stack.queue_url, MessageBody=json.dumps(event))
    queues.drain(ward.cloud, stack, 60)
    lines = function_log.lines(ward.cloud, stack)[before:]
    (batch,) = [line for line in lines if line.get("message") == "batch done"]
    (metrics,) = [line for line in lines if "_aws" in line and "Received" in line]
    assert batch["received"] == 10
    assert size(batch) == pytest.approx(cost.BATCH_LINE, rel=0.2)
    # Every lag of another length: ten numbers twice over.
    assert size(metrics) == pytest.approx(cost.METRICS_LINE, rel=0.35)
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert len(directive["Metrics"]) == cost.METRICS
    assert directive["Dimensions"] == [["FunctionName"], ["FunctionName", "App"]]


def size(line: dict[str, object]) -> int:
    return len(json.dumps(line, separators=(",", ":")))
