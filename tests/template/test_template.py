"""template.yaml follows our rules, and these checks would detect if it did not."""

from __future__ import annotations

import fnmatch
import itertools
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from checkers import REGIONS, ROOT, cfn_lint, sam_validate
from conftest import APPS, TEMPLATE, TOPIC
from expanded import expanded, lintable
from resolved import broken_assertions, resolved
from rules import broken_rules, permissions
from watching import broken_watching

ONE_SOURCE = ["Set only one of TpnsAppsSecretId, TpnsAppsSsmParameter and TpnsApps."]
SECRETS = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"


def test_sam_validate_finds_nothing() -> None:
    answer = sam_validate(TEMPLATE)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_cfn_lint_finds_nothing_in_the_template_as_written() -> None:
    answer = cfn_lint(TEMPLATE, REGIONS)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    "parameters",
    [
        {"QueueType": "standard"},
        {"QueueType": "fifo"},
        {"QueueType": "fifo", "Ledger": "off", "ParkingQueue": "off", "TpnsAppsSecretId": "tpns/apps"},
        {"UnbindLane": "drain", "ProducerRules": "arn:aws:events:us-east-1:123456789012:rule/accounts"},
        {"GradualDeployment": "off", "EventSources": "com.example.accounts", "ProducerPrincipals": "123456789012"},
        {
            "GradualDeployment": "off",
            "Tracing": "off",
            "Dashboard": "off",
            "AlarmTopicArn": TOPIC,
            "ReservedConcurrency": "10",
        },
    ],
)
def test_cfn_lint_finds_nothing_in_the_transformed_template(
    template: dict[str, Any], tmp_path: Path, parameters: dict[str, str]
) -> None:
    answer = _lint_expanded(template, tmp_path, **parameters)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("gradually", ["Canary10Percent5Minutes", "off"])
def test_our_own_rules_hold_in_all_combinations(template: dict[str, Any], gradually: str) -> None:
    once = expanded(template, {"GradualDeployment": gradually})
    switches = itertools.product(["standard", "fifo"], ["auto", "drain", "off"], *[["on", "off"]] * 4, ["", TOPIC])
    names = ("QueueType", "UnbindLane", "Ledger", "ParkingQueue", "Tracing", "Dashboard", "AlarmTopicArn")
    for values in switches:
        chosen = dict(zip(names, values, strict=True))
        stack = resolved(once, TpnsApps=APPS, GradualDeployment=gradually, **chosen)
        assert broken_rules(template, stack) + broken_watching(stack) == [], chosen


RULE = "arn:aws:events:us-east-1:123456789012:rule/accounts"


@pytest.mark.parametrize(
    ("queue_type", "rules", "by_content"),
    [
        ("standard", "", None),
        ("standard", RULE, None),
        # SQS refuses a message without a MessageDeduplicationId, and drops no event because it equals another one.
        ("fifo", "", False),
        # EventBridge can't set one.
        ("fifo", RULE, True),
    ],
)
def test_a_fifo_queue_deduplicates_by_content_only_where_rules_send_to_it(
    template: dict[str, Any], queue_type: str, rules: str, by_content: bool | None
) -> None:
    stack = resolved(expanded(template), TpnsApps=APPS, QueueType=queue_type, ProducerRules=rules)
    assert stack["Resources"]["Queue"]["Properties"].get("ContentBasedDeduplication") is by_content


def test_every_parameter_is_described_and_bounded(template: dict[str, Any]) -> None:
    bounds = {"AllowedValues", "AllowedPattern", "MinValue"}
    for name, parameter in template["Parameters"].items():
        assert parameter.get("Description"), f"{name} has no Description"
        assert bounds & parameter.keys(), f"{name} accepts anything; give it one of {sorted(bounds)}"


