"""What a run on one machine changes in the deployed stack: only how fast time goes by and how much runs at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .cloud import Cloud
from .mapping import Mapping
from .stack import Stack


def hurry(cloud: Cloud, stack: Stack, visibility_seconds: int) -> None:
    """The template makes a failed message wait for minutes, rightly; who looks on here would rather not."""
    cloud.client("sqs").set_queue_attributes(QueueUrl=stack.queue_url, Attributes={"VisibilityTimeout": str(visibility_seconds)})


def one_batch_at_a_time(cloud: Cloud, stack: Stack) -> None:
    """Side by side, two batches about the same device end the same way, if the stack has a ledger, but after other calls in this
    run than in the next."""
    cloud.client("lambda").put_function_concurrency(FunctionName=stack.function_name, ReservedConcurrentExecutions=1)


@contextmanager
def held(cloud: Cloud, stack: Stack) -> Iterator[None]:
    """Keeps the queue from being read while the block sends: then batches are full, as they are under load."""
    mapping = Mapping(cloud, stack)
    mapping.enable(False)
    yield
    mapping.enable(True)
