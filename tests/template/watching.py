"""Our own rules for the alarms and the dashboard, which no linter has. Each rule returns the ways in which it is
broken."""

from __future__ import annotations

import json
import re
from typing import Any

import dashboard
from known_metrics import Metric, known_metrics
from rules import has_ledger

# The headings of docs/runbook.md that the alarms name.
HEADINGS = {
    "DeadLetterQueueNotEmptyAlarm": "The dead-letter queue is not empty",
    "LostInvocationsAlarm": "Events are lost",
    "RuleAlarm": "Events are lost",
    "UnbindRuleAlarm": "Events are lost",
    "ParkedEventsAlarm": "Events are parked",
    "DriftAlarm": "TPNS had not kept what it accepted",
    "ChecksFailAlarm": "Checks fail",
    "CheckDeadLettersAlarm": "Checks are dead-lettered",
    "OutageAlarm": "An outage",
    "OldestMessageAlarm": "The oldest message gets older",
    "OldestUnbindAlarm": "The oldest message gets older",
    "InFlightAlarm": "Too many messages are in flight",
    "UnbindsInFlightAlarm": "Too many messages are in flight",
    "MisconfiguredAlarm": "TPNS refuses the app (1008003, 1008035, 1008030)",
    "ErrorsAlarm": "The function fails",
    "ThrottlesAlarm": "The function is throttled",
    "DurationAlarm": "Invocations run into the timeout",
    "LedgerFailedAlarm": "The ledger fails",
    "UnbindsLateAlarm": "Unbinds are late",
}
# Alarm -> the optional resource that it watches.
_WATCHES = {
    "ParkedEventsAlarm": "ParkedEvents",
    "LostInvocationsAlarm": "DirectInvocations",
    "RuleAlarm": "AuthEventsRule",
    "UnbindRuleAlarm": "UnbindRule",
    "LedgerFailedAlarm": "LedgerTable",
    "DriftAlarm": "CheckQueue",
    "ChecksFailAlarm": "CheckQueue",
    "CheckDeadLettersAlarm": "CheckDeadLetterQueue",
    "OldestUnbindAlarm": "UnbindQueue",
    "UnbindsInFlightAlarm": "UnbindQueue",
}
_QUEUES = ("Queue", "UnbindQueue", "DeadLetterQueue", "ParkedEvents", "CheckDeadLetterQueue")
# The values of dimensions that refer to the stack's own queues and function.
_OWN: dict[str, list[Any]] = {
    "FunctionName": [{"Ref": "Function"}],
    # With the StackName of resolved.py. A bus may also be one that exists already.
    "RuleName": ["stack-events", "stack-unbinds"],
    "EventBusName": [{"Ref": "EventBus"}, "company-bus"],
    "QueueName": [{"Fn::GetAtt": [queue, "QueueName"]} for queue in _QUEUES],
}


def broken_watching(resolved: dict[str, Any]) -> list[str]:
    """Returns the broken rules of the template as resolved for some parameters."""
    return [*_alarms_there(resolved), *_alarms(resolved), *_dashboard(resolved)]


def alarms(resolved: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in resolved["Resources"].items() if r["Type"] == "AWS::CloudWatch::Alarm"}


def dashboard_body(resolved: dict[str, Any]) -> str | None:
    bodies = [
        r["Properties"]["DashboardBody"]
        for r in resolved["Resources"].values()
        if r["Type"] == "AWS::CloudWatch::Dashboard"
    ]
    return bodies[0] if bodies else None


def _alarms_there(resolved: dict[str, Any]) -> list[str]:
    present = {*resolved["Resources"], *(["LedgerTable"] if has_ledger(resolved) else [])}
    wanted = {name for name in HEADINGS if _WATCHES.get(name, "Queue") in present}
    there = alarms(resolved).keys()
    return [f"{name} is missing" for name in sorted(wanted - there)] + [
        f"{name} is an unknown alarm" for name in sorted(there - wanted)
    ]


def _alarms(resolved: dict[str, Any]) -> list[str]:
    found = []
    for name, alarm in alarms(resolved).items():
        heading = f'Open docs/runbook.md at "{HEADINGS.get(name)}".'
        description = " ".join(alarm.get("AlarmDescription", "").split())
        meaning = description.removesuffix(heading).strip()
        if not description.endswith(heading) or not re.fullmatch(r"[^.]+[.]", meaning):
            found.append(f"{name}: the description is not one sentence and then {heading}")
        metric = Metric(alarm["Namespace"], alarm["MetricName"], frozenset(d["Name"] for d in alarm["Dimensions"]))
        if metric not in known_metrics():
            found.append(f"{name} watches {metric}, which does not exist")
        found += [
            f"{name} watches {d['Name']} {json.dumps(d['Value'])}, which is not this stack's"
            for d in alarm["Dimensions"]
            if d["Value"] not in _OWN.get(d["Name"], [])
        ]
        if alarm.get("TreatMissingData") != "notBreaching":
            found.append(f"{name}: missing data is not a failure, so TreatMissingData must be notBreaching")
        if alarm.get("AlarmActions") != alarm.get("OKActions"):
            found.append(f"{name}: AlarmActions and OKActions differ")
    return found


def _dashboard(resolved: dict[str, Any]) -> list[str]:
    body = dashboard_body(resolved)
    if body is None:
        return []
    try:
        json.loads(body)
    except ValueError as error:
        return [f"the dashboard's body is not JSON: {error}"]
    found = [
        f"the dashboard shows {metric}, which does not exist"
        for metric in dashboard.metrics(body)
        if metric not in known_metrics()
    ]
    found += [f"widgets overlap, or exceed the grid: {pair}" for pair in dashboard.overlapping(body)]
    shown = {arn for widget in dashboard.widgets(body, "alarm") for arn in widget["properties"]["alarms"]}
    wanted = {f"${{{name}.Arn}}" for name in alarms(resolved)}
    return (
        found
        + [f"the dashboard does not show {arn}" for arn in sorted(wanted - shown)]
        + [f"the dashboard shows {arn}, which does not exist" for arn in sorted(shown - wanted)]
    )
