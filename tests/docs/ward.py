"""A stack to try the other pages on, deployed with the unoptimised binary: one with a bus, and one with a FIFO queue."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local import pace
from local.build import Binaries
from local.cloud import Cloud
from local.mapping import Mapping
from local.processes import Processes
from local.run import TEMPLATE, parameters
from local.stack import Stack, deploy
from local.tpns import Tpns

NAME = "tpns-account-sync"
SECRET = "tpns/apps"
VISIBILITY_SECONDS = 2
# So that a call that hangs, three times over, is done with before its message is delivered again.
TPNS_TIMEOUT_MS = 400


@dataclass(frozen=True)
class Ward:
    cloud: Cloud
    tpns: Tpns
    standard: Stack
    fifo: Stack

    @staticmethod
    def open(processes: Processes, binaries: Binaries, tpns: Tpns, folder: Path) -> Ward:
        folder.mkdir()
        cloud = Cloud.start(processes, folder)
        cloud.client("secretsmanager").create_secret(Name=SECRET, SecretString=tpns.apps_document())
        given = {**parameters(tpns), "TpnsApps": "", "TpnsAppsSecretId": SECRET, "TpnsTimeoutMs": str(TPNS_TIMEOUT_MS)}

        def stack(name: str, **more: str) -> Stack:
            made = deploy(cloud, TEMPLATE, binaries.function, {**given, **more}, name)
            Mapping(cloud, made).fix_numbers()
            pace.shorten_visibility_timeout(cloud, made, VISIBILITY_SECONDS)
            pace.one_batch_at_a_time(cloud, made)
            return made

        return Ward(cloud, tpns, stack(NAME), stack(f"{NAME}-fifo", QueueType="fifo"))

    def forget(self) -> None:
        """What other tests left in the queues and at TPNS."""
        sqs = self.cloud.client("sqs")
        for stack in (self.standard, self.fifo):
            for url in (stack.queue_url, stack.dead_letter_queue_url, stack.parking_queue_url):
                sqs.purge_queue(QueueUrl=url)
        self.tpns.reset()

    def bound(self) -> dict[str, dict[str, set[str]]]:
        """App -> token -> accounts."""
        return {
            app: {token: {str(account["account"]) for account in accounts} for token, accounts in tokens.items() if accounts}
            for app, tokens in self.tpns.bindings().items()
        }


def eventually(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.2)
