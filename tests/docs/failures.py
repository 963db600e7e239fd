"""Causes the failures that the runbook is for: each leaves its lines in the log and its messages in the queues."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from stacks import NAME, SECRET, Stacks, eventually

from local import function_log, queues

ATTEMPTS = 3  # TPNS_MAX_ATTEMPTS: tries of one call within one invocation


class Failures:
    def __init__(self, stacks: Stacks) -> None:
        self.stacks = stacks
        self._sqs = stacks.cloud.client("sqs")

    def lines(self) -> list[dict[str, Any]]:
        """Returns every line that the function has printed, including metrics."""
        return function_log.lines(self.stacks.cloud, self.stacks.standard)

    def send(self, kind: str, token: str, app: str = "android", **fields: Any) -> None:
        event = {
            "type": kind,
            "id": str(uuid.uuid4()),
            "occurred_at": time.time_ns() // 1_000_000,
            "app": app,
            "token": token,
            **fields,
        }
        self._sqs.send_message(QueueUrl=self.stacks.standard.queue_url, MessageBody=json.dumps(event))

    def login(self, token: str, app: str = "android") -> None:
        self.send("user.login", token, app, account_list=[{"account": f"owner-of-{token}"}])

    def of_every_kind(self) -> None:
        """Causes all of them. Ends with dead letters and parked events, and with an empty queue."""
        self.stacks.reset()
        tpns = self.stacks.tpns
        # An unreadable row, as if another program had written it.
        self._row("unreadable", owner="not a version")
        # Bound before the faults begin: a logout that is delivered before its login has no account to miss.
        self.login("missed")
        eventually(lambda: "missed" in self.stacks.bound().get("android", {}))
        tpns.inject(
            [
                {"fault": "status", "status": 503, "token": "dead", "times": None},
                {"fault": "status", "status": 503, "token": "dead-too", "times": None},
                {"fault": "ret_code", "ret_code": 1008028, "token": "too-fast", "times": ATTEMPTS},
                {"fault": "item_code", "code": 1999999, "token": "odd", "times": None},
                {"fault": "hang", "token": "slow", "times": 2 * ATTEMPTS},
            ]
        )
        self.login("dead")
        self.login("dead-too", app="ios")
        self.send("user.logout", "slow")
        for token in ("too-fast", "odd", "unreadable"):
            self.login(token)
        self.send("user.logout", "missed", account_list=[{"account": "Owner-of-missed"}])
        self.login("stranger", app="windows")
        self.send("user.logout", "stranger", app="windows")
        self._sqs.send_message(QueueUrl=self.stacks.standard.queue_url, MessageBody="this is not JSON")
        eventually(lambda: self._logged("ledger_unreadable"))
        self._delete_row("unreadable")
        queues.drain(self.stacks.cloud, self.stacks.standard, 120)
        tpns.reset()
        self.drift()

    def drift(self) -> None:
        """TPNS loses a login that it has accepted. Its check is sent by hand, without the queue's delay; beside it, a
        message that is no check, and a dead letter."""
        self.stacks.tpns.inject([{"fault": "effect", "apply": False, "token": "adrift", "times": None}])
        self.login("adrift")
        queues.drain(self.stacks.cloud, self.stacks.standard, 60)
        self.stacks.tpns.clear_faults()
        self._age("adrift")
        check = json.dumps({"checks": [{"app": "android", "token": "adrift"}]})
        for output, body in [
            ("CheckQueueUrl", check),
            ("CheckQueueUrl", "no check"),
            ("CheckDeadLetterQueueUrl", check),
        ]:
            self._sqs.send_message(QueueUrl=self._output(output), DelaySeconds=0, MessageBody=body)
        eventually(lambda: any(line.get("message") == "drift repaired" for line in self.lines()), 90)
        eventually(lambda: self._logged("malformed_check"), 90)

    def drift_again(self) -> None:
        """The same device has another account."""
        self.stacks.tpns.bind("android", "adrift", "someone-else")

    def wrong_key(self) -> None:
        """TPNS refuses the app until the secret is fixed."""
        document = self.stacks.tpns.apps_document().replace("local-android-key", "an-old-key")
        self._put_secret(document)
        self._restart()
        self.login("refused")
        eventually(lambda: self._logged("tpns_auth_failed"))

    def app_is_added(self, name: str) -> None:
        """Fixes `unknown_app` as an operator would, with a new entry in the apps document, which is read at the next
        start."""
        apps = json.loads(self.stacks.tpns.apps_document())
        # With another address of the local TPNS, which has no third app: at the same address it would be android.
        app = {**apps["android"], "endpoint": self.stacks.tpns.url.replace("127.0.0.1", "localhost")}
        self._put_secret(json.dumps({**apps, name: app}))
        self._restart()

    def next_is_applied(self) -> None:
        """Sends another login, because the first may be a dead letter by now: it is redelivered every two seconds
        here."""
        self.login("refused-once")
        eventually(lambda: "refused-once" in self.stacks.bound()["android"], 60)

    def _put_secret(self, document: str) -> None:
        self.stacks.cloud.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=document)

    def _restart(self) -> None:
        """Publishes a new version, which starts new processes that read the secret."""
        functions, stack = self.stacks.cloud.client("lambda"), self.stacks.standard
        given = functions.get_function_configuration(FunctionName=stack.function_name)["Environment"]["Variables"]
        variables = {**given, "STARTED": str(time.time_ns())}
        functions.update_function_configuration(FunctionName=stack.function_name, Environment={"Variables": variables})
        version = functions.publish_version(FunctionName=stack.function_name)["Version"]
        alias = stack.function_arn.rpartition(":")[2]
        functions.update_alias(FunctionName=stack.function_name, Name=alias, FunctionVersion=version)

    def _output(self, name: str) -> str:
        stack = self.stacks.cloud.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
        return next(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == name)

    def _logged(self, reason: str) -> bool:
        return any(line.get("reason") == reason for line in self.lines())

    def _row(self, token: str, **attributes: str) -> None:
        item = {"pk": {"S": f"device#android#{token}"}, **{name: {"S": value} for name, value in attributes.items()}}
        self.stacks.cloud.client("dynamodb").put_item(TableName=self.stacks.standard.ledger_table, Item=item)

    def _age(self, token: str) -> None:
        """Makes a row ten minutes older. What differs counts as drift, and is audited, only if the row is not new."""
        self.stacks.cloud.client("dynamodb").update_item(
            TableName=self.stacks.standard.ledger_table,
            Key={"pk": {"S": f"device#android#{token}"}},
            UpdateExpression="ADD expires_at :older",
            ExpressionAttributeValues={":older": {"N": "-600"}},
        )

    def _delete_row(self, token: str) -> None:
        key = {"pk": {"S": f"device#android#{token}"}}
        self.stacks.cloud.client("dynamodb").delete_item(TableName=self.stacks.standard.ledger_table, Key=key)
