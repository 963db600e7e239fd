"""New versions: when one is published, how traffic shifts to it, and when it is rolled back."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from typing import Any

import pytest
from conftest import APPS
from expanded import expanded
from resolved import broken_assertions, resolved


def of_type(stack: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource for resource in stack["Resources"].values() if resource["Type"] == kind]


def stack(template: dict[str, Any], **parameters: str) -> dict[str, Any]:
    return resolved(expanded(template, parameters), TpnsApps=APPS, **parameters)


def test_the_event_source_mappings_invoke_the_alias(template: dict[str, Any]) -> None:
    made = stack(template)
    mappings = of_type(made, "AWS::Lambda::EventSourceMapping")
    # The queue, the unbind lane, and the check queue.
    assert len(mappings) == 3
    for mapping in mappings:
        assert mapping["Properties"]["FunctionName"] == {"Ref": "FunctionAliaslive"}
        assert mapping["Properties"]["MetricsConfig"] == {"Metrics": ["EventCount"]}
    assert made["Outputs"]["FunctionArn"]["Value"] == {"Ref": "FunctionAliaslive"}


def test_a_new_version_gets_a_part_of_the_traffic_first_and_is_rolled_back_on_an_alarm(
    template: dict[str, Any],
) -> None:
    made = stack(template)
    assert "UpdatePolicy" in made["Resources"]["FunctionAliaslive"]
    (group,) = of_type(made, "AWS::CodeDeploy::DeploymentGroup")
    properties = group["Properties"]
    assert properties["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert "DEPLOYMENT_STOP_ON_ALARM" in properties["AutoRollbackConfiguration"]["Events"]
    assert properties["ServiceRoleArn"] == {"Fn::GetAtt": ["DeploymentRole", "Arn"]}
    assert watched(group) == ["ErrorsAlarm", "MisconfiguredAlarm", "LedgerFailedAlarm"]
    (without_ledger,) = of_type(stack(template, Ledger="off"), "AWS::CodeDeploy::DeploymentGroup")
    assert watched(without_ledger) == ["ErrorsAlarm", "MisconfiguredAlarm"]


def test_codedeploy_has_every_deployment_type_of_the_parameter(template: dict[str, Any]) -> None:
    values = template["Parameters"]["GradualDeployment"]["AllowedValues"]
    assert template["Mappings"]["Gradually"].keys() == set(values)
    for value in values:
        groups = of_type(stack(template, GradualDeployment=value), "AWS::CodeDeploy::DeploymentGroup")
        names = [group["Properties"]["DeploymentConfigName"] for group in groups]
        assert names == ([] if value == "off" else [f"CodeDeployDefault.Lambda{value}"])


def test_without_gradual_deployment_the_stack_has_nothing_of_codedeploy(template: dict[str, Any]) -> None:
    made = stack(template, GradualDeployment="off")
    assert [resource["Type"] for resource in made["Resources"].values() if "CodeDeploy" in resource["Type"]] == []
    assert "UpdatePolicy" not in made["Resources"]["FunctionAliaslive"]
    assert "codedeploy" not in str(made)
    assert "PreTraffic" not in str(made)


class Clients:
    """boto3, as far as the check uses it."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self._answer = answer
        self.invoked: list[dict[str, Any]] = []
        self.reported: list[dict[str, Any]] = []

    def client(self, name: str) -> Clients:
        assert name in ("lambda", "codedeploy")
        return self

    def invoke(self, **given: Any) -> dict[str, Any]:
        self.invoked.append(given)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def put_lifecycle_event_hook_execution_status(self, **given: Any) -> None:
        self.reported.append(given)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"StatusCode": 200}, "Succeeded"),
        ({"StatusCode": 200, "FunctionError": "Unhandled"}, "Failed"),
        (TimeoutError("no answer"), "Failed"),
    ],
)
def test_a_version_that_can_not_start_gets_no_traffic(
    template: dict[str, Any], monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | Exception, status: str
) -> None:
    made = stack(template)
    policy = made["Resources"]["FunctionAliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    assert policy["BeforeAllowTrafficHook"] == {"Ref": "PreTrafficCheck"}
    check = made["Resources"]["PreTrafficCheck"]["Properties"]
    (version,) = [name for name, r in made["Resources"].items() if r["Type"] == "AWS::Lambda::Version"]
    assert check["Environment"]["Variables"] == {"NEW_VERSION": {"Ref": version}}

    clients = Clients(answer)
    monkeypatch.setitem(sys.modules, "boto3", clients)
    monkeypatch.setenv("NEW_VERSION", "arn:of:the:version")
    code: dict[str, Any] = {}
    exec(check["Code"]["ZipFile"], code)
    event = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}
    with suppress(TimeoutError):
        code["check"](event, None)
    assert clients.invoked == [{"FunctionName": "arn:of:the:version", "Payload": b'{"Records": []}'}]
    assert clients.reported == [{"deploymentId": "d-1", "lifecycleEventHookExecutionId": "e-1", "status": status}]


def test_every_parameter_of_the_function_publishes_a_new_version_or_asks_for_a_new_revision(
    template: dict[str, Any],
) -> None:
    function = template["Resources"]["Function"]["Properties"]
    described = set(re.findall(r"\$\{(\w+)}", function["VersionDescription"]["Fn::Sub"]))
    # Concurrency belongs to the function, not to a version; deployment and event source are not properties of the
    # function.
    outside = ("VersionDescription", "ReservedConcurrentExecutions", "DeploymentPreference", "Events")
    reach = set(parameters_in(template, {key: value for key, value in function.items() if key not in outside}))
    asking = {
        name
        for name, parameter in template["Parameters"].items()
        if "change Revision as well" in " ".join(parameter["Description"].split())
    }
    # A version keeps its role, which another path replaces.
    assert (reach | {"RolePath"}) - described == asking
    assert described & asking == set()
    # It is secret, and the description is not.
    assert "TpnsApps" in asking


