"""An alarm as it is deployed, and what CloudWatch would say of it. MiniStack 1.5.33 takes no notice of dimensions and of single
periods, so this does."""

from __future__ import annotations

import math
import operator
import random
from dataclasses import dataclass
from typing import Any, Self

import boto3
from datapoints import Datapoint

from local.cloud import REGION, Cloud

# One after the other, oldest first. All of the template's alarms look at whole minutes.
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
        """After the last of these minutes. What is before the first of them is missing."""
        alarm = self.definition
        assert alarm["TreatMissingData"] == "notBreaching", "so a missing period counts as a good one here"
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
                raise AssertionError(f"alarm.py does not know the statistic {statistic}")


def _percentile(points: list[Datapoint], percent: float) -> float:
    """The smallest value that so many of all values are not above."""
    rank = math.ceil(percent / 100 * sum(point.count for point in points))
    for point in sorted(points, key=lambda point: point.value):
        rank -= point.count
        if rank <= 0:
            return point.value
    raise AssertionError("no values")


def state_in_ministack(cloud: Cloud, alarm: Alarm, minutes: Minutes) -> str:
    """What MiniStack makes of the same alarm, in an account where nobody else counts anything."""
    cloudwatch = boto3.client(
        "cloudwatch",
        endpoint_url=cloud.url,
        region_name=REGION,
        aws_access_key_id=str(random.randrange(10**11, 10**12)),  # MiniStack takes twelve digits for the account
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
