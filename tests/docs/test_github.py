"""What is written for GitHub keeps up with the checkout: a new stage is run, and a new lock file is watched."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import PurePosixPath
from typing import Any

import yaml

from local.run import ROOT
from release.__main__ import FOLDER
from release.archives import SUMS


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github" / name).read_text())
    return found


def folders_with(file: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", file, f"**/{file}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return {str(PurePosixPath("/", path).parent) for path in listed.stdout.splitlines()}


def watched(ecosystem: str) -> set[str]:
    (update,) = (one for one in document("dependabot.yml")["updates"] if one["package-ecosystem"] == ecosystem)
    return set(update["directories"])


def test_the_jobs_are_the_stages_of_make_test_and_make_test_release() -> None:
    stages = re.findall(r"^\t@bash tests/all\.sh (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    matrix = document("workflows/ci.yml")["jobs"]["stage"]["strategy"]["matrix"]
    # Those that run side by side on one machine have machines of their own there.
    assert matrix["stage"] == " ".join(stages).replace("+", " ").split()


def test_a_release_is_what_make_release_builds_signed_and_built_twice() -> None:
    jobs = document("workflows/release.yml")["jobs"]
    commands = {name: [step.get("run") for step in job["steps"]] for name, job in jobs.items()}
    assert "make release" in commands["build"]
    assert "make reproduce" in commands["reproduce"]
    (upload,) = (step for step in jobs["build"]["steps"] if "upload-artifact" in step.get("uses", ""))
    assert ROOT / upload["with"]["path"] == FOLDER
    (attest,) = (step for step in jobs["attest"]["steps"] if "actions/attest@" in step.get("uses", ""))
    assert attest["with"] == {"subject-checksums": f"release/{SUMS}"}
    assert (jobs["attest"]["needs"], jobs["publish"]["needs"]) == (["build", "reproduce"], "attest")
    # Only what signs and what publishes may write, each of its own.
    assert {name: job.get("permissions") for name, job in jobs.items()} == {
        "build": None,
        "reproduce": None,
        "attest": {"attestations": "write", "id-token": "write"},
        "publish": {"contents": "write"},
    }


def test_dependabot_watches_each_lock_file() -> None:
    assert watched("cargo") == folders_with("Cargo.lock")
    assert watched("pip") == folders_with("requirements.in") == folders_with("requirements.txt")
    assert watched("npm") == folders_with("package-lock.json")


def test_advisories_are_looked_up_for_each_lock_file() -> None:
    lists = dict(re.findall(r"^(PIP_FOLDERS|NPM_FOLDERS) = (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {f"/{folder}" for folder in lists["PIP_FOLDERS"].split()} == folders_with("requirements.txt")
    assert {f"/{folder}" for folder in lists["NPM_FOLDERS"].split()} == folders_with("package-lock.json")


def test_the_toolchain_is_the_version_that_the_crates_and_the_pages_name() -> None:
    channel: str = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
    crates = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["rust-version"]
    assert channel == f"{crates}.0"
    assert f"| Rust | {channel} |" in (ROOT / "docs/deploying.md").read_text()
