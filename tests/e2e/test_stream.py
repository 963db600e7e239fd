"""What `make run` reads: events in any JSON, each with what the deployed default would do with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from auth_events import login, on_bus, token

from local import stream
from local.build import Binaries
from local.problem import Problem
from local.run import ROOT
from local.tpns import tpns_apps


def read(binaries: Binaries, folder: Path, content: str) -> list[stream.Line]:
    return stream.check(binaries.check_events, content.encode(), Path("my.json"), tpns_apps(folder))


def test_the_readmes_example_pasted_as_it_is_printed_is_one_event(binaries: Binaries, tmp_path: Path) -> None:
    printed = (ROOT / "README.md").read_text().split("```json\n")[1].split("```")[0]
    (line,) = read(binaries, tmp_path, printed)
    assert (line.label, line.type, line.app, line.envelope) == ("1", "user.login", "android", "bare")


def test_a_line_has_what_is_shown_of_it_and_its_body_is_unchanged(binaries: Binaries, tmp_path: Path) -> None:
    event = login(token(), "ann")
    body = json.dumps(on_bus(event))
    bad = '{"type":"user.login","app":"windows"'
    first, second = read(binaries, tmp_path, f"{body}\n\n{bad}\n")
    assert (first.body, first.by_bus, first.parked, first.token) == (body, True, None, event["token"])
    assert (first.producer_id, first.device is not None) == (event["id"], True)
    assert (second.number, second.body, second.parked) == (3, bad, "malformed_json")


def test_what_holds_no_event_is_refused_with_the_files_name(binaries: Binaries, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"my\.json: has no events"):
        read(binaries, tmp_path, "\n \n")
    with pytest.raises(Problem, match=r"no-such: can't be read"):
        stream.read(tmp_path / "no-such")
