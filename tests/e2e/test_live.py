"""The rows of a stack that is kept."""

from __future__ import annotations

import pytest

from local.live import row

LINE = {"type": "user.login", "app": "ios", "device": "2aa183252edf", "reason": "tpns_timeout", "detail": "no answer"}


@pytest.mark.parametrize(
    ("outcome", "deliveries", "shown"),
    [("applied", 1, "applied"), ("retry", 4, "retry"), ("retry", 5, "dead-lettered"), ("parked", 5, "parked")],
)
def test_a_failure_at_the_last_delivery_is_the_way_to_the_dead_letter_queue(
    outcome: str, deliveries: int, shown: str
) -> None:
    found = row(0, {**LINE, "outcome": outcome, "receive_count": deliveries}, most_receives=5)
    assert [cell.strip() for cell in found.cells[1:]] == ["user.login", "ios", "2aa183252edf", shown, str(deliveries)]
    assert found.note == "tpns_timeout: no answer"


def test_a_line_without_an_event_has_dashes() -> None:
    found = row(0, {"outcome": "parked"}, most_receives=5)
    assert [cell.strip() for cell in found.cells[1:4]] == ["-", "-", "-"]
