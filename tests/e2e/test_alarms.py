"""Each alarm goes up when its failure really happens, stays down while everything works, and goes down afterwards.

The stack is the template's. A failure is caused, its datapoints are read where CloudWatch would get them, and the
deployed alarm is evaluated on them. Each occurrence of a failure counts as one minute, or this would take hours."""

from __future__ import annotations

import datetime
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import datapoints
import function_processes
import pytest
from alarm import Alarm, Minutes, state_in_ministack
from auth_events import login, logout, token
from botocore.exceptions import ClientError
from conftest import World
from datapoints import Datapoint
from deployment import Deployment
from table import device_key
from waiting import eventually

from local import function_log, pace

# The shortest that the template allows, because one test waits for it.
TIMEOUT_SECONDS = 10
LATE_SECONDS = 300
# OutageAlarm with this timeout.
OUTAGE_SECONDS = 300


# Of the session, for tests of one file may be run by a worker in several portions.
@pytest.fixture(scope="session")
def deployed_once(world: World) -> Deployment:
    parameters = {"FunctionTimeout": str(TIMEOUT_SECONDS), "UnbindLateSeconds": str(LATE_SECONDS), "Tracing": "off"}
    return Deployment(world.cloud, world.deploy("watched", **parameters), world.tpns)


@pytest.fixture
def stage(deployed_once: Deployment) -> Iterator[Deployment]:
    deployed_once.reset()
    yield deployed_once
    deployed_once.settle()


class Minute:
    """The datapoints of what happens while the block runs."""

    def __init__(self, stage: Deployment) -> None:
        self._stage = stage
        self.points: list[Datapoint] = []
        # The age of the oldest message in seconds, and the URL of its queue.
        self.oldest: float | None = None
        self.of = stage.stack.queue_url

    def __enter__(self) -> Self:
        self._since = datetime.datetime.now(datetime.UTC)
        self._lines = len(self._log())
        return self

    def __exit__(self, *_exc: object) -> None:
        cloud, stack = self._stage.cloud, self._stage.stack
        self.points = datapoints.of_log(self._log()[self._lines :])
        self.points += datapoints.of_lambda(cloud, stack.function_name, self._since)
        for url in stack.queue_urls:
            self.points += datapoints.of_queue(cloud, url, self.oldest if url == self.of else None)

    def _log(self) -> list[dict[str, Any]]:
        return function_log.lines(self._stage.cloud, self._stage.stack)


def now(earlier: float = 0) -> dict[str, str]:
    return {"occurred_at": (datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=earlier)).isoformat()}


def healthy(stage: Deployment) -> None:
    """Sends events that succeed, over the queue and directly."""
    device = token()
    stage.handle({**login(device, "ann"), **now()})
    stage.handle({**logout(device), **now()})
    assert invoke(stage, {**login(device, "ben"), **now()}) == {"batchItemFailures": []}
    (check,) = records(stage, {"checks": [{"app": "android", "token": device}]}, sent_ago=3600)
    answer = stage.invoke({"Records": [{**check, "eventSourceARN": check_queue_arn(stage)}]})
    assert answer == {"batchItemFailures": []}


def invoke(stage: Deployment, *events: dict[str, Any], sent_ago: float = 0) -> Any:
    """Invokes the function as the event source mapping does; MiniStack publishes Lambda metrics only for direct
    invocations."""
    functions = stage.cloud.client("lambda")
    answer = functions.invoke(
        FunctionName=stage.stack.function_arn,
        Payload=json.dumps({"Records": records(stage, *events, sent_ago=sent_ago)}),
    )
    return json.load(answer["Payload"])


def records(stage: Deployment, *events: dict[str, Any], sent_ago: float = 0) -> list[dict[str, Any]]:
    return [
        {
            "messageId": str(uuid.uuid4()),
            "body": json.dumps(event),
            "attributes": {"SentTimestamp": str(int((time.time() - sent_ago) * 1000))},
            "eventSource": "aws:sqs",
            "eventSourceARN": stage.stack.queue_arn,
        }
        for event in events
    ]


def check_queue_arn(stage: Deployment) -> str:
    assert stage.stack.check_queue_url
    return stage.stack.queue_arn.rpartition(":")[0] + ":" + stage.stack.check_queue_url.rpartition("/")[2]


