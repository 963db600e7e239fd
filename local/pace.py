"""What a run on one machine changes in the deployed stack: only timing and concurrency."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .cloud import Cloud
from .mapping import Mapping
from .stack import Stack


def shorten_visibility_timeout(cloud: Cloud, stack: Stack, seconds: int) -> None:
    """In the template a failed message waits for minutes, which is too long to watch."""
    cloud.client("sqs").set_queue_attributes(QueueUrl=stack.queue_url, Attributes={"VisibilityTimeout": str(seconds)})


def one_batch_at_a_time(cloud: Cloud, stack: Stack) -> None:
    """With a ledger, two concurrent batches with the same device end with the same bindings, but the calls would differ
    from run to run."""
    cloud.client("lambda").put_function_concurrency(FunctionName=stack.function_name, ReservedConcurrentExecutions=1)


@contextmanager
def queue_paused(cloud: Cloud, stack: Stack) -> Iterator[None]:
    """Stops reading the queue while the block sends, so that batches are full, as under load."""
    mapping = Mapping(cloud, stack)
    mapping.enable(False)
    yield
    mapping.enable(True)
