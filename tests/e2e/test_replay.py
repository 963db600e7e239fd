"""`replay`: shows parked and dead-lettered events, and redrives them."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from auth_events import login, logout, on_bus, token
from deployment import Deployment
from replaying import Replay, Result, counts, interrupt, reveals_nothing, sent, stopped_when
from waiting import eventually

from local import pace

NOT_JSON = "this is not JSON"

Event = dict[str, Any]


# list and redrive


def test_list_shows_why_each_message_is_parked_and_leaves_it_there(either: Deployment, replay: Replay) -> None:
    device, url = token(), either.stack.parking_queue_url
    unknown = login(device, "ann@example.com", app="windows")
    either.handle(NOT_JSON, unknown, login(token(), "ben"))
    assert url
    table = replay.run("list", "--queue-url", url)
    assert table.code == 0, table
    fingerprint = hashlib.sha256(f"windows\0{device}".encode()).hexdigest()[:12]
    (row,) = [line for line in table.stdout.splitlines() if "app: is not configured" in line]
    for cell in ("user.login", "windows", fingerprint, unknown["occurred_at"][:19], "unknown_app"):
        assert cell in row
    assert re.search(r"malformed_json +1$", table.stdout, re.MULTILINE)
    assert counts(either, url) == (2, 0), "it did not make the messages visible again"

    machine = replay.run("list", "--json", "--queue-url", url)
    listed = {one["reason"]: one for one in map(json.loads, machine.stdout.splitlines())}
    assert set(listed) == {"malformed_json", "unknown_app"}
    assert listed["unknown_app"]["device"] == fingerprint
    assert listed["unknown_app"]["parked"] is True
    assert listed["unknown_app"]["receive_count"] == 2, "each list counts"
    assert listed["malformed_json"]["type"] is None
    for ended in (table, machine):
        reveals_nothing(ended, unknown)
    limited = replay.run("list", "--limit", "1", "--queue-url", url)
    assert "about 1 message more in the queue" in limited.stderr
    assert counts(either, url) == (2, 0)


def test_parked_events_that_are_redriven_after_the_fix_are_applied(either: Deployment, replay: Replay) -> None:
    device, url, queue = token(), either.stack.parking_queue_url, either.stack.queue_url
    unknown = login(device, "ann", app="windows")
    either.handle(unknown, NOT_JSON, login(token(), "ben", app="symbian"))
    assert url
    choice = ("redrive", "--from", url, "--to", queue, "--reason", "unknown_app", "--app", "windows")
    shown = replay.run(*choice, "--dry-run")
    assert shown.code == 0, shown
    assert "1 message chosen" in shown.stdout
    assert "nothing was sent" in shown.stdout
    mistyped = replay.run("redrive", "--from", url, "--to", queue, "--reason", "unknown_ap", "--yes")
    assert (mistyped.code, sent(mistyped)) == (3, 0)
    assert "--reason unknown_ap: of no message; there are: malformed_json (1), unknown_app (2)" in mistyped.stderr
    unasked = replay.run(*choice)
    assert unasked.code == 2
    assert "--yes" in unasked.stderr
    assert counts(either, url) == (3, 0)

    apps = json.loads(either.tpns.apps_document())
    apps["windows"] = apps.pop("android")
    with either.environment(TPNS_APPS=json.dumps(apps)):
        ended = replay.run(*choice, "--yes")
        assert (ended.code, sent(ended)) == (0, 1), ended
        either.drain()
    assert either.accounts("android", device) == {"ann"}
    assert counts(either, url) == (2, 0), "others were touched"
    assert {message.reason for message in either.parked()} == {"malformed_json", "unknown_app"}
    reveals_nothing(ended, unknown)
    reveals_nothing(shown, unknown)
    # The others were not fixed: they are parked again with the same reason, also the second time within the minutes in
    # which a FIFO queue drops duplicates.
    for _ in range(2):
        rest = replay.run("redrive", "--from", url, "--to", queue, "--all", "--yes")
        assert (rest.code, sent(rest)) == (0, 2)
        assert (
            "warning: 1 message will be parked again by the function: the event still breaks the contract"
            in rest.stderr
        )
        either.drain()
        assert counts(either, url) == (2, 0)


def test_dead_letters_are_explained_and_applied_once_tpns_works_again(either: Deployment, replay: Replay) -> None:
    device, dead = token(), either.stack.dead_letter_queue_url
    either.tpns.inject({"fault": "status", "status": 503, "times": 1000})
    with either.visibility(1):
        (event,) = either.handle(login(device, "ann"))
    listed = [json.loads(line) for line in replay.run("list", "--json", "--queue-url", dead).stdout.splitlines()]
    assert [(one["reason"], one["parked"], one["message_id"]) for one in listed] == [
        ("delivered_in_vain", False, event.message_id)
    ]
    assert f"see the function's log for message_id {event.message_id}" in listed[0]["detail"]
    either.tpns.reset()
    ended = replay.run(
        "redrive", "--from", dead, "--to", either.stack.queue_url, "--id", str(event.message_id), "--yes"
    )
    assert (ended.code, sent(ended)) == (0, 1), ended
    either.drain()
    assert either.accounts("android", device) == {"ann"}
    assert counts(either, dead) == (0, 0)
    gone = replay.run("redrive", "--from", dead, "--to", either.stack.queue_url, "--id", str(event.message_id), "--yes")
    assert (gone.code, sent(gone)) == (3, 0)
    assert f"--id {event.message_id}: no such message" in gone.stderr


def test_an_event_without_a_time_is_redriven_only_with_the_time_of_its_message(
    standard: Deployment, replay: Replay
) -> None:
    device, dead, queue = token(), standard.stack.dead_letter_queue_url, standard.stack.queue_url
    timeless = login(device, "ann")
    del timeless["occurred_at"]
    sqs = standard.cloud.client("sqs")
    earliest = int(time.time() * 1000)
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(timeless))
    latest = int(time.time() * 1000)
    command = ("redrive", "--from", dead, "--to", queue, "--all")
    for more in ("--yes", "--dry-run"):
        refused = replay.run(*command, more)
        assert refused.code == 3, refused
        assert "no time of their own" in refused.stdout
        assert counts(standard, dead) == (1, 0)
    with pace.queue_paused(standard.cloud, standard.stack):
        ended = replay.run(*command, "--yes", "--stamp")
        assert (ended.code, sent(ended)) == (0, 1), ended
        (message,) = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"]
    assert earliest <= json.loads(message["Body"])["occurred_at"] <= latest
    standard.drain()
    assert standard.accounts("android", device) == {"ann"}


def test_a_redriven_message_keeps_its_attributes_except_the_reason(standard: Deployment, replay: Replay) -> None:
    parking, queue, sqs = standard.stack.parking_queue_url, standard.stack.queue_url, standard.cloud.client("sqs")
    attributes = {name: {"DataType": "String", "StringValue": f"the {name}"} for name in ("reason", "detail", "tenant")}
    body = json.dumps(login(token(), "ann"))
    # It keeps its trace too, but MiniStack's SendMessageBatch does not accept one: crates/replay/src/sqs/send.rs tests
    # that.
    sqs.send_message(QueueUrl=parking, MessageBody=body, MessageAttributes=attributes)
    with pace.queue_paused(standard.cloud, standard.stack):
        assert replay.run("redrive", "--from", str(parking), "--to", queue, "--reason", "the reason", "--yes").code == 0
        (message,) = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == body
    assert list(message["MessageAttributes"]) == ["tenant"]
    standard.drain()


@pytest.mark.parametrize(("answer", "left"), [("n", 1), ("", 1), ("y", 0)])
def test_on_a_terminal_redrive_asks_first(standard: Deployment, replay: Replay, answer: str, left: int) -> None:
    parking, queue = str(standard.stack.parking_queue_url), standard.stack.queue_url
    event = login(token(), "ann")
    standard.cloud.client("sqs").send_message(QueueUrl=parking, MessageBody=json.dumps(event))
    shown, code = on_a_terminal(replay, answer, "redrive", "--from", parking, "--to", queue, "--all")
    assert code == 0, shown
    assert "send 1 message back? [y/N]" in shown
    assert counts(standard, parking) == (left, 0)
    standard.drain()
    assert len(standard.tpns.calls()) == 1 - left
    assert event["token"] not in shown
    assert "ann" not in shown.replace("standard", "")


def on_a_terminal(replay: Replay, answer: str, *arguments: str) -> tuple[str, int]:
    """Runs the command, answers its question, and returns what the terminal shows and the exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [replay.binary, *arguments],
        env=replay.environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, deadline, answered = "", time.monotonic() + 30, False
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                shown += os.read(ours, 65536).decode()
            except OSError:
                break  # on Linux, the other end is closed
        if "[y/N]" in shown and not answered:
            os.write(ours, f"{answer}\n".encode())
            answered = True
    os.close(ours)
    return shown, process.wait(timeout=10)


