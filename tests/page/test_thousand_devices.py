"""A thousand devices: only what is shown is built, and only what is new is sent."""

from __future__ import annotations

import pytest
from conftest import OpenPage, poll_until_shown, stop_the_clock
from playwright.sync_api import expect
from simulator import Simulator, item

THOUSAND = 1000


@pytest.fixture
def busy(sim: Simulator) -> Simulator:
    for start in range(0, THOUSAND, 20):
        items = [item(f"token-{number:04}", f"user-{number:04}") for number in range(start, start + 20)]
        sim.operate({"operator_type": 2, "token_accounts": items})
    return sim


def test_a_thousand_devices_are_counted_and_a_hundred_are_built(busy: Simulator, open_page: OpenPage) -> None:
    page = open_page()
    rows = page.locator("#device-rows tr")
    expect(page.locator("#devices-count")).to_have_text("1,000")
    expect(rows).to_have_count(100)
    expect(page.locator("#call-rows > li")).to_have_count(50)
    assert page.evaluate("document.querySelectorAll('*').length") < 2000

    more = page.locator("#more-devices")
    expect(more).to_have_text("Show 100 more of 900")
    more.press("Enter")
    expect(rows).to_have_count(200)
    expect(rows.nth(100)).to_be_focused()

    page.locator("#filter").fill("user-0007")
    expect(rows).to_have_count(1)
    expect(page.locator("#found")).to_have_text("1 device, 1 call found")
    expect(more).to_be_hidden()


def test_one_change_among_a_thousand_moves_and_marks_one_row(busy: Simulator, open_page: OpenPage) -> None:
    page = open_page()
    rows = page.locator("#device-rows tr")
    expect(rows).to_have_count(100)
    kept = page.evaluate_handle("[...document.querySelectorAll('#device-rows tr')]")
    stop_the_clock(page)
    busy.bind("token-0003", "someone-else")
    poll_until_shown(page, page.locator("#device-rows .changed"))
    expect(rows.first).to_contain_text("token-0003")
    expect(rows.first).to_contain_text("someone-else")
    expect(page.locator("#device-rows .changed")).to_have_count(1)
    # The other rows are the same elements: they were not built again.
    assert page.evaluate("(kept) => kept.filter((row) => row.isConnected).length", kept) == 99


def test_the_newest_five_hundred_calls_are_kept(busy: Simulator, open_page: OpenPage) -> None:
    page = open_page()
    for number in range(THOUSAND // 2):
        busy.operate({"operator_type": 4, "token_list": [f"gone-{number:04}"]})
    expect(page.locator("#calls-count")).to_have_text("550")
    expect(page.locator("#more-calls")).to_have_text("Show 100 more of 400")
    page.locator("#filter").fill("user-0999")
    expect(page.locator("#found")).to_have_text("1 device, 0 calls found")


def test_on_a_phone_fewer_are_built(busy: Simulator, open_page: OpenPage) -> None:
    page = open_page(width=360, height=780)
    expect(page.locator("#device-rows tr")).to_have_count(20)
    expect(page.locator("#more-devices")).to_have_text("Show 20 more of 980")
    page.set_viewport_size({"width": 1600, "height": 900})
    expect(page.locator("#device-rows tr")).to_have_count(100)


def test_a_read_without_news_is_small_and_one_change_is_one_device(busy: Simulator) -> None:
    everything = busy.control("changes")
    assert len(everything["devices"]["changed"]) == THOUSAND
    since = f"changes?since={everything['cursor']}"
    assert busy.size(since) < 500
    busy.bind("token-0003", "someone-else")
    news = busy.control(since)
    assert [device["token"] for device in news["devices"]["changed"]] == ["token-0003"]
    assert len(news["calls"]["changed"]) == 1
    assert busy.size(since) < 1500
