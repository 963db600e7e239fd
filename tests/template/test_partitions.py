"""The template in each of AWS's partitions: the world, China and the US government's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from expanded import expanded
from resolved import CHINA, GOVERNMENT, resolved
from rules import broken_rules
from watching import broken_watching, dashboard_body

WORLD = {"AWS::Partition": "aws", "AWS::Region": "us-east-1"}
PLACES = pytest.mark.parametrize("place", [WORLD, CHINA, GOVERNMENT], ids=["aws", "aws-cn", "aws-us-gov"])
HOSTS = {
    "aws": "https://console.aws.amazon.com/",
    "aws-cn": "https://console.amazonaws.cn/",
    "aws-us-gov": "https://console.amazonaws-us-gov.com/",
}
# docs.amazonaws.cn, Getting Started with Amazon Web Services in China, Lambda: not available there.
NOT_IN_CHINA = ("AsyncEventsReceived", "AsyncEventAge", "AsyncEventsDropped", "xray:", "EventSourceMappingUUID")


@pytest.fixture
def made(template: dict[str, Any], place: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", place["AWS::Region"])
    return resolved(expanded(template), place, TpnsAppsSecretId="tpns/apps")


@PLACES
def test_every_arn_and_link_is_of_the_partition_of_the_stack(made: dict[str, Any], place: dict[str, str]) -> None:
    text = json.dumps(made)
    own = f"arn:{place['AWS::Partition']}:"
    assert text.count("arn:") == text.count(own) > 0
    assert made["Outputs"]["DashboardUrl"]["Value"].startswith(HOSTS[place["AWS::Partition"]])


@PLACES
def test_our_own_rules_hold_in_every_partition(
    template: dict[str, Any], made: dict[str, Any], place: dict[str, str]
) -> None:
    assert broken_rules(template, made) + broken_watching(made) == [], place


@PLACES
def test_china_gets_nothing_that_lambda_lacks_there(made: dict[str, Any], place: dict[str, str]) -> None:
    in_china = place is CHINA
    mappings = [r["Properties"] for r in made["Resources"].values() if r["Type"] == "AWS::Lambda::EventSourceMapping"]
    assert len(mappings) == 3
    for mapping in mappings:
        assert ("MetricsConfig" in mapping) is not in_china
        # Tags of a mapping are refused in China.
        assert "Tags" not in mapping
        # Provisioned mode does not exist in China.
        assert "ProvisionedPollerConfig" not in mapping
    tracing = made["Resources"]["Function"]["Properties"]["TracingConfig"]["Mode"]
    assert tracing == ("PassThrough" if in_china else "Active")
    found = [word for word in NOT_IN_CHINA if word in json.dumps(made)]
    assert found == ([] if in_china else ["xray:", "EventSourceMappingUUID"])


@PLACES
def test_the_dashboard_is_whole_in_every_partition(made: dict[str, Any], place: dict[str, str]) -> None:
    widgets = json.loads(dashboard_body(made) or "")["widgets"]
    titles = [widget["properties"].get("title") for widget in widgets]
    assert ("Messages polled, passed on and deleted" in titles) is (place is not CHINA)


def test_the_partitions_of_the_mapping_are_those_that_are_tested(template: dict[str, Any]) -> None:
    assert template["Mappings"]["Partition"].keys() == HOSTS.keys()
