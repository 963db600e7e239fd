"""What a change of a parameter does to what is deployed, derived from the template and from AWS's schemas of its
resources."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from typing import Any

from checkers import ROOT
from conftest import APPS
from references import references
from resolved import resolved

# What only shows the stack: a change of it needs no one's attention.
_SHOWS = {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"}
# Values other than the default, for parameters without AllowedValues. The numbers are any that are allowed.
_OTHERS = {
    "TpnsAppsSecretId": ["tpns/others"],
    "TpnsAppsSsmParameter": ["/tpns/others"],
    "TpnsAppsMaxAge": ["5m"],
    "TpnsApps": ['{"ios":{}}'],
    "TpnsConcurrency": ["9"],
    "TpnsTimeoutMs": ["4000"],
    "TpnsMaxAttempts": ["4"],
    "EventBusName": ["company-bus", "default"],
    "EventSources": ["com.example.accounts"],
    "ProducerRules": ["arn:aws:events:us-east-1:123456789012:rule/accounts"],
    "ProducerTopics": ["arn:aws:sns:us-east-1:123456789012:accounts"],
    "ProducerPrincipals": ["123456789012"],
    "MaxEventAge": ["7d"],
    "MaxClockSkew": ["1m"],
    "ExistingLedgerTable": ["kept"],
    "MemorySize": ["512"],
    "DeadlineReserveMs": ["2000"],
    "Revision": ["2"],
    "VpcSubnetIds": ["subnet-0a1b2c3d"],
    "VpcSecurityGroupIds": ["sg-0a1b2c3d"],
    "KmsKeyArn": ["arn:aws:kms:us-east-1:123456789012:key/1234abcd"],
    "SecretKmsKeyArn": ["arn:aws:kms:us-east-1:123456789012:key/1234abcd"],
    "RolePath": ["/service/"],
    "PermissionsBoundary": ["arn:aws:iam::123456789012:policy/boundary"],
    "AlarmTopicArn": ["arn:aws:sns:us-east-1:123456789012:on-call"],
}
# What else must be set, so that the parameter does anything.
_WITH = {
    "TpnsApps": {"TpnsAppsSecretId": "", "TpnsApps": APPS},
    "TpnsAppsSsmParameter": {"TpnsAppsSecretId": "", "TpnsAppsSsmParameter": "/tpns/apps"},
    "VpcSecurityGroupIds": {"VpcSubnetIds": "subnet-0a1b2c3d"},
}


@dataclass
class Effect:
    version: bool = False
    updated: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    # Created with one value, and taken out of the stack with another.
    switched: set[str] = field(default_factory=set)

    def row(self, parameter: str, asks_for_revision: bool) -> str:
        def listed(names: set[str]) -> str:
            return ", ".join(sorted(names)) or "-"

        version = "yes" if self.version else "with a new `Revision`" if asks_for_revision else "-"
        cells = (f"`{parameter}`", version, listed(self.updated), listed(self.replaced), listed(self.switched))
        return "| " + " | ".join(cells) + " |"


def effect(template: dict[str, Any], expanded: dict[str, Any], name: str) -> Effect:
    """`expanded` is the template after the transform."""
    parameter = template["Parameters"][name]
    default = str(parameter["Default"])
    others = [str(v) for v in parameter["AllowedValues"]] if "AllowedValues" in parameter else _OTHERS[name]
    base = {"TpnsAppsSecretId": "tpns/apps", **_WITH.get(name, {})}
    base.setdefault(name, default)
    before = resolved(expanded, **base)["Resources"]
    found = Effect()
    for value in others:
        after = resolved(expanded, **{**base, name: value})["Resources"]
        _compare(before, after, found)
    return found


def _compare(before: dict[str, Any], after: dict[str, Any], found: Effect) -> None:
    replaced: set[str] = set()
    found.switched |= {
        name for name in before.keys() ^ after.keys() if (before.get(name) or after[name])["Type"] not in _SHOWS
    }
    # A resource that is replaced has another name or ARN, which changes those that refer to it.
    while True:
        ahead = set(replaced)
        for name in before.keys() & after.keys():
            kind, old, new = after[name]["Type"], before[name]["Properties"], after[name]["Properties"]
            changed = {
                key
                for key in old.keys() | new.keys()
                if old.get(key) != new.get(key) or set(references(new.get(key))) & replaced
            }
            if kind in _SHOWS or not changed:
                continue
            if not changed & create_only(kind):
                found.updated.add(name)
            elif kind == "AWS::Lambda::Version":
                found.version = True
            else:
                replaced.add(name)
        if replaced == ahead:
            break
    found.replaced |= replaced
    found.updated -= found.replaced


@functools.cache
def create_only(kind: str) -> frozenset[str]:
    """The properties with which a resource of this type is replaced, as AWS's schema has them."""
    schema = _schema(kind)
    pointers = schema.get("createOnlyProperties", []) + schema.get("conditionalCreateOnlyProperties", [])
    # "/properties/Name", "/properties/Name/Part"
    return frozenset(pointer.split("/")[2] for pointer in pointers)


@functools.cache
def _schema(kind: str) -> dict[str, Any]:
    (schemas,) = (ROOT / ".venv-sam" / "lib").glob("python3*/site-packages/cfnlint/data/schemas")
    for file in (schemas / "resources").glob("*.json"):
        text = file.read_text()
        if f'"{kind}"' in text and (schema := json.loads(text)).get("typeName") == kind:
            return schema
    raise AssertionError(f"cfn-lint has no schema of {kind}")