def refused_by_tpns(stage: Deployment) -> None:
    stage.tpns.inject({"fault": "ret_code", "ret_code": 1008003, "times": None})
    answer = invoke(stage, {**login(token(), "ann"), **now()})
    assert len(answer["batchItemFailures"]) == 1


def dead_lettered(stage: Deployment) -> None:
    stage.tpns.inject({"fault": "status", "status": 503, "times": None})
    with stage.visibility(1), stage.giving_up_after(2):
        stage.handle({**login(token(), "ann"), **now()})
    assert len(stage.dead_letters()) == 1
    # Reading them has hidden them for a moment.
    eventually(lambda: datapoints.of_queue(stage.cloud, stage.stack.dead_letter_queue_url)[0].value == 1)


def parked(stage: Deployment) -> None:
    stage.handle("this is not JSON")


def unable_to_start(stage: Deployment) -> None:
    with stage.environment(MAX_CLOCK_SKEW="soon"):
        assert "batchItemFailures" not in invoke(stage, {**login(token(), "ann"), **now()})


def killed(stage: Deployment) -> None:
    """Kills the function, as the kernel does when it uses too much memory."""
    stage.tpns.inject({"fault": "hang", "times": None})
    answers: list[Any] = []
    call = threading.Thread(target=lambda: answers.append(invoke(stage, {**login(token(), "ann"), **now()})))
    calls = len(stage.tpns.calls())
    # So long that it does not give up before it is killed, however busy the machine is.
    with stage.environment(TPNS_TIMEOUT_MS="8000"):
        call.start()
        eventually(lambda: len(stage.tpns.calls()) > calls)
        function_processes.kill(stage.cloud)
        call.join()
    assert "batchItemFailures" not in answers[0]


def throttled(stage: Deployment) -> None:
    functions, name = stage.cloud.client("lambda"), stage.stack.function_name
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        with pytest.raises(ClientError, match="TooManyRequests"):
            # Not the alias: MiniStack 1.5.33 ignores the function's concurrency there. In Lambda it covers both.
            functions.invoke(FunctionName=name, Payload=json.dumps({"Records": records(stage, login(token(), "ann"))}))
    finally:
        pace.one_batch_at_a_time(stage.cloud, stage.stack)


def hanging(stage: Deployment) -> Any:
    stage.tpns.inject({"fault": "hang", "times": None})
    return invoke(stage, *[{**login(token(), "ann"), **now()} for _ in range(3)])


def without_table(stage: Deployment) -> None:
    assert stage.table
    with stage.table.dropped():
        assert len(invoke(stage, {**login(token(), "ann"), **now()})["batchItemFailures"]) == 1


def denied_by_the_table(stage: Deployment) -> None:
    with stage.environment(LEDGER_TABLE="another-stacks"):
        assert len(invoke(stage, {**login(token(), "ann"), **now()})["batchItemFailures"]) == 1


def drifted(stage: Deployment) -> None:
    """TPNS has another account for a device than its login."""
    device = token()
    stage.handle({**login(device, "ann"), **now()})
    # Before, TPNS might still be about to apply it.
    assert stage.table
    stage.table.age(device_key("android", device), 600)
    stage.tpns.bind("android", device, "ben")
    (check,) = records(stage, {"checks": [{"app": "android", "token": device}]})
    answer = stage.invoke({"Records": [{**check, "eventSourceARN": check_queue_arn(stage)}]})
    assert len(answer["batchItemFailures"]) == 1, "it is repeated until TPNS agrees"
    assert stage.accounts("android", device) == {"ann"}


def failed_check(stage: Deployment) -> None:
    """TPNS does not say what a device has."""
    stage.tpns.inject({"fault": "status", "status": 503, "api": "query", "times": None})
    (check,) = records(stage, {"checks": [{"app": "android", "token": token()}]})
    answer = stage.invoke({"Records": [{**check, "eventSourceARN": check_queue_arn(stage)}]})
    assert len(answer["batchItemFailures"]) == 1
    stage.tpns.reset()


