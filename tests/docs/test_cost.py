"""docs/cost.md has the numbers that docs/cost.py computes, and both match what the function prints."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import time
from collections.abc import Callable
from types import ModuleType

import pytest
import template
from pages import SHELL, page
from shell import Shell
from stacks import Stacks, eventually

from local import function_log, pace, queues
from local.run import ROOT

PAGE = "docs/cost.md"
TEXT = (ROOT / PAGE).read_text()


@pytest.fixture(scope="module")
def cost() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cost", ROOT / "docs" / "cost.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_row_of_the_table_has_the_numbers_of_the_program(cost: ModuleType) -> None:
    section = TEXT.partition("## A million events")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| .+? \| `(--[^`]+)` \| (.+) \|$", section, re.MULTILINE)
    assert len(rows) >= 5
    for arguments, columns in rows:
        computed = cost.million(cost.parse(arguments.split()))
        cells = [f"${dollars:.2f}" for dollars in computed.values()] + [f"**${sum(computed.values()):.2f}**"]
        assert columns.split(" | ") == cells, arguments


def test_the_fixed_costs_are_those_of_the_program(cost: ModuleType) -> None:
    fixed = cost.month(cost.parse([]))
    section = TEXT.partition("## Fixed costs per month")[2].partition("##")[0]
    assert section
    for dollars in [*fixed.values(), sum(fixed.values())]:
        assert f"${dollars:.2f}" in section, dollars


def test_each_column_of_the_outage_table_has_the_numbers_of_the_program(cost: ModuleType) -> None:
    section = TEXT.partition("## An outage")[2].partition("\n## ")[0]
    head, *rows = re.findall(r"^\| (.+) \|$", section, re.MULTILINE)
    columns = [text.strip(" `") for text in head.split("|")[1:]]
    assert "--outage 24" in columns
    for number, arguments in enumerate(columns, 1):
        computed = {name: f"{value:,.0f}" for name, value in cost.outage(cost.parse(arguments.split())).items()}
        assert {row.split(" | ")[0]: row.split(" | ")[number] for row in rows} == computed, arguments


def test_the_program_uses_the_numbers_of_the_template_and_of_the_function(cost: ModuleType) -> None:
    assert [delay / 0.75 for delay in cost.DELAYS] == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600]
    lanes = template.document()["Mappings"]["Lanes"]
    assert all(of["Unbinds"] == int(most) * cost.UNBINDS_SHARE for most, of in lanes.items() if most != "2")
    alarms = template.resources("AWS::CloudWatch::Alarm")
    assert alarms["InFlightAlarm"]["Properties"]["Threshold"] == cost.IN_FLIGHT * 0.8
    assert cost.parse([]).alarms == len(alarms)


def test_the_command_on_the_page_works(tmp_path_factory: pytest.TempPathFactory) -> None:
    (block,) = page(PAGE).blocks(SHELL)
    with Shell(ROOT, tmp_path_factory.mktemp("cost"), {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin"}) as shell:
        assert "total" in shell.run(block, block.text)


def test_a_batch_prints_as_many_bytes_and_metrics_as_the_program_assumes(cost: ModuleType, stacks: Stacks) -> None:
    stacks.reset()
    sqs, stack = stacks.cloud.client("sqs"), stacks.standard
    before = len(function_log.lines(stacks.cloud, stack))
    with pace.queue_paused(stacks.cloud, stack):
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
    queues.drain(stacks.cloud, stack, 60)
    lines = function_log.lines(stacks.cloud, stack)[before:]
    (batch,) = [line for line in lines if line.get("message") == "batch done"]
    (metrics,) = [line for line in lines if "_aws" in line and "Received" in line]
    assert batch["received"] == 10
    assert size(batch) == pytest.approx(cost.BATCH_LINE, rel=0.2)
    # Each lag is different, so both distributions have ten numbers.
    assert size(metrics) == pytest.approx(cost.METRICS_LINE, rel=0.35)
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert len(directive["Metrics"]) == cost.METRICS
    assert directive["Dimensions"] == [["FunctionName"], ["FunctionName", "App"]]


def test_an_invocation_with_checks_prints_as_many_bytes_and_metrics_as_the_program_assumes(
    cost: ModuleType, stacks: Stacks
) -> None:
    stacks.reset()
    stack = stacks.standard
    before = len(function_log.lines(stacks.cloud, stack))
    assert stack.check_queue_url
    # Sent by hand, so without the queue's delay. No event is about these devices, so nothing differs.
    checks = {"checks": [{"app": "ios", "token": f"checked-{number}"} for number in range(10)]}
    sqs = stacks.cloud.client("sqs")
    sqs.send_message(QueueUrl=stack.check_queue_url, DelaySeconds=0, MessageBody=json.dumps(checks))

    def printed(is_wanted: Callable[[dict[str, object]], bool]) -> list[dict[str, object]]:
        return [line for line in function_log.lines(stacks.cloud, stack)[before:] if is_wanted(line)]

    eventually(lambda: bool(printed(lambda line: "_aws" in line and "Checked" in line)), 90)
    done = printed(lambda line: line.get("message") == "checks done")[0]
    metrics = printed(lambda line: "_aws" in line and "Checked" in line)[0]
    assert (done["checked"], metrics["Checked"]) == (10, 10)
    assert size(done) == pytest.approx(cost.CHECKS_LINE, rel=0.2)
    assert size(metrics) == pytest.approx(cost.CHECKS_METRICS_LINE, rel=0.2)
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]  # type: ignore[index]
    # Without DriftAge.
    assert len(directive["Metrics"]) == cost.CHECK_METRICS
    assert directive["Dimensions"] == [["FunctionName"]]


def test_the_check_is_calculated_with_the_numbers_of_the_template(cost: ModuleType) -> None:
    mapping = template.resources("AWS::Lambda::EventSourceMapping")["CheckMapping"]["Properties"]
    assert mapping["BatchSize"] == cost.CHECKS_A_BATCH
    windows = template.document()["Mappings"]["CheckWindow"]
    defaults = {name: str(parameter.get("Default")) for name, parameter in template.parameters().items()}
    after, mappings = defaults["CheckAfterSeconds"], template.document()["Mappings"]
    assert windows[after]["Seconds"] == cost.CHECK_WINDOW
    assert mappings["CheckDeliveries"][defaults["GiveUpAfter"]][after] == cost.CHECK_DELIVERIES
    assert mappings["CheckVisibilityTimeout"][defaults["FunctionTimeout"]][after] == cost.CHECK_VISIBILITY


def size(line: dict[str, object]) -> int:
    return len(json.dumps(line, separators=(",", ":")))