def test_the_template_accepts_the_parameters_of_samconfig(template: dict[str, Any]) -> None:
    environments = tomllib.loads((ROOT / "samconfig.toml").read_text())
    del environments["version"]
    assert environments.keys() == {"default", "trial", "production", "china"}
    for name, config in environments.items():
        deploy = config["deploy"]["parameters"]
        given = dict(pair.split("=", 1) for pair in deploy["parameter_overrides"])
        assert broken_assertions(template, **given) == [], name
        for parameter, value in given.items():
            bounds = template["Parameters"][parameter]
            allowed = [str(one) for one in bounds.get("AllowedValues", [value])]
            assert value in allowed, (name, parameter)
            assert re.fullmatch(bounds.get("AllowedPattern", ".*"), value), (name, parameter)
        assert deploy["capabilities"] == "CAPABILITY_IAM"
        # A deployment from the command line shows its changes, asks, and is no failure if nothing changes.
        assert (deploy["confirm_changeset"], deploy["fail_on_empty_changeset"]) == (True, False)


def test_the_defaults_of_the_parameters_are_those_of_the_function(template: dict[str, Any]) -> None:
    # docs/configuration.md has the same values.
    assert _environment(resolved(expanded(template), TpnsApps=APPS)) == {
        "TPNS_APPS": APPS,
        "TPNS_APPS_MAX_AGE": "60s",
        # These three have no default in the function; the template sets them by default.
        "LEDGER_TABLE": {"Ref": "LedgerTable"},
        "PARKING_QUEUE_URL": {"Ref": "ParkedEvents"},
        "CHECK_QUEUE_URL": {"Ref": "CheckQueue"},
        "CHECK_AFTER": "300s",
        "UNKNOWN_BINDINGS": "report",
        "TPNS_CONCURRENCY": 8,
        "TPNS_TIMEOUT_MS": 3000,
        "TPNS_MAX_ATTEMPTS": 3,
        "DEADLINE_RESERVE_MS": 1000,
        # The function's own timeout, which Lambda does not pass to a function before an invocation.
        "FUNCTION_TIMEOUT_SECONDS": 30,
        # glibc's own.
        "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=65536:glibc.malloc.trim_threshold=65536:"
        "glibc.malloc.arena_max=1",
        "MAX_EVENT_AGE": "14d",
        "MAX_CLOCK_SKEW": "5m",
    }


def test_every_reserve_leaves_more_than_half_of_every_timeout_for_calls(template: dict[str, Any]) -> None:
    reserve, timeout = template["Parameters"]["DeadlineReserveMs"], template["Parameters"]["FunctionTimeout"]
    assert 2 * reserve["MaxValue"] < 1000 * min(timeout["AllowedValues"])
    function = template["Resources"]["Function"]["Properties"]
    assert (
        function["Timeout"]
        == function["Environment"]["Variables"]["FUNCTION_TIMEOUT_SECONDS"]
        == {"Ref": "FunctionTimeout"}
    )


@pytest.mark.parametrize(
    ("parameter", "traces"),
    [
        ("Ledger", ("LedgerTable", "LEDGER_TABLE", "dynamodb", "AWS::DynamoDB")),
        ("ParkingQueue", ("ParkedEvents", "PARKING_QUEUE_URL", "ParkingQueue")),
        ("Tracing", ("Active", "xray")),
        ("Dashboard", ("AWS::CloudWatch::Dashboard", "DashboardUrl")),
    ],
)
def test_a_part_that_is_off_leaves_no_trace(template: dict[str, Any], parameter: str, traces: tuple[str, ...]) -> None:
    both = expanded(template)
    on, off = (json.dumps(resolved(both, TpnsApps=APPS, **{parameter: switch})) for switch in ("on", "off"))
    assert on == json.dumps(resolved(both, TpnsApps=APPS)), "it is not on by default"
    assert [trace for trace in traces if trace not in on] == []
    assert [trace for trace in traces if trace in off] == []


def test_the_table_and_the_parking_queue_are_in_the_outputs(template: dict[str, Any]) -> None:
    outputs = resolved(expanded(template), TpnsApps=APPS)["Outputs"]
    assert outputs["LedgerTableName"]["Value"] == {"Ref": "LedgerTable"}
    assert outputs["ParkingQueueUrl"]["Value"] == {"Ref": "ParkedEvents"}


