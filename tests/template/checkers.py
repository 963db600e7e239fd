"""Runs cfn-lint and the SAM CLI from one virtual environment, and checkov from another."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Not the scripts in bin: they contain the path of the environment, and break when the checkout is moved.
_CFN_LINT = "import sys; from cfnlint.runner import main; sys.exit(main())"
_SAM = ROOT / ".venv-sam" / "bin" / "python"
_CHECKOV = ROOT / ".venv-checkov" / "bin" / "python"


# Where the template is meant to be deployed: one region of each partition.
REGIONS = ("us-east-1", "cn-north-1", "us-gov-west-1")


def cfn_lint(template: Path, regions: tuple[str, ...] = REGIONS[:1]) -> subprocess.CompletedProcess[str]:
    # Warnings and informational findings count too.
    return _run(
        _SAM,
        "-c",
        _CFN_LINT,
        "--non-zero-exit-code",
        "informational",
        "--format",
        "parseable",
        "--regions",
        *regions,
        "--template",
        str(template),
    )


def sam_validate(template: Path) -> subprocess.CompletedProcess[str]:
    return _run(_SAM, "-m", "samcli", "validate", "--lint", "--template-file", str(template))


def checkov(template: Path) -> dict[str, Any]:
    """Returns its findings. It reads no configuration of the user, and makes no requests."""
    options = ["--framework", "cloudformation", "--skip-download", "--output", "json", "--soft-fail"]
    answer = _run(
        _CHECKOV, "-m", "checkov.main", *options, "--file", str(template), LOG_LEVEL="ERROR", BC_SKIP_MAPPING="TRUE"
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return json.loads(answer.stdout)["results"]


def _run(python: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    if not python.exists():
        raise RuntimeError("checkers: are not installed; run `make template`, which installs them")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
        **variables,
    }
    # A finding is not an error here: the tests check the exit code.
    return subprocess.run(
        [str(python), *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        # Only so that a hung tool ends: these take a minute on a busy machine.
        timeout=900,
        check=False,
    )