def test_ctrl_c_makes_the_messages_of_a_list_visible_again(standard: Deployment, replay: Replay) -> None:
    parking = park(standard, 300)
    process = replay.start("list", "--queue-url", parking)
    stopped_when(process, lambda: counts(standard, parking)[1] > 0)
    interrupt(process, signal.SIGINT)
    assert process.returncode == 130
    assert counts(standard, parking) == (300, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_redrive_that_is_interrupted_loses_nothing(
    standard: Deployment, replay: Replay, number: signal.Signals
) -> None:
    parking, queue = park(standard, 300), standard.stack.queue_url
    with pace.queue_paused(standard.cloud, standard.stack):
        process = replay.start("redrive", "--from", parking, "--to", queue, "--all", "--yes")
        stopped_when(process, lambda: counts(standard, queue)[0] >= 20)
        stdout, stderr = interrupt(process, number)
        (left, in_flight), (driven, _) = counts(standard, parking), counts(standard, queue)
        assert 20 <= driven < 300, "it was not interrupted halfway"
        if number == signal.SIGINT:
            ended = Result(process.returncode, stdout, stderr)
            assert (ended.code, sent(ended)) == (130, driven), ended
            assert (left, in_flight) == (300 - driven, 0)
        else:
            # A message that was sent but not yet deleted is in both queues.
            assert 300 <= left + in_flight + driven <= 310
        standard.reset()


def park(stage: Deployment, number: int) -> str:
    """Puts logins into the parking queue, ten at a time."""
    url, sqs = str(stage.stack.parking_queue_url), stage.cloud.client("sqs")
    for _ in range(number // 10):
        entries = [{"Id": str(place), "MessageBody": json.dumps(login(token(), "ann"))} for place in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    return url


def test_dead_letters_of_both_lanes_go_back_to_the_lane_of_their_type(standard: Deployment, replay: Replay) -> None:
    stays, leaves = token(), token()
    dead, queue, lane = standard.stack.dead_letter_queue_url, *standard.stack.read_queue_urls
    standard.handle(login(leaves, "ben"))
    standard.tpns.inject({"fault": "status", "status": 503, "times": None})
    with standard.visibility(1), standard.giving_up_after(1):
        standard.handle(on_bus(login(stays, "ann")), on_bus(logout(leaves)))
    assert len(standard.dead_letters()) == 2
    standard.tpns.clear_faults()
    eventually(lambda: counts(standard, dead) == (2, 0))
    with pace.queue_paused(standard.cloud, standard.stack):
        ended = replay.run("redrive", "--from", dead, "--to", queue, "--unbinds-to", lane, "--all", "--yes")
        assert (ended.code, sent(ended)) == (0, 2), ended
        assert [counts(standard, url) for url in (queue, lane)] == [(1, 0), (1, 0)]
    standard.drain()
    assert [standard.accounts("android", device) for device in (stays, leaves)] == [{"ann"}, set()]


# wrong usage


def test_an_impossible_command_prints_one_line_that_says_what_to_do(standard: Deployment, replay: Replay) -> None:
    queue, parking = standard.stack.queue_url, str(standard.stack.parking_queue_url)
    file, nowhere = replay.file(login(token(), "ann")), replay.folder / "no" / "state"
    cases: list[tuple[int, str, tuple[str | Path, ...], dict[str, str]]] = [
        (2, "--queue-url <URL>", ("send", file), {}),
        (2, "must be a queue's URL", ("send", "--queue-url", "tpns-events", file), {}),
        (2, "name a file of events", ("send", "--queue-url", queue, replay.folder / "nothing"), {}),
        (2, "name a file of events", ("send", "--queue-url", queue, replay.folder), {}),
        (2, "name a readable and writable file", ("send", "--queue-url", queue, "--state", nowhere, file), {}),
        (1, "check --queue-url and AWS_REGION", ("send", "--queue-url", f"{queue}-no", file), {}),
        (1, "check the network", ("send", "--queue-url", queue, file), {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}),
        (2, "counts as a delivery", ("list", "--queue-url", queue), {}),
        (1, "check --queue-url and AWS_REGION", ("list", "--queue-url", f"{parking}-no"), {}),
        (2, "counts as a delivery", ("redrive", "--from", queue, "--to", parking, "--all", "--yes"), {}),
        (2, "is the same queue as --from", ("redrive", "--from", parking, "--to", parking, "--all", "--yes"), {}),
        (
            2,
            "is the same queue as --from",
            ("redrive", "--from", parking, "--to", queue, "--unbinds-to", parking, "--all", "--yes"),
            {},
        ),
        (2, "is the same queue as --queue-url", ("send", "--queue-url", queue, "--unbinds-to", queue, file), {}),
        (
            2,
            "a FIFO queue has no unbind lane",
            ("send", "--queue-url", f"{queue}.fifo", "--unbinds-to", queue, file),
            {},
        ),
        (2, "--all", ("redrive", "--from", parking, "--to", queue, "--yes"), {}),
        (2, "TOKEN: must be", ("fingerprint", "--app", "android", "with blanks"), {}),
        (2, "unrecognized subcommand", ("resend",), {}),
    ]
    for code, remedy, arguments, changed in cases:
        ended = replay.run(*arguments, **changed)
        assert ended.code == code, (arguments, ended)
        assert remedy in ended.stderr, (arguments, ended)
        assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert counts(standard, queue) == (0, 0)


def test_a_redrive_to_a_missing_queue_loses_nothing(standard: Deployment, replay: Replay) -> None:
    parking = str(standard.stack.parking_queue_url)
    standard.cloud.client("sqs").send_message(QueueUrl=parking, MessageBody=json.dumps(login(token(), "ann")))
    ended = replay.run("redrive", "--from", parking, "--to", f"{standard.stack.queue_url}-no", "--all", "--yes")
    assert ended.code == 1
    assert "check --to and AWS_REGION" in ended.stderr
    assert counts(standard, parking) == (1, 0)


def test_the_fingerprint_of_a_device_is_that_of_the_log(replay: Replay) -> None:
    device = token()
    wanted = hashlib.sha256(f"android\0{device}".encode()).hexdigest()[:12] + "\n"
    assert replay.run("fingerprint", "--app", "android", device).stdout == wanted
    assert replay.run("fingerprint", "--app", "android", "-", stdin=f"{device}\n").stdout == wanted
