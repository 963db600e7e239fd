"""Every link of every page has a target."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from pages import Page, all_pages, page

from local.run import ROOT

ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@pytest.mark.parametrize("source", all_pages(), ids=lambda source: source.name)
def test_every_relative_link_and_anchor_resolves(source: Page) -> None:
    broken = [link for link in source.links() if not ELSEWHERE.match(link) and not resolves(source, link)]
    assert broken == []


def test_every_page_under_docs_is_in_an_index() -> None:
    """In that of the docs, or in an index that it names, as the decisions are."""
    index = page("docs/README.md")
    named = targets(index)
    for one in all_pages():
        if one.path in named and one.path.name == "README.md":
            named |= targets(one)
    pages = [one for one in all_pages() if one.name.startswith("docs/") and one is not index]
    assert [one.name for one in pages if one.path not in named] == []


def targets(source: Page) -> set[Path]:
    return {(source.path.parent / link.partition("#")[0]).resolve() for link in source.links()}


def resolves(source: Page, link: str) -> bool:
    file, _, anchor = unquote(link).partition("#")
    target = (source.path.parent / file).resolve() if file else source.path
    if not target.is_relative_to(ROOT) or not target.exists():
        return False
    return not anchor or (target.suffix == ".md" and anchor in page(target.relative_to(ROOT).as_posix()).anchors())
