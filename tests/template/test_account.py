"""What an account may ask of a stack: a VPC, keys of its own, paths and boundaries of roles, an existing table."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import APPS
from expanded import expanded
from resolved import CHINA, broken_assertions, resolved
from rules import broken_rules, permissions
from watching import broken_watching

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
VPC = {"VpcSubnetIds": "subnet-0a1b2c3d,subnet-0123456789abcdef0", "VpcSecurityGroupIds": "sg-0a1b2c3d"}


def stack(template: dict[str, Any], place: dict[str, str] | None = None, /, **parameters: str) -> dict[str, Any]:
    return resolved(expanded(template), place, **{"TpnsApps": APPS, **parameters})


def function(made: dict[str, Any]) -> dict[str, Any]:
    return made["Resources"]["Function"]["Properties"]


def statements(made: dict[str, Any], policy: str) -> list[dict[str, Any]]:
    policies = made["Resources"]["FunctionRole"]["Properties"]["Policies"]
    return [s for one in policies if one["PolicyName"] == policy for s in one["PolicyDocument"]["Statement"]]


def test_by_default_there_is_nothing_of_an_account_in_the_stack(template: dict[str, Any]) -> None:
    made = stack(template)
    text = json.dumps(made)
    assert [
        word for word in ("kms:", "ec2:", "VpcConfig", "PermissionsBoundary", "MasterKeyId", "KmsKeyId") if word in text
    ] == []


def test_a_key_of_ones_own_encrypts_everything_that_holds_events_or_keys(template: dict[str, Any]) -> None:
    made = stack(template, KmsKeyArn=KEY)
    assert broken_rules(template, {**made, "Resources": without_table(made)}) == []
    resources = {name: r["Properties"] for name, r in made["Resources"].items()}
    for queue in ("Queue", "UnbindQueue", "DeadLetterQueue", "ParkedEvents"):
        assert resources[queue]["KmsMasterKeyId"] == KEY
        # SQS refuses both.
        assert "SqsManagedSseEnabled" not in resources[queue]
    wanted = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}
    assert resources["LedgerTable"]["SSESpecification"] == wanted
    assert resources["FunctionLog"]["KmsKeyId"] == KEY
    assert resources["Function"]["KmsKeyArn"] == KEY


def test_the_role_may_use_the_keys_and_no_others(template: dict[str, Any]) -> None:
    made = stack(template, TpnsApps="", TpnsAppsSecretId="tpns/apps", KmsKeyArn=KEY, SecretKmsKeyArn=f"{KEY}-2")
    allowed = {(action, resource) for action, resource in permissions(made) if action.startswith("kms:")}
    own = ("Decrypt", "GenerateDataKey", "Encrypt", "ReEncryptFrom", "ReEncryptTo", "DescribeKey", "CreateGrant")
    assert allowed == {(f"kms:{action}", KEY) for action in own} | {("kms:Decrypt", f"{KEY}-2")}
    (secret,) = [one for one in statements(made, "run-the-function") if one["Resource"] == f"{KEY}-2"]
    assert secret["Condition"] == {
        "StringLike": {"kms:ViaService": ["secretsmanager.us-east-1.amazonaws.com*", "ssm.us-east-1.amazonaws.com*"]}
    }


def test_a_function_in_a_vpc_may_attach_to_it_and_its_code_may_not(template: dict[str, Any]) -> None:
    made = stack(template, **VPC)
    assert broken_rules(template, made) == []
    assert function(made)["VpcConfig"] == {
        "SubnetIds": ["subnet-0a1b2c3d", "subnet-0123456789abcdef0"],
        "SecurityGroupIds": ["sg-0a1b2c3d"],
    }
    (statement,) = [one for one in statements(made, "run-the-function") if one["Resource"] == "*"]
    assert statement["Condition"] == {"Null": {"lambda:SourceFunctionArn": True}}


@pytest.mark.parametrize("given", VPC)
def test_half_a_vpc_is_refused(template: dict[str, Any], given: str) -> None:
    complaints = broken_assertions(template, TpnsApps=APPS, **{given: VPC[given]})
    assert complaints == ["Set VpcSubnetIds and VpcSecurityGroupIds together, or neither."]
    assert broken_assertions(template, TpnsApps=APPS, **VPC) == []


def test_every_role_has_the_path_and_the_boundary(template: dict[str, Any]) -> None:
    made = stack(template, RolePath="/service/", PermissionsBoundary=BOUNDARY)
    roles = {name: r["Properties"] for name, r in made["Resources"].items() if r["Type"] == "AWS::IAM::Role"}
    assert roles.keys() >= {"FunctionRole", "DeploymentRole"}
    for name, role in roles.items():
        assert (role["Path"], role["PermissionsBoundary"]) == ("/service/", BOUNDARY), name


def test_another_role_asks_for_another_version_because_the_old_one_would_use_a_deleted_role(
    template: dict[str, Any],
) -> None:
    assert "change Revision as well" in template["Parameters"]["RolePath"]["Description"]


@pytest.mark.parametrize("place", [None, CHINA], ids=["aws", "aws-cn"])
def test_an_existing_table_is_used_in_place_of_a_new_one(
    template: dict[str, Any], place: dict[str, str] | None
) -> None:
    made = stack(template, place, ExistingLedgerTable="stack-LedgerTable-1ABC")
    assert broken_rules(template, made) + broken_watching(made) == []
    assert "LedgerTable" not in made["Resources"]
    assert function(made)["Environment"]["Variables"]["LEDGER_TABLE"] == "stack-LedgerTable-1ABC"
    assert made["Outputs"]["LedgerTableName"]["Value"] == "stack-LedgerTable-1ABC"
    # What needs a ledger is there with this one too.
    assert {"UnbindQueue", "LedgerFailedAlarm"} <= made["Resources"].keys()
    tables = {resource for action, resource in permissions(made) if action.startswith("dynamodb:")}
    partition, region = ("aws-cn", "cn-north-1") if place else ("aws", "us-east-1")
    assert tables == {f"arn:{partition}:dynamodb:{region}:123456789012:table/stack-LedgerTable-1ABC"}


def test_an_existing_table_without_the_ledger_is_refused(template: dict[str, Any]) -> None:
    complaints = broken_assertions(template, TpnsApps=APPS, Ledger="off", ExistingLedgerTable="table")
    assert complaints == ["With Ledger off there is no table: set Ledger to on, or leave ExistingLedgerTable empty."]


def without_table(made: dict[str, Any]) -> dict[str, Any]:
    """The rule for the table knows AWS's key only."""
    resources = json.loads(json.dumps(made["Resources"]))
    resources["LedgerTable"]["Properties"]["SSESpecification"] = {"SSEEnabled": True}
    return resources