def given_up_check(stage: Deployment) -> None:
    url = stage.stack.check_dead_letter_queue_url
    stage.cloud.client("sqs").send_message(QueueUrl=url, MessageBody='{"checks":[{"app":"android","token":"t"}]}')


def outage(stage: Deployment) -> None:
    """TPNS is down, and an event fails that was sent a while ago."""
    stage.tpns.inject({"fault": "status", "status": 503, "times": None})
    answer = invoke(stage, {**login(token(), "ann"), **now()}, sent_ago=OUTAGE_SECONDS + 1)
    assert len(answer["batchItemFailures"]) == 1
    stage.tpns.reset()


def failing_logout(stage: Deployment) -> None:
    """A logout is late already and fails again, so TPNS has not accepted it yet."""
    stage.tpns.inject({"fault": "status", "status": 503, "times": None})
    assert len(invoke(stage, {**logout(token()), **now(earlier=2 * LATE_SECONDS)})["batchItemFailures"]) == 1
    stage.tpns.reset()


def late_logout(stage: Deployment) -> None:
    # Well above the threshold, because MiniStack interpolates percentiles.
    stage.handle({**logout(token()), **now(earlier=2 * LATE_SECONDS)})


# Alarm, failure, and how many minutes of it raise the alarm.
FAILURES: list[tuple[str, Callable[[Deployment], None], int]] = [
    ("DeadLetterQueueNotEmptyAlarm", dead_lettered, 1),
    ("ParkedEventsAlarm", parked, 1),
    ("MisconfiguredAlarm", refused_by_tpns, 1),
    ("ErrorsAlarm", unable_to_start, 1),
    ("ErrorsAlarm", killed, 1),
    ("ThrottlesAlarm", throttled, 3),
    ("LedgerFailedAlarm", without_table, 2),
    ("LedgerFailedAlarm", denied_by_the_table, 2),
    ("UnbindsLateAlarm", late_logout, 1),
    ("UnbindsLateAlarm", failing_logout, 1),
    ("OutageAlarm", outage, 1),
    ("DriftAlarm", drifted, 1),
    ("CheckDeadLettersAlarm", given_up_check, 1),
]


# Alarms on a queue itself -> the queue's URL.
OLDEST: dict[str, Callable[[Deployment], str]] = {
    "OldestMessageAlarm": lambda stage: stage.stack.queue_url,
    "OldestUnbindAlarm": lambda stage: str(stage.stack.unbind_queue_url),
}
IN_FLIGHT: dict[str, Callable[[Deployment], str]] = {
    "InFlightAlarm": lambda stage: stage.stack.queue_url,
    "UnbindsInFlightAlarm": lambda stage: str(stage.stack.unbind_queue_url),
}


# Alarms on metrics that MiniStack does not have -> the datapoint of one failure, as AWS documents it.
NOT_LOCAL: dict[str, Callable[[Deployment], Datapoint]] = {
    "RuleAlarm": lambda stage: failed_invocation(stage, "watched-events"),
    "UnbindRuleAlarm": lambda stage: failed_invocation(stage, "watched-unbinds"),
    "LostInvocationsAlarm": lambda stage: Datapoint(
        "AWS/Lambda",
        "DestinationDeliveryFailures",
        frozenset({("FunctionName", stage.stack.function_name)}),
        1,
        "Count",
    ),
}


ALL = (
    {name for name, _, _ in FAILURES}
    | {"DurationAlarm", "ChecksFailAlarm"}
    | OLDEST.keys()
    | IN_FLIGHT.keys()
    | NOT_LOCAL.keys()
)


def failed_invocation(stage: Deployment, rule: str) -> Datapoint:
    assert stage.stack.bus_name
    rules = stage.cloud.client("events").list_rules(EventBusName=stage.stack.bus_name)["Rules"]
    assert rule in [one["Name"] for one in rules]
    dimensions = frozenset({("RuleName", rule), ("EventBusName", stage.stack.bus_name)})
    return Datapoint("AWS/Events", "FailedInvocations", dimensions, 1, "Count")


@pytest.fixture(scope="session")
def quiet(deployed_once: Deployment) -> list[Datapoint]:
    """One minute without failures, for all tests."""
    deployed_once.reset()
    with Minute(deployed_once) as minute:
        healthy(deployed_once)
    deployed_once.settle()
    return minute.points


