"""One stack with its own TPNS, its fault, its traffic, and how late TPNS accepted each logout."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from local import pace, queues, stack
from local.cloud import Cloud
from local.processes import Processes
from local.tpns import Tpns

from .proxy import Proxy

FAULTS = {"tpns": "TPNS down", "table": "table down", "key": "wrong key"}
OLD = "old"
TIMINGS = {"new": "redelivery delays", OLD: "visibility timeout"}
_UNBINDS = (3, 4)
_OLD_DELIVERIES = 5


@dataclass(frozen=True)
class Logout:
    token: str
    sent: float  # seconds since the epoch


@dataclass
class Stage:
    fault: str
    timing: str
    tpns: Tpns
    stack: stack.Stack
    break_it: Callable[[], None]
    repair_it: Callable[[], None]
    logouts: list[Logout] = field(default_factory=list)

    def send(self, sqs: Any) -> None:
        """Sends a login and a logout, of two devices that no other event is about."""
        now = time.time()
        logout = Logout(_token(), now)
        bodies: list[dict[str, Any]] = [
            {"type": "user.login", "token": _token(), "account_list": [{"account": f"user-{len(self.logouts)}"}]},
            {"type": "user.logout", "token": logout.token},
        ]
        occurred_at = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}Z"
        entries = [
            {
                "Id": str(number),
                "MessageBody": json.dumps({**body, "id": str(uuid4()), "app": "android", "occurred_at": occurred_at}),
            }
            for number, body in enumerate(bodies)
        ]
        main, lane = self.stack.queue_url, self.stack.unbind_queue_url
        for entry, url in zip(entries, (main, lane or main), strict=True):
            sqs.send_message_batch(QueueUrl=url, Entries=[entry])
        self.logouts.append(logout)

    def is_settled(self, sqs: Any) -> bool:
        return queues.depth(sqs, self.stack).drained

    def result(self, began: float, sqs: Any) -> dict[str, Any]:
        """`unbinds`: [seconds from the beginning until it was sent, seconds until TPNS accepted it, or null]."""
        accepted = self._accepted()
        return {
            "fault": self.fault,
            "timing": self.timing,
            "dead_lettered": queues.depth(sqs, self.stack).dead,
            "calls": len(self.tpns.calls()),
            "unbinds": [
                [
                    round(logout.sent - began, 3),
                    round(accepted[logout.token] - logout.sent, 3) if logout.token in accepted else None,
                ]
                for logout in self.logouts
            ],
        }

    def _accepted(self) -> dict[str, float]:
        accepted: dict[str, float] = {}
        for call in self.tpns.calls():
            if call["applied"] and call["operator_type"] in _UNBINDS:
                request = call["request"]
                tokens = [*request.get("token_list", []), *(one["token"] for one in request.get("token_accounts", []))]
                for token in tokens:
                    accepted.setdefault(token, call["at_ms"] / 1000)
        return accepted


def start(
    cloud: Cloud, processes: Processes, folder: Path, template: Path, tools: tuple[Path, Path], fault: str, timing: str
) -> Stage:
    """Deploys a stack. `tools`: the binaries of the function and of tpns-sim."""
    name = f"{fault}-{timing}"
    (folder / name).mkdir()
    function, simulator = tools
    tpns = Tpns.start(processes, simulator, folder / name)
    secrets, secret, apps = cloud.client("secretsmanager"), f"tpns/{name}", tpns.apps_document()
    secrets.create_secret(Name=secret, SecretString=apps)
    proxy = Proxy(cloud.url)
    environment = {"AWS_ENDPOINT_URL_DYNAMODB": proxy.url}
    if timing == OLD:
        environment |= {"RETRY_MAX_DELAY": "0", "TPNS_PROBE_INTERVAL": "0"}
    parameters = {
        "TpnsAppsSecretId": secret,
        # Else the wrong key would be in force a minute late.
        "TpnsAppsMaxAge": "1s",
        "GradualDeployment": "off",
        "UnbindLane": "off" if timing == OLD else "auto",
    }
    deployed = stack.deploy(cloud, template, function, parameters, name=f"outage-{name}", environment=environment)
    if timing == OLD:
        pace.give_up_after(cloud, deployed, _OLD_DELIVERIES)

    def wrong_key(wrong: bool) -> None:
        document = apps.replace("local-android-key", "an-old-key") if wrong else apps
        secrets.put_secret_value(SecretId=secret, SecretString=document)

    steps: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        "tpns": (lambda: tpns.inject([{"fault": "status", "status": 503, "times": None}]), tpns.clear_faults),
        "table": (lambda: proxy.set_down(True), lambda: proxy.set_down(False)),
        "key": (lambda: wrong_key(True), lambda: wrong_key(False)),
    }
    return Stage(fault, timing, tpns, deployed, *steps[fault])


def _token() -> str:
    return uuid4().hex
