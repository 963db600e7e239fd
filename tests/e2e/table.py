"""The ledger's table, as an operator can read it."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.cloud import Cloud
from local.tpns import LEDGER_KEYS

Row = dict[str, Any]


class Table:
    def __init__(self, cloud: Cloud, name: str) -> None:
        self.name = name
        self._dynamodb = cloud.client("dynamodb")

    def rows(self) -> dict[str, Row]:
        """Returns the rows of devices and accounts by key, with strings and numbers as values."""
        return {key: row for key, row in self.everything().items() if key != "apps"}

    def everything(self) -> dict[str, Row]:
        """Returns the same, and the row of the apps."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        items = [item for page in pages for item in page["Items"]]
        return {
            item["pk"]["S"]: {name: _plain(value) for name, value in item.items() if name != "pk"} for item in items
        }

    def device(self, app: str, token: str) -> Row:
        return self.rows()[device_key(app, token)]

    def accounts(self) -> dict[str, Row]:
        return {key: row for key, row in self.rows().items() if key.startswith("account#")}

    def put(self, key: str, **attributes: str | int) -> None:
        item = {
            name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in attributes.items()
        }
        self._dynamodb.put_item(TableName=self.name, Item={"pk": {"S": key}, **item})

    def age(self, key: str, seconds: int) -> None:
        """Makes a row older."""
        self._dynamodb.update_item(
            TableName=self.name,
            Key={"pk": {"S": key}},
            UpdateExpression="ADD expires_at :older",
            ExpressionAttributeValues={":older": {"N": str(-seconds)}},
        )

    def delete(self, key: str) -> None:
        self._dynamodb.delete_item(TableName=self.name, Key={"pk": {"S": key}})

    def clear(self) -> None:
        for key in self.rows():
            self.delete(key)

    def let_rows_expire(self, enabled: bool = True) -> None:
        """As the template has it; MiniStack's CloudFormation leaves it off."""
        specification = {"Enabled": enabled, "AttributeName": "expires_at"}
        self._dynamodb.update_time_to_live(TableName=self.name, TimeToLiveSpecification=specification)

    @contextmanager
    def dropped(self) -> Iterator[None]:
        """Afterwards the row of the apps is there again. Functions that run keep the data key that is in it, and those
        that start would make another one: each could not read what the other one writes."""
        apps = self._dynamodb.get_item(TableName=self.name, Key={"pk": {"S": "apps"}}).get("Item")
        self._dynamodb.update_table(TableName=self.name, DeletionProtectionEnabled=False)
        self._dynamodb.delete_table(TableName=self.name)
        try:
            yield
        finally:
            self._dynamodb.create_table(
                TableName=self.name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            )
            if apps:
                self._dynamodb.put_item(TableName=self.name, Item=apps)


def device_key(app: str, token: str) -> str:
    return f"device#{app}#{token}"


def is_version_of(version: str, event_id: str) -> bool:
    """Whether a version ends with the event's id, or with what stands for one that is not random by its form."""
    key = hmac.digest(LEDGER_KEYS[0].encode(), b"ledger key: event ids", "sha256")
    digest = hmac.digest(key, event_id.encode(), "sha256")[:16]
    pseudonym = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    # Time and kind come first; behind them, from a FIFO queue, its sequence number.
    return version.split(".", 2)[2].rpartition("~")[2] in (event_id, pseudonym)


def _plain(value: dict[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return int(content) if kind == "N" else content
