"""The event source mapping, which reads the queue and invokes the function."""

from __future__ import annotations

import time
from typing import Any

from .cloud import Cloud
from .problem import Problem
from .stack import Stack


class Mapping:
    def __init__(self, cloud: Cloud, stack: Stack) -> None:
        self._functions = cloud.client("lambda")
        found = self._functions.list_event_source_mappings(FunctionName=stack.function_name)["EventSourceMappings"]
        if len(found) != 1:
            raise Problem(
                f"template.yaml: the function has {len(found)} event sources; Events must have exactly one, the queue"
            )
        self._id: str = found[0]["UUID"]
        self._scaling: dict[str, Any] = found[0].get("ScalingConfig", {})

    def fix_numbers(self) -> None:
        """CloudFormation converts parameters to numbers where a resource needs numbers. MiniStack 1.5.33 keeps them as
        strings here, and then can't compare them. Set through the API, they are numbers."""
        scaling = {key: int(value) for key, value in self._scaling.items()}
        self._functions.update_event_source_mapping(UUID=self._id, ScalingConfig=scaling)

    def enable(self, enabled: bool) -> None:
        self._functions.update_event_source_mapping(UUID=self._id, Enabled=enabled)
        wanted = "Enabled" if enabled else "Disabled"
        deadline = time.monotonic() + 10
        while self._functions.get_event_source_mapping(UUID=self._id)["State"] != wanted:
            if time.monotonic() > deadline:
                raise Problem(f"event source mapping: did not become {wanted} within 10 s; run the command again")
            time.sleep(0.05)
