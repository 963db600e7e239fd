"""Changes of parameters that take something away: what holds or delivers events stays, as docs/updating.md says."""

from __future__ import annotations

import json
from typing import Any

from auth_events import login, token
from conftest import Deploy, World
from waiting import eventually

NAME = "changes"


def test_what_a_change_takes_out_of_the_stack_stays_and_is_still_read(world: World, deploy_for_test: Deploy) -> None:
    stack = deploy_for_test(NAME)
    cloud = world.cloud
    sqs, functions = cloud.client("sqs"), cloud.client("lambda")
    assert stack.parking_queue_url

    sqs.send_message(QueueUrl=stack.parking_queue_url, MessageBody="parked")
    change(world, ParkingQueue="off")
    assert depth(world, stack.parking_queue_url) == 1
    # Parking is possible again: no name is taken. MiniStack gives the new queue the old one's generated name.
    change(world, ParkingQueue="on")
    assert outputs(world)["ParkingQueueUrl"]

    # The versions of all settings so far are there to go back to.
    versions = functions.list_versions_by_function(FunctionName=stack.function_name)["Versions"]
    assert len(versions) == len({"$LATEST", "on", "off", "on again"})

    table = outputs(world)["LedgerTableName"]
    change(world, UnbindLane="drain")
    change(world, UnbindLane="off")
    assert stack.unbind_queue_url in sqs.list_queues(QueueNamePrefix=NAME)["QueueUrls"]
    change(world, Ledger="off")
    change(world, Ledger="on", ExistingLedgerTable=table, Revision="2")
    assert outputs(world)["LedgerTableName"] == table
    live = functions.get_function_configuration(FunctionName=stack.function_arn)
    assert live["Environment"]["Variables"]["LEDGER_TABLE"] == table

    change(world, QueueType="fifo")
    assert outputs(world)["QueueUrl"].endswith(".fifo")
    mappings = functions.list_event_source_mappings(FunctionName=stack.function_arn)["EventSourceMappings"]
    assert {mapping["EventSourceArn"].rpartition(":")[2] for mapping in mappings} == {
        url.rpartition("/")[2] for url in (stack.queue_url, outputs(world)["QueueUrl"], outputs(world)["CheckQueueUrl"])
    }
    device = token()
    # A producer that still sends to the old queue.
    sqs.send_message(QueueUrl=stack.queue_url, MessageBody=json.dumps(login(device, "ann")))
    eventually(lambda: device in world.tpns.bindings().get("android", {}), 30)


def change(world: World, **changed: str) -> None:
    cloudformation = world.cloud.client("cloudformation")
    given = [
        {"ParameterKey": key, "ParameterValue": changed[key]}
        if key in changed
        else {"ParameterKey": key, "UsePreviousValue": True}
        for key in (one["ParameterKey"] for one in described(world)["Parameters"])
    ]
    cloudformation.update_stack(
        StackName=NAME,
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=given,
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def described(world: World) -> dict[str, Any]:
    return world.cloud.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]


def outputs(world: World) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in described(world)["Outputs"]}


def depth(world: World, url: str) -> int:
    attribute = "ApproximateNumberOfMessages"
    answer = world.cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])
    return int(answer["Attributes"][attribute])
