"""`replay audit` compares TPNS with the whole ledger, or with the devices of a file, and has the function repair what
differs."""

from __future__ import annotations

import csv
import json
import signal

import pytest
from audits import AT_ONCE, Audited, row
from auth_events import deletion, logout, token
from replaying import interrupt, stopped_when
from waiting import eventually


def test_a_healthy_table_agrees(audited: Audited) -> None:
    audited.signed_in("annabel", "annabel@example.com", number=25)
    (out,) = audited.signed_in("benedict", app="ios")
    audited.signed_in("caroline")
    audited.handle(logout(out, app="ios"), deletion("caroline"))
    before = audited.queries()
    ended = audited.audit()
    assert ended.code == 0, ended
    assert audited.queries() - before == 27, "each device is asked for once"
    assert row(ended, "android") == ["android", "26", "26", "0", "0", "0"]
    assert row(ended, "ios") == ["ios", "1", "1", "0", "0", "0"]
    assert "2 rows of deleted accounts" in ended.stdout, "one for each app"
    assert ended.stdout.endswith("TPNS agrees with the ledger\n")


def test_each_kind_of_drift_is_found_and_nothing_is_changed(audited: Audited) -> None:
    (replaced, missing, more, fine) = audited.signed_in("annabel", number=4)
    (out,) = audited.signed_in("annabel", app="ios")
    audited.handle(logout(out, app="ios"))
    audited.bind(replaced, "benedict")
    audited.bind(missing)
    audited.bind(out, "annabel", app="ios")
    # Bound by a client SDK, say, under a type that no event has named.
    audited.bind(more, "annabel", "annabel@example.com")
    assert audited.stage.table
    before = audited.stage.table.rows(), audited.stage.tpns.bindings(), audited.stage.tpns.calls()

    ended = audited.audit("--csv", audited.csv)
    assert ended.code == 3, ended
    assert row(ended, "android") == ["android", "4", "2", "1", "2", "1"]
    with audited.csv.open() as file:
        rows = {line["device"]: line for line in csv.DictReader(file)}
    kinds = {device: (line["app"], line["bound_but_out"], line["not_bound_but_in"]) for device, line in rows.items()}
    assert kinds == {
        audited.fingerprint(replaced): ("android", "true", "true"),
        audited.fingerprint(missing): ("android", "false", "true"),
        audited.fingerprint(out, "ios"): ("ios", "true", "false"),
    }
    assert all(fingerprint in ended.stdout for fingerprint in rows)
    assert audited.fingerprint(fine) not in ended.output
    assert all(len(line) <= 80 for line in ended.stdout.splitlines()), ended.stdout
    assert (audited.stage.table.rows(), audited.stage.tpns.bindings(), audited.stage.tpns.calls()) == before


def test_not_even_a_new_table_is_written_to(audited: Audited) -> None:
    dynamodb, name = audited.stage.cloud.client("dynamodb"), f"new-{token()}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    ended = audited.silent(audited.replay.run("audit", "--table", name, "--apps", audited.apps, *AT_ONCE))
    assert (ended.code, ended.stdout) == (0, "no device was compared\n"), ended
    assert dynamodb.scan(TableName=name)["Count"] == 0


def test_unknown_bindings_count_as_bound_but_out_if_the_function_removes_them(audited: Audited) -> None:
    (device,) = audited.signed_in("annabel")
    audited.bind(device, "annabel", "annabel@example.com")
    assert audited.found()["apps"]["android"]["unknown_bindings"] == 1
    (listed,) = audited.found("--unknown-bindings", "remove")["devices"]
    assert (listed["bound_but_out"], listed["not_bound_but_in"]) == (True, False)


def test_what_has_just_changed_is_left_to_its_own_check(audited: Audited) -> None:
    (device,) = audited.signed_in("annabel")
    audited.bind(device)
    ended = audited.silent(audited.replay.run(*audited.command("--settle", "0s")))
    assert ended.code == 0, ended
    assert "devices not compared: 1 changed a moment ago" in ended.stdout


def test_what_differs_only_once_is_no_drift(audited: Audited) -> None:
    (device,) = audited.signed_in("annabel")
    audited.bind(device)
    with audited.replay.start(*audited.command("--json", "--recent", "0s", "--settle", "5s")) as running:
        assert running.stderr
        assert "1 differ or were not answered" in running.stderr.readline()
        audited.bind(device, "annabel")
        stdout, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert json.loads(stdout)["apps"]["android"]["agree"] == 1


def test_a_repair_has_the_function_repair_what_differs(audited: Audited) -> None:
    stage, queue = audited.stage, audited.stage.stack.check_queue_url
    assert queue
    (replaced, missing) = audited.signed_in("annabel", number=2)
    audited.bind(replaced, "benedict")
    audited.bind(missing)
    unasked = audited.audit("--repair", queue)
    assert unasked.code == 2, unasked
    assert "--yes: is missing" in unasked.stderr, unasked
    assert stage.checks_waiting() == 0

    ended = audited.audit("--repair", queue, "--yes")
    assert ended.code == 3, ended
    assert "checks of 2 devices sent" in ended.stderr
    eventually(lambda: all(stage.accounts("android", one) == {"annabel"} for one in (replaced, missing)), seconds=60)
    eventually(lambda: stage.checks_waiting() == 0, seconds=60)
    assert audited.audit().code == 0
    assert stage.dead_letters() == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_audit_resumes_where_it_ended_and_counts_each_device_once(audited: Audited, how: signal.Signals) -> None:
    devices = audited.signed_in("annabel", number=80)
    audited.bind(devices[0])
    asked = audited.queries()
    # Two passes of a call a second: it can't be done before it is ended.
    slow = audited.command("--rate", "1", "--recent", "0s", "--settle", "0s", "--state", audited.state)
    with audited.replay.start(*slow) as running:
        stopped_when(running, lambda: compared(audited) > 0)
        stdout, stderr = interrupt(running, how)
    assert stdout == ""
    if how is signal.SIGINT:
        assert running.returncode == 130
        assert "interrupted; recorded in" in stderr
    done = compared(audited)
    assert 0 < done < len(devices)
    first = audited.queries() - asked
    found = audited.found("--state", audited.state)
    assert found["apps"]["android"]["devices"] == len(devices)
    assert [one["device"] for one in found["devices"]] == [audited.fingerprint(devices[0])]
    assert audited.queries() - asked - first <= len(devices) - done + 1, "one is looked at twice"
    assert not audited.state.exists(), "the next audit is a new one"


