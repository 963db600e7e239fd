"""MiniStack, with one thing mended that AWS does and MiniStack 1.5.33 does not."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import samtranslator.translator.transform as sam
from ministack.app import main as ministack
from ministack.services.cloudformation import changesets, engine, handlers

_parameters: ContextVar[dict[str, str]] = ContextVar("parameters", default={})


def main() -> None:
    _give_parameters_to_the_sam_transform()
    ministack()


def _give_parameters_to_the_sam_transform() -> None:
    """CloudFormation tells the SAM transform the stack's parameters; MiniStack keeps them to itself, and so every stack gets what
    the defaults would make. It matters where SAM itself decides by a parameter: whether there is a gradual deployment."""
    apply_transforms, transform = engine._apply_transforms, sam.transform

    def with_parameters(template: dict[str, Any], provided: Any = None, previous: Any = None) -> Any:
        token = _parameters.set({one["Key"]: one["Value"] for one in provided or [] if "Value" in one})
        try:
            return apply_transforms(template, provided, previous)
        finally:
            _parameters.reset(token)

    for module in (changesets, engine, handlers):
        module._apply_transforms = with_parameters
    sam.transform = lambda template, _none, policies: transform(template, _parameters.get(), policies)