def test_a_version_is_published_only_of_a_function_that_has_changed_or_lambda_refuses(template: dict[str, Any]) -> None:
    once = expanded(template)
    text = template["Resources"]["Function"]["Properties"]["VersionDescription"]["Fn::Sub"]
    for name in set(re.findall(r"\$\{(\w+)}", text)):
        source = {} if name in ("TpnsAppsSecretId", "TpnsAppsSsmParameter") else {"TpnsApps": APPS}
        one, other = (
            resolved(once, **source, **{name: value})["Resources"]["Function"]["Properties"]
            for value in two_values(template["Parameters"][name])
        )
        assert one != other, f"{name} publishes a version of a function that has not changed"


def test_every_version_stays_so_that_the_alias_can_go_back_to_it(template: dict[str, Any]) -> None:
    ((_, version),) = [
        (name, resource)
        for name, resource in stack(template)["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Version"
    ]
    # Deletion: new code gives the version another logical id. Replacement: new settings give it another description.
    assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_longest_description_of_the_function_fits(template: dict[str, Any]) -> None:
    text = template["Resources"]["Function"]["Properties"]["Description"]["Fn::Sub"]
    longest = re.sub(r"\$\{(\w+)}", lambda match: "x" * longest_value(template["Parameters"][match[1]]), text)
    assert len(longest) <= 256


def test_the_longest_parameter_values_fit_into_the_description_of_a_version(template: dict[str, Any]) -> None:
    text = template["Resources"]["Function"]["Properties"]["VersionDescription"]["Fn::Sub"]
    # Only one of these two is set.
    text = text.replace("${TpnsAppsSecretId}${TpnsAppsSsmParameter}", "${TpnsAppsSecretId}")
    assert longest_value(template["Parameters"]["TpnsAppsSsmParameter"]) <= 128
    longest = re.sub(r"\$\{(\w+)}", lambda match: "x" * longest_value(template["Parameters"][match[1]]), text)
    assert len(longest) <= 256


@pytest.mark.parametrize(
    ("reserved", "maximum", "accepted"),
    [("off", "1000", True), ("10", "10", True), ("20", "10", True)]
    + [(reserved, maximum, False) for reserved, maximum in (("2", "5"), ("5", "10"), ("100", "200"), ("500", "1000"))],
)
def test_reserved_concurrency_must_not_be_below_maximum_concurrency(
    template: dict[str, Any], reserved: str, maximum: str, accepted: bool
) -> None:
    complaints = broken_assertions(template, TpnsApps=APPS, ReservedConcurrency=reserved, MaximumConcurrency=maximum)
    assert complaints == (
        [] if accepted else [f"A ReservedConcurrency of {reserved} needs a MaximumConcurrency of at most {reserved}."]
    )
    assert (
        stack(template, ReservedConcurrency="10")["Resources"]["Function"]["Properties"]["ReservedConcurrentExecutions"]
        == "10"
    )


def test_the_rule_on_reserved_concurrency_covers_every_value(template: dict[str, Any]) -> None:
    for reserved in template["Parameters"]["ReservedConcurrency"]["AllowedValues"][1:]:
        for maximum in template["Parameters"]["MaximumConcurrency"]["AllowedValues"]:
            complaints = broken_assertions(
                template, TpnsApps=APPS, ReservedConcurrency=reserved, MaximumConcurrency=str(maximum)
            )
            assert bool(complaints) == (maximum > int(reserved)), (reserved, maximum)


def watched(group: dict[str, Any]) -> list[str]:
    return [alarm["Name"]["Ref"] for alarm in group["Properties"]["AlarmConfiguration"]["Alarms"]]


def parameters_in(template: dict[str, Any], node: Any) -> list[str]:
    """Returns the parameters on which a value depends, by reference or through a condition."""
    if isinstance(node, list):
        return [name for value in node for name in parameters_in(template, value)]
    if not isinstance(node, dict):
        return []
    found = [node["Ref"]] if node.get("Ref") in template["Parameters"] else []
    if "Fn::If" in node:
        found += parameters_in(template, template["Conditions"][node["Fn::If"][0]])
    return found + [name for value in node.values() for name in parameters_in(template, value)]


def two_values(parameter: dict[str, Any]) -> tuple[str, str]:
    if "AllowedValues" in parameter:
        return str(parameter["AllowedValues"][0]), str(parameter["AllowedValues"][1])
    if "MinValue" in parameter:
        return str(parameter["MinValue"]), str(parameter["MaxValue"])
    values = [value for value in ("2", "3", "2d", "3d", "/2", "/3") if re.fullmatch(parameter["AllowedPattern"], value)]
    return values[0], values[1]


def longest_value(parameter: dict[str, Any]) -> int:
    if "AllowedValues" in parameter:
        return max(len(str(value)) for value in parameter["AllowedValues"])
    if "MaxLength" in parameter:
        return parameter["MaxLength"]
    if "MaxValue" in parameter:
        return len(str(parameter["MaxValue"]))
    bound = re.search(r"\{1,(\d+)}\$$", parameter["AllowedPattern"])
    assert bound, f"the length of this parameter is not limited: {parameter}"
    return int(bound[1])
