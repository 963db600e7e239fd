"""The unbind lane: when it exists, what goes through it, and what it takes of the function's concurrency."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import APPS
from expanded import expanded
from resolved import broken_assertions, resolved

UNBINDS = ["user.logout", "account.deleted"]
LANE = {"UnbindQueue", "UnbindQueuePolicy", "UnbindMapping", "OldestUnbindAlarm", "UnbindsInFlightAlarm"}


def stack(template: dict[str, Any], **parameters: str) -> dict[str, Any]:
    return resolved(expanded(template), TpnsApps=APPS, **parameters)


def properties(made: dict[str, Any], name: str) -> dict[str, Any]:
    return made["Resources"][name]["Properties"]


@pytest.mark.parametrize(
    ("parameters", "exists"),
    [
        ({}, True),
        ({"UnbindLane": "on"}, True),
        ({"UnbindLane": "drain"}, True),
        ({"UnbindLane": "off"}, False),
        ({"QueueType": "fifo"}, False),
        ({"Ledger": "off"}, False),
        ({"MaximumConcurrency": "2"}, False),
    ],
)
def test_the_lane_exists_where_it_is_right(template: dict[str, Any], parameters: dict[str, str], exists: bool) -> None:
    assert broken_assertions(template, TpnsApps=APPS, **parameters) == []
    made = stack(template, **parameters)
    assert (made["Resources"].keys() >= LANE) is exists
    assert ("Unbind" in json.dumps(made["Outputs"])) is exists
    if not exists:
        # UnbindsLateAlarm and UnbindLag are there without a lane, too.
        traces = {name for name in made["Resources"] if name.startswith("Unbind")} - {"UnbindsLateAlarm"}
        assert traces == set()
        assert "-unbinds" not in json.dumps(made)


@pytest.mark.parametrize("lane", ["on", "drain"])
@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"QueueType": "fifo"}, "UnbindLane needs QueueType standard"),
        ({"Ledger": "off"}, "UnbindLane needs Ledger on"),
        ({"MaximumConcurrency": "2"}, "UnbindLane needs a MaximumConcurrency of at least 5"),
    ],
)
def test_a_lane_that_would_be_wrong_is_refused(
    template: dict[str, Any], lane: str, parameters: dict[str, str], complaint: str
) -> None:
    (found,) = broken_assertions(template, TpnsApps=APPS, UnbindLane=lane, **parameters)
    assert found.startswith(complaint)
    assert found.endswith("Use auto or off.")


def test_unbinds_take_the_lane_and_the_main_rule_does_not_match_them(template: dict[str, Any]) -> None:
    with_lane, without = stack(template), stack(template, UnbindLane="off")
    assert properties(with_lane, "UnbindRule")["EventPattern"]["detail-type"] == UNBINDS
    assert properties(with_lane, "AuthEventsRule")["EventPattern"]["detail-type"] == ["user.login"]
    assert properties(without, "AuthEventsRule")["EventPattern"]["detail-type"] == ["user.login", *UNBINDS]
    assert "UnbindRule" not in without["Resources"]


def test_both_rules_take_the_named_sources_only(template: dict[str, Any]) -> None:
    made = stack(template, EventSources="com.example.accounts,com.example.admin")
    for rule in ("AuthEventsRule", "UnbindRule"):
        assert properties(made, rule)["EventPattern"]["source"] == ["com.example.accounts", "com.example.admin"]


def test_a_lane_that_is_drained_is_still_read_but_gets_nothing_from_the_bus(template: dict[str, Any]) -> None:
    made = stack(template, UnbindLane="drain")
    assert made["Resources"].keys() >= LANE
    assert "UnbindRule" not in made["Resources"]
    assert properties(made, "AuthEventsRule")["EventPattern"]["detail-type"] == ["user.login", *UNBINDS]
    assert "UnbindRule" not in json.dumps(made)


def test_an_update_creates_the_lanes_rule_before_the_main_rule_stops_matching_unbinds(template: dict[str, Any]) -> None:
    assert stack(template)["Resources"]["AuthEventsRule"]["Metadata"] == {
        "After": {"Fn::GetAtt": ["UnbindRule", "Arn"]}
    }
    assert stack(template, UnbindLane="off")["Resources"]["AuthEventsRule"]["Metadata"] == {"After": "none"}


def test_the_lanes_share_the_maximum_concurrency(template: dict[str, Any]) -> None:
    once = expanded(template)
    for maximum in template["Parameters"]["MaximumConcurrency"]["AllowedValues"]:
        made = resolved(once, TpnsApps=APPS, MaximumConcurrency=str(maximum))
        shares = {
            name: int(resource["Properties"]["ScalingConfig"]["MaximumConcurrency"])
            for name, resource in made["Resources"].items()
            if resource["Type"] == "AWS::Lambda::EventSourceMapping" and name != "CheckMapping"
        }
        assert sum(shares.values()) == maximum
        assert min(shares.values()) >= 2, "Lambda refuses less"
        if maximum > 2:
            assert shares["UnbindMapping"] == maximum * 2 // 5
    off = resolved(once, TpnsApps=APPS, UnbindLane="off", MaximumConcurrency="10")
    assert properties(off, "FunctionQueue")["ScalingConfig"] == {"MaximumConcurrency": "10"}


def test_the_lane_waits_for_no_batching_window(template: dict[str, Any]) -> None:
    once = expanded(template)
    for size in template["Parameters"]["BatchSize"]["AllowedValues"]:
        window = "0" if size <= 10 else "1"
        made = resolved(once, TpnsApps=APPS, BatchSize=str(size), BatchingWindow=window)
        lane = properties(made, "UnbindMapping")
        assert lane["BatchSize"] == min(size, 10), "Lambda allows no more without a window"
        assert "MaximumBatchingWindowInSeconds" not in lane


def test_the_outputs_name_both_queues(template: dict[str, Any]) -> None:
    outputs = stack(template)["Outputs"]
    assert outputs["QueueUrl"]["Value"] == {"Ref": "Queue"}
    assert outputs["UnbindQueueUrl"]["Value"] == {"Ref": "UnbindQueue"}
    assert outputs["UnbindQueueArn"]["Value"] == {"Fn::GetAtt": ["UnbindQueue", "Arn"]}


def test_give_up_after_takes_only_what_the_mapping_has(template: dict[str, Any]) -> None:
    parameter = template["Parameters"]["GiveUpAfter"]
    assert parameter["AllowedValues"] == list(template["Mappings"]["GiveUpAfter"])
    assert parameter["Default"] == "24h"
    hours = {f"{of['Seconds'] // 3600}h" for of in template["Mappings"]["GiveUpAfter"].values()}
    assert hours == set(parameter["AllowedValues"])
    for given, of in template["Mappings"]["GiveUpAfter"].items():
        made = stack(template, GiveUpAfter=given)
        for queue in ("Queue", "UnbindQueue"):
            assert properties(made, queue)["RedrivePolicy"]["maxReceiveCount"] == of["MaxReceiveCount"]


def test_the_lanes_resources_are_of_the_partition_of_the_stack(template: dict[str, Any]) -> None:
    # aws-cn, where TPNS's customers are.
    lane = {name: resource for name, resource in template["Resources"].items() if name in LANE | {"UnbindRule"}}
    assert "arn:aws:" not in json.dumps(lane)
    allowed = template["Resources"]["DeadLetterQueue"]["Properties"]["RedriveAllowPolicy"]
    assert json.dumps(allowed).count("arn:${AWS::Partition}:sqs:") == 2
