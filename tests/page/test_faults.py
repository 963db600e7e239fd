"""Faults are added, shown and removed on the page."""

from __future__ import annotations

import http.client

from conftest import OpenPage
from playwright.sync_api import expect
from simulator import Simulator


def test_a_fault_is_added_hits_calls_and_is_removed(sim: Simulator, open_page: OpenPage) -> None:
    page = open_page()
    form, faults = page.locator("#fault-form"), page.locator("#fault-list li")
    page.get_by_role("button", name="Add a fault").click()
    form.get_by_label("status", exact=True).fill("502")
    form.get_by_label("times").fill("3")
    form.get_by_text("Only some calls").click()
    form.get_by_label("app").select_option("ios")
    form.get_by_label("token").fill("token1")
    form.get_by_role("button", name="Add this fault").click()
    expect(faults).to_have_count(1)
    expect(form).to_be_hidden()
    expect(faults).to_contain_text("status 502")
    expect(faults).to_contain_text("the next 3 calls")
    expect(page.locator("#fault-news")).to_have_text("Fault status added.")
    (active,) = sim.control("faults")
    assert {name: active[name] for name in ("fault", "status", "times", "app", "token")} == {
        "fault": "status",
        "status": 502,
        "times": 3,
        "app": "ios",
        "token": "token1",
    }

    sim.bind("token1", "a", app="ios")
    expect(faults).to_contain_text("hit 1 call")
    expect(faults).to_contain_text("the next 2 calls")
    expect(page.locator("#call-rows > li")).to_contain_text("HTTP 502")
    page.get_by_role("button", name="Remove the fault status").click()
    expect(faults).to_have_count(0)
    expect(page.locator("#no-faults")).to_be_visible()
    assert sim.control("faults") == []
    # The form starts with its defaults again.
    page.get_by_role("button", name="Add a fault").click()
    expect(form.get_by_label("status", exact=True)).to_have_value("503")


def test_a_fault_that_has_hit_its_last_call_disappears(sim: Simulator, open_page: OpenPage) -> None:
    sim.control("faults", {"fault": "disconnect"})
    page = open_page()
    expect(page.locator("#fault-list li")).to_have_count(1)
    try:
        sim.bind("token1", "a")
    except http.client.RemoteDisconnected:
        pass
    else:
        raise AssertionError("the fault did not hit")
    expect(page.locator("#fault-list li")).to_have_count(0)
    expect(page.locator("#call-rows > li")).to_contain_text("no answer")


def test_every_kind_of_fault_of_tpns_sim_can_be_added(sim: Simulator, open_page: OpenPage) -> None:
    refused = sim.control("faults", {"fault": "explode"})["error"]
    kinds = refused.removeprefix("field `fault` must be one of ").partition(', not "')[0].split(", ")
    page = open_page()
    form = page.locator("#fault-form")
    for number, kind in enumerate(kinds, start=1):
        page.get_by_role("button", name="Add a fault").click()
        assert form.get_by_role("combobox", name="fault", exact=True).locator("option").all_inner_texts() == kinds
        form.get_by_role("combobox", name="fault", exact=True).select_option(kind)
        form.get_by_role("button", name="Add this fault").click()
        expect(page.locator("#fault-list li")).to_have_count(number)
    assert [fault["fault"] for fault in sim.control("faults")] == kinds


def test_fields_that_are_no_plain_values_arrive_as_tpns_sim_wants_them(sim: Simulator, open_page: OpenPage) -> None:
    page = open_page()
    form = page.locator("#fault-form")
    page.get_by_role("button", name="Add a fault").click()
    form.get_by_role("combobox", name="fault", exact=True).select_option("delay")
    form.get_by_label("the operation is late, too").check()
    form.get_by_label("times").fill("")
    form.get_by_text("Only some calls").click()
    form.get_by_label("operator_type").select_option("2")
    form.get_by_role("button", name="Add this fault").click()
    expect(page.locator("#fault-list li")).to_contain_text("each call")
    page.get_by_role("button", name="Add a fault").click()
    form.get_by_role("combobox", name="fault", exact=True).select_option("effect")
    form.get_by_label("it is lost").check()
    form.get_by_label("probability").fill("0.5")
    form.get_by_role("button", name="Add this fault").click()
    expect(page.locator("#fault-list li")).to_have_count(2)
    expect(page.locator("#fault-list li").last).to_contain_text("the next call with probability 0.5")
    late, lost = sim.control("faults")
    assert (late["late"], late["times"], late["operator_type"]) == (True, None, 2)
    assert (lost["fault"], lost["apply"], lost["times"], lost["probability"]) == ("effect", False, 1, 0.5)


def test_a_refused_fault_says_which_field_is_wrong(sim: Simulator, open_page: OpenPage) -> None:
    page = open_page()
    form = page.locator("#fault-form")
    page.get_by_role("button", name="Add a fault").click()
    form.get_by_label("status", exact=True).fill("99")
    form.get_by_role("button", name="Add this fault").click()
    expect(form.get_by_role("alert")).to_have_text("field `status` must be an HTTP status from 200 to 599, not 99")
    assert sim.control("faults") == []
    form.get_by_label("status", exact=True).fill("500")
    form.get_by_role("button", name="Add this fault").click()
    expect(page.locator("#fault-list li")).to_have_count(1)
