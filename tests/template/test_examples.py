"""The templates under examples/ pass the same checks as the function's own, and match it."""

from __future__ import annotations

import fnmatch
from typing import Any

import pytest
from checkers import ROOT, cfn_lint
from expanded import parsed
from resolved import resolved

TRANSFORMERS = ROOT / "examples" / "input-transformers" / "template.yaml"
LANE = "arn:aws:sqs:us-east-1:123456789012:stack-unbinds"
PARAMETERS = {
    "QueueArn": "arn:aws:sqs:us-east-1:123456789012:stack-events",
    "DeadLetterQueueArn": "arn:aws:sqs:us-east-1:123456789012:stack-dead-letters",
}


def test_cfn_lint_finds_nothing() -> None:
    answer = cfn_lint(TRANSFORMERS)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    "buses", [{}, {"Auth0BusName": "aws.partner/auth0.com/tenant-1/auth0.logs", "KeycloakBusName": "keycloak"}]
)
def test_the_output_producer_rules_matches_the_rules_that_the_example_creates(
    template: dict[str, Any], buses: dict[str, str]
) -> None:
    made = resolved(parsed(TRANSFORMERS.read_text()), **PARAMETERS, **buses)
    patterns = made["Outputs"]["ProducerRules"]["Value"].split(",")
    assert all(fnmatch.fnmatchcase(arn, "arn:aws:events:us-east-1:123456789012:rule/*") for arn in patterns)
    rules = [rule["Properties"] for rule in made["Resources"].values()]
    assert len(rules) == (6 if buses else 2)
    for rule in rules:
        bus = f"{rule['EventBusName']}/" if "EventBusName" in rule else ""
        arn = f"arn:aws:events:us-east-1:123456789012:rule/{bus}{rule['Name']}"
        assert any(fnmatch.fnmatchcase(arn, pattern) for pattern in patterns), arn


@pytest.mark.parametrize("lane", ["", LANE])
def test_logouts_and_deletions_take_the_unbind_lane_if_there_is_one(lane: str) -> None:
    buses = {"Auth0BusName": "auth0", "KeycloakBusName": "keycloak"}
    made = resolved(parsed(TRANSFORMERS.read_text()), **PARAMETERS, **buses, UnbindQueueArn=lane)
    for name, rule in made["Resources"].items():
        (target,) = rule["Properties"]["Targets"]
        is_login = '"type": "user.login"' in target["InputTransformer"]["InputTemplate"]
        assert target["Arn"] == (PARAMETERS["QueueArn"] if is_login or not lane else lane), name


def test_every_variable_of_an_input_template_is_defined_and_unquoted() -> None:
    for name, rule in parsed(TRANSFORMERS.read_text())["Resources"].items():
        (target,) = rule["Properties"]["Targets"]
        transformer = target["InputTransformer"]
        text = transformer["InputTemplate"]
        used = {part.split(">")[0] for part in text.split("<")[1:]}
        assert used == transformer["InputPathsMap"].keys(), name
        assert not any(f'"<{variable}>"' in text for variable in used), name
        assert target["DeadLetterConfig"] == {"Arn": {"Ref": "DeadLetterQueueArn"}}, name
