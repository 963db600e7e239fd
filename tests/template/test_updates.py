"""docs/updating.md says what a change of each parameter does, as AWS's schemas have it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from checkers import ROOT
from expanded import expanded
from updates import create_only, effect

PAGE = ROOT / "docs" / "updating.md"
# What holds events or state, or delivers events.
KEEPS = {"Queue", "UnbindQueue", "DeadLetterQueue", "ParkedEvents", "LedgerTable", "AuthEventsRule", "UnbindRule"}


@pytest.fixture
def rows(template: dict[str, Any]) -> dict[str, str]:
    once = expanded(template)
    return {name: effect(template, once, name).row(name, asks(parameter)) for name, parameter in parameters(template)}


def test_the_table_of_the_page_is_what_the_schemas_say(rows: dict[str, str]) -> None:
    table = [line for line in PAGE.read_text().splitlines() if re.match(r"\| `\w+` \|", line)]
    assert table == list(rows.values()), "\n".join(rows.values())


def test_each_change_that_takes_away_what_holds_or_delivers_events_has_its_steps(template: dict[str, Any]) -> None:
    once = expanded(template)
    steps = " ".join(re.findall(r"^## (.*)$", PAGE.read_text(), re.MULTILINE))
    for name, _ in parameters(template):
        found = effect(template, once, name)
        if (found.replaced | found.switched) & KEEPS:
            assert f"`{name}`" in steps, f"{name} needs a section with the steps"


def test_the_schemas_are_those_of_aws() -> None:
    assert create_only("AWS::SQS::Queue") == {"FifoQueue", "QueueName"}
    assert {"Name", "EventBusName"} <= create_only("AWS::Events::Rule")
    assert "Description" in create_only("AWS::Lambda::Version")


def test_another_path_of_the_role_asks_for_another_version(rows: dict[str, str]) -> None:
    assert rows["RolePath"].startswith("| `RolePath` | with a new `Revision` |")


def parameters(template: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return list(template["Parameters"].items())


def asks(parameter: dict[str, Any]) -> bool:
    return "change Revision as well" in " ".join(parameter["Description"].split())
