"""template.yaml is right, and these checks would notice if it were not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checkers import ROOT, cfn_lint, sam_validate
from expanded import expanded, parsed
from rules import broken_rules

TEMPLATE = ROOT / "template.yaml"


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SAM transform wants to know for which region it works."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def template() -> dict[str, Any]:
    return parsed(TEMPLATE.read_text())


def test_sam_validate_finds_nothing() -> None:
    answer = sam_validate(TEMPLATE)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_cfn_lint_finds_nothing_in_the_template_as_written() -> None:
    answer = cfn_lint(TEMPLATE)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("queue_type", ["standard", "fifo"])
def test_cfn_lint_finds_nothing_in_what_sam_makes_of_it(template: dict[str, Any], tmp_path: Path, queue_type: str) -> None:
    answer = _lint_expanded(template, tmp_path, queue_type)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_retries_and_permissions_are_as_promised(template: dict[str, Any]) -> None:
    assert broken_rules(template, expanded(template)) == []


def test_every_parameter_is_described_and_bounded(template: dict[str, Any]) -> None:
    bounds = {"AllowedValues", "AllowedPattern", "MinValue"}
    for name, parameter in template["Parameters"].items():
        assert parameter.get("Description"), f"{name} has no Description"
        assert bounds & parameter.keys(), f"{name} takes anything: give it one of {sorted(bounds)}"


def test_every_parameter_with_a_default_is_what_the_function_defaults_to(template: dict[str, Any]) -> None:
    variables = template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    defaults = {name: template["Parameters"][value["Ref"]].get("Default") for name, value in variables.items()}
    # shared with the table of configuration in the README
    assert defaults == {
        "TPNS_APPS": None,
        "TPNS_CONCURRENCY": 8,
        "TPNS_TIMEOUT_MS": 3000,
        "TPNS_MAX_ATTEMPTS": 3,
        "DEADLINE_RESERVE_MS": 1000,
        "MAX_EVENT_AGE": "14d",
        "MAX_CLOCK_SKEW": "5m",
    }


def test_the_secret_keys_are_not_shown_by_cloudformation(template: dict[str, Any]) -> None:
    assert template["Parameters"]["TpnsApps"]["NoEcho"] is True


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("Function.Runtime", "provided.al2099", "E3030"),
        ("Function.Events.Queue.Properties.FunctionResponseTypes", ["Nope"], "E3030"),
        ("Function.Events.Queue.Properties.BatchSize", 20000, "E3034"),
        ("Queue.VisibilityTimeout", 5, "E3505"),
        ("Queue.RedrivePolicy.deadLetterTargetArn", {"Fn::GetAtt": ["Nowhere", "Arn"]}, "E1010"),
    ],
)
def test_a_broken_template_is_caught_by_cfn_lint(
    template: dict[str, Any], tmp_path: Path, path: str, value: object, code: str
) -> None:
    if code == "E3505":
        # cfn-lint compares numbers only where both are written out.
        _set(template, "Function.Timeout", 30)
    _set(template, path, value)
    answer = _lint_expanded(template, tmp_path, "standard")
    assert answer.returncode != 0
    assert code in answer.stdout, answer.stdout


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("Queue.VisibilityTimeout", 30, "VisibilityTimeout is not"),
        ("Function.Timeout", 900, "not the parameter FunctionTimeout"),
        ("Queue.RedrivePolicy.maxReceiveCount", 1, "maxReceiveCount is 1"),
        ("Function.Events.Queue.Properties.FunctionResponseTypes", [], "does not report partial failures"),
        ("DeadLetterQueue.MessageRetentionPeriod", 60, "keeps messages 60 s"),
        ("FunctionRole.ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"], "has managed policies"),
    ],
)
def test_a_broken_promise_is_caught_by_our_own_rules(template: dict[str, Any], path: str, value: object, complaint: str) -> None:
    _set(template, path, value)
    found = broken_rules(template, expanded(template))
    assert len(found) == 1
    assert complaint in found[0]


def test_a_short_visibility_in_the_mapping_is_caught_by_our_own_rules(template: dict[str, Any]) -> None:
    template["Mappings"]["VisibilityTimeout"]["60"]["5"] = 364
    assert broken_rules(template, expanded(template)) == [
        "visibility for FunctionTimeout 60 and BatchingWindow 5 is 364, less than 365"
    ]


def _lint_expanded(template: dict[str, Any], folder: Path, queue_type: str):  # type: ignore[no-untyped-def]
    template["Parameters"]["QueueType"]["Default"] = queue_type
    file = folder / "expanded.json"
    file.write_text(json.dumps(expanded(template)))
    return cfn_lint(file)


def _set(template: dict[str, Any], path: str, value: object) -> None:
    resource, *keys, last = path.split(".")
    place = template["Resources"][resource]["Properties"]
    for key in keys:
        place = place[key]
    place[last] = value
