"""What the template promises about retries, and no linter knows. Each rule gives the ways in which it is broken."""

from __future__ import annotations

from typing import Any

MINIMUM_RECEIVES = 5
_VISIBILITY_FACTOR = 6


def broken_rules(template: dict[str, Any], expanded: dict[str, Any]) -> list[str]:
    return [
        *_visibility(template),
        *_redrive(expanded),
        *_partial_failures(expanded),
        *_retention(expanded),
        *_only_own_resources(expanded),
    ]


def _visibility(template: dict[str, Any]) -> list[str]:
    parameters, queue = template["Parameters"], template["Resources"]["Queue"]["Properties"]
    function = template["Resources"]["Function"]["Properties"]
    found = []
    # The numbers come from the mapping, so it must be this mapping that is used, by these two parameters.
    wanted = {"Fn::FindInMap": ["VisibilityTimeout", {"Ref": "FunctionTimeout"}, {"Ref": "BatchingWindow"}]}
    if queue.get("VisibilityTimeout") != wanted:
        found.append(f"the queue's VisibilityTimeout is not {wanted}")
    if function.get("Timeout") != {"Ref": "FunctionTimeout"}:
        found.append("the function's Timeout is not the parameter FunctionTimeout")
    mapping = template["Mappings"]["VisibilityTimeout"]
    for timeout in parameters["FunctionTimeout"]["AllowedValues"]:
        for window in parameters["BatchingWindow"]["AllowedValues"]:
            seconds = mapping.get(str(timeout), {}).get(str(window))
            least = _VISIBILITY_FACTOR * timeout + window
            if seconds is None or seconds < least:
                found.append(
                    f"visibility for FunctionTimeout {timeout} and BatchingWindow {window} is {seconds}, less than {least}"
                )
    return found


def _redrive(expanded: dict[str, Any]) -> list[str]:
    redrive = expanded["Resources"]["Queue"]["Properties"].get("RedrivePolicy", {})
    if redrive.get("maxReceiveCount", 0) < MINIMUM_RECEIVES:
        return [f"maxReceiveCount is {redrive.get('maxReceiveCount')}, less than {MINIMUM_RECEIVES}"]
    return []


def _partial_failures(expanded: dict[str, Any]) -> list[str]:
    mappings = _of_type(expanded, "AWS::Lambda::EventSourceMapping")
    if not mappings:
        return ["no event source mapping reads the queue"]
    return [
        f"{name} does not report partial failures"
        for name, mapping in mappings.items()
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]
    ]


def _retention(expanded: dict[str, Any]) -> list[str]:
    queue, dead = (expanded["Resources"][name]["Properties"]["MessageRetentionPeriod"] for name in ("Queue", "DeadLetterQueue"))
    return [f"the dead-letter queue keeps messages {dead} s, less than the queue's {queue} s"] if dead < queue else []


def _only_own_resources(expanded: dict[str, Any]) -> list[str]:
    found = []
    for name, role in _of_type(expanded, "AWS::IAM::Role").items():
        if role.get("ManagedPolicyArns"):
            found.append(f"{name} has managed policies, which reach beyond this stack")
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if "*" in (statement["Resource"], statement["Action"]):
                    found.append(f"{name}: policy {policy['PolicyName']} allows everything")
    return found


def _of_type(expanded: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in expanded["Resources"].items() if r["Type"] == kind}
