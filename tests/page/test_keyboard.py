"""The page without a mouse."""

from __future__ import annotations

from conftest import OpenPage
from playwright.sync_api import Page, expect
from simulator import Simulator

# Enough for every tab stop of these pages.
_MOST_STOPS = 60

_FOCUSED = """() => {
    const at = document.activeElement;
    if (at === document.body) return null;
    const style = getComputedStyle(at);
    const labelled = at.getAttribute("aria-labelledby");
    const name = at.getAttribute("aria-label") || (labelled && document.getElementById(labelled).textContent)
        || [...(at.labels ?? [])].map((label) => label.textContent).join(" ") || at.textContent;
    const box = at.getBoundingClientRect();
    const isInside = box.bottom > 0 && box.top < innerHeight;
    const id = at.id || at.name || at.tagName.toLowerCase();
    return { id, name: name.trim(), outline: style.outlineStyle, width: parseFloat(style.outlineWidth), isInside };
}"""


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"no number of tabs leads to {selector}")


def test_each_tab_stop_is_visible_has_a_name_and_shows_the_focus(sim: Simulator, open_page: OpenPage) -> None:
    sim.bind("token1", "a")
    sim.control("faults", {"fault": "hang", "app": "ios"})
    page = open_page()
    expect(page.locator("#fault-list li")).to_have_count(1)
    stops = []
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(_FOCUSED)
        if stop is None:
            break
        stops.append(stop)
    assert [stop for stop in stops if not stop["name"] or not stop["isInside"]] == []
    assert [stop for stop in stops if stop["outline"] == "none" or stop["width"] < 2] == []
    assert " ".join(stop["id"] for stop in stops) == "a a a filter pause add button div div summary"


def test_everything_works_by_keyboard_alone(sim: Simulator, open_page: OpenPage) -> None:
    sim.bind("token1", "a")
    sim.bind("token2", "b")
    page = open_page()
    devices = page.locator("#device-rows tr")
    expect(devices).to_have_count(2)

    page.keyboard.press("/")
    expect(page.locator("#filter")).to_be_focused()
    page.keyboard.type("token2")
    expect(devices).to_have_count(1)
    page.keyboard.press("Escape")
    expect(devices).to_have_count(2)
    expect(page.locator("#filter")).to_have_value("")

    _tab_to(page, "#add")
    page.keyboard.press("Enter")
    expect(page.locator("[name=fault]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#fault-form")).to_be_hidden()
    expect(page.locator("#add")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    _tab_to(page, "[name=times]")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    faults = page.locator("#fault-list li")
    expect(faults).to_have_count(1)
    expect(page.locator("#add")).to_be_focused()
    (active,) = sim.control("faults")
    assert (active["fault"], active["times"]) == ("ret_code", 2)
    _tab_to(page, "#fault-list button")
    page.keyboard.press("Space")
    expect(faults).to_have_count(0)
    expect(page.locator("#add")).to_be_focused()

    _tab_to(page, "#call-rows summary")
    page.keyboard.press("Enter")
    expect(page.locator("#call-rows > li").first.locator("pre")).to_be_visible()
    # New calls arrive above it; the focus stays.
    sim.bind("token3", "c")
    expect(page.locator("#call-rows > li")).to_have_count(3)
    expect(page.locator("#call-rows > li").nth(1).locator("summary")).to_be_focused()


def test_removing_a_fault_leaves_the_focus_at_the_next_one(sim: Simulator, open_page: OpenPage) -> None:
    faults = [{"fault": kind, "app": "ios"} for kind in ("hang", "reset", "truncated")]
    sim.control("faults", faults)
    page = open_page()
    page.get_by_role("button", name="Remove the fault reset").press("Enter")
    expect(page.get_by_role("button", name="Remove the fault truncated")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove the fault hang")).to_be_focused()


def test_what_changes_unseen_is_announced(sim: Simulator, open_page: OpenPage) -> None:
    page = open_page()
    for announced in ("#state", "#found", "#fault-news"):
        assert page.locator(announced).get_attribute("role") == "status"
    # The rows are not: a busy simulator would be read aloud without end.
    assert page.locator("main [aria-live], main [role=log]").count() == 0
