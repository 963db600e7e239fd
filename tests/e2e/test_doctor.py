"""`make doctor`: it finds nothing on a healthy stack, and each fault that is planted, with its remedy.

MiniStack 1.5.33 differs from AWS in three ways that matter here: CloudFormation leaves a table's TTL off, the log has
nothing of an Init that failed, and a subscription by mail needs no confirmation."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import doctor_faults as faults
import pytest
from conftest import World
from doctor_faults import ACCOUNT, SECRET, TOPIC, Examined
from make_run import outside_make
from table import Table

from local.build import build_apps_check
from local.cloud import REGION
from local.doctor.__main__ import main
from local.processes import Processes
from local.run import ROOT

NAME = "examined"
Doctor = Callable[[str], tuple[int, list[str]]]


# Of the session, for tests of one file may be run by a worker in several portions.
@pytest.fixture(scope="session")
def examined(world: World) -> Examined:
    cloud = world.cloud
    topic = cloud.client("sns").create_topic(Name=TOPIC)["TopicArn"]
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="operator@example.com")
    cloud.client("secretsmanager").create_secret(Name=SECRET, SecretString=world.tpns.apps_document())
    stack = world.deploy(NAME, TpnsApps="", TpnsAppsSecretId=SECRET, AlarmTopicArn=topic)
    Table(cloud, str(stack.ledger_table)).let_rows_expire()
    resources = cloud.client("cloudformation").describe_stack_resources(StackName=NAME)["StackResources"]
    cloud.client("lambda").invoke(FunctionName=stack.function_arn, Payload=json.dumps({"Records": []}))
    return Examined(world, stack, topic, {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources})


@pytest.fixture(scope="module")
def apps_check(processes: Processes) -> Path:
    return build_apps_check(processes, ROOT)


@pytest.fixture
def doctor(
    world: World, apps_check: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Doctor:
    """Runs it in this process. Returns its exit code and its findings."""
    for name, value in credentials(world).items():
        monkeypatch.setenv(name, value)
    # One line for each finding, whatever terminal the tests run in.
    monkeypatch.setenv("COLUMNS", "10000")

    def run(stack: str) -> tuple[int, list[str]]:
        code = main([stack, "--apps-check", str(apps_check)])
        output = capsys.readouterr()
        if output.err:
            return code, output.err.splitlines()
        *lines, last = output.out.splitlines()
        failed = sum(line.startswith("FAIL") for line in lines)
        assert last == f"{len(lines)} checks, {failed or 'none'} failed"
        return code, lines

    return run


def credentials(world: World) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": world.cloud.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }


def test_a_healthy_stack_passes_each_check_within_80_columns(examined: Examined) -> None:
    done = subprocess.run(
        ["make", "doctor", f"STACK={NAME}"],
        cwd=ROOT,
        env={**outside_make(), **credentials(examined.world), "COLUMNS": "80"},
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert max(map(len, lines)) <= 80
    # A finding begins with its state, and its further lines are indented.
    assert {line[:6] for line in lines[:-1]} == {"ok    ", "      "}
    assert lines[-1] == "16 checks, none failed"
    assert "ok    apps document: TPNS_APPS_SECRET_ID is readable and valid: android, ios" in lines
    assert not [word for word in (ACCOUNT, "local-android-key", "1500001048") if word in done.stdout]


def test_a_healthy_fifo_stack_without_ledger_and_parking_queue_passes(examined: Examined, doctor: Doctor) -> None:
    fifo = {"QueueType": "fifo", "Ledger": "off", "ParkingQueue": "off"}
    examined.client("ssm").put_parameter(
        Name="/tpns/examined", Type="SecureString", Value=examined.world.tpns.apps_document()
    )
    source = {"TpnsApps": "", "TpnsAppsSsmParameter": "/tpns/examined"}
    stack = examined.world.deploy("examined-fifo", **fifo, **source, AlarmTopicArn=examined.topic)
    examined.client("lambda").invoke(FunctionName=stack.function_arn, Payload=json.dumps({"Records": []}))
    code, lines = doctor("examined-fifo")
    assert [line for line in lines if not line.startswith("ok    ")] == [
        "note  ledger: is off, which is right only for a FIFO queue to which nothing is redriven"
    ]
    assert "ok    apps document: TPNS_APPS_SSM_PARAMETER is readable and valid: android, ios" in lines
    assert code == 0


# What is planted for the length of a block.
Plant = Callable[[Examined], AbstractContextManager[None]]

_RULE = "FAIL  rule AuthEventsRule: "
_POLICY = (
    "restore the policy from template.yaml: sqs:SendMessage for events.amazonaws.com, aws:SourceArn being the rule"
)
# What is planted, and the line that reports it. {X} is the physical id of X.
PLANTED: list[tuple[Plant, str]] = [
    (
        faults.disabled_rule,
        f"{_RULE}is disabled, so it drops its events; "
        "aws events enable-rule --name {AuthEventsRule} --event-bus-name {EventBus}",
    ),
    (
        faults.another_target,
        f"{_RULE}sends to elsewhere, which the function does not read; "
        "create an event source mapping from it to the alias live, with ReportBatchItemFailures",
    ),
    (
        faults.target_without_dead_letter_queue,
        f"{_RULE}has no dead-letter queue, so it drops what it can't deliver for a day; "
        "give its target the DeadLetterConfig that template.yaml has",
    ),
    (
        faults.closed_queue,
        f"{_RULE}the policy of examined-events does not let it in, so its events do not arrive; {_POLICY}",
    ),
    (
        faults.closed_dead_letter_queue,
        f"{_RULE}the policy of examined-dead-letters does not let it in, so its events do not arrive; {_POLICY}",
    ),
    (
        faults.disabled_mapping,
        "FAIL  mapping of examined-unbinds: is Disabled, so its events wait; "
        "aws lambda update-event-source-mapping --uuid {UnbindMapping} --enabled",
    ),
    (
        faults.mapping_that_ignores_failures,
        "FAIL  mapping of examined-events: does not have ReportBatchItemFailures, so SQS deletes what failed; "
        "aws lambda update-event-source-mapping --uuid {FunctionQueue} "
        "--function-response-types ReportBatchItemFailures",
    ),
    (
        faults.queue_without_dead_letter_queue,
        "FAIL  mapping of examined-events: its queue has no dead-letter queue, so what fails is deleted at the end "
        "of its retention; set the queue's RedrivePolicy as template.yaml has it",
    ),
    (
        faults.missing_secret,
        "FAIL  apps document: TPNS_APPS_SECRET_ID: tpns/examined does not exist; create it: docs/deploying.md, step 1",
    ),
    (
        faults.binary_secret,
        "FAIL  apps document: TPNS_APPS_SECRET_ID: the document is not valid JSON (line 1, column 0); check quotes and "
        "commas; docs/deploying.md, step 1, shows one",
    ),
    (
        faults.invalid_document,
        "FAIL  apps document: TPNS_APPS_SECRET_ID: the document android.region must be one of guangzhou, shanghai, "
        "hongkong, singapore; docs/deploying.md, step 1, shows one",
    ),
    (
        faults.no_source_of_the_apps,
        "FAIL  apps document: the function's environment has 0 of TPNS_APPS, TPNS_APPS_SECRET_ID, "
        "TPNS_APPS_SSM_PARAMETER; "
        "deploy the stack again with exactly one source of the apps",
    ),
    (
        faults.refusing_tpns,
        'FAIL  app android: {endpoint}: the connection was refused; see its row in docs/runbook.md, "An outage"',
    ),
    (
        faults.untrusted_tpns,
        "FAIL  app android: {endpoint}: TLS failed: the certificate is not trusted; "
        'see its row in docs/runbook.md, "An outage"',
    ),
    (
        faults.function_that_can_not_start,
        "FAIL  function: version 1 is live and could not start ({when}): TPNS_APPS_SECRET_ID: could not be fetched "
        '(AccessDenied); docs/runbook.md, "The function fails"',
    ),
    (
        faults.function_that_is_too_slow_to_start,
        "FAIL  function: version 1 is live and could not start ({when}): Init ended with timeout; "
        'docs/runbook.md, "The function fails"',
    ),
    (
        faults.rows_that_never_expire,
        "FAIL  ledger: its rows don't expire, so it keeps accounts for ever; aws dynamodb update-time-to-live "
        "--table-name {LedgerTable} --time-to-live-specification Enabled=true,AttributeName=expires_at",
    ),
    (
        faults.missing_table,
        'FAIL  ledger: its table does not exist, so nothing is applied; docs/runbook.md, "The ledger fails"',
    ),
    (
        faults.disabled_alarm,
        "FAIL  alarms: no one is notified by OutageAlarm; "
        "deploy the stack with AlarmTopicArn; aws cloudwatch enable-alarm-actions, if its actions are disabled",
    ),
    (
        faults.alarm_without_target,
        "FAIL  alarms: no one is notified by ErrorsAlarm; "
        "deploy the stack with AlarmTopicArn; aws cloudwatch enable-alarm-actions, if its actions are disabled",
    ),
    (
        faults.topic_without_subscription,
        "FAIL  topic examined-alarms: has no confirmed subscription (0 pending), so no alarm reaches anyone; "
        "aws sns subscribe, as in docs/deploying.md, step 3",
    ),
    (
        faults.missing_topic,
        "FAIL  topic examined-alarms: does not exist, so no alarm reaches anyone; create it, and subscribe to it",
    ),
    (
        faults.dead_letter,
        "note  queue examined-dead-letters: 1 messages wait for a person; replay list --queue-url … shows why",
    ),
    (
        faults.parked_event,
        "note  queue {parked}: 1 messages wait for a person; replay list --queue-url … shows why",
    ),
    (
        faults.document_without_ledger_keys,
        "note  apps document: has no ledger_keys, so the ledger keeps accounts in clear text; "
        'add one: docs/security.md, "Ledger keys"',
    ),
    (faults.raised_alarm, "note  alarms: in ALARM: OutageAlarm; docs/runbook.md has a section for each"),
]


@pytest.mark.parametrize(("plant", "line"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_planted_fault_is_found_with_its_remedy_and_nothing_else(
    examined: Examined, doctor: Doctor, plant: Plant, line: str
) -> None:
    with plant(examined):
        code, lines = doctor(NAME)
    # Besides, a version that has not started yet is worth a note. What an earlier test left would be found here.
    found = [one for one in lines if one.startswith(line[:6])]
    # The port and the time are the fault's own.
    own = {"endpoint": "{endpoint}", "when": "{when}"}
    parked = examined.resources["ParkedEvents"].rpartition("/")[2]
    expected = line.format_map({**examined.resources, "parked": parked, **own})
    assert [anonymous(one) for one in found] == [expected]
    assert code == (1 if line.startswith("FAIL") else 0)
    assert not [one for one in lines if ACCOUNT in one]


def test_a_stack_that_does_not_exist_is_named(doctor: Doctor) -> None:
    missing = (
        f"STACK=elsewhere: this account has no such stack in {REGION}; set STACK, AWS_DEFAULT_REGION or AWS_PROFILE"
    )
    assert doctor("elsewhere") == (1, [f"make doctor: {missing}"])


def anonymous(line: str) -> str:
    words = [("{endpoint}:" if word.startswith("https://127.0.0.1:") else word) for word in line.split(" ")]
    text = " ".join(words)
    before, opening, after = text.partition("could not start (")
    return f"{before}{opening}{{when}}{after[after.index(')') :]}" if opening else text
