"""A tpns-sim for each test, and pages of it in a real browser."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect, sync_playwright
from simulator import Simulator

from local.build import build_tpns
from local.processes import Processes
from local.run import ROOT

# A condition that is met at all is met within seconds; a busy machine may take longer.
expect.set_options(timeout=60_000)

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "Chromium is not installed; `make page` says how"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def binary(processes: Processes) -> Path:
    return build_tpns(processes, ROOT)


@pytest.fixture
def sim(processes: Processes, binary: Path) -> Iterator[Simulator]:
    sim = Simulator.start(processes, binary)
    yield sim
    if sim.process.poll() is None:
        processes.stop(sim.process)


@pytest.fixture
def open_page(browser: Browser, sim: Simulator) -> Iterator[OpenPage]:
    """Opens the page, which from then on may ask no other server, throw no error and break no rule of its policy."""
    contexts = []
    wrong: list[str] = []

    def check(request: Request) -> None:
        if not request.url.startswith(f"{sim.url}/"):
            wrong.append(f"request to {request.url}")

    def open_page(
        width: int = 1600,
        height: int = 900,
        scheme: Literal["light", "dark"] = "light",
        clock: bool = False,
        **options: Any,
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", check)
        page.on("pageerror", lambda error: wrong.append(f"error {error}"))
        page.on("console", lambda said: wrong.append(said.text) if "Security Policy" in said.text else None)
        page.on("dialog", lambda dialog: wrong.append(f"dialog {dialog.message}"))
        if clock:
            # Its timers run as usual, and can be run ahead.
            page.clock.install()
        page.goto(sim.url)
        shown(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def stop_the_clock(page: Page) -> None:
    """The page's timers stand still. It removes a mark by one of them, and a busy machine may look too late."""
    page.clock.install()
    # Far enough ahead that this time is not yet over when it arrives.
    page.clock.pause_at(page.evaluate("Date.now() + 3_600_000"))


def poll_until_shown(page: Page, row: Locator) -> None:
    """Each turn of the page's clock is one read, which ends in real time; a read under way has not seen the change."""
    ends = time.monotonic() + 60
    while row.count() == 0 and time.monotonic() < ends:
        page.clock.run_for(500)
        time.sleep(0.05)


def shown(page: Page) -> None:
    """Waits until the page shows what it has read first."""
    page.wait_for_selector("body[data-cursor]")