def compared(audited: Audited) -> int:
    """Returns how many devices are compared, according to the state file."""
    if not audited.state.exists():
        return 0
    finished = json.loads(audited.state.read_text())["finished"].values()
    return sum(counts["devices"] for part in finished for counts in part["apps"].values())


def test_the_state_of_another_audit_is_refused(audited: Audited) -> None:
    (device,) = audited.signed_in("annabel")
    audited.bind(device)
    tokens = audited.replay.file(device, name="tokens.txt")
    of_tokens = ("--tokens", tokens, "--app", "android", "--state", audited.state)
    with audited.replay.start(*audited.command(*of_tokens, "--recent", "0s", "--settle", "1h")) as running:
        assert running.stderr
        assert "1 differ or were not answered" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    assert running.returncode == 130
    refused = audited.audit("--state", audited.state)
    assert refused.code == 2, refused
    assert "belongs to an audit of another table, file or apps document" in refused.stderr
    assert audited.audit("--state", audited.state, "--restart").code == 3


def test_the_devices_of_a_file_are_compared_and_those_without_a_row_are_shown(audited: Audited) -> None:
    (fine, missing) = audited.signed_in("annabel", number=2)
    audited.signed_in("benedict")
    audited.bind(missing)
    unknown, bound = token(), token()
    audited.bind(bound, "caroline")
    audited.secrets.add(unknown)
    tokens = audited.replay.file(fine, missing, fine, "", unknown, bound, "a\x01b", name="tokens.txt")
    options = ("--tokens", tokens, "--app", "android")
    found = audited.found(*options)
    assert found["apps"]["android"] | {"unknown_bindings": 0} == {
        "devices": 2, "agree": 1, "differ": 1, "bound_but_out": 0, "not_bound_but_in": 1, "unknown_bindings": 0,
    }  # fmt: skip
    assert (found["not_compared"]["no_row"], found["not_compared"]["no_row_but_bound"]) == (2, 1)
    ended = audited.audit(*options)
    assert "2 without a row in the ledger" in ended.stdout
    assert "1 of those without a row have accounts at TPNS" in ended.stdout
    assert "line 7: is not a token" in ended.stderr
    audited.bind(missing, "annabel")
    assert audited.audit(*options).code == 3, "a line was refused"
    assert audited.audit("--tokens", tokens, "--app", "windows").code == 2


def test_the_apps_document_is_read_from_its_secret(audited: Audited) -> None:
    audited.signed_in("annabel")
    name = f"tpns/{token()}"
    secrets = audited.stage.cloud.client("secretsmanager")
    secrets.create_secret(Name=name, SecretString=audited.stage.tpns.apps_document())
    by_secret = ["audit", "--table", audited.table, *AT_ONCE, "--secret"]
    assert audited.silent(audited.replay.run(*by_secret, name)).code == 0
    ended = audited.silent(audited.replay.run(*by_secret, "tpns/no-such-secret"))
    assert ended.code == 1, ended
    assert "error: --secret: could not be fetched" in ended.stderr, ended


def test_what_prevents_an_audit_is_an_error_that_says_what_to_do(audited: Audited) -> None:
    audited.signed_in("annabel")
    other = audited.replay.run("audit", "--table", "no-such-table", "--apps", audited.apps, *AT_ONCE)
    assert other.code == 1, other
    assert "--table: could not be scanned (ResourceNotFoundException)" in other.stderr, other
    document = audited.apps.read_text()
    audited.apps.write_text(document.replace("local-android-key", "another-key"))
    refused = audited.audit()
    assert refused.code == 1, refused
    assert "error: TPNS refuses the app android (tpns_auth_failed" in refused.stderr, refused
    audited.apps.write_text("{")
    broken = audited.audit()
    assert broken.code == 2, broken
    assert "is not valid JSON" in broken.stderr, broken
    audited.apps.write_text(document)
    fault = {"fault": "status", "status": 503, "api": "query", "times": None}
    audited.stage.tpns.inject(fault)
    down = audited.audit()
    assert down.code == 1, down
    assert "devices not compared: 1 not answered" in down.stdout, down
    assert "error: 1 device not compared: tpns_unavailable" in down.stderr, down
    tokens = audited.replay.file(*[token() for _ in range(120)], name="tokens.txt")
    long = audited.audit("--tokens", tokens, "--app", "android")
    assert long.code == 1, long
    assert "error: 5 calls in a row were not answered: tpns_unavailable" in long.stderr, long
    audited.stage.tpns.clear_faults()
    assert audited.audit().code == 0
