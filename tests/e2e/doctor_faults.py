"""Faults of a deployed stack, each planted for the length of a block, for the tests of `make doctor`."""

from __future__ import annotations

import datetime
import functools
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from conftest import World
from deployment import changed_environment
from table import Table
from untrusted import untrusted_server

from local.cloud import REGION
from local.stack import Stack

SECRET = "tpns/examined"
TOPIC = "examined-alarms"
ACCOUNT = "000000000000"


@dataclass(frozen=True)
class Examined:
    """A healthy stack. `resources`: logical id -> physical id."""

    world: World
    stack: Stack
    topic: str
    resources: dict[str, str]

    @property
    def table(self) -> Table:
        return Table(self.world.cloud, str(self.stack.ledger_table))

    def client(self, service: str) -> Any:
        return self.world.cloud.client(service)


Steps = Callable[[Examined], Iterator[None]]


def planted(steps: Steps) -> Callable[[Examined], AbstractContextManager[None]]:
    """As `contextmanager`, and what follows the `yield` is done also if the block fails: the stack is that of other
    tests too."""

    @contextmanager
    @functools.wraps(steps)
    def plant(examined: Examined) -> Iterator[None]:
        under_way = steps(examined)
        next(under_way)
        try:
            yield
        finally:
            next(under_way, None)

    return plant


@planted
def disabled_rule(examined: Examined) -> Iterator[None]:
    events, rule = examined.client("events"), of_bus(examined)
    events.disable_rule(**rule)
    yield
    events.enable_rule(**rule)


@planted
def another_target(examined: Examined) -> Iterator[None]:
    with changed_target(examined, Arn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:elsewhere"):
        yield


@planted
def target_without_dead_letter_queue(examined: Examined) -> Iterator[None]:
    with changed_target(examined, DeadLetterConfig=None):
        yield


@planted
def closed_queue(examined: Examined) -> Iterator[None]:
    with closed(examined, examined.stack.queue_url):
        yield


@planted
def closed_dead_letter_queue(examined: Examined) -> Iterator[None]:
    with closed(examined, examined.stack.dead_letter_queue_url):
        yield


@planted
def disabled_mapping(examined: Examined) -> Iterator[None]:
    mapping = {"UUID": examined.resources["UnbindMapping"]}
    examined.client("lambda").update_event_source_mapping(**mapping, Enabled=False)
    yield
    examined.client("lambda").update_event_source_mapping(**mapping, Enabled=True)


@planted
def mapping_that_ignores_failures(examined: Examined) -> Iterator[None]:
    mapping = {"UUID": examined.resources["FunctionQueue"]}
    examined.client("lambda").update_event_source_mapping(**mapping, FunctionResponseTypes=[])
    yield
    examined.client("lambda").update_event_source_mapping(**mapping, FunctionResponseTypes=["ReportBatchItemFailures"])


@planted
def queue_without_dead_letter_queue(examined: Examined) -> Iterator[None]:
    with attribute(examined, examined.stack.queue_url, "RedrivePolicy", ""):
        yield


@planted
def missing_secret(examined: Examined) -> Iterator[None]:
    secrets = examined.client("secretsmanager")
    secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    yield
    secrets.create_secret(Name=SECRET, SecretString=examined.world.tpns.apps_document())


@planted
def binary_secret(examined: Examined) -> Iterator[None]:
    secrets = examined.client("secretsmanager")
    secrets.put_secret_value(SecretId=SECRET, SecretBinary=b"{}")
    yield
    secrets.put_secret_value(SecretId=SECRET, SecretString=examined.world.tpns.apps_document())


@planted
def document_without_ledger_keys(examined: Examined) -> Iterator[None]:
    secrets, before = examined.client("secretsmanager"), examined.world.tpns.apps_document()
    apps = {name: member for name, member in json.loads(before).items() if name != "ledger_keys"}
    secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps(apps))
    yield
    secrets.put_secret_value(SecretId=SECRET, SecretString=before)


@planted
def invalid_document(examined: Examined) -> Iterator[None]:
    with android(examined, region="peking"):
        yield


@planted
def refusing_tpns(examined: Examined) -> Iterator[None]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with android(examined, endpoint=f"https://127.0.0.1:{unused.getsockname()[1]}"):
            yield


@planted
def untrusted_tpns(examined: Examined) -> Iterator[None]:
    with untrusted_server() as endpoint, android(examined, endpoint=endpoint):
        yield


@planted
def function_that_can_not_start(examined: Examined) -> Iterator[None]:
    """Lambda's and the function's lines about an Init that failed, and that Lambda repeated with the invocation."""
    init: list[dict[str, Any]] = [
        {"type": "platform.initStart", "record": {"phase": "init", "functionVersion": "1"}},
        {"level": "ERROR", "message": "TPNS_APPS_SECRET_ID: could not be fetched (AccessDenied)"},
        {"type": "platform.initReport", "record": {"phase": "init", "status": "error"}},
        {"type": "platform.start", "record": {"version": "1"}},
    ]
    with log_stream(examined, [*init, *init]):
        yield


@planted
def function_that_is_too_slow_to_start(examined: Examined) -> Iterator[None]:
    with log_stream(
        examined,
        [
            {"type": "platform.initStart", "record": {"phase": "init", "functionVersion": "1"}},
            {"type": "platform.initReport", "record": {"phase": "init", "status": "timeout"}},
        ],
    ):
        yield


