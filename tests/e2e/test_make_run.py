"""`make run`, the first command of a newcomer."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from auth_events import login, logout, on_bus, token
from make_run import MakeRun
from waiting import eventually

from local.build import Binaries
from local.run import ROOT

STREAM = ROOT / "events" / "stream.jsonl"


@pytest.fixture(autouse=True)
def built(binaries: Binaries) -> None:
    """Builds first, because building takes minutes and the tests have time limits."""


@pytest.fixture
def small_stream(tmp_path: Path) -> Path:
    stream = tmp_path / "small.jsonl"
    # The last one's id contains the account, so the function does not log it.
    revealing = {**login(token(), "cem"), "id": "login-of-cem"}
    events = (login(token(), "ann"), on_bus(login(token(), "ben", app="ios")), on_bus(revealing))
    stream.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    return stream


def test_the_sample_stream_is_processed_and_nothing_is_left_running(tmp_path: Path) -> None:
    with MakeRun(tmp_path, "JSON=1") as run:
        ended = run.end()
    assert ended.code == 0, ended.stderr
    result = json.loads(ended.stdout)

    assert result["ok"] is True
    assert "parked or dead-lettered" in result["ok_means"]
    assert result["problems"] == []
    assert len(result["events"]) == len(STREAM.read_text().splitlines())
    # The stream has events with each of these outcomes on purpose.
    assert set(result["summary"]) == {"applied", "superseded", "parked"}
    ends = {event["line"]: event for event in result["events"]}
    assert all(event["deliveries"] == 1 for event in ends.values())
    assert result["calls"]
    assert all(call["applied"] for call in result["calls"])
    assert all(result["bindings"][app] for app in ("android", "ios"))
    parked = result["parked"]
    assert [message["line"] for message in parked] == [
        line for line, event in ends.items() if event["outcome"] == "parked"
    ]
    assert [(message["reason"], message["detail"]) for message in parked] == [
        (ends[message["line"]]["reason"], ends[message["line"]]["detail"]) for message in parked
    ]
    assert all(message["reason"] and message["detail"] for message in parked)
    assert result["dead_letters"] == []
    assert run.running() == []


def test_parked_and_dead_lettered_events_are_listed_separately_with_their_lines(tmp_path: Path) -> None:
    device = token()
    wrong = login(device, "ann", app="windows")
    stream = tmp_path / "wrong.jsonl"
    # The same event twice, and once over the bus; then one whose key TPNS always refuses.
    events = (wrong, on_bus(wrong), wrong, login(device, "ben", app="ios"))
    stream.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    faults = 'FAULTS={"fault":"ret_code","ret_code":1008003,"app":"ios","times":null}'
    with MakeRun(tmp_path, "JSON=1", f"EVENTS={stream}", faults, "VISIBILITY=3") as run:
        ended = run.end()
    assert ended.code == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert [event["outcome"] for event in result["events"]] == ["parked"] * 3 + ["dead-lettered"]
    assert [event["deliveries"] for event in result["events"]] == [1, 1, 1, 5]
    assert [(message["line"], message["reason"]) for message in result["parked"]] == [
        (n, "unknown_app") for n in (1, 2, 3)
    ]
    assert [json.loads(message["body"]).get("detail-type") for message in result["parked"]] == [
        None,
        "user.login",
        None,
    ]
    (letter,) = result["dead_letters"]
    assert (letter["line"], letter["body"]) == (4, json.dumps(events[3]))
    assert letter["reason"]


def test_what_the_deployed_default_would_do_is_shown_also_of_a_document_of_several_lines(tmp_path: Path) -> None:
    stream = tmp_path / "document.json"
    old = {**login(token(), "ann"), "occurred_at": "2020-01-01T00:00:00Z"}
    seconds = {**logout(token()), "occurred_at": 1_700_000_000}
    entry = {"Source": "com.example", "DetailType": "user.login", "Detail": {"token": "no text"}}
    stream.write_text("\ufeff" + json.dumps([old, seconds, entry], indent=2).replace("\n", "\r\n"))
    with MakeRun(tmp_path, "JSON=1", "STRICT=1", "KEEP=0", f"EVENTS={stream}") as run:
        ended = run.end()
    assert ended.code != 0
    result = json.loads(ended.stdout)
    assert [(event["path"], event["outcome"], event["reason"]) for event in result["events"]] == [
        ("[0]", "parked", "too_old"),
        ("[1]", "applied", None),
        ("[2]", "refused", "not_taken"),
    ]
    assert [one["warning"] for one in result["events"][1]["warnings"]] == ["seconds", "every_account"]
    assert result["ok"] is False
    assert "unless STRICT=1" in result["ok_means"]
    assert [problem.split(",")[0] for problem in result["problems"]] == ["STRICT=1: 1 parked", "STRICT=1: 1 refused"]


def test_faults_show_in_the_result_as_redeliveries(tmp_path: Path, small_stream: Path) -> None:
    fault = 'FAULTS={"fault":"status","status":503,"app":"ios","times":3}'
    with MakeRun(tmp_path, "JSON=1", f"EVENTS={small_stream}", fault, "VISIBILITY=2") as run:
        ended = run.end()
    assert ended.code == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert [(event["outcome"], event["deliveries"]) for event in result["events"]] == [
        ("applied", 1),
        ("applied", 2),
        ("applied", 1),
    ]
    assert [call["status"] for call in result["calls"] if call["app"] == "ios"] == [503, 503, 503, 200]


def test_the_tables_name_every_event_call_and_binding(tmp_path: Path, small_stream: Path) -> None:
    with MakeRun(tmp_path, f"EVENTS={small_stream}") as run:
        ended = run.end()
    assert ended.code == 0, ended.stderr
    for words in (
        "3 events",
        "2 TPNS calls",
        "3 devices",
        "0 messages in the parking queue",
        "0 messages in the dead-letter queue",
        "applied",
        "ann (0)",
        "ben (0)",
        "cem (0)",
    ):
        assert words in ended.stdout
    assert "deploying template.yaml" in ended.stderr


@pytest.mark.parametrize(
    ("interrupt", "number"),
    [(MakeRun.signal_all, signal.SIGINT), (MakeRun.signal_make, signal.SIGTERM)],
    ids=["Ctrl-C", "SIGTERM to make"],
)
def test_an_interrupted_run_leaves_nothing_running(
    tmp_path: Path, interrupt: Callable[[MakeRun, int], None], number: signal.Signals
) -> None:
    # The events are redelivered, so that the run is not over before it is interrupted.
    with MakeRun(tmp_path, f"EVENTS={STREAM}", 'FAULTS={"fault":"status","status":503,"times":null}') as run:
        # The function's binary starts last, and is a grandchild.
        run.wait_for("bootstrap")
        interrupt(run, number)
        ended = run.end()
    assert ended.code != 0
    # A killed process is there for a moment.
    eventually(lambda: run.running() == [])


@pytest.mark.parametrize(
    ("variable", "remedy"),
    [
        ("EVENTS=no-such-file.jsonl", "name a file of events"),
        ("EVENT={}", "write EVENTS=file"),
        ("events=my.jsonl", "write EVENTS=file"),
        ("FAULTS={not json", "fix it, or use a shorthand such as 503x4"),
        ('FAULTS={"fault":"no_fault"}', "is no fault; name one of status, ret_code"),
        ("PARAMETERS=QueueTyp=fifo", "is no parameter of template.yaml"),
        ("PARAMETERS=QueueType=lifo", "use one of "),
        ("PARAMETERS=TpnsApps={}", "is set by make run"),
        ("PARAMETERS=QueueType", "must be Name=value pairs"),
        ("APPS=no-such-file", "name the apps document"),
        ("FAULTS=100x2", "not a shorthand such as 503x4"),
        ("FAULTS=no-such-file", "not a shorthand such as 503x4"),
        ("VISIBILITY=0", "must be at least 1 second"),
        ("VISIBILITY=soon", "make run ARGS=--help"),
    ],
)
def test_wrong_usage_prints_one_line_that_says_what_to_do(tmp_path: Path, variable: str, remedy: str) -> None:
    with MakeRun(tmp_path, variable) as run:
        ended = run.end()
    assert ended.code != 0
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("make: ")]
    assert len(lines) == 1, ended.stderr
    assert remedy in lines[0]
    assert ended.stdout == ""


def test_the_apps_and_the_parameters_of_your_own_stack_are_those_of_the_run(tmp_path: Path) -> None:
    apps = tmp_path / "apps.json"
    apps.write_text(
        json.dumps({"huawei": {"access_id": 7, "secret_key": "a key of production", "region": "guangzhou"}})
    )
    stream = tmp_path / "own.jsonl"
    events = (login(token(), "ann", app="huawei"), on_bus(login(token(), "ben", app="huawei")), login(token(), "cem"))
    stream.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    parameters = "PARAMETERS=QueueType=fifo Ledger=on"
    with MakeRun(tmp_path, "JSON=1", f"EVENTS={stream}", f"APPS={apps}", parameters) as run:
        ended = run.end()
    assert ended.code == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert [(event["way"], event["outcome"]) for event in result["events"]] == [
        ("queue", "applied"),
        ("queue", "applied"),
        ("queue", "parked"),
    ]
    assert "a key of production" not in "".join(
        file.read_text(errors="replace") for file in tmp_path.iterdir() if file.is_file() and file != apps
    )
