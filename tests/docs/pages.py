"""Markdown pages for the tests: headings, code blocks, links."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from local.run import ROOT

SHELL = "sh"


@dataclass(frozen=True)
class Block:
    """A fenced code block and its place."""

    page: str
    line: int
    heading: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    path: Path
    tokens: tuple[Token, ...]

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    def headings(self) -> list[str]:
        return [
            _plain(inline)
            for opening, inline in zip(self.tokens, self.tokens[1:], strict=False)
            if opening.type == "heading_open"
        ]

    def anchors(self) -> set[str]:
        """Returns the anchors that GitHub makes from the headings: the second of equal ones gets -1."""
        found: set[str] = set()
        for heading in self.headings():
            plain = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            anchor, number = plain, 0
            while anchor in found:
                number += 1
                anchor = f"{plain}-{number}"
            found.add(anchor)
        return found

    def links(self) -> list[str]:
        """Returns the targets of the page's links and pictures."""
        inner = [child for token in self.tokens for child in token.children or []]
        targets = [
            child.attrGet("href") or child.attrGet("src") for child in inner if child.type in ("link_open", "image")
        ]
        return [str(target) for target in targets if target]

    def blocks(self, *languages: str) -> list[Block]:
        found: list[Block] = []
        heading = ""
        for token, following in zip(self.tokens, [*self.tokens[1:], None], strict=False):
            if token.type == "heading_open" and following:
                heading = _plain(following)
            if token.type == "fence" and token.info.strip() in languages:
                line = token.map[0] + 1 if token.map else 0
                found.append(Block(self.name, line, heading, token.info.strip(), token.content))
        return found

    def section(self, heading: str) -> list[Block]:
        """Returns the shell blocks under one heading."""
        found = [block for block in self.blocks(SHELL) if block.heading == heading]
        assert found, f"{self.name} has no shell block under “{heading}”"
        return found


@cache
def page(name: str) -> Page:
    path = ROOT / name
    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text())
    return Page(path, tuple(tokens))


def all_pages() -> list[Page]:
    """Returns every page in git, and new ones that git does not ignore."""
    argv = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [page(name) for name in names if (ROOT / name).exists()]


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [])