@pytest.mark.parametrize(
    ("parameters", "complaints"),
    [
        ({"TpnsApps": APPS}, []),
        ({"TpnsAppsSecretId": "tpns/apps"}, []),
        ({"TpnsAppsSsmParameter": "/tpns/apps"}, []),
        (
            {},
            [
                "Set TpnsAppsSecretId (a secret with the apps document), TpnsAppsSsmParameter (a parameter with it) "
                "or TpnsApps (the document itself)."
            ],
        ),
        ({"TpnsApps": APPS, "TpnsAppsSecretId": "tpns/apps"}, ONE_SOURCE),
        ({"TpnsApps": APPS, "TpnsAppsSsmParameter": "/tpns/apps"}, ONE_SOURCE),
        ({"TpnsAppsSecretId": "tpns/apps", "TpnsAppsSsmParameter": "/tpns/apps"}, ONE_SOURCE),
        ({"TpnsApps": APPS, "TpnsAppsSecretId": "tpns/apps", "TpnsAppsSsmParameter": "/tpns/apps"}, ONE_SOURCE),
    ],
)
def test_there_is_exactly_one_source_of_the_apps(
    template: dict[str, Any], parameters: dict[str, str], complaints: list[str]
) -> None:
    assert broken_assertions(template, **parameters) == complaints


@pytest.mark.parametrize("name", ["tpns/apps", "tpns-apps", f"{SECRETS}tpns/apps-AbCdEf"])
def test_the_function_may_read_its_secret_and_no_other(template: dict[str, Any], name: str) -> None:
    stack = resolved(expanded(template), TpnsAppsSecretId=name)
    allowed = [(action, resource) for action, resource in permissions(stack) if "secret" in action]
    assert {action for action, _ in allowed} == {"secretsmanager:GetSecretValue"}
    plain = name.removeprefix(SECRETS).removesuffix("-AbCdEf")
    secrets = {f"{SECRETS}{plain}{rest}" for rest in ("-AbCdEf", "-staging-AbCdEf", "2-AbCdEf", "/more-AbCdEf")}
    readable = {secret for secret in secrets if any(fnmatch.fnmatchcase(secret, resource) for _, resource in allowed)}
    assert readable == {f"{SECRETS}{plain}-AbCdEf"}
    environment = _environment(stack)
    assert environment["TPNS_APPS_SECRET_ID"] == name
    assert "TPNS_APPS" not in environment


def test_the_function_may_read_its_parameter_and_decrypt_with_the_named_key_only(template: dict[str, Any]) -> None:
    both, key = expanded(template), "arn:aws:kms:us-east-1:123456789012:key/0a1b"
    stack = resolved(both, TpnsAppsSsmParameter="/tpns/apps")
    allowed = [one for one in permissions(stack) if one[0].startswith(("ssm:", "kms:", "secretsmanager:"))]
    assert allowed == [("ssm:GetParameter", "arn:aws:ssm:us-east-1:123456789012:parameter/tpns/apps")]
    environment = _environment(stack)
    assert environment["TPNS_APPS_SSM_PARAMETER"] == "/tpns/apps"
    assert not {"TPNS_APPS", "TPNS_APPS_SECRET_ID"} & environment.keys()
    for source in ({"TpnsAppsSsmParameter": "/tpns/apps"}, {"TpnsAppsSecretId": "tpns/apps"}):
        stack = resolved(both, **source, SecretKmsKeyArn=key)
        assert [resource for action, resource in permissions(stack) if action.startswith("kms:")] == [key]
    assert "kms:" not in json.dumps(resolved(both, TpnsApps=APPS, SecretKmsKeyArn=key)["Resources"]["FunctionRole"])


def test_without_a_secret_the_function_may_read_none(template: dict[str, Any]) -> None:
    stack = resolved(expanded(template), TpnsApps=APPS)
    assert "secretsmanager" not in json.dumps(stack["Resources"])
    assert "TPNS_APPS_SECRET_ID" not in _environment(stack)


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("", True),
        ("tpns/apps", True),
        (f"{SECRETS}tpns/apps-AbCdEf", True),
        # Secrets Manager accepts these two, but they can't be used in a policy.
        (f"{SECRETS}tpns/apps", False),
        ("arn:aws:secretsmanager:us-east-1:123456789012:tpns/apps", False),
        ("tpns*", False),
        ("?", False),
    ],
)
def test_a_secret_id_that_can_not_be_used_in_a_policy_is_refused(
    template: dict[str, Any], name: str, accepted: bool
) -> None:
    assert bool(re.fullmatch(template["Parameters"]["TpnsAppsSecretId"]["AllowedPattern"], name)) is accepted


