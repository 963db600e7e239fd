"""A copy of the checkout, like a new `git clone`, and the environment of a newly opened shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from local.cloud import REGION, Cloud
from local.run import ROOT

# Compiling for Lambda takes minutes, so compiled code is kept from run to run. Everything else begins empty.
CACHE = ROOT / "target" / "docs"
TOOLS = (ROOT / ".venv-deploy" / "bin", ROOT / ".venv-sam" / "bin")


def make() -> Path:
    """Copies git's files and new ones that it does not ignore, with their times, which cargo compares."""
    copy = CACHE / "checkout"
    shutil.rmtree(copy, ignore_errors=True)
    argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


def _aws(folder: Path) -> Path:
    """AWS CLI 1 ignores AWS_ENDPOINT_URL for SQS and uses the region's legacy host name; it respects --endpoint-url."""
    command = folder / "aws"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{TOOLS[0] / "aws"}" --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n')
    command.chmod(0o755)
    return folder


def environment(cloud: Cloud, **more: str) -> dict[str, str]:
    """Returns an environment without the developer's own settings: no profile, no proxy, no real credentials."""
    home = CACHE / "home"
    aws = _aws(home / "bin")
    own_home = Path.home()
    return {
        "PATH": os.pathsep.join([str(aws), *map(str, TOOLS), os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        # Rust as installed, independent of HOME.
        "CARGO_HOME": os.environ.get("CARGO_HOME", str(own_home / ".cargo")),
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(own_home / ".rustup")),
        "CARGO_TARGET_DIR": str(CACHE / "cargo"),
        **{name: os.environ[name] for name in ("CARGO_BUILD_JOBS",) if name in os.environ},
        # Instead of `aws configure`.
        "AWS_ENDPOINT_URL": cloud.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,  # the JavaScript SDK reads this one
        **more,
    }
