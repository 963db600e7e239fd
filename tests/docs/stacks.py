"""Two stacks for the tests of the other pages, deployed with the unoptimised binary: one with a bus, one with a FIFO
queue."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local import pace
from local.build import Binaries
from local.cloud import Cloud
from local.processes import Processes
from local.run import TEMPLATE, parameters
from local.stack import Stack, deploy
from local.tpns import Tpns

NAME = "tpns-account-sync"
SECRET = "tpns/apps"
VISIBILITY_SECONDS = 2
# Until a message is dead-lettered; the template's GiveUpAfter is hours.
DELIVERIES = 5
# Short enough that three hanging tries end before the message is redelivered.
TPNS_TIMEOUT_MS = 400


@dataclass(frozen=True)
class Stacks:
    cloud: Cloud
    tpns: Tpns
    standard: Stack
    fifo: Stack

    @staticmethod
    def open(processes: Processes, binaries: Binaries, folder: Path) -> Stacks:
        folder.mkdir()
        cloud, tpns = Cloud.start(processes, folder), Tpns.start(processes, binaries.tpns, folder)
        cloud.client("secretsmanager").create_secret(Name=SECRET, SecretString=tpns.apps_document())
        given = {**parameters(tpns), "TpnsApps": "", "TpnsAppsSecretId": SECRET, "TpnsTimeoutMs": str(TPNS_TIMEOUT_MS)}

        def stack(name: str, **more: str) -> Stack:
            deployed = deploy(cloud, TEMPLATE, binaries.function, {**given, **more}, name)
            pace.give_up_after(cloud, deployed, DELIVERIES)
            pace.shorten_visibility_timeout(cloud, deployed, VISIBILITY_SECONDS)
            pace.one_batch_at_a_time(cloud, deployed)
            return deployed

        return Stacks(cloud, tpns, stack(NAME), stack(f"{NAME}-fifo", QueueType="fifo"))

    def reset(self) -> None:
        """Removes what other tests left in the queues and at TPNS."""
        sqs = self.cloud.client("sqs")
        for stack in (self.standard, self.fifo):
            for url in stack.queue_urls:
                sqs.purge_queue(QueueUrl=url)
        self.tpns.reset()

    def bound(self) -> dict[str, dict[str, set[str]]]:
        """Returns app -> token -> accounts."""
        return {
            app: {
                token: {str(account["account"]) for account in accounts}
                for token, accounts in tokens.items()
                if accounts
            }
            for app, tokens in self.tpns.bindings().items()
        }


def eventually(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"the condition did not hold within {seconds} s"
        time.sleep(0.2)
