"""The ledger, the alarms, and the messages that wait for a person."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from .deployed import Deployed, code_of, name_of
from .finding import Finding, fail, note, ok

_TTL = "expires_at"


def ledger(deployed: Deployed) -> Iterator[Finding]:
    table = deployed.environment.get("LEDGER_TABLE")
    if not table:
        yield note("ledger", "is off, which is right only for a FIFO queue to which nothing is redriven")
        return
    database = deployed.client("dynamodb")
    try:
        status = database.describe_table(TableName=table)["Table"]["TableStatus"]
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        yield fail("ledger", "its table does not exist, so nothing is applied", 'docs/runbook.md, "The ledger fails"')
        return
    ttl = database.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    name = table.rpartition("/")[2]
    if status not in ("ACTIVE", "UPDATING"):
        yield fail("ledger", f"its table is {status}, so nothing is applied", 'docs/runbook.md, "The ledger fails"')
    elif ttl["TimeToLiveStatus"] not in ("ENABLED", "ENABLING") or ttl.get("AttributeName", _TTL) != _TTL:
        yield fail(
            "ledger",
            "its rows don't expire, so it keeps accounts for ever",
            f"aws dynamodb update-time-to-live --table-name {name}"
            f" --time-to-live-specification Enabled=true,AttributeName={_TTL}",
        )
    else:
        yield ok("ledger", f"its table is {status}, and rows expire")


def alarms(deployed: Deployed) -> Iterator[Finding]:
    logical = {physical: logical for logical, physical in deployed.resources("AWS::CloudWatch::Alarm").items()}
    cloudwatch = deployed.client("cloudwatch")
    found = cloudwatch.describe_alarms(AlarmNames=list(logical), MaxRecords=100)["MetricAlarms"]
    silent = [one for one in found if not one["ActionsEnabled"] or not one["AlarmActions"]]
    missing = sorted(set(logical) - {one["AlarmName"] for one in found})
    names = [logical[name] for name in (*missing, *(one["AlarmName"] for one in silent))]
    if names:
        yield fail(
            "alarms",
            f"no one is notified by {', '.join(sorted(names))}",
            "deploy the stack with AlarmTopicArn; aws cloudwatch enable-alarm-actions, if its actions are disabled",
        )
    else:
        yield ok("alarms", f"all {len(found)} have a target")
    for topic in sorted({action for one in found for action in one["AlarmActions"] if ":sns:" in action}):
        yield _topic(deployed, topic)
    raised = sorted(logical[one["AlarmName"]] for one in found if one["StateValue"] == "ALARM")
    if raised:
        yield note("alarms", f"in ALARM: {', '.join(raised)}", "docs/runbook.md has a section for each")


def waiting(deployed: Deployed) -> Iterator[Finding]:
    dead = sorted(filter(None, {deployed.dead_letter_queue_of(one["EventSourceArn"]) for one in deployed.mappings}))
    counts = {name_of(arn): int(deployed.queue(arn)["ApproximateNumberOfMessages"]) for arn in dead}
    parked = deployed.environment.get("PARKING_QUEUE_URL")
    if parked:
        asked = deployed.client("sqs").get_queue_attributes(
            QueueUrl=parked, AttributeNames=["ApproximateNumberOfMessages"]
        )
        counts[parked.rpartition("/")[2]] = int(asked["Attributes"]["ApproximateNumberOfMessages"])
    for name, count in counts.items():
        if count:
            yield note(f"queue {name}", f"{count} messages wait for a person", "replay list --queue-url … shows why")
        else:
            yield ok(f"queue {name}", "is empty")


def _topic(deployed: Deployed, arn: str) -> Finding:
    subject, region = f"topic {name_of(arn)}", arn.split(":")[3]
    try:
        attributes = deployed.client("sns", region).get_topic_attributes(TopicArn=arn)["Attributes"]
    except ClientError as error:
        if code_of(error) not in ("NotFound", "NotFoundException"):
            raise
        return fail(subject, "does not exist, so no alarm reaches anyone", "create it, and subscribe to it")
    if int(attributes["SubscriptionsConfirmed"]) == 0:
        pending = int(attributes["SubscriptionsPending"])
        return fail(
            subject,
            f"has no confirmed subscription ({pending} pending), so no alarm reaches anyone",
            "confirm the mail that AWS sent" if pending else "aws sns subscribe, as in docs/deploying.md, step 3",
        )
    return ok(subject, f"confirmed subscriptions: {attributes['SubscriptionsConfirmed']}")
