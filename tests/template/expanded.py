"""The template as CloudFormation gets it: after the SAM transform, with the code's location."""

from __future__ import annotations

import copy
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class _NoManagedPolicies:
    """The transform requires the account's managed policies; the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


def parsed(text: str) -> dict[str, Any]:
    return yaml_parse(text)


def expanded(template: dict[str, Any], parameters: dict[str, str] | None = None) -> dict[str, Any]:
    document = copy.deepcopy(template)
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://code/bootstrap.zip"
    return transform(document, parameters or {}, _NoManagedPolicies())


def lintable(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """Returns the template expanded for these parameters, without what only confuses linters afterwards: the settings
    that decide whether there is a deployment."""
    document = copy.deepcopy(template)
    for name, value in parameters.items():
        document["Parameters"][name]["Default"] = value
    document = expanded(document, parameters)
    # SAM has already evaluated it.
    del document["Mappings"]["Gradually"]
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::CodeDeploy::DeploymentGroup":
            # It exists only if the condition of its role holds.
            resource["Metadata"] = {"cfn-lint": {"config": {"ignore_checks": ["W1001"]}}}
    return document
