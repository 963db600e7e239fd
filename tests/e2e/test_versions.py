"""The changes of a second deployment reach the alias that the event source mapping invokes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from auth_events import login, token
from conftest import ENVIRONMENT, Deploy, World
from deployment import Deployment

from local.cloud import Cloud
from local.package import package
from local.run import TEMPLATE
from local.stack import Stack

NAME = "versions"


def test_only_a_changed_parameter_of_the_function_publishes_a_new_version(
    world: World, deploy_for_test: Deploy
) -> None:
    stage = Deployment(world.cloud, deploy_for_test(NAME), world.tpns)
    first = invoked(world.cloud, stage.stack)

    change(world, UnbindLateSeconds="600")
    assert invoked(world.cloud, stage.stack)["Version"] == first["Version"]

    change(world, TpnsConcurrency="9")
    second = invoked(world.cloud, stage.stack)
    assert second["Version"] != first["Version"]
    assert variables(second) == variables(first) | {"TPNS_CONCURRENCY": "9"}

    # Only a condition changes, and no property of the function in the template.
    change(world, Ledger="off")
    third = invoked(world.cloud, stage.stack)
    assert third["Version"] != second["Version"]
    assert variables(second).keys() - variables(third).keys() == {"LEDGER_TABLE", "CHECK_QUEUE_URL"}
    # Without a ledger there is no unbind lane and no check.
    stage.stack = replace(stage.stack, unbind_queue_url=None, unbind_queue_arn=None)

    device = token()
    stage.handle(login(device, "ann"))
    assert stage.accounts("android", device) == {"ann"}

    # docs/updating.md, "Lowering FunctionTimeout": no version with the longer one gets traffic any more.
    change(world, FunctionTimeout="10", GradualDeployment="off")
    fourth = invoked(world.cloud, stage.stack)
    assert (fourth["Timeout"], fourth["Version"] != third["Version"]) == (10, True)
    alias = world.cloud.client("lambda").get_alias(FunctionName=stage.stack.function_name, Name="live")
    assert not alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    given = {"QueueUrl": stage.stack.queue_url, "AttributeNames": ["VisibilityTimeout"]}
    visibility = int(world.cloud.client("sqs").get_queue_attributes(**given)["Attributes"]["VisibilityTimeout"])
    assert visibility >= 6 * fourth["Timeout"]


def invoked(cloud: Cloud, stack: Stack) -> dict[str, Any]:
    """Returns the configuration of the function that the event source mapping invokes."""
    functions = cloud.client("lambda")
    mappings = functions.list_event_source_mappings(FunctionName=stack.function_name)["EventSourceMappings"]
    assert {mapping["FunctionArn"] for mapping in mappings} == {stack.function_arn}
    return functions.get_function_configuration(FunctionName=stack.function_arn)


def variables(configuration: dict[str, Any]) -> dict[str, str]:
    return configuration["Environment"]["Variables"]


def change(world: World, **changed: str) -> None:
    cloudformation = world.cloud.client("cloudformation")
    (now,) = cloudformation.describe_stacks(StackName=NAME)["Stacks"]
    given = [
        {"ParameterKey": one["ParameterKey"], "ParameterValue": changed[one["ParameterKey"]]}
        if one["ParameterKey"] in changed
        else {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
        for one in now["Parameters"]
    ]
    cloudformation.update_stack(
        StackName=NAME,
        TemplateURL=package(world.cloud, TEMPLATE, world.binaries.function, ENVIRONMENT),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=given,
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
