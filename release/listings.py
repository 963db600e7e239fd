"""What the binaries are made of: the licences that are owed with them, and a bill of materials (CycloneDX)."""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .build import FUNCTION
from .problem import Problem

_TOOLS = Path("target") / "tools" / "bin"
_TEMPLATE = Path("release") / "licences.hbs"


def licences_name(program: str) -> str:
    return f"THIRD-PARTY-LICENCES-{program}.txt"


def licences(root: Path, program: str) -> str:
    """Returns the licences of the crates in a program, each with its text."""
    argv = ["generate", "--locked", "--offline", "--fail", "--manifest-path", str(_manifest(root, program))]
    return _run(root, "cargo-about", [*argv, str(root / _TEMPLATE)])


def components(root: Path, program: str) -> str:
    """Returns the crates that a program is built from, with their checksums, as CycloneDX JSON. From the same commit it
    is the same text."""
    with tempfile.TemporaryDirectory() as scratch:
        # A copy: cargo-cyclonedx writes beside each manifest of the workspace.
        copy = Path(scratch).resolve() / "source"
        _copy(root, copy)
        argv = ["cyclonedx", "--format", "json", "--spec-version", "1.5", "--target", "all", "--quiet"]
        time = str(_released_at(root))
        _run(copy, "cargo-cyclonedx", argv, tool=root / _TOOLS / "cargo-cyclonedx", SOURCE_DATE_EPOCH=time)
        listed = (_manifest(copy, program).parent / f"{program}.cdx.json").read_text()
    text = json.dumps(json.loads(listed.replace(str(copy), "/source")), indent=1, sort_keys=True)
    return f"{text}\n"


def _released_at(root: Path) -> int:
    """Returns the day of the newest version in the changelog, in seconds since 1970."""
    found = re.search(r"^## [0-9.]+ - (\d{4}-\d\d-\d\d)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    if not found:
        raise Problem("CHANGELOG.md: has no version with a date; add a heading such as `## 0.1.0 - 2026-11-26`")
    return int(datetime.datetime.fromisoformat(f"{found[1]}T00:00:00+00:00").timestamp())


def _manifest(root: Path, program: str) -> Path:
    return root / "Cargo.toml" if program == FUNCTION else root / "crates" / program / "Cargo.toml"


def _copy(root: Path, copy: Path) -> None:
    manifest_and_sources = shutil.ignore_patterns("target", "node_modules", ".*")
    for name in ("src", "crates", "benches", "tests"):
        shutil.copytree(root / name, copy / name, ignore=manifest_and_sources)
    for name in ("Cargo.toml", "Cargo.lock"):
        shutil.copyfile(root / name, copy / name)


def _run(folder: Path, name: str, argv: list[str], tool: Path | None = None, **environment: str) -> str:
    tool = tool or folder / _TOOLS / name
    if not tool.exists():
        raise Problem(f"{name}: is not in {_TOOLS}; run `make release`, which installs it")
    ended = subprocess.run(
        [str(tool), *argv], check=False, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True
    )
    if ended.returncode != 0:
        raise Problem(f"{name}: failed: {ended.stderr.strip()}")
    return ended.stdout
