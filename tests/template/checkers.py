"""cfn-lint and the SAM CLI, from their own environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Not the script in bin: that has the path of the environment in it, and breaks when the checkout is moved.
_CFN_LINT = "import sys; from cfnlint.runner import main; sys.exit(main())"
_PYTHON = ROOT / ".venv-sam" / "bin" / "python"


def cfn_lint(template: Path) -> subprocess.CompletedProcess[str]:
    # Warnings and informational findings count as well.
    return _run("-c", _CFN_LINT, "--non-zero-exit-code", "informational", "--format", "parseable", "--template", str(template))


def sam_validate(template: Path) -> subprocess.CompletedProcess[str]:
    return _run("-m", "samcli", "validate", "--lint", "--template-file", str(template))


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    if not _PYTHON.exists():
        raise RuntimeError("the checkers are not installed: run `make template`, which installs them")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    # A finding is an answer, not an error: the tests look at the exit code.
    return subprocess.run(
        [str(_PYTHON), *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
