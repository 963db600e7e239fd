"""In an empty folder, with only the AWS CLI and the files of a release, the stack is deployed and a first event is
applied."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import working_copy
from pages import page
from shell import Shell
from walk import PAGE, RELEASE, Walk, changes_with_a_release, let_rows_expire

from local.build import Binaries
from local.cloud import Cloud
from local.processes import Processes
from local.stack import host_architecture
from local.tpns import Tpns
from release import archives
from release.__main__ import write_packages

TOKEN = "05da87c0ae5973bd2dfa9e08d884aada5bb2"
# Up to the first event.
SECTIONS = ("What you need", "1. The apps document, its secret, and a topic", RELEASE, "4. The first event")
# Beside the AWS CLI: what every Linux has.
PROGRAMS = ("bash", "sh", "base64", "cat", "chmod", "date", "head", "rm", "sha256sum", "sleep", "touch")


@dataclass(frozen=True)
class Deployed:
    files: Path
    outputs: dict[str, str]
    bound: dict[str, dict[str, list[dict[str, object]]]]
    seconds: float


@pytest.fixture(scope="module")
def files(built: Walk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a release, with the binary that the walk has built: `make release` builds the same one, without the
    paths of this machine."""
    folder = tmp_path_factory.mktemp("release")
    binary = working_copy.CACHE / "checkout" / ".aws-sam" / "build" / "Function" / "bootstrap"
    write_packages(folder, {host_architecture(): binary})
    archives.write_sums(folder)
    return folder


@pytest.fixture(scope="module")
def deployed(files: Path, processes: Processes, binaries: Binaries, folder: Path) -> Deployed:
    # A local AWS and a TPNS of their own: the walk begins and ends with empty ones.
    scratch = folder / "release"
    scratch.mkdir()
    cloud, tpns = Cloud.start(processes, scratch), Tpns.start(processes, binaries.tpns, scratch)
    environment = working_copy.environment(cloud, TOKEN=TOKEN, ARCHITECTURE=host_architecture())
    environment["PATH"] = str(_only_the_aws_cli(scratch / "bin", environment["PATH"]))
    changes = changes_with_a_release(tpns)
    outputs: dict[str, str] = {}
    began = time.monotonic()
    with Shell(files, scratch, environment) as shell:
        for heading in SECTIONS:
            for block in page(PAGE).section(heading):
                text = block.text
                for change in changes:
                    text = text.replace(change.on_page, change.here)
                outputs[heading] = outputs.get(heading, "") + shell.run(block, text)
            if heading == RELEASE:
                let_rows_expire(cloud)
        log, *_ = page(PAGE).section("5. See it applied")
        outputs[log.heading] = shell.run(log, log.text)
    seconds = time.monotonic() - began
    # Bypasses pytest's capture: how long it takes is shown, and does not decide whether the test passes.
    print(f"from an empty folder to the first applied event: {seconds:.0f} s", file=sys.__stderr__, flush=True)
    return Deployed(files, outputs, tpns.bindings(), seconds)


def test_the_files_are_verified(deployed: Deployed) -> None:
    verified = [line for line in deployed.outputs[RELEASE].splitlines() if line.endswith(": OK")]
    made_later = {archives.SUMS, "event.json"}
    assert set(verified) == {f"{file.name}: OK" for file in deployed.files.iterdir() if file.name not in made_later}


def test_the_first_event_is_applied(deployed: Deployed) -> None:
    assert deployed.bound["android"] == {TOKEN: [{"account": "ann", "account_type": 0}]}
    lines = deployed.outputs["5. See it applied"].splitlines()
    batches = [json.loads(line) for line in lines if line.startswith("{") and '"batch done"' in line]
    assert [(batch["received"], batch["applied"]) for batch in batches] == [(1, 1)]


def test_the_log_has_the_version_of_the_release(deployed: Deployed) -> None:
    (package,) = deployed.files.glob("*.zip")
    (line,) = (line for line in deployed.outputs["5. See it applied"].splitlines() if '"batch done"' in line)
    version = json.loads(line)["version"]
    assert package.name == f"tpns-account-sync-{version}-{host_architecture()}.zip"


def test_a_changed_file_is_noticed(files: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(files, copy)
    with (copy / "template.yaml").open("a") as template:
        template.write("# changed\n")
    verify, *_ = page(PAGE).section(RELEASE)
    with Shell(copy, tmp_path, {"PATH": os.defpath}) as shell:
        output = shell.attempt(verify.text)
    assert output.code != 0
    assert "template.yaml: FAILED" in output.text


def test_every_change_to_the_page_is_needed() -> None:
    text = "".join(block.text for block in page(PAGE).blocks("sh"))
    for change in changes_with_a_release(Tpns("http://127.0.0.1:1")):
        assert change.on_page in text, change.reason


def _only_the_aws_cli(folder: Path, path: str) -> Path:
    folder.mkdir()
    for program in ("aws", *PROGRAMS):
        found = shutil.which(program, path=path)
        assert found, program
        (folder / program).symlink_to(found)
    return folder
