"""Whether a queue's policy lets a rule of EventBridge send to it, as IAM evaluates a service's request:
docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html"""

from __future__ import annotations

import fnmatch
from typing import Any

_SERVICE = "events.amazonaws.com"
_ACTION = "sqs:SendMessage"


class Unsupported(Exception):
    """The policy has an operator or a key that is not evaluated here."""


def lets_in(policy: dict[str, Any], queue_arn: str, rule_arn: str) -> bool:
    """Raises Unsupported if that depends on a condition that is not evaluated here."""
    about = [statement for statement in _list(policy["Statement"]) if _is_about(statement, queue_arn)]
    context = {
        "aws:sourcearn": rule_arn,
        "aws:sourceaccount": rule_arn.split(":")[4],
        "aws:securetransport": "true",
        "aws:principalisawsservice": "true",
        # Keys of a principal, which a service's request does not have.
        "aws:principalarn": None,
        "aws:principalaccount": None,
        "aws:principalorgid": None,
    }
    effects = {statement["Effect"] for statement in about if _conditions_hold(statement, context)}
    return effects == {"Allow"}


def _is_about(statement: dict[str, Any], queue_arn: str) -> bool:
    for unusual in ("NotPrincipal", "NotAction", "NotResource"):
        if unusual in statement:
            raise Unsupported(unusual)
    principal = statement["Principal"]
    named = ["*"] if principal == "*" else [name for names in principal.values() for name in _list(names)]
    actions = [action.lower() for action in _list(statement["Action"])]
    return (
        any(name in ("*", _SERVICE) for name in named)
        and any(fnmatch.fnmatchcase(_ACTION.lower(), action) for action in actions)
        and any(fnmatch.fnmatchcase(queue_arn, resource) for resource in _list(statement["Resource"]))
    )


def _conditions_hold(statement: dict[str, Any], context: dict[str, str | None]) -> bool:
    conditions = [
        (operator, key, [_text(value) for value in _list(values)])
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    ]
    return all(_holds(operator, key, values, context) for operator, key, values in conditions)


def _holds(operator: str, key: str, wanted: list[str], context: dict[str, str | None]) -> bool:
    if key.lower() not in context:
        raise Unsupported(f"the key {key}")
    actual = context[key.lower()]
    plain = operator.removesuffix("IfExists")
    negated = "Not" in plain
    if actual is None:
        # A key that is missing equals nothing.
        return negated or plain != operator
    match plain.replace("Not", ""):
        case "Bool":
            found = actual in [value.lower() for value in wanted]
        case "StringEquals":
            found = actual in wanted
        # In ARNs both operators take wildcards.
        case "ArnEquals" | "ArnLike" | "StringLike":
            found = any(fnmatch.fnmatchcase(actual, value) for value in wanted)
        case _:
            raise Unsupported(f"the operator {operator}")
    return found != negated


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
