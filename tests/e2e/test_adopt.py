"""`replay adopt` fills the ledger from a file of who is signed in where, and anything newer in it wins."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from audits import Audited, confirmed
from auth_events import deletion, login, logout, token
from replaying import Result, interrupt, stopped_when
from waiting import eventually


def adopt(audited: Audited, *options: str | Path) -> Result:
    command = ["adopt", "--table", audited.table, "--apps", audited.apps, "--rate", "10000", *options]
    return audited.silent(audited.replay.run(*command))


def signed_in(audited: Audited, number: int, *accounts: str, app: str = "android") -> list[dict[str, Any]]:
    """Returns lines of devices that have these accounts at TPNS, and no row."""
    lines = [login(token(), *accounts, app=app) for _ in range(number)]
    for line in lines:
        audited.bind(line["token"], *accounts, app=app)
    return lines


def rows(audited: Audited) -> dict[str, dict[str, Any]]:
    assert audited.stage.table
    return audited.stage.table.rows()


def test_after_an_adoption_the_ledger_agrees_with_tpns_which_was_not_called(audited: Audited) -> None:
    lines = signed_in(audited, 30, "annabel", "annabel@example.com") + signed_in(audited, 2, "benedict", app="ios")
    ended = adopt(audited, audited.replay.file(*lines))
    assert ended.code == 0, ended
    assert "32 devices written to" in ended.stdout
    assert (audited.stage.tpns.calls(), audited.queries()) == ([], 0)
    found = audited.found()
    assert [found["apps"][app]["agree"] for app in ("android", "ios")] == [30, 2]


def test_an_adopted_row_is_the_one_that_the_function_writes(audited: Audited) -> None:
    (line,) = signed_in(audited, 1, "annabel", "annabel@example.com")
    assert adopt(audited, audited.replay.file(line)).code == 0
    (adopted,) = rows(audited).values()
    audited.stage.reset()
    audited.handle(line)
    (written,) = rows(audited).values()
    # Its check may have confirmed it meanwhile.
    written.pop("confirmed", None)
    assert {**adopted, "expires_at": 0} == {**written, "expires_at": 0}


def test_what_differs_after_an_adoption_is_repaired_by_the_function(audited: Audited) -> None:
    lines = signed_in(audited, 2, "annabel")
    audited.bind(lines[0]["token"], "benedict")
    audited.bind(lines[1]["token"])
    assert adopt(audited, audited.replay.file(*lines)).code == 0
    queue = audited.stage.stack.check_queue_url
    assert queue
    assert audited.audit("--repair", queue, "--yes").code == 3
    accounts = audited.stage.accounts
    eventually(lambda: all(accounts("android", line["token"]) == {"annabel"} for line in lines), seconds=60)


def test_anything_newer_in_the_ledger_wins(audited: Audited) -> None:
    lines = [login(token(), "annabel") for _ in range(4)]
    out, part, switched, deleted = (line["token"] for line in lines)
    audited.secrets |= {out, part, switched, deleted, "annabel", "benedict", "caroline"}
    lines[3] = login(deleted, "caroline")
    audited.handle(logout(out), logout(part, "annabel"), login(switched, "benedict"), deletion("caroline"))
    before = rows(audited)
    ended = adopt(audited, audited.replay.file(*lines))
    assert ended.code == 0, ended
    assert "2 devices not written: the ledger has something newer" in ended.stdout
    after = rows(audited)
    for device in (out, switched):
        key = f"device#android#{device}"
        assert after[key] == before[key]
    # The logout of the one account and the deletion stay beside the older login.
    (outs,) = [[name for name in row if name.startswith("out:")] for key, row in after.items() if key.endswith(part)]
    assert len(outs) == 1
    assert audited.audit().code == 0, "no one but the one who switched is to be bound"
    assert audited.stage.accounts("android", switched) == {"benedict"}


def test_events_after_an_adoption_win(audited: Audited) -> None:
    lines = signed_in(audited, 2, "annabel")
    assert adopt(audited, audited.replay.file(*lines)).code == 0
    audited.secrets |= {"benedict"}
    audited.handle(logout(lines[0]["token"]), login(lines[1]["token"], "benedict"))
    # The file is taken again, as after a lost state file.
    assert adopt(audited, "--restart", audited.replay.file(*lines)).code == 0
    assert audited.audit().code == 0
    assert audited.stage.accounts("android", lines[0]["token"]) == set()
    assert audited.stage.accounts("android", lines[1]["token"]) == {"benedict"}


def test_refused_lines_are_shown_by_number_and_field_and_a_dry_run_writes_nothing(audited: Audited) -> None:
    good, other = signed_in(audited, 1, "annabel"), signed_in(audited, 1, "benedict", app="ios")
    timeless = {name: value for name, value in login(token(), "annabel").items() if name != "occurred_at"}
    lines: list[str | dict[str, Any]] = [
        *good,
        logout(token()),
        *other,
        timeless,
        "annabel",
        login(token(), "annabel", app="windows"),
    ]
    file = audited.replay.file(*lines)
    for options in (["--dry-run"], []):
        ended = adopt(audited, *options, file)
        assert ended.code == 3, ended
        refused = [line.split(";")[0] for line in ended.stderr.splitlines() if line.startswith("line ")]
        assert refused == [
            "line 2: type: must be user.login",
            "line 4: occurred_at: is missing",
            "line 5: body: is not valid JSON: expected value at line 1 column 1",
            "line 6: app: is not configured",
        ]
        if options:
            assert "2 devices would be written to" in ended.stdout
            assert "nothing was written" in ended.stdout
            assert rows(audited) == {}
            assert not file.with_name("export.jsonl.adopt").exists()
    assert len(rows(audited)) == 2


def test_an_interrupted_adoption_resumes(audited: Audited) -> None:
    lines = [login(token(), "annabel") for _ in range(60)]
    audited.secrets |= {"annabel", *(line["token"] for line in lines)}
    file = audited.replay.file(*lines)
    slow: list[str | Path] = ["adopt", "--table", audited.table, "--apps", audited.apps, "--rate", "10", file]
    with audited.replay.start(*slow) as running:
        stopped_when(running, lambda: len(rows(audited)) > 3)
        stdout, stderr = interrupt(running, signal.SIGINT)
    assert running.returncode == 130, stderr
    assert "run the same command again to resume" in stdout
    state = Path(f"{file}.adopt")
    done = confirmed(state)
    assert 3 < done == len(rows(audited)) < len(lines)
    ended = adopt(audited, file)
    assert ended.code == 0, ended
    assert f"{done} lines already written, resuming after them" in ended.stderr
    assert f"{len(lines) - done} devices written to" in ended.stdout
    assert len(rows(audited)) == len(lines)
    assert not any(line["token"] in state.read_text() for line in lines)


def test_standard_input_is_adopted_too(audited: Audited) -> None:
    lines = signed_in(audited, 3, "annabel")
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    command: list[str | Path] = ["adopt", "--table", audited.table, "--apps", audited.apps, "-"]
    ended = audited.silent(audited.replay.run(*command, stdin=text))
    assert ended.code == 0, ended
    assert audited.found()["apps"]["android"]["agree"] == 3


def test_a_table_that_does_not_exist_is_an_error_that_says_what_to_do(audited: Audited) -> None:
    file = audited.replay.file(*signed_in(audited, 1, "annabel"))
    ended = audited.silent(audited.replay.run("adopt", "--table", "no-such-table", "--apps", audited.apps, file))
    assert ended.code == 1, ended
    assert "--table: a row could not be written (ResourceNotFoundException); check the name" in ended.stderr
