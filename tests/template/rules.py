"""Our own rules for the template about retries, permissions and retention, which no linter has. Each rule returns the
ways in which it is broken."""

from __future__ import annotations

from typing import Any

MINIMUM_RECEIVES = 5
_VISIBILITY_FACTOR = 6
_FOURTEEN_DAYS = 14 * 24 * 3600

# All actions that the function may perform, by resource. A secret is not a resource of this stack, and X-Ray has no
# resources.
_PERMISSIONS = {
    "Queue": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "FunctionLog": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "LedgerTable": {"dynamodb:UpdateItem", "dynamodb:BatchGetItem"},
    "ParkedEvents": {"sqs:SendMessage"},
}
_TRACING = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
# All actions that CodeDeploy may perform. DescribeAlarms does not support resource-level permissions.
_DEPLOYING = {
    ("lambda:GetAlias", "Function"),
    ("lambda:UpdateAlias", "Function"),
    ("lambda:GetProvisionedConcurrencyConfig", "Function"),
    ("lambda:GetAlias", "${Function.Arn}:*"),
    ("lambda:UpdateAlias", "${Function.Arn}:*"),
    ("lambda:GetProvisionedConcurrencyConfig", "${Function.Arn}:*"),
    ("cloudwatch:DescribeAlarms", "*"),
}


def broken_rules(template: dict[str, Any], resolved: dict[str, Any]) -> list[str]:
    """Returns the broken rules of the template as written, and as resolved for some parameters."""
    return [
        *_visibility(template),
        *_redrive(resolved),
        *_partial_failures(resolved),
        *_retention(resolved),
        *_queues(resolved),
        *_permissions(resolved),
        *_ledger(resolved),
    ]


def permissions(resolved: dict[str, Any], role: str = "FunctionRole") -> list[tuple[str, Any]]:
    """Returns each action that a role allows, with its resource. The default is the function's role."""
    return [
        (action, resource)
        for policy in _of_type(resolved, "AWS::IAM::Role").get(role, {}).get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        for action in _list(statement["Action"])
        for resource in _list(statement["Resource"])
    ]


def _visibility(template: dict[str, Any]) -> list[str]:
    parameters, queue = template["Parameters"], template["Resources"]["Queue"]["Properties"]
    function = template["Resources"]["Function"]["Properties"]
    found = []
    # The numbers are in the mapping, so the queue must use this mapping with these two parameters.
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
                    f"visibility for FunctionTimeout {timeout} and BatchingWindow {window} is {seconds}, "
                    f"less than {least}"
                )
    return found


def _redrive(resolved: dict[str, Any]) -> list[str]:
    redrive = resolved["Resources"]["Queue"]["Properties"].get("RedrivePolicy", {})
    if redrive.get("maxReceiveCount", 0) < MINIMUM_RECEIVES:
        return [f"maxReceiveCount is {redrive.get('maxReceiveCount')}, less than {MINIMUM_RECEIVES}"]
    return []


def _partial_failures(resolved: dict[str, Any]) -> list[str]:
    mappings = _of_type(resolved, "AWS::Lambda::EventSourceMapping")
    if not mappings:
        return ["no event source mapping reads the queue"]
    return [
        f"{name} does not report partial failures"
        for name, mapping in mappings.items()
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]
    ]


def _retention(resolved: dict[str, Any]) -> list[str]:
    queues = _of_type(resolved, "AWS::SQS::Queue")
    return [
        f"{name} keeps messages {queue['MessageRetentionPeriod']} s, not 14 days"
        for name, queue in queues.items()
        if name != "Queue" and queue["MessageRetentionPeriod"] != _FOURTEEN_DAYS
    ]


def _queues(resolved: dict[str, Any]) -> list[str]:
    found = []
    over_tls = [
        policy["Queues"]
        for policy in _of_type(resolved, "AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement.get("Condition") == {"Bool": {"aws:SecureTransport": False}}
    ]
    for name, queue in _of_type(resolved, "AWS::SQS::Queue").items():
        if queue.get("SqsManagedSseEnabled") is not True:
            found.append(f"{name} is not encrypted")
        if [{"Ref": name}] not in over_tls:
            found.append(f"{name} can be used without TLS")
    return found


def _permissions(resolved: dict[str, Any]) -> list[str]:
    managed = [name for name, role in _of_type(resolved, "AWS::IAM::Role").items() if role.get("ManagedPolicyArns")]
    found = [f"{name} has managed policies, which reach beyond this stack" for name in managed]
    there = {name: actions for name, actions in _PERMISSIONS.items() if name in resolved["Resources"]}
    if resolved["Resources"]["Function"]["Properties"]["TracingConfig"]["Mode"] == "Active":
        there["*"] = _TRACING
    wanted = {(action, name) for name, actions in there.items() for action in actions}
    allowed = {
        (action, _resource(resource))
        for action, resource in permissions(resolved)
        if not action.startswith("secretsmanager:")
    }
    found += [f"the role may {action} on {resource}" for action, resource in sorted(allowed - wanted)]
    found += [f"the role may not {action} on {resource}" for action, resource in sorted(wanted - allowed)]
    deploying = {(action, _resource(resource)) for action, resource in permissions(resolved, "DeploymentRole")}
    if deploying not in (set(), _DEPLOYING):
        found.append(f"CodeDeploy may do something else than {sorted(_DEPLOYING)}")
    unchecked = _of_type(resolved, "AWS::IAM::Role").keys() - {"FunctionRole", "DeploymentRole"}
    return found + [f"{name} is a role without a check" for name in sorted(unchecked)]


def _ledger(resolved: dict[str, Any]) -> list[str]:
    found = []
    for name, table in _of_type(resolved, "AWS::DynamoDB::Table").items():
        wanted = {
            # What the function expects of the table: src/table/row.rs.
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
            "BillingMode": "PAY_PER_REQUEST",
            "SSESpecification": {"SSEEnabled": True},
            "DeletionProtectionEnabled": True,
        }
        found += [f"{name}: {key} is not {value}" for key, value in wanted.items() if table.get(key) != value]
        policies = {key: resolved["Resources"][name].get(key) for key in ("DeletionPolicy", "UpdateReplacePolicy")}
        found += [f"{name}: {key} is not Retain" for key, policy in policies.items() if policy != "Retain"]
        if "TableName" in table:
            found.append(f"{name} has a TableName: a retained table would block the creation of the next one")
    return found


def _resource(resource: Any) -> str:
    """Returns its logical id if it is the ARN of a resource of this stack."""
    match resource:
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            return name
        case _:
            return str(resource)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _of_type(resolved: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in resolved["Resources"].items() if r["Type"] == kind}
