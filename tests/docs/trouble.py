"""What the runbook is for, made to happen: each kind of trouble leaves its lines in the log and its messages in the queues."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from ward import SECRET, Ward, eventually

from local import function_log, queues

ATTEMPTS = 3  # TPNS_MAX_ATTEMPTS: tries of one call within one invocation


class Trouble:
    def __init__(self, ward: Ward) -> None:
        self.ward = ward
        self._sqs = ward.cloud.client("sqs")

    def lines(self) -> list[dict[str, Any]]:
        """All that the function has printed, its metrics too."""
        return function_log.lines(self.ward.cloud, self.ward.standard)

    def send(self, kind: str, token: str, app: str = "android", **fields: Any) -> None:
        event = {
            "type": kind,
            "id": str(uuid.uuid4()),
            "occurred_at": time.time_ns() // 1_000_000,
            "app": app,
            "token": token,
            **fields,
        }
        self._sqs.send_message(QueueUrl=self.ward.standard.queue_url, MessageBody=json.dumps(event))

    def login(self, token: str, app: str = "android") -> None:
        self.send("user.login", token, app, account_list=[{"account": f"owner-of-{token}"}])

    def of_every_kind(self) -> None:
        """Ends with dead letters and parked events, and nothing waiting."""
        self.ward.forget()
        tpns = self.ward.tpns
        # The unreadable row: another program's.
        self._row("spoilt", owner="not a version")
        # Bound before the faults begin: a logout that is delivered before its login has no account to miss.
        self.login("missed")
        eventually(lambda: "missed" in self.ward.bound().get("android", {}))
        tpns.inject(
            [
                {"fault": "status", "status": 503, "token": "dead", "times": None},
                {"fault": "status", "status": 503, "token": "dead-too", "times": None},
                {"fault": "ret_code", "ret_code": 1008028, "token": "too-fast", "times": ATTEMPTS},
                {"fault": "item_code", "code": 1999999, "token": "odd"},
                {"fault": "hang", "token": "slow", "times": 2 * ATTEMPTS},
            ]
        )
        self.login("dead")
        self.login("dead-too", app="ios")
        self.send("user.logout", "slow")
        for token in ("too-fast", "odd", "spoilt"):
            self.login(token)
        self.send("user.logout", "missed", account_list=[{"account": "Owner-of-missed"}])
        self.login("stranger", app="windows")
        self.send("user.logout", "stranger", app="windows")
        self._sqs.send_message(QueueUrl=self.ward.standard.queue_url, MessageBody="this is not JSON")
        eventually(lambda: self._told("ledger_unreadable"))
        self._forget("spoilt")
        queues.drain(self.ward.cloud, self.ward.standard, 120)
        tpns.reset()

    def wrong_key(self) -> None:
        """TPNS refuses the app, and goes on refusing until the secret is mended."""
        document = self.ward.tpns.apps_document().replace("local-android-key", "a-key-of-long-ago")
        self._secret(document)
        self._start_anew()
        self.login("refused")
        eventually(lambda: self._told("tpns_auth_failed"))

    def app_is_added(self, name: str) -> None:
        """As an operator fixes `unknown_app`: another entry in the apps document, read at the next start."""
        apps = json.loads(self.ward.tpns.apps_document())
        # By another address of the local TPNS, which knows no third app: at one address it would be android.
        app = {**apps["android"], "endpoint": self.ward.tpns.url.replace("127.0.0.1", "localhost")}
        self._secret(json.dumps({**apps, name: app}))
        self._start_anew()

    def next_is_applied(self) -> None:
        """The first one may be a dead letter by now: it comes every two seconds here, not every three minutes."""
        self.login("refused-once")
        eventually(lambda: "refused-once" in self.ward.bound()["android"], 60)

    def _secret(self, document: str) -> None:
        self.ward.cloud.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=document)

    def _start_anew(self) -> None:
        """A version of its own starts with new processes, which read the secret."""
        functions, stack = self.ward.cloud.client("lambda"), self.ward.standard
        given = functions.get_function_configuration(FunctionName=stack.function_name)["Environment"]["Variables"]
        variables = {**given, "STARTED": str(time.time_ns())}
        functions.update_function_configuration(FunctionName=stack.function_name, Environment={"Variables": variables})
        version = functions.publish_version(FunctionName=stack.function_name)["Version"]
        alias = stack.function_arn.rpartition(":")[2]
        functions.update_alias(FunctionName=stack.function_name, Name=alias, FunctionVersion=version)

    def _told(self, reason: str) -> bool:
        return any(line.get("reason") == reason for line in self.lines())

    def _row(self, token: str, **attributes: str) -> None:
        item = {"pk": {"S": f"device#android#{token}"}, **{name: {"S": value} for name, value in attributes.items()}}
        self.ward.cloud.client("dynamodb").put_item(TableName=self.ward.standard.ledger_table, Item=item)

    def _forget(self, token: str) -> None:
        key = {"pk": {"S": f"device#android#{token}"}}
        self.ward.cloud.client("dynamodb").delete_item(TableName=self.ward.standard.ledger_table, Key=key)
