"""Who may send to a queue under its policy, as IAM evaluates it:
docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
Only what the template uses is supported. An unsupported operator is an error, and never allows anything."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Caller:
    """`may`: an IAM policy of the caller's own account allows it."""

    arn: str | None = None
    account: str | None = None
    service: str | None = None
    source: Any = None  # aws:SourceArn
    may: bool = False
    tls: bool = True


def may_send(policy: dict[str, Any], caller: Caller, own_account: str) -> bool:
    statements = [s for s in policy["Statement"] if _is_about(s, caller) and _conditions_hold(s, caller)]
    if any(statement["Effect"] == "Deny" for statement in statements):
        return False
    allows = [statement for statement in statements if statement["Effect"] == "Allow"]
    if caller.service:
        return bool(allows)
    if caller.account == own_account:
        # Naming a role allows it. Naming the account leaves the decision to the account's IAM policies.
        return caller.may or any(caller.arn in _named(statement) for statement in allows)
    # Another account must allow it too, besides this policy.
    return caller.may and bool(allows)


def _is_about(statement: dict[str, Any], caller: Caller) -> bool:
    assert statement["Action"] in ("sqs:SendMessage", "sqs:*"), statement["Action"]
    return statement["Principal"] == "*" or bool({caller.service, caller.arn, caller.account} & set(_named(statement)))


def _named(statement: dict[str, Any]) -> list[str]:
    ((_kind, names),) = statement["Principal"].items()
    return names if isinstance(names, list) else [names]


def _conditions_hold(statement: dict[str, Any], caller: Caller) -> bool:
    context = {
        "aws:SecureTransport": caller.tls,
        "aws:PrincipalIsAWSService": caller.service is not None,
        "aws:SourceArn": caller.source,
        "aws:PrincipalArn": caller.arn,
        "aws:PrincipalAccount": caller.account,
    }
    return all(
        _holds(operator, context[key], value)
        for operator, keys in statement.get("Condition", {}).items()
        for key, value in keys.items()
    )


def _holds(operator: str, actual: Any, wanted: Any) -> bool:
    values = [json.dumps(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
    match operator:
        case "Bool" | "ArnEquals":
            return actual is not None and json.dumps(actual) in values
        case "ArnLike":
            # A reference to a resource is compared as it is: its brackets are no pattern.
            actual = json.dumps(actual) if actual is not None else ""
            return actual in values or any(fnmatch.fnmatchcase(actual, value) for value in values)
        case "StringNotEquals":
            # A key that is missing equals nothing.
            return json.dumps(actual) not in values
        case _:
            raise AssertionError(f"queue_policy.py does not support {operator}")