def test_cloudformation_does_not_show_the_secret_keys(template: dict[str, Any]) -> None:
    assert template["Parameters"]["TpnsApps"]["NoEcho"] is True


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("Function.Runtime", "provided.al2099", "E3030"),
        ("Function.Events.Queue.Properties.FunctionResponseTypes", ["Nope"], "E3030"),
        ("Function.Events.Queue.Properties.BatchSize", 20000, "E3034"),
        ("Queue.RedrivePolicy.deadLetterTargetArn", {"Fn::GetAtt": ["Nowhere", "Arn"]}, "E1010"),
    ],
)
def test_cfn_lint_finds_a_broken_template(
    template: dict[str, Any], tmp_path: Path, path: str, value: object, code: str
) -> None:
    _set(template, path, value)
    answer = _lint_expanded(template, tmp_path)
    assert answer.returncode != 0
    assert code in answer.stdout, answer.stdout


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("Queue.VisibilityTimeout", 30, "VisibilityTimeout is not"),
        ("Function.Timeout", 900, "not the parameter FunctionTimeout"),
        ("Queue.RedrivePolicy.maxReceiveCount", 5, "Queue: maxReceiveCount is not"),
        ("UnbindQueue.RedrivePolicy.maxReceiveCount", 5, "UnbindQueue: maxReceiveCount is not"),
        ("CheckQueue.RedrivePolicy.maxReceiveCount", 10, "CheckQueue: maxReceiveCount is not"),
        ("CheckQueue.MessageRetentionPeriod", 345600, "CheckQueue keeps messages 345600 s, less than 476520 s"),
        ("UnbindQueue.VisibilityTimeout", 30, "UnbindQueue: VisibilityTimeout is not"),
        ("UnbindQueue.RedrivePolicy.deadLetterTargetArn", "other", "UnbindQueue does not use the dead-letter queue"),
        (
            "UnbindMapping.EventSourceArn",
            {"Fn::GetAtt": ["Queue", "Arn"]},
            "mappings read ['CheckQueue', 'Queue', 'Queue']",
        ),
        ("UnbindMapping.FunctionResponseTypes", [], "UnbindMapping does not report partial failures"),
        ("UnbindQueue.MessageRetentionPeriod", 345600, "less than 719325 s for GiveUpAfter 72h"),
        ("UnbindQueue.MessageRetentionPeriod", 1209600, "leaves too little in the dead-letter queue"),
        ("AuthEventsRule.EventPattern.detail-type", ["user.login", "user.logout"], "the rules take ['account.deleted'"),
        ("UnbindRule.EventPattern.source", ["com.example"], "different sources"),
        ("UnbindRule.Targets", [], "UnbindRule has other targets"),
        ("Function.Events.Queue.Properties.FunctionResponseTypes", [], "does not report partial failures"),
        ("DeadLetterQueue.MessageRetentionPeriod", 60, "keeps messages 60 s"),
        ("ParkedEvents.MessageRetentionPeriod", 345600, "keeps messages 345600 s"),
        ("ParkedEvents.SqsManagedSseEnabled", False, "ParkedEvents is not encrypted"),
        ("ParkedEventsPolicy.Queues", [], "ParkedEvents can be used without TLS"),
        ("FunctionRole.ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"], "has managed policies"),
        ("LedgerTable.KeySchema", [{"AttributeName": "id", "KeyType": "HASH"}], "KeySchema is not"),
        ("LedgerTable.TimeToLiveSpecification.AttributeName", "ttl", "TimeToLiveSpecification is not"),
        ("LedgerTable.TimeToLiveSpecification.Enabled", False, "TimeToLiveSpecification is not"),
        ("LedgerTable.SSESpecification", {"SSEEnabled": False}, "SSESpecification is not"),
        ("LedgerTable.DeletionProtectionEnabled", False, "DeletionProtectionEnabled is not"),
        ("LedgerTable.TableName", "ledger", "has a TableName"),
        ("ParkedEvents.QueueName", "parked", "ParkedEvents has a QueueName"),
        ("DirectInvocations.DestinationConfig", {}, "events that Lambda gives up go to"),
        ("DirectInvocations.Qualifier", "$LATEST", "events that Lambda gives up go to"),
    ],
)
def test_our_own_rules_find_a_broken_rule(template: dict[str, Any], path: str, value: object, complaint: str) -> None:
    _set(template, path, value)
    found = broken_rules(template, resolved(expanded(template), TpnsApps=APPS))
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("name", "policy", "complaint"),
    [
        ("Queue", "UpdateReplacePolicy", "Queue is deleted when it is replaced"),
        ("DeadLetterQueue", "UpdateReplacePolicy", "DeadLetterQueue is deleted when it is replaced"),
        ("AuthEventsRule", "UpdateReplacePolicy", "AuthEventsRule is deleted when it is replaced"),
        ("UnbindQueue", "DeletionPolicy", "UnbindQueue: DeletionPolicy is not RetainExceptOnCreate"),
        ("ParkedEvents", "DeletionPolicy", "ParkedEvents: DeletionPolicy is not RetainExceptOnCreate"),
    ],
)
def test_our_own_rules_find_messages_that_could_be_lost(
    template: dict[str, Any], name: str, policy: str, complaint: str
) -> None:
    template["Resources"][name][policy] = "Delete"
    assert broken_rules(template, resolved(expanded(template), TpnsApps=APPS)) == [complaint]


