"""template.yaml as plain data, for the pages that quote it. Intrinsic functions such as !Sub are not evaluated."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from local.run import TEMPLATE


class _AnyTag(yaml.SafeLoader):
    pass


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else node.value


_AnyTag.add_multi_constructor("!", _plain)


@cache
def document() -> dict[str, Any]:
    return yaml.load(TEMPLATE.read_text(), _AnyTag)


def resources(kind: str) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in document()["Resources"].items() if one["Type"] == kind}


def parameters() -> dict[str, dict[str, Any]]:
    return document()["Parameters"]
