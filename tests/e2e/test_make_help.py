"""`make`, which lists the commands."""

from __future__ import annotations

import re
import subprocess

from make_run import outside_make

from local.run import ROOT


def test_every_command_is_listed_and_no_line_is_wider_than_80_columns() -> None:
    ended = subprocess.run(["make"], cwd=ROOT, env=outside_make(), capture_output=True, text=True, check=True)
    lines = ended.stdout.splitlines()
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines), ended.stdout
    described = re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [line.split()[1] for line in lines if line.startswith("  make ")] == described
