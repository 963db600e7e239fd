"""Light and dark, narrow and wide; and the screenshots of the docs."""

from __future__ import annotations

import io
import os
from typing import Any, Literal

import pytest
import scene
from conftest import OpenPage, poll_until_shown, stop_the_clock
from PIL import Image
from playwright.sync_api import Page, expect
from simulator import Simulator

from local.run import ROOT

SCREENSHOTS = ROOT / "crates" / "tpns-sim" / "screenshots"
_MOST_BYTES = 120_000

# The texts and the contrast of each with what is behind it, as WCAG computes it.
_CONTRASTS = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (color) => {
        const [r, g, b] = rgba(color).map((part) => part / 255)
            .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (at) => {
        for (; at; at = at.parentElement) {
            const color = getComputedStyle(at).backgroundColor;
            if (rgba(color)[3] === 255) return color;
        }
        return "canvas";
    };
    const found = new Map();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const at = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !at.checkVisibility() || at.closest(".unseen, noscript")) continue;
        const [a, b] = [luminance(getComputedStyle(at).color), luminance(ground(at))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const name = `${at.tagName} ${at.className}`;
        found.set(name, Math.min(contrast, found.get(name) ?? 99));
    }
    return [...found];
}"""

_TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll(".scroll, section, form, header")]
    .filter((at) => at.scrollWidth > at.clientWidth)
    .map((at) => `${at.tagName} ${at.id} ${at.className}: ${at.scrollWidth} > ${at.clientWidth}`)"""


def _open_all(page: Page) -> None:
    """Opens the form of a fault, and the calls."""
    page.get_by_role("button", name="Add a fault").click()
    page.get_by_text("Only some calls").click()
    for summary in page.locator("#call-rows summary").all():
        summary.click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_as_light_or_dark_as_the_system_and_its_texts_are_legible(
    sim: Simulator, open_page: OpenPage, scheme: Literal["light", "dark"]
) -> None:
    scene.play(sim)
    page = open_page(scheme=scheme)
    expect(page.locator("#call-rows > li")).to_have_count(scene.CALLS)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(", ")) / 3
    assert brightness > 200 if scheme == "light" else brightness < 50
    _open_all(page)
    contrasts = page.evaluate(_CONTRASTS)
    assert len(contrasts) > 20
    assert [(text, contrast) for text, contrast in contrasts if contrast < 4.5] == []


def test_nothing_is_wider_than_the_window(sim: Simulator, open_page: OpenPage) -> None:
    scene.play(sim)
    # As long as they can be, without a place to break.
    sim.bind("t" * 64, "a" * 100, ("b" * 100, 1002))
    sim.control("faults", {"fault": "status", "status": 500, "body": "x" * 200, "token": "t" * 64, "app": "ios"})
    page = open_page()
    expect(page.locator("#fault-list li")).to_have_count(2)
    for is_all_open in (False, True):
        if is_all_open:
            _open_all(page)
        for width in (1600, 1280, 900, 768, 360):
            page.set_viewport_size({"width": width, "height": 900})
            assert (width, page.evaluate(_TOO_WIDE)) == (width, [])


def test_a_changed_row_is_marked_without_movement_for_those_who_want_none(sim: Simulator, open_page: OpenPage) -> None:
    for reduced, name in (("reduce", "none"), ("no-preference", "fade")):
        page = open_page(reduced_motion=reduced)
        stop_the_clock(page)
        sim.bind("token1", f"someone-{reduced}")
        row = page.locator("#device-rows tr.changed")
        poll_until_shown(page, row)
        expect(row).to_have_css("animation-name", name)
        expect(row.locator("td").first).not_to_have_css("box-shadow", "none")


_SHOTS: dict[str, tuple[int, int, Literal["light", "dark"]]] = {
    "light": (1600, 900, "light"),
    "dark": (1600, 900, "dark"),
    "narrow": (360, 780, "light"),
}


@pytest.mark.parametrize("name", _SHOTS)
def test_the_screenshots_of_the_docs_show_the_page(sim: Simulator, open_page: OpenPage, name: str) -> None:
    scene.play(sim)
    width, height, scheme = _SHOTS[name]
    page = open_page(width=width, height=height, scheme=scheme)
    expect(page.locator("#call-rows > li")).to_have_count(scene.CALLS)
    if name == "light":
        page.locator("#call-rows > li", has_text="invalid token").locator("summary").click()
    if name == "dark":
        page.get_by_role("button", name="Add a fault").click()
        page.get_by_role("combobox", name="fault", exact=True).select_option("item_code")
    stop_the_clock(page)
    scene.sign_in(sim)
    marked = page.locator("#call-rows > li.changed")
    poll_until_shown(page, marked)
    expect(marked).to_have_count(1)
    taken = _small(page.screenshot())
    assert len(taken) < _MOST_BYTES
    file = SCREENSHOTS / f"{name}.png"
    if os.environ.get("UPDATE_SCREENSHOTS"):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(taken)
    assert (_size(file.read_bytes()), file.stat().st_size < _MOST_BYTES) == ((width, height), True)


def _small(png: bytes) -> bytes:
    """Reduces a screenshot to its 256 most frequent colours. The others are between two of them, around letters."""
    colours = Image.open(io.BytesIO(png)).convert("RGB")
    counts: Any = colours.getcolors(colours.width * colours.height)
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in sorted(counts, reverse=True)[:256] for part in colour])
    out = io.BytesIO()
    colours.quantize(palette=palette, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _size(png: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(png)).size
