"""Alarms and dashboard follow our rules, and these checks would detect if they did not."""

from __future__ import annotations

import json
from typing import Any

import dashboard
import pytest
from conftest import APPS, TOPIC
from expanded import expanded
from resolved import resolved
from watching import HEADINGS, alarms, broken_watching, dashboard_body

UP, DOWN = "AlarmActions", "OKActions"


@pytest.fixture
def stack(template: dict[str, Any]) -> dict[str, Any]:
    return resolved(expanded(template), TpnsApps=APPS, AlarmTopicArn=TOPIC)


def test_the_topic_is_notified_when_an_alarm_goes_up_and_down(template: dict[str, Any], stack: dict[str, Any]) -> None:
    assert {(str(alarm[UP]), str(alarm[DOWN])) for alarm in alarms(stack).values()} == {(str([TOPIC]), str([TOPIC]))}
    silent = resolved(expanded(template), TpnsApps=APPS)
    assert alarms(silent).keys() == HEADINGS.keys()
    assert not any(UP in alarm or DOWN in alarm for alarm in alarms(silent).values())


def test_thresholds_follow_the_parameters(template: dict[str, Any]) -> None:
    once = expanded(template)
    for timeout in template["Parameters"]["FunctionTimeout"]["AllowedValues"]:
        made = resolved(once, TpnsApps=APPS, FunctionTimeout=str(timeout))
        assert alarms(made)["DurationAlarm"]["Threshold"] == timeout * 1000 * 0.8
        visibility = made["Resources"]["Queue"]["Properties"]["VisibilityTimeout"]
        age = max(5 * 60, 2 * visibility)
        assert alarms(made)["OldestMessageAlarm"]["Threshold"] == age
        assert alarms(made)["OutageAlarm"]["Threshold"] == 1000 * age
    for seconds in template["Parameters"]["UnbindLateSeconds"]["AllowedValues"]:
        made = resolved(once, TpnsApps=APPS, UnbindLateSeconds=str(seconds))
        assert alarms(made)["UnbindsLateAlarm"]["Threshold"] == seconds * 1000
        assert alarms(made)["OldestUnbindAlarm"]["Threshold"] == str(seconds)


@pytest.mark.parametrize("queue_type", ["standard", "fifo"])
def test_messages_in_flight_raise_an_alarm_at_four_fifths_of_what_sqs_allows(
    template: dict[str, Any], queue_type: str
) -> None:
    made = alarms(resolved(expanded(template), TpnsApps=APPS, QueueType=queue_type))
    assert made["InFlightAlarm"]["Threshold"] == 120_000 * 4 // 5
    assert ("UnbindsInFlightAlarm" in made) == (queue_type == "standard")
    if queue_type == "standard":
        assert made["UnbindsInFlightAlarm"]["Threshold"] == 96_000


def test_an_alarm_that_goes_up_at_once_stays_up_until_events_are_redelivered(template: dict[str, Any]) -> None:
    longest = max(max(seconds.values()) for seconds in template["Mappings"]["VisibilityTimeout"].values())
    for name in ("MisconfiguredAlarm", "ErrorsAlarm", "LedgerFailedAlarm", "OutageAlarm", "UnbindsLateAlarm"):
        properties = template["Resources"][name]["Properties"]
        assert properties["Period"] * properties["EvaluationPeriods"] > longest


def test_the_dashboard_answers_five_questions_in_this_order(stack: dict[str, Any]) -> None:
    headers = [widget["properties"]["markdown"] for widget in dashboard.widgets(str(dashboard_body(stack)), "text")]
    assert headers[1:] == [
        "## Is it keeping up?",
        "## What fails, and why?",
        "## How late are unbinds?",
        "## What do producers get wrong?",
        "## Is TPNS as it should be?",
    ]
    names = {metric.name for metric in dashboard.metrics(str(dashboard_body(stack)))}
    assert {
        "Received",
        "Applied",
        "ApproximateAgeOfOldestMessage",
        "CallFailures",
        "Parked",
        "UnbindLag",
        "CallLatency",
    } <= names


def test_the_dashboard_queries_fields_that_the_function_logs(stack: dict[str, Any]) -> None:
    (log,) = dashboard.widgets(str(dashboard_body(stack)), "log")
    assert log["properties"]["query"] == (
        "SOURCE '${FunctionLog}' | filter ispresent(outcome) and ispresent(reason)"
        " | stats count() by reason, outcome, app"
    )


def test_variables_of_cloudwatch_are_not_substituted(stack: dict[str, Any]) -> None:
    assert "${PROP('Dim.App')}" in str(dashboard_body(stack))
    assert "${!" not in str(dashboard_body(stack))


@pytest.mark.parametrize(
    ("alarm", "changed", "complaint"),
    [
        ("ErrorsAlarm", {"AlarmDescription": "Errors."}, "the description is not one sentence"),
        (
            "ErrorsAlarm",
            {"AlarmDescription": 'Bad. Open docs/runbook.md at "Nowhere".'},
            "the description is not one sentence",
        ),
        (
            "ErrorsAlarm",
            {"MetricName": "Mistakes"},
            "watches AWS/Lambda Mistakes by FunctionName, which does not exist",
        ),
        ("OldestUnbindAlarm", {"Dimensions": [{"Name": "QueueName", "Value": "other"}]}, "which is not this stack's"),
        ("LedgerFailedAlarm", {"Dimensions": []}, "watches TpnsAccountSync LedgerFailed by , which does not exist"),
        ("ErrorsAlarm", {"Dimensions": [{"Name": "FunctionName", "Value": "other"}]}, "which is not this stack's"),
        ("ThrottlesAlarm", {"TreatMissingData": "missing"}, "TreatMissingData must be notBreaching"),
        ("ParkedEventsAlarm", {"OKActions": []}, "AlarmActions and OKActions differ"),
    ],
)
def test_our_own_rules_find_a_broken_alarm(
    stack: dict[str, Any], alarm: str, changed: dict[str, Any], complaint: str
) -> None:
    assert broken_watching(stack) == []
    stack["Resources"][alarm]["Properties"] |= changed
    (found,) = broken_watching(stack)
    assert found.startswith(alarm)
    assert complaint in found


def test_our_own_rules_find_a_missing_alarm(stack: dict[str, Any]) -> None:
    del stack["Resources"]["ErrorsAlarm"]
    assert broken_watching(stack) == [
        "ErrorsAlarm is missing",
        "the dashboard shows ${ErrorsAlarm.Arn}, which does not exist",
    ]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"Superseded"', '"Overtaken"', "TpnsAccountSync Overtaken by FunctionName, which does not exist"),
        ('MetricName=\\"CallFailures\\"', 'MetricName=\\"Calls\\"', "TpnsAccountSync Calls by FunctionName, Reason"),
        ('"x": 8, "y": 6', '"x": 7, "y": 6', "widgets overlap"),
        ('"${ErrorsAlarm.Arn}", ', "", "does not show ${ErrorsAlarm.Arn}"),
        ('"start": "-PT3H",', '"start": "-PT3H"', "is not JSON"),
    ],
)
def test_our_own_rules_find_a_broken_dashboard(stack: dict[str, Any], old: str, new: str, complaint: str) -> None:
    (properties,) = (
        resource["Properties"]
        for resource in stack["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Dashboard"
    )
    assert properties["DashboardBody"].count(old) == 1
    properties["DashboardBody"] = properties["DashboardBody"].replace(old, new)
    (found,) = broken_watching(stack)
    assert complaint in found, json.dumps(found)
