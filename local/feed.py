"""Sends a stream: EventBridge events over the bus, all others directly to the queue, in the stream's order."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from .cloud import Cloud
from .stack import Stack
from .stream import Line

_ENTRIES = 10  # the maximum of PutEvents and SendMessageBatch
_BYTES = 200_000  # well below their size limits


@dataclass(frozen=True)
class Sent:
    """A line and the id by which it can be found."""

    line: Line
    message_id: str | None = None  # the queue's
    bus_event_id: str | None = None  # the bus's; its message in the queue has another id
    refused: str | None = None  # why the bus or the queue did not accept it


def feed(cloud: Cloud, stack: Stack, lines: list[Line]) -> list[Sent]:
    bus, queue = cloud.client("events"), cloud.client("sqs")
    sent: list[Sent] = []

    def way(line: Line) -> str:
        if line.not_taken:
            return "none"
        return "bus" if line.by_bus and stack.bus_name is not None else "queue"

    for by, run in itertools.groupby(lines, way):
        for chunk in _chunks(list(run)):
            if by == "none":
                sent += [Sent(line, refused=line.not_taken) for line in chunk]
            elif by == "bus":
                sent += _put_events(bus, stack.bus_name, chunk)
            else:
                sent += _send_messages(queue, stack.queue_url, chunk)
    return sent


def bus_entry(line: Line, bus_name: str | None) -> dict[str, Any]:
    """Returns a line as an entry for PutEvents. The bus itself adds `id`, `account` and `region`."""
    event = json.loads(line.body)
    entry = {
        "EventBusName": bus_name,
        "Source": str(event.get("source", "")),
        "DetailType": str(event["detail-type"]),
        "Detail": json.dumps(event.get("detail"), ensure_ascii=False),
    }
    if isinstance(event.get("time"), str):
        entry["Time"] = event["time"]
    return entry


def _put_events(bus: Any, bus_name: str | None, lines: list[Line]) -> list[Sent]:
    answer = bus.put_events(Entries=[bus_entry(line, bus_name) for line in lines])
    return [
        Sent(line, bus_event_id=entry.get("EventId"), refused=_refusal(entry, "ErrorCode", "ErrorMessage"))
        for line, entry in zip(lines, answer["Entries"], strict=True)
    ]


def _send_messages(queue: Any, url: str, lines: list[Line]) -> list[Sent]:
    fifo = url.endswith(".fifo")
    entries = [
        {
            "Id": str(index),
            "MessageBody": line.body,
            # As producers should do it: the group is the device. An event without a device waits for nothing. Each line
            # is an event of its own, even if two are equal.
            **(
                {"MessageGroupId": line.token or f"line-{line.number}", "MessageDeduplicationId": str(uuid4())}
                if fifo
                else {}
            ),
        }
        for index, line in enumerate(lines)
    ]
    answer = queue.send_message_batch(QueueUrl=url, Entries=entries)
    accepted = {entry["Id"]: entry["MessageId"] for entry in answer.get("Successful", [])}
    refused = {entry["Id"]: _refusal(entry, "Code", "Message") for entry in answer.get("Failed", [])}
    return [
        Sent(line, message_id=accepted.get(str(index)), refused=refused.get(str(index)))
        for index, line in enumerate(lines)
    ]


def _refusal(entry: dict[str, Any], code: str, message: str) -> str | None:
    return f"{entry[code]}: {entry.get(message, '')}" if entry.get(code) else None


def _chunks(lines: list[Line]) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    size = 0
    for line in lines:
        weight = len(line.body.encode())
        if chunk and (len(chunk) == _ENTRIES or size + weight > _BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += weight
    if chunk:
        yield chunk
