"""Runs the shell blocks of docs/deploying.md in order, in one shell: those of one of its two ways."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pages import SHELL, Block, page
from shell import HUNG_SECONDS, Shell

from local.cloud import Cloud
from local.stack import NAME
from local.tpns import Tpns

PAGE = "docs/deploying.md"
SECONDS = {"Build": 2 * HUNG_SECONDS}
# The other way, which test_release.py goes.
RELEASE = "2. Deploy the files of a release"
# For those who have bindings, which test_adopting.py has.
ADOPTING = "If you have bindings already"


@dataclass(frozen=True)
class Change:
    """A text of the page that the test replaces, and the reason."""

    on_page: str
    here: str
    reason: str


class Walk:
    def __init__(self, cloud: Cloud, tpns: Tpns, shell: Shell, apps_check: Path) -> None:
        self.cloud = cloud
        self.tpns = tpns
        self.shell = shell
        # The output of each section, and the bindings at TPNS after it.
        self.outputs: dict[str, str] = {}
        self.bound: dict[str, dict[str, dict[str, list[dict[str, object]]]]] = {}
        self.changes = changes(tpns, apps_check)
        self._unused = list(self.changes)
        self._left = [block for block in page(PAGE).blocks(SHELL) if block.heading not in (RELEASE, ADOPTING)]

    def go_to(self, heading: str) -> None:
        """Runs all blocks up to the end of the section with this heading."""
        assert heading in [block.heading for block in self._left] or heading in self.outputs, f"{PAGE} has no {heading}"
        while heading in [block.heading for block in self._left]:
            self._run(self._left.pop(0))

    def _run(self, block: Block) -> None:
        began = time.monotonic()
        if block.heading == "Rolling back":
            self._publish_another_release()
        text = block.text
        for change in self.changes:
            if change.on_page in text:
                text = text.replace(change.on_page, change.here)
                if change in self._unused:
                    self._unused.remove(change)
        output = self.shell.run(block, text, SECONDS.get(block.heading, HUNG_SECONDS))
        self.outputs[block.heading] = self.outputs.get(block.heading, "") + output
        if "sam deploy" in text:
            let_rows_expire(self.cloud)
        self.bound[block.heading] = self.tpns.bindings()
        # Bypasses pytest's capture, because the build takes long and should show progress.
        print(f"{block} {block.heading}: {time.monotonic() - began:.0f} s", file=sys.__stderr__, flush=True)

    def unused(self) -> list[Change]:
        return self._unused

    def _publish_another_release(self) -> None:
        """Publishes a new version and moves the alias to it, as SAM would, without new code, which takes minutes to
        compile."""
        functions = self.cloud.client("lambda")
        outputs = self.cloud.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]["Outputs"]
        (name,) = [output["OutputValue"] for output in outputs if output["OutputKey"] == "FunctionName"]
        functions.update_function_configuration(FunctionName=name, Description="a release later")
        version = functions.publish_version(FunctionName=name)["Version"]
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)


def let_rows_expire(cloud: Cloud) -> None:
    """As the template has it; MiniStack's CloudFormation leaves it off."""
    dynamodb = cloud.client("dynamodb")
    for table in dynamodb.list_tables()["TableNames"]:
        specification = {"Enabled": True, "AttributeName": "expires_at"}
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)


def own_app(tpns: Tpns) -> Change:
    android = json.dumps(tpns.app("android"))[1:-1]
    return Change(
        '"access_id": 1500001048, "secret_key": "your-secret-key", "region": "guangzhou"',
        f'{android}, "endpoint": "{tpns.url}"',
        "your own app, as the page says; here it is in the local TPNS",
    )


def changes_with_a_release(tpns: Tpns) -> list[Change]:
    return [
        own_app(tpns),
        Change(
            'AlarmTopicArn="$TOPIC"\n', 'AlarmTopicArn="$TOPIC" GradualDeployment=off\n', "MiniStack has no CodeDeploy"
        ),
    ]


def changes(tpns: Tpns, apps_check: Path) -> list[Change]:
    return [
        own_app(tpns),
        Change(
            "sam deploy --stack-name",
            "sam deploy --no-confirm-changeset --stack-name",
            "no one is here to confirm the changes",
        ),
        Change(
            '--parameter-overrides "Architecture=$ARCHITECTURE"',
            '--parameter-overrides "Architecture=$ARCHITECTURE" GradualDeployment=off',
            "MiniStack has no CodeDeploy",
        ),
        Change(
            'make doctor STACK="$STACK"',
            f'"{sys.executable}" -m local.doctor "$STACK" --apps-check "{apps_check}"',
            "the same program; installing its Python packages and compiling once more would prove nothing more",
        ),
        Change(
            "make tools\n",
            "",
            "`make docs` already has the same pinned tools; downloading 1 GB again would prove nothing more",
        ),
        Change(
            'export PATH="$PWD/.venv-deploy/bin:$PWD/.venv-sam/bin:$PATH"\n',
            "",
            "the same folders are already on PATH, from the checkout of which this is a copy",
        ),
    ]
