"""Builds the packages for Lambda in two new folders, and fails unless they are the same: `make reproduce`."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

from . import archives
from .build import TARGETS

ROOT = Path(__file__).resolve().parent.parent
# Of different lengths and depths: a path in the binary, or its length, would show.
COPIES = (ROOT / "target" / "reproduce" / "a", ROOT / "target" / "reproduce" / "in" / "another" / "folder")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m release.reproduce", description=__doc__)
    parser.add_argument("--architecture", action="append", choices=list(TARGETS), help="only this one; may be repeated")
    architectures = parser.parse_args().architecture or list(TARGETS)
    only = [word for name in architectures for word in ("--architecture", name)]
    sums: list[str] = []
    for copy in COPIES:
        began = time.monotonic()
        _copy(copy)
        built = subprocess.run([sys.executable, "-m", "release", "--packages", *only], check=False, cwd=copy)
        if built.returncode != 0:
            return built.returncode
        print(f"built in {time.monotonic() - began:.0f} s: {copy}", flush=True)
        sums.append((copy / "target" / "release-files" / archives.SUMS).read_text())
    print("\n".join(sums))
    if sums[0] != sums[1]:
        print("make reproduce: the checksums differ; compare the two folders in target/reproduce", file=sys.stderr)
        return 1
    print("the builds in both folders are equal")
    shutil.rmtree(ROOT / "target" / "reproduce")
    return 0


def _copy(copy: Path) -> None:
    """Copies git's files and new ones that it does not ignore: as a new clone would have them."""
    shutil.rmtree(copy, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)


if __name__ == "__main__":
    sys.exit(main())
