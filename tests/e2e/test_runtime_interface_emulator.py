"""The built function under AWS's own Runtime Interface Emulator: a Runtime API that is not ours."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from auth_events import login, sent_by_bus, token
from conftest import ENVIRONMENT
from emulator import Emulator

from local.build import Binaries
from local.processes import Processes
from local.recent import recent
from local.run import ROOT
from local.tpns import Tpns

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the emulator is a Linux program")

# SQS with each of its envelopes, and EventBridge as the invocation.
ENVELOPES = ("sqs-bare", "sqs-eventbridge", "sqs-sns", "eventbridge-array")
# What TPNS is asked for each sample: app and `operator_type`. A deletion concerns every app.
CALLS = {
    "login": [("android", 2)],
    "logout": [("android", 3)],
    "logout-all": [("ios", 4)],
    "deletion": [("android", 5), ("ios", 5)],
    "mixed": [("android", 4), ("android", 5), ("ios", 4), ("ios", 5)],
}
# The reserve is nearly half of it, so that a busy machine has time to answer.
TIMEOUT_SECONDS, RESERVE_MS = 10, 4900


@pytest.fixture(scope="session")
def tpns_of_all(processes: Processes, binaries: Binaries, folder: Path) -> Tpns:
    own = folder / "emulator-tpns"
    own.mkdir()
    return Tpns.start(processes, binaries.tpns, own)


@pytest.fixture(scope="session")
def emulator(processes: Processes, binaries: Binaries, folder: Path, tpns_of_all: Tpns) -> Emulator:
    """Without ledger and parking queue: nothing but Lambda and TPNS."""
    environment = {
        "TPNS_APPS": tpns_of_all.apps_document(),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT_SECONDS),
        "DEADLINE_RESERVE_MS": str(RESERVE_MS),
    }
    return Emulator.start(processes, binaries.function, folder / "emulator", **ENVIRONMENT, **environment)


@pytest.fixture
def tpns(tpns_of_all: Tpns) -> Tpns:
    tpns_of_all.reset()
    return tpns_of_all


def samples() -> list[Path]:
    return sorted(path for envelope in ENVELOPES for path in (ROOT / "events" / envelope).glob("*.json"))


def payload(path: Path) -> Any:
    return json.loads(recent([path.read_text()], datetime.now(UTC))[0])


def sqs(*bodies: str) -> dict[str, Any]:
    """Returns an invocation that is the sample of SQS, with these bodies."""
    (record,) = payload(ROOT / "events/sqs-bare/login.json")["Records"]
    return {"Records": [{**record, "messageId": f"m-{n}", "body": body} for n, body in enumerate(bodies)]}


def calls(tpns: Tpns) -> list[tuple[str, int]]:
    assert all(call["applied"] for call in tpns.calls())
    return sorted((call["app"], call["operator_type"]) for call in tpns.calls())


@pytest.mark.parametrize("path", samples(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_sample_is_applied_and_acknowledged(emulator: Emulator, tpns: Tpns, path: Path) -> None:
    answer = emulator.invoke(payload(path))
    assert answer == (None if path.parent.name == "eventbridge-array" else {"batchItemFailures": []})
    assert calls(tpns) == CALLS[path.stem]


def test_a_batch_of_a_fifo_queue_is_applied_and_acknowledged(emulator: Emulator, tpns: Tpns) -> None:
    device = token()
    invocation = sqs(json.dumps(login(device, "ann")), json.dumps(login(device, "bea")))
    for number, record in enumerate(invocation["Records"]):
        record["eventSourceARN"] += ".fifo"
        record["attributes"] |= {
            "MessageGroupId": device,
            "MessageDeduplicationId": record["messageId"],
            "SequenceNumber": f"1884949646046769612{number}",
        }
    assert emulator.invoke(invocation) == {"batchItemFailures": []}
    assert calls(tpns) == [("android", 2)], "both logins are one item"
    assert [one["account"] for one in tpns.bindings()["android"][device]] == ["bea"]


def test_only_the_bad_body_of_a_batch_fails(emulator: Emulator, tpns: Tpns) -> None:
    devices = token(), token()
    bodies = [json.dumps(login(devices[0], "ann")), "{", json.dumps(login(devices[1], "bea"))]
    assert emulator.invoke(sqs(*bodies)) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert set(tpns.bindings()["android"]) == set(devices)


def test_while_tpns_does_not_answer_the_events_fail_before_the_timeout(emulator: Emulator, tpns: Tpns) -> None:
    assert emulator.invoke(sqs(json.dumps(login(token(), "ann")))) == {"batchItemFailures": []}
    starts = emulator.log().count("INIT START")
    tpns.inject({"fault": "hang", "times": 100})
    answer = emulator.invoke(sqs(json.dumps(login(token(), "ann"))))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-0"}]}
    tpns.reset()
    # The emulator has neither killed nor restarted the process.
    assert emulator.invoke(sqs(json.dumps(login(token(), "ann")))) == {"batchItemFailures": []}
    assert emulator.log().count("INIT START") == starts


def test_an_eventbridge_event_that_failed_is_an_error_of_the_function(emulator: Emulator, tpns: Tpns) -> None:
    tpns.inject({"fault": "hang", "times": 100})
    answer = emulator.invoke(sent_by_bus(login(token(), "ann")))
    assert set(answer) >= {"errorType", "errorMessage"}, "Lambda retries an asynchronous invocation that fails"
