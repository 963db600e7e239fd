"""docs/deploying.md, acted out: its shell blocks, in order, in one shell."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass

from pages import SHELL, Block, page
from shell import Shell

from local.cloud import Cloud
from local.stack import NAME
from local.tpns import Tpns

PAGE = "docs/deploying.md"
SECONDS = {"2. Build": 1800.0}


@dataclass(frozen=True)
class Change:
    """What has to be another here than on the page."""

    on_page: str
    here: str
    why: str


class Walk:
    def __init__(self, cloud: Cloud, tpns: Tpns, shell: Shell) -> None:
        self.cloud = cloud
        self.tpns = tpns
        self.shell = shell
        # What each section said, and what TPNS had bound after it.
        self.said: dict[str, str] = {}
        self.bound: dict[str, dict[str, dict[str, list[dict[str, object]]]]] = {}
        self.changes = changes(tpns)
        self._unused = list(self.changes)
        self._left = page(PAGE).blocks(SHELL)

    def go_to(self, heading: str) -> None:
        """On to the end of the section with that heading."""
        assert heading in [block.heading for block in self._left] or heading in self.said, f"{PAGE} has no {heading}"
        while heading in [block.heading for block in self._left]:
            self._act_out(self._left.pop(0))

    def _act_out(self, block: Block) -> None:
        began = time.monotonic()
        if block.heading == "Rolling back":
            self._another_release()
        text = block.text
        for change in self.changes:
            if change.on_page in text:
                text = text.replace(change.on_page, change.here)
                if change in self._unused:
                    self._unused.remove(change)
        said = self.shell.run(block, text, SECONDS.get(block.heading, 120))
        self.said[block.heading] = self.said.get(block.heading, "") + said
        if "sam deploy" in text:
            self._fix_numbers()
        self.bound[block.heading] = self.tpns.bindings()
        # Past pytest's capture: the build is long, and who waits wants to know what for.
        print(f"{block} {block.heading}: {time.monotonic() - began:.0f} s", file=sys.__stderr__, flush=True)

    def unused(self) -> list[Change]:
        return self._unused

    def _another_release(self) -> None:
        """In place of other code, which takes minutes to compile: a version more, and the alias on it, as SAM leaves them."""
        functions = self.cloud.client("lambda")
        outputs = self.cloud.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]["Outputs"]
        (name,) = [output["OutputValue"] for output in outputs if output["OutputKey"] == "FunctionName"]
        functions.update_function_configuration(FunctionName=name, Description="a release later")
        version = functions.publish_version(FunctionName=name)["Version"]
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)

    def _fix_numbers(self) -> None:
        """MiniStack's fault, not the page's: see local/mapping.py."""
        functions = self.cloud.client("lambda")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            scaling = {name: int(value) for name, value in mapping.get("ScalingConfig", {}).items()}
            functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=scaling)


def changes(tpns: Tpns) -> list[Change]:
    android = json.dumps(tpns.app("android"))[1:-1]
    return [
        Change(
            '"access_id": 1500001048, "secret_key": "your-secret-key", "region": "guangzhou"',
            f'{android}, "endpoint": "{tpns.url}"',
            "one's own app, as the page says; it lives in the local TPNS",
        ),
        Change(
            "sam deploy --stack-name",
            "sam deploy --no-confirm-changeset --stack-name",
            "nobody is here to answer whether the changes are meant",
        ),
        Change(
            '--parameter-overrides "Architecture=$ARCHITECTURE"',
            '--parameter-overrides "Architecture=$ARCHITECTURE" GradualDeployment=off',
            "MiniStack has no CodeDeploy",
        ),
        Change(
            "make tools\n",
            "",
            "the tools are those of `make docs` itself, the same pinned versions; fetching a GB again proves nothing more",
        ),
        Change(
            'export PATH="$PWD/.venv-deploy/bin:$PWD/.venv-sam/bin:$PATH"\n',
            "",
            "the same folders are on PATH already, from the checkout that the copy was made of",
        ),
    ]
