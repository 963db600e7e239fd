"""Every combination of the parameters that decide which parts there are: what the template allows is whole, and it
refuses the rest before anything is created."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from conftest import APPS
from expanded import expanded
from references import references
from resolved import PSEUDO, broken_assertions, resolved

SWITCHES = {
    "QueueType": ["standard", "fifo"],
    "Ledger": ["on", "off"],
    "ExistingLedgerTable": ["", "kept"],
    "ParkingQueue": ["on", "off"],
    "UnbindLane": ["auto", "on", "drain", "off"],
    "TpnsApps": ["", APPS],
    "TpnsAppsSecretId": ["", "tpns/apps"],
}
ALL = [dict(zip(SWITCHES, values, strict=True)) for values in itertools.product(*SWITCHES.values())]


def is_right(chosen: dict[str, str]) -> bool:
    """The rules in the words of docs/configuration.md."""
    one_source = bool(chosen["TpnsApps"]) != bool(chosen["TpnsAppsSecretId"])
    lane_is_asked_for = chosen["UnbindLane"] in ("on", "drain")
    lane_is_possible = chosen["QueueType"] == "standard" and chosen["Ledger"] == "on"
    table_is_used = chosen["Ledger"] == "on" or not chosen["ExistingLedgerTable"]
    return one_source and table_is_used and (lane_is_possible or not lane_is_asked_for)


def test_exactly_the_right_combinations_are_accepted_before_anything_is_created(template: dict[str, Any]) -> None:
    assert len(ALL) == 256
    for chosen in ALL:
        assert (broken_assertions(template, **chosen) == []) is is_right(chosen), chosen


@pytest.mark.parametrize("gradually", ["Canary10Percent5Minutes", "off"])
def test_everything_that_an_accepted_combination_refers_to_exists(template: dict[str, Any], gradually: str) -> None:
    once = expanded(template, {"GradualDeployment": gradually})
    right = [chosen for chosen in ALL if is_right(chosen)]
    # Two sources, two parking queues; a standard and a FIFO queue, each with two kinds of table and with none.
    assert len(right) == 2 * 2 * (2 * 4 + 2 + 2 * 2 + 2)
    for chosen in right:
        made = resolved(once, GradualDeployment=gradually, **chosen)
        dangling = {name for name in references(made) if name not in made["Resources"] and name not in PSEUDO}
        assert dangling == set(), (chosen, dangling)


def test_a_dangling_reference_would_be_found(template: dict[str, Any]) -> None:
    del template["Resources"]["ParkedEvents"]["Condition"]
    del template["Resources"]["DeadLetterQueue"]
    made = resolved(expanded(template), TpnsApps=APPS)
    assert "DeadLetterQueue" in set(references(made)) - made["Resources"].keys()
