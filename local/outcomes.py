"""Finds the outcome of each line of the stream, from what was sent, what the function logged, and what is parked or
dead-lettered."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from .cloud import Cloud
from .feed import Sent, bus_entry
from .function_log import Delivery, event_id_hash
from .queues import FailedMessage
from .stack import Stack


@dataclass(frozen=True)
class Outcome:
    """`outcome`: applied, superseded, parked, dead-lettered, refused (by bus or queue), ignored (by the rule) or
    unknown."""

    sent: Sent
    outcome: str
    reason: str | None = None
    detail: str | None = None
    deliveries: int = 0


def outcomes(
    cloud: Cloud, stack: Stack, sent: list[Sent], logged: list[Delivery], dead: list[FailedMessage]
) -> list[Outcome]:
    sent = _found_by_id(sent, logged, dead)
    sent = _found_by_order(cloud, stack, sent, logged)
    by_message: dict[str | None, list[Delivery]] = defaultdict(list)
    for delivery in logged:
        by_message[delivery.message_id].append(delivery)
    dead_ids = {letter.message_id for letter in dead}
    found = [_outcome(one, by_message[one.message_id] if one.message_id else [], dead_ids) for one in sent]
    return [_ignored(cloud, stack, one) if one.outcome == "unknown" else one for one in found]


def of_parked(events: list[Outcome], parked: list[FailedMessage]) -> list[Outcome | None]:
    """Returns the event of each parked message. A parked message is a new one with the same body, so it is found by its
    body."""
    free = [event for event in events if event.outcome == "parked"]

    def event_of(message: FailedMessage) -> Outcome | None:
        bus_event_id = _bus_event_id(message.body)
        for event in free:
            sent = event.sent
            if sent.line.body == message.body or (bus_event_id is not None and sent.bus_event_id == bus_event_id):
                free.remove(event)
                return event
        return None

    return [event_of(message) for message in parked]


def _outcome(sent: Sent, deliveries: list[Delivery], dead_ids: set[str]) -> Outcome:
    if sent.refused:
        return Outcome(sent, "refused", "not_taken", sent.refused)
    last = max(deliveries, key=lambda delivery: delivery.receive_count, default=None)
    count = max((delivery.receive_count for delivery in deliveries), default=0)
    if sent.message_id in dead_ids:
        # Without a log line: the function ended before it could write one, each time.
        return Outcome(sent, "dead-lettered", last.reason if last else None, last.detail if last else None, count)
    if last is None:
        return Outcome(sent, "unknown")
    return Outcome(sent, last.outcome, last.reason, last.detail, count)


def _found_by_id(sent: list[Sent], logged: list[Delivery], dead: list[FailedMessage]) -> list[Sent]:
    """Finds the queue's message of each bus event: by the bus's event id where body or log has it, else by the
    producer's id. Duplicates share the producer's id on purpose; then either message will do."""
    by_bus_id = {event_id: letter.message_id for letter in dead if (event_id := _bus_event_id(letter.body))}
    claimed = {one.message_id for one in sent if one.message_id} | set(by_bus_id.values())
    free: dict[str, list[str]] = defaultdict(list)
    for delivery in logged:
        event_id = delivery.event_id or delivery.event_id_hash
        if event_id and delivery.message_id and delivery.message_id not in claimed:
            claimed.add(delivery.message_id)
            free[event_id].append(delivery.message_id)

    def message_id(one: Sent) -> str | None:
        if one.message_id or one.bus_event_id is None:
            return one.message_id
        if one.bus_event_id in by_bus_id:
            return by_bus_id[one.bus_event_id]
        own = one.line.producer_id or ""
        hashed = event_id_hash(one.line.app, one.line.token, own)
        candidates = free[one.bus_event_id] or free[own] or free[hashed]
        return candidates.pop(0) if candidates else None

    return [replace(one, message_id=message_id(one)) for one in sent]


def _found_by_order(cloud: Cloud, stack: Stack, sent: list[Sent], logged: list[Delivery]) -> list[Sent]:
    """Finds by order the events that could not be read, which have no id in the log: a run reads one batch at a time,
    so the first deliveries are in the order of sending."""
    claimed = {one.message_id for one in sent}
    left = iter(dict.fromkeys(one.message_id for one in logged if one.message_id and one.message_id not in claimed))

    def is_missing(one: Sent) -> bool:
        return one.message_id is None and one.bus_event_id is not None and _matches_a_rule(cloud, stack, one)

    return [replace(one, message_id=next(left, None)) if is_missing(one) else one for one in sent]


def _bus_event_id(body: str) -> str | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value.get("id") if isinstance(value, dict) and "detail-type" in value else None


def _ignored(cloud: Cloud, stack: Stack, one: Outcome) -> Outcome:
    """Marks a bus event that matches no rule. It never becomes a message and is not lost."""
    if one.sent.bus_event_id is None or _matches_a_rule(cloud, stack, one.sent):
        return one
    return replace(one, outcome="ignored", reason="no_rule", detail=f"no rule of the bus matches {one.sent.line.type}")


def _matches_a_rule(cloud: Cloud, stack: Stack, sent: Sent) -> bool:
    events = cloud.client("events")
    entry = bus_entry(sent.line, stack.bus_name)
    event: dict[str, Any] = {
        "id": sent.bus_event_id,
        "account": "000000000000",
        "source": entry["Source"],
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail-type": entry["DetailType"],
        "detail": json.loads(entry["Detail"]),
    }
    rules = events.list_rules(EventBusName=stack.bus_name)["Rules"]
    return any(
        events.test_event_pattern(EventPattern=rule["EventPattern"], Event=json.dumps(event))["Result"]
        for rule in rules
        if "EventPattern" in rule
    )