@pytest.mark.parametrize(
    ("name", "failure", "needed"), FAILURES, ids=[f"{name} {failure.__name__}" for name, failure, _ in FAILURES]
)
def test_an_alarm_goes_up_with_its_failure_and_only_with_it(
    stage: Deployment, quiet: list[Datapoint], name: str, failure: Callable[[Deployment], None], needed: int
) -> None:
    alarm = Alarm.of(stage.cloud, "watched", name)
    minutes: Minutes = [quiet]
    for _ in range(needed):
        assert not alarm.is_up(minutes), "it goes up too soon"
        with Minute(stage) as minute:
            failure(stage)
        minutes.append(minute.points)
    assert alarm.is_up(minutes)
    check(stage, alarm, minutes, quiet)


@pytest.mark.parametrize("name", OLDEST)
def test_an_alarm_on_the_oldest_message_goes_up_when_its_queue_is_not_read(
    stage: Deployment, quiet: list[Datapoint], name: str
) -> None:
    alarm, url = Alarm.of(stage.cloud, "watched", name), OLDEST[name](stage)
    with pace.queue_paused(stage.cloud, stage.stack):
        began = time.time()
        stage.cloud.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(login(token(), "ann")))
        sent = sent_at(stage, url)
        assert began - 1 <= sent <= time.time() + 1
        with Minute(stage) as minute:
            minute.oldest, minute.of = time.time() - sent, url
        # The message is still there, so SQS will report this age later.
        with Minute(stage) as later:
            later.oldest, later.of = alarm.definition["Threshold"] + 1, url
        assert not alarm.is_up([quiet, minute.points])
        assert alarm.is_up([quiet, minute.points, later.points])
        check(stage, alarm, [quiet, minute.points, later.points], quiet)
    stage.drain()


@pytest.mark.parametrize("name", IN_FLIGHT)
def test_an_alarm_on_messages_in_flight_goes_up_before_sqs_hands_out_no_more(
    stage: Deployment, quiet: list[Datapoint], name: str
) -> None:
    alarm, url = Alarm.of(stage.cloud, "watched", name), IN_FLIGHT[name](stage)
    queue = frozenset({("QueueName", url.rpartition("/")[2])})

    def in_flight(number: int) -> list[Datapoint]:
        # Filling a queue with this number of messages would take minutes.
        others = [point for point in quiet if not alarm.watches(point)]
        return [*others, Datapoint("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", queue, number, "Count")]

    assert any(alarm.watches(point) for point in in_flight(0))
    assert not alarm.is_up([quiet, in_flight(95_999)])
    minutes = [quiet, in_flight(96_000)]
    assert alarm.is_up(minutes)
    check(stage, alarm, minutes, quiet)


@pytest.mark.parametrize("name", NOT_LOCAL)
def test_an_alarm_on_a_metric_of_aws_goes_up_with_one_failure(
    stage: Deployment, quiet: list[Datapoint], name: str
) -> None:
    alarm, failure = Alarm.of(stage.cloud, "watched", name), NOT_LOCAL[name](stage)
    assert alarm.watches(failure)
    assert not alarm.is_up([quiet])
    assert alarm.is_up([quiet, [*quiet, failure]])
    check(stage, alarm, [quiet, [*quiet, failure]], quiet)


def test_the_duration_alarm_goes_up_when_tpns_hangs_before_the_function_runs_into_its_timeout(
    stage: Deployment, quiet: list[Datapoint]
) -> None:
    alarm = Alarm.of(stage.cloud, "watched", "DurationAlarm")
    # The longest with which it goes up, so that a busy machine has time to answer.
    patient = stage.environment(DEADLINE_RESERVE_MS="1900")
    # Three in parallel, because each takes nearly the whole timeout.
    parallel = stage.side_by_side(functions=3, batch_size=10)
    with patient, parallel, Minute(stage) as minute, ThreadPoolExecutor() as pool:
        answers = list(pool.map(hanging, [stage] * 3))
    assert [len(answer["batchItemFailures"]) for answer in answers] == [3] * 3, "the function ran into its timeout"
    lasted = [point.value for point in minute.points if alarm.watches(point)]
    assert lasted
    assert all(milliseconds > TIMEOUT_SECONDS * 800 for milliseconds in lasted)
    minutes = [quiet, minute.points, minute.points]
    assert not alarm.is_up(minutes), "it goes up too soon"
    minutes.append(minute.points)
    assert alarm.is_up(minutes)
    check(stage, alarm, minutes, quiet)


