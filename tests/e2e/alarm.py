"""A deployed alarm, evaluated as CloudWatch would. MiniStack 1.5.33 ignores dimensions and single periods."""

from __future__ import annotations

import math
import operator
import random
from dataclasses import dataclass
from typing import Any, Self

import boto3
from datapoints import Datapoint

from local.cloud import REGION, Cloud

# Consecutive minutes, oldest first. All of the template's alarms have periods of whole minutes.
Minutes = list[list[Datapoint]]

_COMPARISONS = {"GreaterThanThreshold": operator.gt, "GreaterThanOrEqualToThreshold": operator.ge}


@dataclass(frozen=True)
class Alarm:
    definition: dict[str, Any]

    @classmethod
    def of(cls, cloud: Cloud, stack: str, logical_id: str) -> Self:
        resource = cloud.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
        name = resource["StackResourceDetail"]["PhysicalResourceId"]
        (definition,) = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return cls(definition)

    def is_up(self, minutes: Minutes) -> bool:
        """Returns whether the alarm is in ALARM after the last of these minutes. Data before the first of them is
        missing."""
        alarm = self.definition
        assert alarm["TreatMissingData"] == "notBreaching", "only then does a missing period count as a good one"
        length = alarm["Period"] // 60
        # The newest period first.
        ends = range(len(minutes), 0, -length)
        periods = [[point for minute in minutes[max(0, end - length) : end] for point in minute] for end in ends]
        breaching = sum(self._breaches(period) for period in periods[: alarm["EvaluationPeriods"]])
        return breaching >= alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])

    def watches(self, point: Datapoint) -> bool:
        alarm = self.definition
        dimensions = frozenset((dimension["Name"], dimension["Value"]) for dimension in alarm["Dimensions"])
        return (point.namespace, point.name, point.dimensions) == (alarm["Namespace"], alarm["MetricName"], dimensions)

    def _breaches(self, period: list[Datapoint]) -> bool:
        points = [point for point in period if self.watches(point)]
        if not points:
            return False
        compare = _COMPARISONS[self.definition["ComparisonOperator"]]
        return compare(self._statistic(points), self.definition["Threshold"])

    def _statistic(self, points: list[Datapoint]) -> float:
        statistic = self.definition.get("ExtendedStatistic") or self.definition["Statistic"]
        match statistic:
            case "Sum":
                return sum(point.value * point.count for point in points)
            case "Maximum":
                return max(point.value for point in points)
            case "p99":
                return _percentile(points, 99)
            case _:
                raise AssertionError(f"alarm.py does not support the statistic {statistic}")


def _percentile(points: list[Datapoint], percent: float) -> float:
    """Returns the smallest value that at least this share of all values does not exceed."""
    rank: float = math.ceil(percent / 100 * sum(point.count for point in points))
    for point in sorted(points, key=lambda point: point.value):
        rank -= point.count
        if rank <= 0:
            return point.value
    raise AssertionError("no values")


def state_in_ministack(cloud: Cloud, alarm: Alarm, minutes: Minutes) -> str:
    """Returns the state of the same alarm in MiniStack, in an account without other metrics."""
    cloudwatch = boto3.client(
        "cloudwatch",
        endpoint_url=cloud.url,
        region_name=REGION,
        aws_access_key_id=str(random.randrange(10**11, 10**12)),  # MiniStack uses twelve digits as the account
        aws_secret_access_key="test",
    )
    kept = ("AlarmName", "MetricName", "Namespace", "Dimensions", "Period", "EvaluationPeriods", "DatapointsToAlarm")
    compared = ("Threshold", "ComparisonOperator", "TreatMissingData")
    one_of = ("ExtendedStatistic",) if alarm.definition.get("ExtendedStatistic") else ("Statistic",)
    cloudwatch.put_metric_alarm(**{key: alarm.definition[key] for key in (*kept, *compared, *one_of)})
    for point in (point for minute in minutes for point in minute if alarm.watches(point)):
        dimensions = [{"Name": name, "Value": value} for name, value in point.dimensions]
        datum = {"MetricName": point.name, "Dimensions": dimensions, "Values": [point.value], "Counts": [point.count]}
        cloudwatch.put_metric_data(Namespace=point.namespace, MetricData=[{**datum, "Unit": point.unit}])
    (now,) = cloudwatch.describe_alarms(AlarmNames=[alarm.definition["AlarmName"]])["MetricAlarms"]
    return now["StateValue"]
