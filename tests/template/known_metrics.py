"""The metrics that exist: those that the function prints, and AWS's own for queues and functions."""

from __future__ import annotations

import json
from dataclasses import dataclass

from checkers import ROOT

# The Rust tests compare the same file with what the binary prints.
PRINTED = ROOT / "tests" / "metrics.json"

# The metrics of AWS that the template may use: namespace, names, dimensions.
# docs.aws.amazon.com: sqs-available-cloudwatch-metrics, monitoring-metrics-types (Lambda)
_OF_AWS = [
    (
        "AWS/SQS",
        {
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesVisible",
            "ApproximateNumberOfMessagesNotVisible",
            "NumberOfMessagesSent",
            "NumberOfMessagesDeleted",
        },
        {"QueueName"},
    ),
    (
        "AWS/Lambda",
        {
            "Invocations",
            "Errors",
            "Throttles",
            "Duration",
            "ConcurrentExecutions",
            "DestinationDeliveryFailures",
        },
        {"FunctionName"},
    ),
    # docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html: a rule of the default bus, of another bus.
    ("AWS/Events", {"FailedInvocations"}, {"RuleName"}),
    ("AWS/Events", {"FailedInvocations"}, {"RuleName", "EventBusName"}),
    # Only with MetricsConfig in the mapping: see the template.
    (
        "AWS/Lambda",
        {"PolledEventCount", "InvokedEventCount", "FailedInvokeEventCount", "DeletedEventCount"},
        {"EventSourceMappingUUID"},
    ),
]


@dataclass(frozen=True)
class Metric:
    namespace: str
    name: str
    dimensions: frozenset[str]

    def __str__(self) -> str:
        return f"{self.namespace} {self.name} by {', '.join(sorted(self.dimensions))}"


def known_metrics() -> set[Metric]:
    printed = json.loads(PRINTED.read_text())
    of_the_function = {
        Metric(printed["namespace"], metric["name"], frozenset(dimensions))
        for metric in printed["metrics"]
        for dimensions in metric["dimension_sets"]
    }
    of_aws = {
        Metric(namespace, name, frozenset(dimensions)) for namespace, names, dimensions in _OF_AWS for name in names
    }
    return of_the_function | of_aws
