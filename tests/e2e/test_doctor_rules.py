"""What `make doctor` makes of a queue's policy, of a stack's status and of a refusal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from doctor_faults import ACCOUNT

from local.cloud import REGION
from local.doctor import apps, function, policy
from local.run import ROOT

QUEUE, RULE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:events", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/bus/rule"
ALLOW = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
}
DENY = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": QUEUE}


@pytest.mark.parametrize(
    ("lets_in", "statements"),
    [
        (True, [ALLOW]),
        (False, []),
        (False, [ALLOW, DENY]),
        (True, [ALLOW | {"Action": ["SQS:SendMessage", "sqs:GetQueueUrl"], "Resource": "*"}]),
        (False, [ALLOW | {"Action": "sqs:ReceiveMessage"}]),
        (False, [ALLOW | {"Resource": f"{QUEUE}-2"}]),
        (False, [ALLOW | {"Principal": {"Service": "sns.amazonaws.com"}}]),
        (False, [ALLOW | {"Principal": {"AWS": ACCOUNT}}]),
        (True, [ALLOW | {"Condition": {"ArnEquals": {"aws:SourceArn": [RULE]}}}]),
        (True, [ALLOW | {"Condition": {"ArnLike": {"AWS:SourceArn": f"{RULE[:-4]}*"}}}]),
        (False, [ALLOW | {"Condition": {"ArnEquals": {"aws:SourceArn": f"{RULE}-2"}}}]),
        (True, [ALLOW | {"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}]),
        (False, [ALLOW | {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}]),
        (True, [ALLOW, DENY | {"Condition": {"Bool": {"aws:SecureTransport": False}}}]),
        (
            True,
            [
                ALLOW,
                DENY
                | {
                    "Condition": {
                        "Bool": {"aws:PrincipalIsAWSService": "false"},
                        "StringNotEquals": {"aws:PrincipalAccount": [ACCOUNT]},
                    }
                },
            ],
        ),
        (False, [ALLOW, DENY | {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": [ACCOUNT]}}}]),
        (False, [ALLOW, DENY | {"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}]),
    ],
)
def test_a_queue_policy_is_evaluated_as_iam_evaluates_it(lets_in: bool, statements: list[dict[str, Any]]) -> None:
    assert policy.lets_in({"Statement": statements}, QUEUE, RULE) is lets_in


@pytest.mark.parametrize(
    "unusual",
    [
        {"Condition": {"DateLessThan": {"aws:SourceArn": "2030"}}},
        {"Condition": {"Bool": {"aws:ViaAWSService": "true"}}},
        {"NotAction": "sqs:SendMessage"},
    ],
)
def test_a_queue_policy_with_what_is_not_evaluated_is_no_guess(unusual: dict[str, Any]) -> None:
    with pytest.raises(policy.Unsupported):
        policy.lets_in({"Statement": ALLOW | unusual}, QUEUE, RULE)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("UPDATE_COMPLETE", "ok"),
        ("UPDATE_IN_PROGRESS", "note"),
        ("UPDATE_ROLLBACK_COMPLETE", "note"),
        ("ROLLBACK_COMPLETE", "FAIL"),
        ("UPDATE_ROLLBACK_FAILED", "FAIL"),
        ("CREATE_FAILED", "FAIL"),
    ],
)
def test_a_stack_whose_deployment_failed_is_reported(status: str, state: str) -> None:
    (finding,) = function.stack(SimpleNamespace(name="examined", status=status))  # type: ignore[arg-type]
    assert finding.state.value == state
    assert status in str(finding)


def test_a_secret_that_the_caller_may_not_read_is_named_without_its_account() -> None:
    secrets = boto3.client("secretsmanager", REGION, aws_access_key_id="test", aws_secret_access_key="test")
    place = {"TPNS_APPS_SECRET_ID": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:tpns/apps-AbCdEf"}
    with Stubber(secrets) as stub:
        stub.add_client_error("get_secret_value", "AccessDeniedException", f"{ACCOUNT} may not")
        deployed = SimpleNamespace(environment=place, client=lambda _service: secrets)
        (finding,) = apps.apps(deployed, ROOT)  # type: ignore[arg-type]
    assert str(finding) == (
        "FAIL  apps document: TPNS_APPS_SECRET_ID: tpns/apps-AbCdEf can't be read with your credentials "
        "(AccessDeniedException); allow yourself to read it, and to decrypt it if it has a key of its own; "
        "the function's role needs the same"
    )
