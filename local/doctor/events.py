"""Whether events get from the bus to the function: rules, queue policies, event source mappings."""

from __future__ import annotations

import json
from collections.abc import Iterator

from .deployed import Deployed, name_of
from .finding import Finding, fail, ok
from .policy import lets_in

REPORTS = "ReportBatchItemFailures"


def rules(deployed: Deployed) -> Iterator[Finding]:
    for logical, physical in deployed.resources("AWS::Events::Rule").items():
        yield from _rule(deployed, logical, physical)


def mappings(deployed: Deployed) -> Iterator[Finding]:
    read = [mapping["EventSourceArn"] for mapping in deployed.mappings]
    if not read:
        yield fail("mapping", "no event source mapping invokes the alias live", "deploy the stack again")
    for mapping in deployed.mappings:
        queue = mapping["EventSourceArn"]
        subject = f"mapping of {name_of(queue)}"
        update = f"aws lambda update-event-source-mapping --uuid {mapping['UUID']}"
        if mapping["State"] not in ("Enabled", "Enabling"):
            yield fail(subject, f"is {mapping['State']}, so its events wait", f"{update} --enabled")
        elif REPORTS not in mapping.get("FunctionResponseTypes", []):
            yield fail(
                subject,
                f"does not have {REPORTS}, so SQS deletes what failed",
                f"{update} --function-response-types {REPORTS}",
            )
        elif not deployed.dead_letter_queue_of(queue):
            yield fail(
                subject,
                "its queue has no dead-letter queue, so what fails is deleted at the end of its retention",
                "set the queue's RedrivePolicy as template.yaml has it",
            )
        else:
            yield ok(subject, f"is enabled, with {REPORTS} and a dead-letter queue")


def _rule(deployed: Deployed, logical: str, physical: str) -> Iterator[Finding]:
    # On a bus other than the default one the physical id is "bus|rule".
    name, bus = physical.rpartition("|")[2], deployed.outputs["EventBusName"]
    events = deployed.client("events")
    subject = f"rule {logical}"
    rule = events.describe_rule(Name=name, EventBusName=bus)
    if rule["State"] == "DISABLED":
        enable = f"aws events enable-rule --name {name} --event-bus-name {bus}"
        yield fail(subject, "is disabled, so it drops its events", enable)
        return
    targets = events.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
    if not targets:
        yield fail(subject, "has no target, so it drops its events", "give it its queue again, as template.yaml does")
    for target in targets:
        queue, dead = target["Arn"], target.get("DeadLetterConfig", {}).get("Arn")
        if queue not in [mapping["EventSourceArn"] for mapping in deployed.mappings]:
            yield fail(
                subject,
                f"sends to {name_of(queue)}, which the function does not read",
                f"create an event source mapping from it to the alias live, with {REPORTS}",
            )
        elif not dead:
            yield fail(
                subject,
                "has no dead-letter queue, so it drops what it can't deliver for a day",
                "give its target the DeadLetterConfig that template.yaml has",
            )
        else:
            closed = [arn for arn in (queue, dead) if not _is_let_in(deployed, arn, rule["Arn"])]
            yield from (_not_let_in(subject, arn) for arn in closed)
            if not closed:
                yield ok(subject, f"may send to {name_of(queue)}, and to its dead-letter queue")


def _is_let_in(deployed: Deployed, queue: str, rule: str) -> bool:
    policy = deployed.queue(queue).get("Policy")
    return bool(policy) and lets_in(json.loads(str(policy)), queue, rule)


def _not_let_in(subject: str, queue: str) -> Finding:
    return fail(
        subject,
        f"the policy of {name_of(queue)} does not let it in, so its events do not arrive",
        "restore the policy from template.yaml: sqs:SendMessage for events.amazonaws.com, aws:SourceArn being the rule",
    )
