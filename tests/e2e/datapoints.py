"""The datapoints that CloudWatch would have for a stack: from the function's log, from the queues, and from Lambda."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local.cloud import Cloud

Dimensions = frozenset[tuple[str, str]]
_MOST_VALUES = 100
_MOST_DIMENSIONS = 30


@dataclass(frozen=True)
class Datapoint:
    """The same value `count` times."""

    namespace: str
    name: str
    dimensions: Dimensions
    value: float
    unit: str
    count: float = 1


def of_log(lines: Iterable[dict[str, Any]]) -> list[Datapoint]:
    """Reads the embedded metric format as CloudWatch does: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring,
    CloudWatch_Embedded_Metric_Format_Specification. A line that CloudWatch would silently ignore is a failure here."""
    return [point for line in lines if "_aws" in line for point in _of_line(line)]


def _of_line(line: dict[str, Any]) -> list[Datapoint]:
    assert isinstance(line["_aws"]["Timestamp"], int), line
    return [
        Datapoint(directive["Namespace"], metric["Name"], _dimensions(line, names), value, metric["Unit"], count)
        for directive in line["_aws"]["CloudWatchMetrics"]
        for names in directive["Dimensions"]
        for metric in directive["Metrics"]
        for value, count in _values(line[metric["Name"]])
    ]


def _dimensions(line: dict[str, Any], names: list[str]) -> Dimensions:
    assert len(names) <= _MOST_DIMENSIONS
    for name in names:
        assert isinstance(line[name], str), f"the dimension {name} is not a string: {line}"
    return frozenset((name, line[name]) for name in names)


def _values(member: Any) -> list[tuple[float, float]]:
    match member:
        case {"Values": values, "Counts": counts}:
            pairs = list(zip(values, counts, strict=True))
        case [*values]:
            pairs = [(value, 1) for value in values]
        case value:
            pairs = [(value, 1)]
    assert 0 < len(pairs) <= _MOST_VALUES, member
    assert all(type(number) in (int, float) for pair in pairs for number in pair), member
    return pairs


def of_queue(cloud: Cloud, url: str, oldest: float | None = None) -> list[Datapoint]:
    """Returns the metrics that SQS publishes once a minute. `oldest`: the age of the oldest message in seconds, if
    known."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    of = frozenset({("QueueName", url.rpartition("/")[2])})
    points = [
        Datapoint("AWS/SQS", "ApproximateNumberOfMessagesVisible", of, float(attributes[names[0]]), "Count"),
        Datapoint("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", of, float(attributes[names[1]]), "Count"),
    ]
    return (
        points
        if oldest is None
        else [*points, Datapoint("AWS/SQS", "ApproximateAgeOfOldestMessage", of, oldest, "Seconds")]
    )


def of_lambda(cloud: Cloud, function: str, since: datetime.datetime) -> list[Datapoint]:
    """Returns Lambda's own metrics since then. MiniStack 1.5.33 has them only for direct invocations, not for those by
    the queue."""
    cloudwatch = cloud.client("cloudwatch")
    points = []
    for name, unit in (
        ("Invocations", "Count"),
        ("Errors", "Count"),
        ("Throttles", "Count"),
        ("Duration", "Milliseconds"),
    ):
        answer = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=since,
            EndTime=datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1),
            Period=3600,
            # Minimum and maximum represent all values: for an alarm the number of values matters only in sums of
            # counts.
            Statistics=["Sum", "Minimum", "Maximum"],
        )
        of = frozenset({("FunctionName", function)})
        for datapoint in answer["Datapoints"]:
            values = {datapoint["Minimum"], datapoint["Maximum"]} if unit == "Milliseconds" else {datapoint["Sum"]}
            points += [Datapoint("AWS/Lambda", name, of, value, unit) for value in sorted(values)]
    return points
