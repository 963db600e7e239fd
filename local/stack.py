"""The stack of template.yaml, deployed by CloudFormation with the SAM transform."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cloud import Cloud
from .package import package
from .problem import Problem

NAME = "tpns-account-sync"
_DEPLOY_SECONDS = 60
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Stack:
    """The stack's outputs. A stack with a FIFO queue has no bus and no unbind lane; lane, ledger and parking queue can
    be off."""

    queue_url: str
    queue_arn: str
    unbind_queue_url: str | None
    unbind_queue_arn: str | None
    dead_letter_queue_url: str
    parking_queue_url: str | None
    check_queue_url: str | None
    check_dead_letter_queue_url: str | None
    ledger_table: str | None
    bus_name: str | None
    function_name: str
    function_arn: str
    log_group: str

    @property
    def read_queue_urls(self) -> list[str]:
        """The queues of events that the function reads."""
        return [url for url in (self.queue_url, self.unbind_queue_url) if url]

    @property
    def queue_urls(self) -> list[str]:
        """All queues."""
        others = (
            self.dead_letter_queue_url,
            self.parking_queue_url,
            self.check_queue_url,
            self.check_dead_letter_queue_url,
        )
        return [*self.read_queue_urls, *(url for url in others if url)]


def deploy(
    cloud: Cloud,
    template: Path,
    bootstrap: Path,
    parameters: dict[str, str],
    name: str = NAME,
    environment: dict[str, str] | None = None,
) -> Stack:
    url = package(cloud, template, bootstrap, environment)
    parameters = {"Architecture": host_architecture(), **parameters}
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateURL=url,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        # A failed stack is reported, not rolled back.
        DisableRollback=True,
    )
    outputs = _outputs_when_complete(cloudformation, name, cloud.log)
    return Stack(
        queue_url=outputs["QueueUrl"],
        queue_arn=outputs["QueueArn"],
        unbind_queue_url=outputs.get("UnbindQueueUrl"),
        unbind_queue_arn=outputs.get("UnbindQueueArn"),
        dead_letter_queue_url=outputs["DeadLetterQueueUrl"],
        parking_queue_url=outputs.get("ParkingQueueUrl"),
        check_queue_url=outputs.get("CheckQueueUrl"),
        check_dead_letter_queue_url=outputs.get("CheckDeadLetterQueueUrl"),
        ledger_table=outputs.get("LedgerTableName"),
        bus_name=outputs.get("EventBusName"),
        function_name=outputs["FunctionName"],
        function_arn=outputs["FunctionArn"],
        log_group=outputs["FunctionLogName"],
    )


def host_architecture() -> str:
    machine = platform.machine().lower()
    if machine not in _ARCHITECTURES:
        raise Problem(
            f"this machine: Lambda does not support its architecture ({machine}); use an x86_64 or arm64 machine"
        )
    return _ARCHITECTURES[machine]


def _outputs_when_complete(cloudformation: Any, name: str, log: Path) -> dict[str, str]:
    deadline = time.monotonic() + _DEPLOY_SECONDS
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        if stack["StackStatus"] != "CREATE_IN_PROGRESS":
            raise Problem(
                f"template.yaml: deployment failed ({stack['StackStatus']}): {_reasons(cloudformation, name, log)}"
            )
        time.sleep(0.1)
    raise Problem(f"template.yaml: was not deployed within {_DEPLOY_SECONDS} s; see {log}")


def _reasons(cloudformation: Any, name: str, log: Path) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    reasons = [
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in events
        if event["ResourceStatus"].endswith("FAILED") and event.get("ResourceStatusReason")
    ]
    return "; ".join(reasons) or f"no reason given, see {log}"
