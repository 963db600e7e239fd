"""The stack as it is deployed: its resources, and the function as the alias `live` has it."""

from __future__ import annotations

import functools
import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.problem import Problem

ALIAS = "live"


class Deployed:
    def __init__(self, session: Any, name: str) -> None:
        self.name = name
        self._session = session
        cloudformation = self.client("cloudformation")
        try:
            stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if code_of(error) != "ValidationError":
                raise
            raise Problem(
                f"STACK={name}: this account has no such stack in {session.region_name}; "
                "set STACK, AWS_DEFAULT_REGION or AWS_PROFILE"
            ) from error
        self.status: str = stack["StackStatus"]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
        resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        self._resources: list[dict[str, str]] = resources
        if "FunctionName" not in self.outputs:
            raise Problem(f"STACK={name}: has no output FunctionName; name a stack of this project's template.yaml")
        self.function = self.outputs["FunctionName"]

    @staticmethod
    def of(name: str) -> Deployed:
        """With the caller's own credentials, region and, if AWS_ENDPOINT_URL is set, endpoint."""
        session = boto3.Session()
        if not session.region_name:
            raise Problem("AWS_DEFAULT_REGION: is not set; set it to the stack's region")
        return Deployed(session, name)

    @functools.cache  # noqa: B019 (one stack a run)
    def client(self, service: str, region: str | None = None) -> Any:
        return self._session.client(service, region, config=Config(connect_timeout=5, read_timeout=30))

    def resources(self, kind: str) -> dict[str, str]:
        """Returns logical id -> physical id."""
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in self._resources
            if one["ResourceType"] == kind and one.get("PhysicalResourceId")
        }

    @functools.cached_property
    def live(self) -> dict[str, Any]:
        """The configuration of the version that gets the events."""
        return self.client("lambda").get_function_configuration(FunctionName=self.function, Qualifier=ALIAS)

    @property
    def environment(self) -> dict[str, str]:
        return self.live.get("Environment", {}).get("Variables", {})

    @functools.cached_property
    def mappings(self) -> list[dict[str, Any]]:
        """The event source mappings that invoke the function."""
        pages = self.client("lambda").get_paginator("list_event_source_mappings")
        target = f"{self.function}:{ALIAS}"
        return [one for page in pages.paginate(FunctionName=target) for one in page["EventSourceMappings"]]

    def queue(self, arn: str) -> dict[str, str]:
        """Returns a queue's attributes."""
        sqs = self.client("sqs")
        _, _, _, _, account, name = arn.split(":")
        url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    def dead_letter_queue_of(self, arn: str) -> str | None:
        return json.loads(self.queue(arn).get("RedrivePolicy", "{}")).get("deadLetterTargetArn")


def name_of(arn: str) -> str:
    """Returns what a person calls it. An ARN also has the number of the account."""
    return arn.rpartition(":")[2]


def code_of(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