@pytest.mark.parametrize("policy", ["DeletionPolicy", "UpdateReplacePolicy"])
def test_our_own_rules_find_a_ledger_that_could_be_lost(template: dict[str, Any], policy: str) -> None:
    template["Resources"]["LedgerTable"][policy] = "Delete"
    assert broken_rules(template, resolved(expanded(template), TpnsApps=APPS)) == [
        f"LedgerTable: {policy} is not Retain"
    ]


@pytest.mark.parametrize(
    ("changed", "complaints"),
    [
        ({"Action": ["dynamodb:UpdateItem"]}, ["the role may not dynamodb:BatchGetItem on LedgerTable"]),
        (
            {"Action": ["dynamodb:UpdateItem", "dynamodb:BatchGetItem", "dynamodb:Scan"]},
            ["the role may dynamodb:Scan on LedgerTable"],
        ),
        (
            {"Action": "dynamodb:*"},
            [
                "the role may dynamodb:* on LedgerTable",
                "the role may not dynamodb:BatchGetItem on LedgerTable",
                "the role may not dynamodb:UpdateItem on LedgerTable",
            ],
        ),
        (
            {"Resource": "*"},
            [
                "the role may dynamodb:BatchGetItem on *",
                "the role may dynamodb:UpdateItem on *",
                "the role may not dynamodb:BatchGetItem on LedgerTable",
                "the role may not dynamodb:UpdateItem on LedgerTable",
            ],
        ),
    ],
)
def test_our_own_rules_find_a_wrong_permission(
    template: dict[str, Any], changed: dict[str, Any], complaints: list[str]
) -> None:
    stack = resolved(expanded(template), TpnsApps=APPS)
    policies = stack["Resources"]["FunctionRole"]["Properties"]["Policies"]
    (statement,) = next(
        policy["PolicyDocument"]["Statement"] for policy in policies if policy["PolicyName"] == "keep-the-ledger"
    )
    statement |= changed
    assert broken_rules(template, stack) == complaints


def test_our_own_rules_find_a_short_visibility_timeout(template: dict[str, Any]) -> None:
    template["Mappings"]["VisibilityTimeout"]["60"]["5"] = 364
    assert broken_rules(template, resolved(expanded(template), TpnsApps=APPS)) == [
        "visibility for FunctionTimeout 60 and BatchingWindow 5 is 364, less than 365"
    ]


def _environment(stack: dict[str, Any]) -> dict[str, Any]:
    return stack["Resources"]["Function"]["Properties"]["Environment"]["Variables"]


def _lint_expanded(template: dict[str, Any], folder: Path, **defaults: str):  # type: ignore[no-untyped-def]
    file = folder / "expanded.json"
    file.write_text(json.dumps(lintable(template, defaults)))
    return cfn_lint(file)


def _set(template: dict[str, Any], path: str, value: object) -> None:
    resource, *keys, last = path.split(".")
    place = template["Resources"][resource]["Properties"]
    for key in keys:
        place = place[key]
    place[last] = value
