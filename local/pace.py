"""What a run on one machine changes in the deployed stack: only timing, the number of deliveries and concurrency."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from .cloud import Cloud
from .mapping import Mappings
from .stack import Stack


def shorten_visibility_timeout(cloud: Cloud, stack: Stack, seconds: int) -> None:
    """In the template a failed message waits for minutes, which is too long to watch."""
    for url in stack.read_queue_urls:
        cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})


def give_up_after(cloud: Cloud, stack: Stack, deliveries: int) -> None:
    """In the template a failing message is delivered for hours before it is dead-lettered."""
    sqs = cloud.client("sqs")
    for url in stack.read_queue_urls:
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
        policy = json.dumps({**json.loads(policy), "maxReceiveCount": deliveries})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})


def one_batch_at_a_time(cloud: Cloud, stack: Stack) -> None:
    """With a ledger, two concurrent batches with the same device end with the same bindings, but the calls would differ
    from run to run."""
    cloud.client("lambda").put_function_concurrency(FunctionName=stack.function_name, ReservedConcurrentExecutions=1)


@contextmanager
def queue_paused(cloud: Cloud, stack: Stack) -> Iterator[None]:
    """Stops reading the queues while the block sends, so that batches are full, as under load."""
    with _disabled(Mappings(cloud, stack)):
        yield


@contextmanager
def checks_paused(cloud: Cloud, stack: Stack) -> Iterator[None]:
    """No check is made while the block runs. Those that are due come after it."""
    assert stack.check_queue_url
    with _disabled(Mappings(cloud, stack, [stack.check_queue_url])):
        yield


@contextmanager
def _disabled(mappings: Mappings) -> Iterator[None]:
    mappings.enable(False)
    try:
        yield
    finally:
        mappings.enable(True)
