"""Nothing that a client sends becomes part of the page, and the page talks to its own server only."""

from __future__ import annotations

from conftest import OpenPage
from playwright.sync_api import expect
from simulator import Simulator, item

IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "<script>alert(2)</script>"


def test_what_looks_like_html_is_shown_as_text_everywhere(sim: Simulator, open_page: OpenPage) -> None:
    # `open_page` fails the test if a dialog opens or something is fetched from elsewhere.
    page = open_page()
    sim.control("faults", {"fault": "item_code", "code": 1008006, "token": SCRIPT})
    items = [item(IMAGE, SCRIPT, (f"'\"{IMAGE}", 1)), item(SCRIPT, "&lt;b&gt;")]
    sim.operate({"operator_type": 2, "token_accounts": items})
    sim.control("faults", {"fault": "malformed", "body": IMAGE, "account": SCRIPT, "token": IMAGE, "times": None})
    sim.operate({"operator_type": 3, "token_accounts": [item(IMAGE, "x")], IMAGE: SCRIPT})
    device = page.locator("#device-rows tr")
    expect(device.locator(".token")).to_have_text(IMAGE)
    expect(device.locator(".account")).to_have_text([SCRIPT, f"'\"{IMAGE}"])
    expect(page.locator("#fault-list li")).to_contain_text(f"body {IMAGE}")
    calls = page.locator("#call-rows > li")
    expect(calls).to_have_count(2)
    for summary in calls.locator("summary").all():
        summary.click()
    expect(calls.last.locator(".result li")).to_contain_text([IMAGE, SCRIPT])
    expect(calls.first.locator("pre")).to_contain_text(f'"{IMAGE}": "{SCRIPT}"')
    page.locator("#filter").fill(IMAGE)
    expect(device).to_have_count(1)
    assert page.locator("main img, main script, main b b").count() == 0


def test_the_policy_allows_no_other_server_no_inline_code_and_no_html_from_text(
    sim: Simulator, open_page: OpenPage
) -> None:
    page = open_page()
    answer = page.request.get(sim.url)
    policy = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["style-src"] == "'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    refused = page.evaluate("""() => {
        try { document.body.innerHTML = "<b>x</b>"; return null; } catch (error) { return error.name; }
    }""")
    assert refused == "TypeError"


def test_every_file_comes_from_tpns_sim_and_none_is_logged_as_a_call(sim: Simulator, open_page: OpenPage) -> None:
    page = open_page()
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname)")
    assert {"/_sim/page/main.js", "/_sim/page/page.css", "/_sim/page/icon.svg"} <= set(loaded)
    assert sim.control("calls") == []
