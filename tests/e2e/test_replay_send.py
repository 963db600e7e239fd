"""`replay send`: sends a file's events to the queue, however often it is interrupted."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from auth_events import deletion, login, logout, sent_by_bus, token
from deployment import Deployment
from replaying import (
    Replay,
    Result,
    bound,
    confirmed,
    counts,
    interrupt,
    logins_and_logouts,
    reveals_nothing,
    sent,
    stopped_when,
)

from local import pace

NOT_JSON = "this is not JSON"

Event = dict[str, Any]


def test_a_killed_send_resumes_and_every_event_is_applied(either: Deployment, replay: Replay) -> None:
    events, ends = logins_and_logouts(90)
    file = replay.file(*events)
    command = ("send", "--queue-url", either.stack.queue_url, "--rate", "60", file)
    killed = []
    for until in (10, 40):
        process = replay.start(*command)
        stopped_when(process, lambda: confirmed(file) >= until)  # noqa: B023
        interrupt(process, signal.SIGKILL)
        killed.append(confirmed(file))
    assert 10 <= killed[0] < killed[1] < len(events), "it was not killed halfway"
    ended = replay.run(*command)
    assert ended.code == 0, ended
    assert f"{killed[1]} lines already sent, resuming after them" in ended.stderr
    assert sent(ended) == len(events) - killed[1], "it sent confirmed lines again"
    either.drain()
    assert bound(either, ends) == ends
    assert (either.parked(), either.dead_letters()) == ([], [])
    reveals_nothing(ended, *events)
    again = replay.run(*command)
    assert (again.code, sent(again)) == (0, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_send_cleanly_and_nothing_is_sent_twice(
    standard: Deployment, replay: Replay, number: signal.Signals
) -> None:
    events, ends = logins_and_logouts(30)
    file = replay.file(*events)
    command = ("send", "--queue-url", standard.stack.queue_url, "--rate", "25", file)
    with pace.queue_paused(standard.cloud, standard.stack):
        process = replay.start(*command)
        stopped_when(process, lambda: confirmed(file) >= 10)
        stdout, stderr = interrupt(process, number)
        first = Result(process.returncode, stdout, stderr)
        assert first.code == 130, first
        assert "interrupted; recorded in" in first.stdout
        assert "run the same command again to resume" in first.stdout
        assert sent(first) == confirmed(file) < len(events)
        second = replay.run(*command)
        assert second.code == 0, second
        assert sent(first) + sent(second) == len(events)
        assert counts(standard, standard.stack.queue_url) == (len(events), 0)
    standard.drain()
    assert bound(standard, ends) == ends


def test_a_dry_run_sends_nothing_and_reports_what_is_in_the_file(standard: Deployment, replay: Replay) -> None:
    good = [login(token(), "ann@example.com"), logout(token(), app="ios"), deletion("ben-the-second")]
    archived = sent_by_bus(login(token(), "cem-the-third"))
    timeless = login(token(), "dee-the-fourth")
    del timeless["occurred_at"]
    unknown = login(token(), "eve-the-fifth", app="windows")
    old = {**login(token(), "fay-the-sixth"), "occurred_at": "2020-01-01T00:00:00Z"}
    invalid = {**login(token(), "gus-the-seventh"), "token": "with blanks"}
    file = replay.file(*good, archived, "", NOT_JSON, timeless, unknown, invalid, old)
    with pace.queue_paused(standard.cloud, standard.stack):
        arguments = ("send", "--dry-run", "--max-event-age", "3650d", "--apps", "android,ios", file)
        ended = replay.run(*arguments, "--queue-url", standard.stack.queue_url)
        assert counts(standard, standard.stack.queue_url) == (0, 0)
    assert replay.run(*arguments).stdout == ended.stdout, "it needs a queue"
    assert ended.code == 3
    rows = [re.split(r"\s{2,}", row.strip()) for row in ended.stdout.splitlines()]
    assert ["user.login", "android", "3"] in rows
    assert ["user.logout", "ios", "1"] in rows
    assert ["account.deleted", "(none named)", "1"] in rows
    bad = {row[0]: row[1:] for row in rows if row[0].isdigit()}
    assert list(bad) == ["6", "7", "8", "9"]
    assert bad["6"][0] == "body"
    assert bad["7"][0] == "occurred_at"
    assert "--stamp-now" in bad["7"][1]
    assert bad["8"] == [
        "app",
        "is not configured; name an app of TPNS_APPS, or add it there; the apps are android, ios",
    ]
    assert bad["9"][0] == "token"
    assert "5 lines would be sent, 4 refused; nothing was sent" in ended.stdout
    reveals_nothing(ended, *good, archived, timeless, unknown, old)
    assert not Path(f"{file}.replay").exists()
    aged = replay.run("send", "--dry-run", "--max-event-age", "1000d", file)
    assert re.search(r"would be parked: too_old, 1 line, the first is line \d+: occurred_at: is older", aged.stdout), (
        aged
    )
    assert replay.run("send", "--dry-run", "--max-event-age", "3650d", "-", stdin=json.dumps(good[0])).code == 0


def test_bad_lines_are_refused_with_their_number_and_the_others_are_sent(either: Deployment, replay: Replay) -> None:
    device, also = token(), token()
    timeless = logout(device)
    del timeless["occurred_at"]
    file = replay.file(login(device, "ann"), NOT_JSON, timeless, login(also, "ben"))
    ended = replay.run("send", "--queue-url", either.stack.queue_url, file)
    assert ended.code == 3
    assert [line.partition(": ")[0] for line in ended.stderr.splitlines()] == ["line 2", "line 3"]
    assert "an old login would become the newest" in ended.stderr
    assert sent(ended) == 2
    either.drain()
    assert bound(either, {device: set(), also: set()}) == {device: {"ann"}, also: {"ben"}}
    assert either.parked() == []
    reveals_nothing(ended, login(device, "ann"), login(also, "ben"))


def test_stamp_now_gives_events_without_a_time_the_current_time_in_the_order_of_their_lines(
    either: Deployment, replay: Replay
) -> None:
    left, came_back = token(), token()
    events = [login(left, "ann"), logout(left), login(came_back, "ben"), logout(came_back), login(came_back, "ben")]
    for event in events:
        del event["occurred_at"]
    with pace.queue_paused(either.cloud, either.stack):
        ended = replay.run("send", "--stamp-now", "--queue-url", either.stack.queue_url, replay.file(*events))
    assert ended.code == 0, ended
    assert "5 of them got the time of sending as occurred_at" in ended.stdout
    either.drain()
    assert bound(either, {left: set(), came_back: set()}) == {left: set(), came_back: {"ben"}}


def test_archived_events_keep_their_times_and_ids(standard: Deployment, replay: Replay) -> None:
    device, queue = token(), standard.stack.queue_url
    event = sent_by_bus(login(device, "ann"))
    del event["detail"]["occurred_at"]
    archived = json.dumps(event)
    notification = json.dumps({"Type": "Notification", "Message": archived})
    with pace.queue_paused(standard.cloud, standard.stack):
        assert replay.run("send", "--queue-url", queue, replay.file(archived, notification)).code == 0
        messages = standard.cloud.client("sqs").receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        assert sorted(message["Body"] for message in messages["Messages"]) == sorted([archived, notification])


def test_on_a_fifo_queue_the_device_is_the_group_and_no_attribute_has_an_account(
    stacks: Callable[[str], Deployment], replay: Replay
) -> None:
    stage, device = stacks("fifo"), token()
    events = [login(device, "ann"), logout(device), login(device, "ben"), deletion("ann@example.com")]
    with pace.queue_paused(stage.cloud, stage.stack):
        assert replay.run("send", "--queue-url", stage.stack.queue_url, replay.file(*events)).code == 0
        answer = stage.cloud.client("sqs").receive_message(
            QueueUrl=stage.stack.queue_url, MaxNumberOfMessages=10, AttributeNames=["All"], VisibilityTimeout=1
        )
    messages = [(json.loads(message["Body"]), message["Attributes"]) for message in answer["Messages"]]
    ours = [event["id"] for event, attributes in messages if attributes["MessageGroupId"] == device]
    assert ours == [event["id"] for event in events[:3]], "a device's events are out of order"
    assert len(messages) == 4
    assert all("ann" not in json.dumps(attributes) for _, attributes in messages)
    stage.drain()


def test_a_send_does_not_resume_with_another_file_or_queue(standard: Deployment, replay: Replay) -> None:
    devices, queue = [token() for _ in range(3)], standard.stack.queue_url
    file = replay.file(*[login(device, "ann") for device in devices])
    assert replay.run("send", "--queue-url", queue, file).code == 0
    file.write_text(file.read_text() + json.dumps(login(token(), "ann")) + "\n")
    appended = replay.run("send", "--queue-url", queue, file)
    assert (appended.code, sent(appended)) == (0, 1)
    other = replay.run("send", "--queue-url", standard.stack.dead_letter_queue_url, file)
    assert other.code == 2
    assert "belongs to another queue" in other.stderr
    file.write_text(file.read_text().replace("ann", "ben", 1))
    changed = replay.run("send", "--queue-url", queue, file)
    assert changed.code == 2
    assert "the file has changed since 4 lines of it were sent" in changed.stderr
    again = replay.run("send", "--restart", "--queue-url", queue, file)
    assert (again.code, sent(again)) == (0, 4)
    standard.drain()


def test_a_send_of_standard_input_resumes_with_a_state_file(standard: Deployment, replay: Replay) -> None:
    lines = [json.dumps(login(token(), "ann")) for _ in range(5)]
    command = ("send", "--queue-url", standard.stack.queue_url, "--state", replay.folder / "state", "-")
    assert sent(replay.run(*command, stdin="\n".join(lines[:3]))) == 3
    ended = replay.run(*command, stdin="\n".join(lines))
    assert (ended.code, sent(ended)) == (0, 2)
    without = replay.run("send", "--queue-url", standard.stack.queue_url, "-", stdin=lines[0])
    assert (without.code, sent(without)) == (0, 1)
    standard.drain()


def test_two_processes_do_not_send_the_same_file_at_the_same_time(standard: Deployment, replay: Replay) -> None:
    file = replay.file(*[login(token(), "ann") for _ in range(40)])
    command = ("send", "--rate", "10", "--queue-url", standard.stack.queue_url, file)
    process = replay.start(*command)
    stopped_when(process, lambda: confirmed(file) > 0)
    second = replay.run(*command)
    interrupt(process, signal.SIGINT)
    assert second.code == 2
    assert "is in use by another replay" in second.stderr
    standard.drain()