def test_every_alarm_of_the_template_is_tested(deployed_once: Deployment) -> None:
    cloudformation = deployed_once.cloud.client("cloudformation")
    resources = cloudformation.describe_stack_resources(StackName="watched")["StackResources"]
    there = {one["LogicalResourceId"] for one in resources if one["ResourceType"] == "AWS::CloudWatch::Alarm"}
    assert there == ALL


def test_no_alarm_is_up_without_failures(deployed_once: Deployment, quiet: list[Datapoint]) -> None:
    for name in sorted(ALL):
        alarm = Alarm.of(deployed_once.cloud, "watched", name)
        assert not alarm.is_up([quiet] * 15), name
        # An age is there only while there is a message or a failure; every other metric must be there, or this proves
        # nothing.
        assert name in {*OLDEST, *NOT_LOCAL, "OutageAlarm"} or any(alarm.watches(point) for point in quiet), name


def check(stage: Deployment, alarm: Alarm, minutes: Minutes, quiet: list[Datapoint]) -> None:
    """Checks that the alarm goes down again, and that MiniStack agrees."""
    enough = alarm.definition["EvaluationPeriods"] * alarm.definition["Period"] // 60
    assert not alarm.is_up([*minutes, *[quiet] * enough]), "it stays up"
    assert state_in_ministack(stage.cloud, alarm, [quiet]) != "ALARM"
    assert state_in_ministack(stage.cloud, alarm, minutes) == "ALARM"


def test_the_alarm_on_failing_checks_goes_up_when_they_have_failed_for_longer_than_a_quarter_of_an_hour(
    stage: Deployment, quiet: list[Datapoint]
) -> None:
    alarm = Alarm.of(stage.cloud, "watched", "ChecksFailAlarm")
    with Minute(stage) as minute:
        failed_check(stage)
    # Repeated as seldom as the template has it: after 930 s, so that a period of a quarter of an hour may have none.
    for first in range(16):
        hour: Minutes = [minute.points if number % 16 == first else quiet for number in range(60)]
        assert alarm.is_up(hour), f"a failure in minute {first} and each 16th after it"
    # A failure of a quarter of an hour.
    short: Minutes = [quiet] * 22 + [minute.points] * 15 + [quiet] * 23
    assert not any(alarm.is_up(short[:end]) for end in range(1, 61))
    check(stage, alarm, hour, quiet)


def sent_at(stage: Deployment, url: str) -> float:
    """Returns when the only message in the queue was sent."""
    sqs = stage.cloud.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=url, AttributeNames=["SentTimestamp"], VisibilityTimeout=0)["Messages"]
    return int(message["Attributes"]["SentTimestamp"]) / 1000


def test_an_alarm_is_evaluated_on_its_own_dimensions(world: World) -> None:
    cloudwatch = world.cloud.client("cloudwatch")
    own, other = ([{"Name": "FunctionName", "Value": uuid.uuid4().hex}] for _ in range(2))
    metric = {"MetricName": "Errors", "Namespace": "AWS/Lambda"}
    compared = {"Threshold": 1.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "missing"}

    def state_after_an_error_of(dimensions: list[dict[str, str]], name: str) -> str:
        error = {"MetricName": metric["MetricName"], "Dimensions": dimensions, "Value": 1.0}
        cloudwatch.put_metric_data(Namespace=metric["Namespace"], MetricData=[error])
        cloudwatch.put_metric_alarm(
            AlarmName=name, **metric, Dimensions=own, Period=60, EvaluationPeriods=1, Statistic="Sum", **compared
        )
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        cloudwatch.delete_alarms(AlarmNames=[name])
        return str(alarm["StateValue"])

    assert state_after_an_error_of(other, "before") != "ALARM"
    assert state_after_an_error_of(own, "after") == "ALARM"
