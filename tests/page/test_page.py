"""What the page shows, and what it can do."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from urllib.parse import urlsplit

from conftest import OpenPage, poll_until_shown, stop_the_clock
from playwright.sync_api import Route, expect
from simulator import QUERY, Simulator, item

from local.processes import Processes


def test_devices_appear_as_calls_are_made_and_are_marked_for_a_moment(sim: Simulator, open_page: OpenPage) -> None:
    page = open_page()
    rows = page.locator("#device-rows tr")
    expect(page.locator("#no-devices")).to_contain_text("No device has an account")
    stop_the_clock(page)
    sim.bind("token1", ("926@126.com", 1005), "1527000000")
    poll_until_shown(page, rows)
    expect(rows).to_have_count(1)
    expect(rows).to_have_class("changed")
    expect(rows).to_contain_text("android")
    expect(rows).to_contain_text("token1")
    expect(rows.locator(".accounts li")).to_have_text(["1527000000", "926@126.com1005 email"])
    expect(page.locator("#no-devices")).to_be_hidden()
    expect(page.locator("#devices-count")).to_have_text("1")
    page.clock.run_for(4_000)
    expect(rows).not_to_have_class("changed")


def test_what_is_there_when_the_page_opens_is_not_marked(sim: Simulator, open_page: OpenPage) -> None:
    sim.bind("token1", "a")
    page = open_page()
    expect(page.locator("#device-rows tr")).to_have_count(1)
    expect(page.locator("#call-rows > li")).to_have_count(1)
    # Without waiting: a mark would go away.
    assert page.locator(".changed").count() == 0


def test_the_last_change_is_first_and_a_device_that_lost_its_accounts_says_so(
    sim: Simulator, open_page: OpenPage
) -> None:
    for token in ("token1", "token2", "token3"):
        sim.bind(token, "a")
    page = open_page()
    tokens = page.locator("#device-rows .token")
    expect(tokens).to_have_text(["token3", "token2", "token1"])
    sim.operate({"operator_type": 4, "token_list": ["token1"]})
    expect(tokens).to_have_text(["token1", "token3", "token2"])
    expect(page.locator("#device-rows tr").first).to_contain_text("no accounts")


def test_a_login_that_changes_nothing_marks_nothing(sim: Simulator, open_page: OpenPage) -> None:
    for token in ("token1", "token2"):
        sim.bind(token, "a")
    page = open_page()
    tokens = page.locator("#device-rows .token")
    expect(tokens).to_have_text(["token2", "token1"])
    sim.bind("token1", "a")
    expect(tokens).to_have_text(["token1", "token2"])
    assert page.locator("#device-rows .changed").count() == 0


def test_a_call_shows_its_operation_items_codes_and_the_hint_about_its_signature(
    sim: Simulator, open_page: OpenPage
) -> None:
    sim.control("faults", {"fault": "item_code", "code": 1008006, "token": "token2"})
    sim.operate({"operator_type": 2, "token_accounts": [item("token1", "a"), item("token2", "b")]})
    sim.operate({"operator_type": 4, "token_list": ["token1"]}, upper_case=True)
    sim.operate({"operator_type": 2, "token_list": ["token1"]}, "ios", QUERY)
    page = open_page()
    query, unsigned, partly = page.locator("#call-rows > li").all()
    expect(query).to_contain_text("2 query tokens")
    expect(query).to_contain_text("ios")
    expect(unsigned).to_contain_text("4 unbind tokens")
    expect(unsigned).to_contain_text("1008003 auth failure")
    expect(unsigned).to_contain_text("Sign was made from upper-case hex; TPNS expects lower-case")
    expect(partly).to_contain_text("2 override")
    expect(partly.locator(".number")).to_contain_text("2")
    expect(partly).to_contain_text("1008026 batch op, partly error")
    expect(partly).to_contain_text("1 x 0, 1 x 1008006 invalid token".replace(" x ", " \N{MULTIPLICATION SIGN} "))
    expect(partly).to_contain_text("fault item_code")

    partly.locator("summary").click()
    expect(partly.locator(".result li")).to_have_text(["token10 NO_ERROR", "token21008006 invalid token"])
    request = json.loads(partly.locator("pre").inner_text())
    assert request["token_accounts"][1] == {"token": "token2", "account_list": [{"account": "b", "account_type": 0}]}
    expect(partly.locator("dl")).to_contain_text("page-test")


def test_a_call_without_an_answer_says_so(sim: Simulator, open_page: OpenPage, processes: Processes) -> None:
    sim.control("faults", {"fault": "hang"})
    caller = Simulator(sim.process, sim.url)

    def hang() -> None:
        # The answer is the end of the server.
        try:
            caller.bind("token1", "a")
        except (OSError, ValueError):
            return

    hanging = threading.Thread(target=hang)
    hanging.start()
    page = open_page()
    call = page.locator("#call-rows > li")
    expect(call).to_contain_text("no answer")
    expect(call).to_contain_text("fault hang")
    processes.stop(sim.process)
    hanging.join()


def test_an_open_call_stays_open_when_its_answer_arrives(sim: Simulator, open_page: OpenPage) -> None:
    sim.bind("token1", "a")
    first = sim.control("changes")
    answered = first["calls"]["changed"][0]
    waiting = {**answered, "status": None, "ret_code": None, "result": None}
    page = open_page()
    news: list[object] = []

    def answer(route: Route) -> None:
        part = {"all": False, "changed": [news.pop()] if news else []}
        route.fulfill(json={**first, "devices": {"all": False, "changed": []}, "calls": part})

    page.route("**/_sim/changes*", answer)
    call = page.locator("#call-rows > li")
    news.append(waiting)
    expect(call).to_contain_text("no answer yet")
    call.locator("summary").click()
    expect(call.locator("pre")).to_be_visible()
    news.append(answered)
    expect(call).to_contain_text("0 NO_ERROR")
    expect(call.locator("pre")).to_be_visible()
    expect(call.locator("summary")).to_be_focused()


def test_operations_that_have_no_effect_yet_are_counted(sim: Simulator, open_page: OpenPage) -> None:
    sim.control("faults", {"fault": "effect", "late_ms": 86_400_000})
    sim.bind("token1", "a")
    page = open_page()
    expect(page.locator("#effects")).to_contain_text("1 operation not in effect yet")
    expect(page.locator("#no-devices")).to_be_visible()


def test_a_reset_empties_the_page_and_new_calls_appear(sim: Simulator, open_page: OpenPage) -> None:
    for number in range(3):
        sim.bind(f"token{number}", "a")
    sim.control("faults", {"fault": "hang", "app": "ios"})
    page = open_page()
    expect(page.locator("#fault-list li")).to_have_count(1)
    sim.control("reset", {"bindings": True, "calls": True, "faults": True})
    for part in ("#device-rows tr", "#call-rows > li", "#fault-list li"):
        expect(page.locator(part)).to_have_count(0)
    expect(page.locator("#calls-count")).to_have_text("0")
    sim.bind("token9", "a")
    expect(page.locator("#device-rows .token")).to_have_text(["token9"])
    expect(page.locator("#calls-count")).to_have_text("1")


def test_another_server_at_the_same_address_replaces_what_was_shown(
    sim: Simulator, open_page: OpenPage, processes: Processes, binary: Path
) -> None:
    sim.bind("token1", "a")
    page = open_page()
    expect(page.locator("#state")).to_have_text("live")
    processes.stop(sim.process)
    expect(page.locator("#state")).to_have_text("tpns-sim does not answer; trying again")
    expect(page.locator("#device-rows tr")).to_have_count(1)
    later = Simulator.start(processes, binary, urlsplit(sim.url).netloc)
    later.bind("token2", "b")
    expect(page.locator("#device-rows .token")).to_have_text(["token2"])
    expect(page.locator("#state")).to_have_text("live")
    processes.stop(later.process)


def test_a_paused_page_asks_nothing_and_catches_up_afterwards(sim: Simulator, open_page: OpenPage) -> None:
    page = open_page(clock=True)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#state")).to_have_text("paused")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sim.bind("token1", "a")
    page.clock.run_for(60_000)
    assert asked == []
    expect(page.locator("#device-rows tr")).to_have_count(0)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#device-rows tr")).to_have_count(1)
    expect(page.locator("#state")).to_have_text("live")


def test_a_page_that_no_one_sees_asks_nothing(sim: Simulator, open_page: OpenPage) -> None:
    page = open_page(clock=True)
    hide = "(is) => Object.defineProperty(document, 'hidden', { get: () => is, configurable: true })"
    page.evaluate(hide, True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sim.bind("token1", "a")
    page.clock.run_for(60_000)
    assert asked == []
    page.evaluate(hide, False)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#device-rows tr")).to_have_count(1)


def test_the_filter_finds_devices_and_calls_by_each_of_its_words(sim: Simulator, open_page: OpenPage) -> None:
    sim.bind("token1", ("926@126.com", 1005))
    sim.bind("token2", "Mo")
    sim.bind("token1", "mo", app="ios")
    sim.operate({"operator_type": 4, "token_list": ["token1"]}, upper_case=True)
    page = open_page()
    devices, calls, found = page.locator("#device-rows tr"), page.locator("#call-rows > li"), page.locator("#found")
    expect(devices).to_have_count(3)
    for text, of_devices, of_calls in (
        ("token1", 2, 3),
        ("TOKEN1 ios", 1, 1),
        ("mo", 2, 2),
        ("email", 1, 0),
        ("1008003", 0, 1),
        ("  upper-case   hex ", 0, 1),
        ("nothing like it", 0, 0),
    ):
        page.locator("#filter").fill(text)
        expect(devices).to_have_count(of_devices)
        expect(calls).to_have_count(of_calls)
        expect(found).to_have_text(
            f"{of_devices} device{'' if of_devices == 1 else 's'}, {of_calls} call{'' if of_calls == 1 else 's'} found"
        )
    expect(page.locator("#no-devices")).to_have_text("Nothing matches the filter.")
    page.locator("#filter").fill("")
    expect(devices).to_have_count(3)
    expect(found).to_have_text("")
    page.locator("#device-rows .account", has_text="926@126.com").click()
    expect(page.locator("#filter")).to_have_value("926@126.com")
    expect(devices).to_have_count(1)
    # What arrives later is filtered, too.
    sim.bind("token8", "926@126.com")
    sim.bind("token9", "other")
    expect(page.locator("#devices-count")).to_have_text("5")
    expect(devices).to_have_count(2)
