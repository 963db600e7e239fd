"""A newcomer follows docs/deploying.md from an empty account to the first applied event, and back to an empty
account."""

from __future__ import annotations

import json

from walk import Walk

TOKEN = "05da87c0ae5973bd2dfa9e08d884aada5bb2"
ANN = {"account": "ann", "account_type": 0}


def test_the_first_event_is_applied_and_shows_in_the_log_and_at_tpns(walked: Walk) -> None:
    section = "5. See it applied"
    assert walked.bound[section]["android"] == {TOKEN: [ANN]}
    lines = walked.outputs[section].splitlines()
    # MiniStack ignores the filter pattern, so there are other lines too.
    batches = [json.loads(line) for line in lines if line.startswith("{") and '"batch done"' in line]
    assert [(batch["received"], batch["applied"]) for batch in batches] == [(1, 1)]
    answers = [json.loads(line) for line in lines if '"retCode"' in line]
    assert [answer["token_accounts"] for answer in answers] == [[{"token": TOKEN, "account_list": [ANN]}]]
    depths = [line for line in lines if '"Approximate' in line]
    # Two numbers of each of the four queues.
    assert len(depths) == 8, depths
    assert all(line.rstrip(",").endswith('"0"') for line in depths), depths


def test_the_doctor_finds_nothing(walked: Walk) -> None:
    assert walked.outputs["6. Before the first customer"].endswith(" checks, none failed\n")


def test_a_logout_over_the_fifo_queue_is_applied(walked: Walk) -> None:
    assert walked.bound["4. The first event"]["android"].get(TOKEN) != []
    assert walked.bound["With a FIFO queue"]["android"] == {}


def test_changing_a_setting_keeps_the_others(walked: Walk) -> None:
    assert "Successfully created/updated stack" in walked.outputs["Changing a setting"]
    # The version's description lists the settings.
    described = [line for line in walked.outputs["Rolling back"].splitlines() if line.startswith("2\t")]
    assert len(described) == 1
    assert "DEBUG" in described[0]
    assert "tpns/apps" in described[0]


def test_rolling_back_switches_to_the_previous_version(walked: Walk) -> None:
    *_, now = walked.outputs["Rolling back"].split()
    assert now == "2", walked.outputs["Rolling back"]


def test_nothing_is_left_except_what_the_page_names(walked: Walk) -> None:
    stacks = walked.cloud.client("cloudformation").list_stacks()["StackSummaries"]
    up = [stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"]
    # SAM's own stack, with the bucket for code.
    assert up == ["aws-sam-cli-managed-default"]
    assert walked.cloud.client("lambda").list_functions()["Functions"] == []
    assert walked.cloud.client("sqs").list_queues().get("QueueUrls", []) == []
    (fifo_table,) = walked.cloud.client("dynamodb").list_tables()["TableNames"]
    assert "fifo" in fifo_table, "the last block deletes the table of the first stack, and only the other one stays"


def test_every_change_to_the_page_is_needed(walked: Walk) -> None:
    assert walked.unused() == []
