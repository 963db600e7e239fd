"""Which resources a part of a resolved template refers to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def references(node: Any) -> Iterator[str]:
    """The logical ids that are referred to."""
    match node:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case dict():
            for value in node.values():
                yield from references(value)
        case list():
            for value in node:
                yield from references(value)
        case str():
            # What is left of a Fn::Sub: "${Name}" and "${Name.Attribute}".
            for part in node.split("${")[1:]:
                name = part.split("}")[0].split(".")[0]
                # CloudWatch's own, in the dashboard.
                if not name.startswith("PROP("):
                    yield name
