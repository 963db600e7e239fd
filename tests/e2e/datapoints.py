"""What CloudWatch would have of a stack: from the function's log, from the queues as they are, and from Lambda."""

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
    """`count` times the same value."""

    namespace: str
    name: str
    dimensions: Dimensions
    value: float
    unit: str
    count: float = 1


def of_log(lines: Iterable[dict[str, Any]]) -> list[Datapoint]:
    """As CloudWatch reads the embedded metric format: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring,
    CloudWatch_Embedded_Metric_Format_Specification. A line it would not take is a failure here; there it is silence."""
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
        assert isinstance(line[name], str), f"the dimension {name} is no text: {line}"
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
    """The numbers that SQS gives once a minute. `oldest`: the age in seconds of the oldest message, where somebody knows it."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    of = frozenset({("QueueName", url.rpartition("/")[2])})
    points = [
        Datapoint("AWS/SQS", "ApproximateNumberOfMessagesVisible", of, float(attributes[names[0]]), "Count"),
        Datapoint("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", of, float(attributes[names[1]]), "Count"),
    ]
    return points if oldest is None else [*points, Datapoint("AWS/SQS", "ApproximateAgeOfOldestMessage", of, oldest, "Seconds")]


def of_lambda(cloud: Cloud, function: str, since: datetime.datetime) -> list[Datapoint]:
    """What Lambda itself has counted since then. MiniStack 1.5.33 does so where a function is invoked straight, not by its queue."""
    cloudwatch = cloud.client("cloudwatch")
    points = []
    for name, unit in (("Invocations", "Count"), ("Errors", "Count"), ("Throttles", "Count"), ("Duration", "Milliseconds")):
        answer = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=since,
            EndTime=datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1),
            Period=3600,
            # The least and the most stand for the rest, whose number is of no matter to an alarm but for sums of counts.
            Statistics=["Sum", "Minimum", "Maximum"],
        )
        of = frozenset({("FunctionName", function)})
        for seen in answer["Datapoints"]:
            values = {seen["Minimum"], seen["Maximum"]} if unit == "Milliseconds" else {seen["Sum"]}
            points += [Datapoint("AWS/Lambda", name, of, value, unit) for value in sorted(values)]
    return points
