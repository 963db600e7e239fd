"""The template as CloudFormation gets it: after the SAM transform, with the code's place filled in."""

from __future__ import annotations

import copy
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class _NoManagedPolicies:
    """The transform asks for the managed policies of the account; the template uses none."""

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
    """Expanded for these parameters, and without what linters can't know to be settled by that: whether there is a deployment."""
    document = copy.deepcopy(template)
    for name, value in parameters.items():
        document["Parameters"][name]["Default"] = value
    document = expanded(document, parameters)
    # SAM has read it and written what follows from it.
    del document["Mappings"]["Gradually"]
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::CodeDeploy::DeploymentGroup":
            # It is there only where the condition of its role holds.
            resource["Metadata"] = {"cfn-lint": {"config": {"ignore_checks": ["W1001"]}}}
    return document