@planted
def no_source_of_the_apps(examined: Examined) -> Iterator[None]:
    with changed_environment(examined.world.cloud, examined.stack, TPNS_APPS_SECRET_ID=""):
        yield


@planted
def rows_that_never_expire(examined: Examined) -> Iterator[None]:
    examined.table.let_rows_expire(False)
    yield
    examined.table.let_rows_expire()


@planted
def missing_table(examined: Examined) -> Iterator[None]:
    with examined.table.dropped():
        yield
    examined.table.let_rows_expire()


@planted
def disabled_alarm(examined: Examined) -> Iterator[None]:
    alarm = [examined.resources["OutageAlarm"]]
    examined.client("cloudwatch").disable_alarm_actions(AlarmNames=alarm)
    yield
    examined.client("cloudwatch").enable_alarm_actions(AlarmNames=alarm)


@planted
def alarm_without_target(examined: Examined) -> Iterator[None]:
    cloudwatch = examined.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[examined.resources["ErrorsAlarm"]])["MetricAlarms"]
    kept = ("AlarmName", "MetricName", "Namespace", "Dimensions", "Period", "EvaluationPeriods", "Statistic")
    compared = ("Threshold", "ComparisonOperator", "TreatMissingData", "AlarmDescription")
    definition = {key: alarm[key] for key in (*kept, *compared)}
    cloudwatch.put_metric_alarm(**definition, AlarmActions=[])
    yield
    cloudwatch.put_metric_alarm(**definition, AlarmActions=alarm["AlarmActions"], OKActions=alarm["OKActions"])


@planted
def topic_without_subscription(examined: Examined) -> Iterator[None]:
    sns = examined.client("sns")
    for one in sns.list_subscriptions_by_topic(TopicArn=examined.topic)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    yield
    sns.subscribe(TopicArn=examined.topic, Protocol="email", Endpoint="operator@example.com")


@planted
def missing_topic(examined: Examined) -> Iterator[None]:
    sns = examined.client("sns")
    sns.delete_topic(TopicArn=examined.topic)
    yield
    sns.create_topic(Name=TOPIC)
    sns.subscribe(TopicArn=examined.topic, Protocol="email", Endpoint="operator@example.com")


@planted
def dead_letter(examined: Examined) -> Iterator[None]:
    sqs, url = examined.client("sqs"), examined.stack.dead_letter_queue_url
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    yield
    sqs.purge_queue(QueueUrl=url)


@planted
def parked_event(examined: Examined) -> Iterator[None]:
    sqs, url = examined.client("sqs"), str(examined.stack.parking_queue_url)
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    yield
    sqs.purge_queue(QueueUrl=url)


@planted
def raised_alarm(examined: Examined) -> Iterator[None]:
    alarm = {"AlarmName": examined.resources["OutageAlarm"], "StateReason": "for the test"}
    examined.client("cloudwatch").set_alarm_state(**alarm, StateValue="ALARM")
    yield
    examined.client("cloudwatch").set_alarm_state(**alarm, StateValue="OK")


def of_bus(examined: Examined) -> dict[str, str]:
    return {"Name": examined.resources["AuthEventsRule"], "EventBusName": str(examined.stack.bus_name)}


@contextmanager
def changed_target(examined: Examined, **changed: Any) -> Iterator[None]:
    events, rule = examined.client("events"), of_bus(examined)
    on_bus = {"Rule": rule["Name"], "EventBusName": rule["EventBusName"]}
    (target,) = events.list_targets_by_rule(**on_bus)["Targets"]
    other = {key: value for key, value in (target | changed).items() if value is not None}
    events.put_targets(**on_bus, Targets=[other])
    yield
    events.put_targets(**on_bus, Targets=[target])


@contextmanager
def closed(examined: Examined, url: str) -> Iterator[None]:
    """The queue's policy lets in another rule, as after the rule was replaced."""
    before = examined.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"][
        "Policy"
    ]
    rule = examined.resources["AuthEventsRule"]
    assert rule in before
    with attribute(examined, url, "Policy", before.replace(rule, f"{rule}-2")):
        yield


@contextmanager
def attribute(examined: Examined, url: str, name: str, value: str) -> Iterator[None]:
    sqs = examined.client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: value})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: before})


@contextmanager
def android(examined: Examined, **changed: str) -> Iterator[None]:
    """Another place for the app in the secret."""
    secrets, before = examined.client("secretsmanager"), examined.world.tpns.apps_document()
    apps = json.loads(before)
    del apps["android"]["endpoint"]
    secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps({**apps, "android": apps["android"] | changed}))
    yield
    secrets.put_secret_value(SecretId=SECRET, SecretString=before)


@contextmanager
def log_stream(examined: Examined, lines: list[dict[str, Any]]) -> Iterator[None]:
    logs = examined.client("logs")
    now = datetime.datetime.now(datetime.UTC)
    stream = {"logGroupName": examined.stack.log_group, "logStreamName": f"{now:%Y/%m/%d}/[1]{now.timestamp()}"}
    logs.create_log_stream(**stream)
    events = [{"timestamp": int(now.timestamp() * 1000), "message": json.dumps(line)} for line in lines]
    logs.put_log_events(**stream, logEvents=events)
    yield
    logs.delete_log_stream(**stream)
