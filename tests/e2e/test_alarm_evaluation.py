"""Tests of the test doubles for alarms: reading the embedded metric format, and evaluating an alarm."""

from __future__ import annotations

from typing import Any

import datapoints
import pytest
from alarm import Alarm
from datapoints import Datapoint

ALARM = {
    "Namespace": "N",
    "MetricName": "M",
    "Dimensions": [{"Name": "F", "Value": "f"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}


def point(value: float, count: float = 1, name: str = "M", **dimensions: str) -> Datapoint:
    return Datapoint("N", name, frozenset((dimensions or {"F": "f"}).items()), value, "Count", count)


BAD, GOOD, NONE = [point(2)], [point(1)], []  # type: ignore[var-annotated]


@pytest.mark.parametrize(
    ("minutes", "up"),
    [
        ([BAD], False),
        ([BAD, BAD], True),
        ([BAD, GOOD, BAD], True),
        ([BAD, NONE, BAD], True),
        ([BAD, NONE, NONE, BAD], False),
        ([BAD, BAD, GOOD], True),
        ([BAD, BAD, GOOD, GOOD], False),
        # Sums are within a minute, not over minutes.
        ([[point(1), point(1)], [point(1, count=2)]], True),
        ([GOOD] * 9, False),
        # Another function, a function and an app, and another metric.
        ([[point(9, F="g")]] * 3, False),
        ([[point(9, F="f", A="a")]] * 3, False),
        ([[point(9, name="Other")]] * 3, False),
    ],
)
def test_an_alarm_is_up_when_enough_of_its_periods_breach(minutes: list[list[Datapoint]], up: bool) -> None:
    assert Alarm(ALARM).is_up(minutes) is up


@pytest.mark.parametrize(
    ("changed", "points", "up"),
    [
        ({"Statistic": "Maximum"}, [point(1), point(1)], False),
        ({"Statistic": "Maximum"}, [point(1), point(1.5)], True),
        ({"ExtendedStatistic": "p99"}, [point(0, count=99), point(5)], False),
        ({"ExtendedStatistic": "p99"}, [point(0, count=98), point(5)], True),
        ({"ExtendedStatistic": "p99"}, [point(5)], True),
        ({"Statistic": "Sum", "ComparisonOperator": "GreaterThanOrEqualToThreshold"}, [point(1)], True),
    ],
)
def test_statistics_are_computed_as_in_cloudwatch(changed: dict[str, Any], points: list[Datapoint], up: bool) -> None:
    alarm = Alarm({**ALARM, "EvaluationPeriods": 1, "DatapointsToAlarm": 1, **changed})
    assert alarm.is_up([points]) is up


def line(**members: Any) -> dict[str, Any]:
    metrics = [{"Name": "M", "Unit": "Count"}]
    directive = {"Namespace": "N", "Dimensions": [["F"], ["F", "A"]], "Metrics": metrics}
    return {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [directive]}, "F": "f", "A": "a", **members}


@pytest.mark.parametrize(
    ("member", "expected"),
    [(3, [(3, 1)]), ([3, 4], [(3, 1), (4, 1)]), ({"Values": [3, 4], "Counts": [2, 1]}, [(3, 2), (4, 1)])],
)
def test_a_metric_is_read_in_each_of_its_dimension_sets(member: Any, expected: list[tuple[float, float]]) -> None:
    points = datapoints.of_log([{"message": "batch done"}, line(M=member)])
    assert points == [point(v, c, **of) for of in ({"F": "f"}, {"F": "f", "A": "a"}) for v, c in expected]


@pytest.mark.parametrize("wrong", [{"M": "3"}, {"M": []}, {"M": list(range(101))}, {"M": 3, "A": 5}, {"M": True}])
def test_a_line_that_cloudwatch_would_ignore_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        datapoints.of_log([line(**wrong)])
