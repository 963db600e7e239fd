"""Resolves an expanded template for given parameters, as CloudFormation does: conditions are evaluated, omitted
resources and properties are removed, and parameters are replaced by their values. References to resources stay as they
are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}
# For other partitions: what is different there.
CHINA = {"AWS::Partition": "aws-cn", "AWS::Region": "cn-north-1", "AWS::URLSuffix": "amazonaws.com.cn"}
GOVERNMENT = {"AWS::Partition": "aws-us-gov", "AWS::Region": "us-gov-west-1"}
_NOTHING = object()


def resolved(expanded: dict[str, Any], place: dict[str, str] | None = None, /, **parameters: str) -> dict[str, Any]:
    """Returns the resources and outputs that exist with these parameters, in us-east-1 or in another `place`."""
    resolver = _Resolver(expanded, parameters, place or {})
    return {section: resolver.section(section) for section in ("Resources", "Outputs")}


def broken_assertions(template: dict[str, Any], **parameters: str) -> list[str]:
    """Returns the assertions of the template's Rules that these parameters break."""
    resolver = _Resolver(template, parameters)
    return [
        assertion["AssertDescription"]
        for rule in template["Rules"].values()
        if resolver.value(rule.get("RuleCondition", True))
        for assertion in rule["Assertions"]
        if not resolver.value(assertion["Assert"])
    ]


class _Resolver:
    def __init__(
        self, template: dict[str, Any], parameters: dict[str, str], place: dict[str, str] | None = None
    ) -> None:
        unknown = parameters.keys() - template["Parameters"].keys()
        assert not unknown, f"no such parameters: {unknown}"
        defaults = {
            name: parameter["Default"] for name, parameter in template["Parameters"].items() if "Default" in parameter
        }
        self._template = template
        given: dict[str, Any] = {**defaults, **parameters}
        lists = {
            name for name, parameter in template["Parameters"].items() if parameter["Type"] == "CommaDelimitedList"
        }
        self._known: dict[str, Any] = {
            **PSEUDO,
            **(place or {}),
            **{name: value.split(",") if name in lists else value for name, value in given.items()},
        }

    def section(self, name: str) -> dict[str, Any]:
        entries = self._template[name].items()
        return {key: self.value(entry) for key, entry in entries if self._holds(entry.get("Condition"))}

    def value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self.value, node) if value is not _NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            if function == "Ref":
                return _NOTHING if argument == "AWS::NoValue" else self._known.get(argument, node)
            if function in self._FUNCTIONS:
                return self._FUNCTIONS[function](self, argument)
        values = {
            key: self.value(value) for key, value in node.items() if key != "Condition" or not isinstance(value, str)
        }
        return {key: value for key, value in values.items() if value is not _NOTHING}

    def _holds(self, condition: str | None) -> bool:
        return condition is None or self.value(self._template["Conditions"][condition])

    def _if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self.value(then if self._holds(condition) else otherwise)

    def _equals(self, argument: list[Any]) -> bool:
        left, right = self.value(argument)
        # To CloudFormation a number and its text are equal.
        return str(left) == str(right)

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = self.value(argument)
        return self._template["Mappings"][name][str(first)][str(second)]

    def _sub(self, argument: str | list[Any]) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument
        known = {**self._known, **self.value(own)}
        # "${!this}" stands for "${this}".
        return re.sub(r"\$\{(!?)([^}]+)}", lambda m: "${" + m[2] + "}" if m[1] else str(known.get(m[2], m[0])), text)

    def _select(self, argument: list[Any]) -> Any:
        index, values = self.value(argument)
        return values[int(index)]

    def _split(self, argument: list[Any]) -> list[str]:
        delimiter, text = self.value(argument)
        return text.split(delimiter)

    def _join(self, argument: list[Any]) -> str:
        delimiter, values = self.value(argument)
        return delimiter.join(str(value) for value in values)

    def _contains(self, argument: list[Any]) -> bool:
        values, value = self.value(argument)
        return str(value) in values

    _FUNCTIONS: ClassVar[dict[str, Callable[[_Resolver, Any], Any]]] = {
        "Condition": _holds,
        "Fn::If": _if,
        "Fn::Equals": _equals,
        "Fn::Not": lambda self, argument: not self.value(argument)[0],
        "Fn::And": lambda self, argument: all(self.value(argument)),
        "Fn::Or": lambda self, argument: any(self.value(argument)),
        "Fn::Contains": _contains,
        "Fn::FindInMap": _find_in_map,
        "Fn::Sub": _sub,
        "Fn::Select": _select,
        "Fn::Split": _split,
        "Fn::Join": _join,
    }
