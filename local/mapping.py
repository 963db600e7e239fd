"""The event source mappings, which read queues and invoke the function: one for each lane, and one for checks."""

from __future__ import annotations

import time
from typing import Any

from .cloud import Cloud
from .problem import Problem
from .stack import Stack


class Mappings:
    """Those of the lanes, or of other queues."""

    def __init__(self, cloud: Cloud, stack: Stack, urls: list[str] | None = None) -> None:
        urls = stack.read_queue_urls if urls is None else urls
        self._functions = cloud.client("lambda")
        listed = self._functions.list_event_source_mappings(FunctionName=stack.function_name)["EventSourceMappings"]
        names = {url.rpartition("/")[2] for url in urls}
        self._found = [one for one in listed if one["EventSourceArn"].rpartition(":")[2] in names]
        if len(self._found) != len(urls):
            raise Problem(
                f"template.yaml: the function has {len(self._found)} event sources for {len(urls)} "
                "queues; each queue must have exactly one"
            )

    def set_batch_size(self, size: int) -> dict[str, int]:
        """Returns the size of each before."""
        before = {mapping["UUID"]: int(mapping["BatchSize"]) for mapping in self._found}
        self.set_batch_sizes(dict.fromkeys(before, size))
        return before

    def set_batch_sizes(self, sizes: dict[str, int]) -> None:
        for uuid, size in sizes.items():
            self._functions.update_event_source_mapping(UUID=uuid, BatchSize=size)

    def enable(self, enabled: bool) -> None:
        wanted = "Enabled" if enabled else "Disabled"
        deadline = time.monotonic() + 10
        for mapping in self._found:
            self._functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
        while any(self._state(mapping) != wanted for mapping in self._found):
            if time.monotonic() > deadline:
                raise Problem(f"event source mapping: did not become {wanted} within 10 s; run the command again")
            time.sleep(0.05)

    def _state(self, mapping: dict[str, Any]) -> str:
        return self._functions.get_event_source_mapping(UUID=mapping["UUID"])["State"]
