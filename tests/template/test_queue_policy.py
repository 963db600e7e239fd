"""Who may send to the queues."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from conftest import APPS
from expanded import expanded
from queue_policy import Caller, may_send
from resolved import PSEUDO, resolved

OWN = PSEUDO["AWS::AccountId"]
OTHER, STRANGE = "111111111111", "222222222222"
LOGIN_SERVICE = f"arn:aws:iam::{OWN}:role/login-service"

RULE = Caller(service="events.amazonaws.com", source={"Fn::GetAtt": ["AuthEventsRule", "Arn"]})
UNBIND_RULE = Caller(service="events.amazonaws.com", source={"Fn::GetAtt": ["UnbindRule", "Arn"]})
OTHER_RULE = Caller(service="events.amazonaws.com", source=f"arn:aws:events:us-east-1:{OWN}:rule/other")
TOPIC = Caller(service="sns.amazonaws.com", source=f"arn:aws:sns:us-east-1:{OWN}:topic")
PRODUCER = Caller(LOGIN_SERVICE, OWN, may=True)
ADMINISTRATOR = Caller(f"arn:aws:iam::{OWN}:role/administrator", OWN, may=True)
BYSTANDER = Caller(f"arn:aws:iam::{OWN}:role/bystander", OWN)
ROLE_OF_OTHER = Caller(f"arn:aws:iam::{OTHER}:role/accounts", OTHER, may=True)
STRANGER = Caller(f"arn:aws:iam::{STRANGE}:role/any", STRANGE, may=True)
ANONYMOUS = Caller()
CALLERS = {name: value for name, value in globals().items() if isinstance(value, Caller)}


@pytest.mark.parametrize("queue_type", ["standard", "fifo"])
@pytest.mark.parametrize(
    ("named", "allowed"),
    [
        # The account's IAM policies decide; other accounts are denied, whatever their own policies allow.
        ("", {"PRODUCER", "ADMINISTRATOR"}),
        (LOGIN_SERVICE, {"PRODUCER"}),
        (OTHER, {"ROLE_OF_OTHER"}),
        (f"{LOGIN_SERVICE},{OTHER}", {"PRODUCER", "ROLE_OF_OTHER"}),
        (OWN, {"PRODUCER", "ADMINISTRATOR"}),
    ],
    ids=["none", "a role", "an account", "both", "this account"],
)
def test_only_the_rule_and_the_named_producers_may_send(
    template: dict[str, Any], queue_type: str, named: str, allowed: set[str]
) -> None:
    policies = policies_of(template, QueueType=queue_type, ProducerPrincipals=named)
    with_bus = queue_type == "standard"
    assert senders(policies["Queue"]) == allowed | ({"RULE"} if with_bus else set())
    assert ("UnbindQueue" in policies) is with_bus
    if with_bus:
        assert senders(policies["UnbindQueue"]) == allowed | {"UNBIND_RULE"}
    rules = {"RULE", "UNBIND_RULE"} if with_bus else set()
    assert senders(policies["DeadLetterQueue"]) == {"PRODUCER", "ADMINISTRATOR"} | rules
    assert senders(policies["ParkedEvents"]) == {"PRODUCER", "ADMINISTRATOR"}


@pytest.mark.parametrize("named", ["", LOGIN_SERVICE])
@pytest.mark.parametrize(
    "rules", [f"{OTHER_RULE.source}", f"arn:aws:events:us-east-1:{OWN}:rule/oth*", "arn:aws:events:us-east-1:1:rule/x"]
)
def test_named_rules_may_send_too(template: dict[str, Any], named: str, rules: str) -> None:
    policies = policies_of(template, ProducerRules=rules, ProducerPrincipals=named)
    without = policies_of(template, ProducerPrincipals=named)
    allowed = {"OTHER_RULE"} if "oth" in rules else set()
    for queue in ("Queue", "UnbindQueue", "DeadLetterQueue"):
        assert senders(policies[queue]) == senders(without[queue]) | allowed
    assert policies["ParkedEvents"] == without["ParkedEvents"]


@pytest.mark.parametrize("named", ["", LOGIN_SERVICE])
@pytest.mark.parametrize("queue_type", ["standard", "fifo"])
def test_named_topics_may_deliver_to_both_lanes_and_to_the_dead_letter_queue(
    template: dict[str, Any], queue_type: str, named: str
) -> None:
    parameters = {"QueueType": queue_type, "ProducerPrincipals": named}
    policies = policies_of(template, ProducerTopics=f"{TOPIC.source},{TOPIC.source}-2", **parameters)
    without = policies_of(template, **parameters)
    own = {"ParkedEvents", "CheckQueue", "CheckDeadLetterQueue"}
    for queue in policies.keys() - own:
        assert senders(policies[queue]) == senders(without[queue]) | {"TOPIC"}, queue
    for queue in own:
        assert policies[queue] == without[queue]
    other = policies_of(template, ProducerTopics=f"{TOPIC.source}-2", **parameters)
    assert "TOPIC" not in senders(other["Queue"])


@pytest.mark.parametrize("bus", ["", "old-bus/", "aws.partner/example.com/bus/"])
def test_the_rule_of_the_old_bus_may_deliver_after_a_change_of_the_bus(template: dict[str, Any], bus: str) -> None:
    policies = policies_of(template, EventBusName="company-bus")
    rule = "arn:aws:events:us-east-1"
    for name, queues in {"events": ("Queue", "DeadLetterQueue"), "unbinds": ("UnbindQueue", "DeadLetterQueue")}.items():
        for queue in queues:
            old = Caller(service="events.amazonaws.com", source=f"{rule}:{OWN}:rule/{bus}stack-{name}")
            assert may_send(policies[queue], old, OWN), (queue, old)
            others = [f"{old.source}-2", f"{rule}:{OTHER}:rule/{bus}stack-{name}"]
            for source in others:
                assert not may_send(policies[queue], dataclasses.replace(old, source=source), OWN), source


@pytest.mark.parametrize("named", ["", f"{LOGIN_SERVICE},{OTHER}"])
def test_no_one_may_send_without_tls(template: dict[str, Any], named: str) -> None:
    for policy in policies_of(template, ProducerPrincipals=named).values():
        assert senders(policy, tls=False) == set()


def test_no_other_queue_may_use_these_as_dead_letter_queue(template: dict[str, Any]) -> None:
    queues = {
        name: resource["Properties"]["RedriveAllowPolicy"]
        for name, resource in resolved(expanded(template), TpnsApps=APPS)["Resources"].items()
        if resource["Type"] == "AWS::SQS::Queue"
    }
    assert queues == {
        "Queue": {"redrivePermission": "denyAll"},
        "DeadLetterQueue": {
            "redrivePermission": "byQueue",
            "sourceQueueArns": [
                "arn:aws:sqs:us-east-1:123456789012:stack-events",
                "arn:aws:sqs:us-east-1:123456789012:stack-unbinds",
            ],
        },
        "UnbindQueue": {"redrivePermission": "denyAll"},
        "ParkedEvents": {"redrivePermission": "denyAll"},
        "CheckQueue": {"redrivePermission": "denyAll"},
        "CheckDeadLetterQueue": {"redrivePermission": "allowAll"},
    }


def policies_of(template: dict[str, Any], **parameters: str) -> dict[str, dict[str, Any]]:
    """Returns the policies by the logical id of their queue."""
    return {
        resource["Properties"]["Queues"][0]["Ref"]: resource["Properties"]["PolicyDocument"]
        for resource in resolved(expanded(template), TpnsApps=APPS, **parameters)["Resources"].values()
        if resource["Type"] == "AWS::SQS::QueuePolicy"
    }


def senders(policy: dict[str, Any], tls: bool = True) -> set[str]:
    return {name for name, caller in CALLERS.items() if may_send(policy, dataclasses.replace(caller, tls=tls), OWN)}
