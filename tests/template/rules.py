"""Our own rules for the template about retries, permissions and retention, which no linter has. Each rule returns the
ways in which it is broken."""

from __future__ import annotations

import math
from typing import Any

# The queues that the function reads. The second exists only with the unbind lane.
READ_QUEUES = ("Queue", "UnbindQueue")
_VISIBILITY_FACTOR = 6
# The longest batching window of the check queue's mapping.
_CHECK_WINDOW = 30
_DAY = 24 * 3600
_FOURTEEN_DAYS = 14 * _DAY
# RETRY_MAX_DELAY, which the template leaves at its default.
_LONGEST_DELAY = 600
# A message that is not even received, because too many are in flight, waits before its first delivery.
_MARGIN = _DAY
# A message of a standard queue keeps the time it was first sent when it moves, and operators need time to redrive it.
_LEFT_FOR_OPERATORS = 4 * _DAY
# The highest maxReceiveCount that SQS takes.
_MOST_DELIVERIES = 1000

_READING = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"}
# All actions that the function may perform, by resource. A secret is not a resource of this stack, and X-Ray has no
# resources.
_PERMISSIONS = {
    "Queue": _READING,
    "UnbindQueue": _READING,
    # That of the other QueueType, whose mapping and queue stay when the type changes.
    "the other Queue": _READING,
    "FunctionLog": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "LedgerTable": {"dynamodb:UpdateItem", "dynamodb:BatchGetItem"},
    "ParkedEvents": {"sqs:SendMessage"},
    # Not their visibility: a check must not come earlier than its queue's timeout.
    "CheckQueue": {"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
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
    ("lambda:InvokeFunction", "PreTrafficCheck"),
}
# All that the check before a deployment may do.
_CHECKING = {
    ("lambda:InvokeFunction", "every version of the function"),
    ("codedeploy:PutLifecycleEventHookExecutionStatus", "every deployment group"),
}


def broken_rules(template: dict[str, Any], resolved: dict[str, Any]) -> list[str]:
    """Returns the broken rules of the template as written, and as resolved for some parameters."""
    return [
        *_visibility(template),
        *_redrive(template, resolved),
        *_readers(resolved),
        *_retention(template, resolved),
        *_lanes(resolved),
        *_checks(template, resolved),
        *_queues(resolved),
        *_permissions(resolved),
        *_ledger(resolved),
        *_direct_invocations(resolved),
        *_kept(resolved),
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


def has_ledger(resolved: dict[str, Any]) -> bool:
    """Whether there is one, of this stack or not."""
    return "LEDGER_TABLE" in resolved["Resources"]["Function"]["Properties"]["Environment"]["Variables"]


def _visibility(template: dict[str, Any]) -> list[str]:
    parameters = template["Parameters"]
    function = template["Resources"]["Function"]["Properties"]
    found = []
    # The numbers are in the mapping, so the queue must use this mapping with these two parameters.
    wanted = {"Fn::FindInMap": ["VisibilityTimeout", {"Ref": "FunctionTimeout"}, {"Ref": "BatchingWindow"}]}
    found += [
        f"{name}: VisibilityTimeout is not {wanted}"
        for name in READ_QUEUES
        if template["Resources"][name]["Properties"].get("VisibilityTimeout") != wanted
    ]
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


def _redrive(template: dict[str, Any], resolved: dict[str, Any]) -> list[str]:
    # The numbers are in the mapping, which a Rust test compares with the function's delays.
    wanted = {"Fn::FindInMap": ["GiveUpAfter", {"Ref": "GiveUpAfter"}, "MaxReceiveCount"]}
    found = [
        f"{name}: maxReceiveCount is not {wanted}"
        for name in READ_QUEUES
        if template["Resources"][name]["Properties"]["RedrivePolicy"].get("maxReceiveCount") != wanted
    ]
    return found + [
        f"{name} does not use the dead-letter queue"
        for name, queue in _read_queues(resolved).items()
        if queue["RedrivePolicy"]["deadLetterTargetArn"] != {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    ]


def _readers(resolved: dict[str, Any]) -> list[str]:
    mappings = _of_type(resolved, "AWS::Lambda::EventSourceMapping")
    read = [mapping["EventSourceArn"]["Fn::GetAtt"][0] for mapping in mappings.values()]
    wanted = sorted({*_read_queues(resolved), *({"CheckQueue"} & resolved["Resources"].keys())})
    found = [f"event source mappings read {sorted(read)}"] if sorted(read) != wanted else []
    return found + [
        f"{name} does not report partial failures"
        for name, mapping in mappings.items()
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]
    ]


def _retention(template: dict[str, Any], resolved: dict[str, Any]) -> list[str]:
    longest_wait = max(
        _LONGEST_DELAY,
        *(seconds for row in template["Mappings"]["VisibilityTimeout"].values() for seconds in row.values()),
    )
    queues, read = _of_type(resolved, "AWS::SQS::Queue"), _read_queues(resolved)
    found = [
        f"{name} keeps messages {queue['MessageRetentionPeriod']} s, not 14 days"
        for name, queue in queues.items()
        if name not in (*read, "CheckQueue") and queue["MessageRetentionPeriod"] != _FOURTEEN_DAYS
    ]
    for name, queue in read.items():
        kept = queue["MessageRetentionPeriod"]
        for given, of in template["Mappings"]["GiveUpAfter"].items():
            # With the longest delay, or a crash, each time.
            least = max(of["Seconds"], of["MaxReceiveCount"] * longest_wait) + _MARGIN
            if kept < least:
                found.append(f"{name} keeps messages {kept} s, less than {least} s for GiveUpAfter {given}")
        if kept + _LEFT_FOR_OPERATORS > _FOURTEEN_DAYS:
            found.append(f"{name} keeps messages {kept} s, which leaves too little in the dead-letter queue")
    return found


def _lanes(resolved: dict[str, Any]) -> list[str]:
    """An event goes to exactly one lane, and the lanes together have MaximumConcurrency."""
    rules = _of_type(resolved, "AWS::Events::Rule")
    patterns = [rule["EventPattern"] for rule in rules.values()]
    types = sorted(kind for pattern in patterns for kind in pattern["detail-type"])
    found = []
    if rules and types != ["account.deleted", "user.login", "user.logout"]:
        found.append(f"the rules take {types}")
    if len({str({**pattern, "detail-type": None}) for pattern in patterns}) > 1:
        found.append("the rules take events of different sources")
    for name, rule in rules.items():
        targets = [(target["Arn"], target.get("DeadLetterConfig")) for target in rule["Targets"]]
        queue = "Queue" if "user.login" in rule["EventPattern"]["detail-type"] else "UnbindQueue"
        if targets != [({"Fn::GetAtt": [queue, "Arn"]}, {"Arn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}})]:
            found.append(f"{name} has other targets than {queue}, or not the dead-letter queue")
    return found


def _checks(template: dict[str, Any], resolved: dict[str, Any]) -> list[str]:
    """A check is delivered, and delivered again, only when the calls that it checks have had time to take effect: more
    than twice an invocation and twice the time that a call may take to show (docs/decisions/0047-the-check.md)."""
    queue = _of_type(resolved, "AWS::SQS::Queue").get("CheckQueue")
    if queue is None:
        return []
    found = []
    as_written = template["Resources"]["CheckQueue"]["Properties"]
    if as_written.get("DelaySeconds") != {"Ref": "CheckAfterSeconds"}:
        found.append("CheckQueue: DelaySeconds is not the parameter CheckAfterSeconds")
    wanted = {"Fn::FindInMap": ["CheckVisibilityTimeout", {"Ref": "FunctionTimeout"}, {"Ref": "CheckAfterSeconds"}]}
    if as_written.get("VisibilityTimeout") != wanted:
        found.append(f"CheckQueue: VisibilityTimeout is not {wanted}")
    for timeout, row in template["Mappings"]["CheckVisibilityTimeout"].items():
        for after, seconds in row.items():
            if seconds != max(_VISIBILITY_FACTOR * int(timeout), int(after)) + _CHECK_WINDOW:
                found.append(f"visibility for FunctionTimeout {timeout} and CheckAfterSeconds {after} is {seconds}")
    found += _check_deliveries(template, queue["MessageRetentionPeriod"])
    if queue["RedrivePolicy"].get("deadLetterTargetArn") != {"Fn::GetAtt": ["CheckDeadLetterQueue", "Arn"]}:
        found.append("CheckQueue does not use its dead-letter queue")
    return found


def _check_deliveries(template: dict[str, Any], kept: int) -> list[str]:
    """A check is repeated for GiveUpAfter as an event is, and its queue keeps it for longer."""
    wanted = {"Fn::FindInMap": ["CheckDeliveries", {"Ref": "GiveUpAfter"}, {"Ref": "CheckAfterSeconds"}]}
    found, longest = [], 0
    if template["Resources"]["CheckQueue"]["Properties"]["RedrivePolicy"].get("maxReceiveCount") != wanted:
        found.append(f"CheckQueue: maxReceiveCount is not {wanted}")
    visibility, given = template["Mappings"]["CheckVisibilityTimeout"], template["Mappings"]["GiveUpAfter"]
    for give_up_after, row in template["Mappings"]["CheckDeliveries"].items():
        for after, deliveries in row.items():
            waits = [
                of[after] for timeout, of in visibility.items() if (int(timeout), int(after)) in _allowed(template)
            ]
            least = 1 + math.ceil((given[give_up_after]["Seconds"] - int(after)) / min(waits))
            if deliveries != min(least, _MOST_DELIVERIES):
                found.append(f"deliveries for GiveUpAfter {give_up_after} and CheckAfterSeconds {after}: {deliveries}")
            longest = max(longest, int(after) + deliveries * max(waits))
    if kept < longest + _MARGIN:
        found.append(f"CheckQueue keeps messages {kept} s, less than {longest + _MARGIN} s")
    if kept + _LEFT_FOR_OPERATORS > _FOURTEEN_DAYS:
        found.append(f"CheckQueue keeps messages {kept} s, which leaves too little in its dead-letter queue")
    return found


def _allowed(template: dict[str, Any]) -> set[tuple[int, int]]:
    """FunctionTimeout and CheckAfterSeconds, as the rule ChecksComeLateEnough allows them."""
    timeouts, delays = (
        template["Parameters"][name]["AllowedValues"] for name in ("FunctionTimeout", "CheckAfterSeconds")
    )
    return {(timeout, after) for timeout in timeouts for after in delays if timeout < 120 or after >= 600}


def _read_queues(resolved: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: queue for name, queue in _of_type(resolved, "AWS::SQS::Queue").items() if name in READ_QUEUES}


def _queues(resolved: dict[str, Any]) -> list[str]:
    found = []
    over_tls = [
        policy["Queues"]
        for policy in _of_type(resolved, "AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement.get("Condition") == {"Bool": {"aws:SecureTransport": False}}
    ]
    for name, queue in _of_type(resolved, "AWS::SQS::Queue").items():
        if queue.get("SqsManagedSseEnabled") is not True and "KmsMasterKeyId" not in queue:
            found.append(f"{name} is not encrypted")
        if [{"Ref": name}] not in over_tls:
            found.append(f"{name} can be used without TLS")
    return found


def _permissions(resolved: dict[str, Any]) -> list[str]:
    managed = [name for name, role in _of_type(resolved, "AWS::IAM::Role").items() if role.get("ManagedPolicyArns")]
    found = [f"{name} has managed policies, which reach beyond this stack" for name in managed]
    there = {
        name: actions
        for name, actions in _PERMISSIONS.items()
        if name in resolved["Resources"]
        or name == "the other Queue"
        or (name == "LedgerTable" and has_ledger(resolved))
    }
    if "DirectInvocations" in resolved["Resources"]:
        there["DeadLetterQueue"] = {"sqs:SendMessage"}
    if resolved["Resources"]["Function"]["Properties"]["TracingConfig"]["Mode"] == "Active":
        there["*"] = _TRACING
    wanted = {(action, name) for name, actions in there.items() for action in actions}
    allowed = {
        (action, _resource(resource))
        for action, resource in permissions(resolved)
        if not action.startswith(("secretsmanager:", "ssm:", "kms:", "ec2:"))
    }
    found += [f"the role may {action} on {resource}" for action, resource in sorted(allowed - wanted)]
    found += [f"the role may not {action} on {resource}" for action, resource in sorted(wanted - allowed)]
    deploying = {(action, _resource(resource)) for action, resource in permissions(resolved, "DeploymentRole")}
    if deploying not in (set(), _DEPLOYING):
        found.append(f"CodeDeploy may do something else than {sorted(_DEPLOYING)}")
    checking = {(action, _resource(resource)) for action, resource in permissions(resolved, "PreTrafficRole")}
    if checking not in (set(), _CHECKING):
        found.append(f"the check before a deployment may do something else than {sorted(_CHECKING)}")
    unchecked = _of_type(resolved, "AWS::IAM::Role").keys() - {"FunctionRole", "DeploymentRole", "PreTrafficRole"}
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


def _kept(resolved: dict[str, Any]) -> list[str]:
    """No change of a parameter deletes what holds or delivers events."""
    # Whether a parameter alone can take it out of the stack.
    removable = {"UnbindQueue", "ParkedEvents", "CheckQueue", "CheckDeadLetterQueue"}
    found = []
    for name, resource in resolved["Resources"].items():
        if resource["Type"] in ("AWS::SQS::Queue", "AWS::Events::Rule"):
            if resource.get("UpdateReplacePolicy") != "Retain":
                found.append(f"{name} is deleted when it is replaced")
            policy = "RetainExceptOnCreate" if name in removable else "Delete"
            if resource.get("DeletionPolicy") != policy:
                found.append(f"{name}: DeletionPolicy is not {policy}")
    if "QueueName" in resolved["Resources"].get("ParkedEvents", {}).get("Properties", {}):
        found.append("ParkedEvents has a QueueName: a retained queue would block the creation of the next one")
    return found


def _direct_invocations(resolved: dict[str, Any]) -> list[str]:
    """What Lambda gives up is not dropped. A destination can't be a FIFO queue, but then there is no rule either."""
    fifo = resolved["Resources"]["DeadLetterQueue"]["Properties"].get("FifoQueue")
    wanted = {
        "FunctionName": {"Ref": "Function"},
        # A rule's target is the output FunctionArn, the alias.
        "Qualifier": resolved["Resources"]["FunctionAliaslive"]["Properties"]["Name"],
        "MaximumRetryAttempts": 2,
        "MaximumEventAgeInSeconds": 21600,
        "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}}},
    }
    found = list(_of_type(resolved, "AWS::Lambda::EventInvokeConfig").values())
    return [] if found == ([] if fifo else [wanted]) else [f"events that Lambda gives up go to {found}"]


def _resource(resource: Any) -> str:
    """Returns its logical id if it is the ARN of a resource of this stack."""
    match resource:
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            return name
        case str(arn) if arn.endswith(":deploymentgroup:*"):
            return "every deployment group"
        case str(arn) if arn.endswith(":function:stack-Function-*"):
            return "every version of the function"
        case str(arn) if ":table/" in arn:
            return "LedgerTable"
        case str(arn) if arn.endswith((":stack-events", ":stack-events.fifo")):
            return "the other Queue"
        case _:
            return str(resource)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _of_type(resolved: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in resolved["Resources"].items() if r["Type"] == kind}
