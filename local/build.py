"""Builds the binaries and returns where cargo has put them."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .problem import Problem
from .processes import Processes

FUNCTION = "tpns-account-sync"
TPNS = "tpns-sim"
REPLAY = "replay"
OUTAGE = "outage"
APPS_CHECK = "apps-check"
CHECK_EVENTS = "check-events"


@dataclass(frozen=True)
class Binaries:
    function: Path
    tpns: Path
    check_events: Path
    # `make run` doesn't wait for these: only tests need the first, and only `make outage` the second.
    replay: Path | None = None
    outage: Path | None = None


def build(
    processes: Processes, root: Path, release: bool = False, with_replay: bool = False, with_outage: bool = False
) -> Binaries:
    """Builds the code that Lambda would get, optimised only with `release`: that takes three times as long to build and
    behaves the same. Cargo's own progress goes to stderr."""
    names = [FUNCTION, TPNS, CHECK_EVENTS, *([REPLAY] if with_replay else []), *([OUTAGE] if with_outage else [])]
    built = _built(processes, root, names, release)
    return Binaries(
        function=built[FUNCTION],
        tpns=built[TPNS],
        check_events=built[CHECK_EVENTS],
        replay=built.get(REPLAY),
        outage=built.get(OUTAGE),
    )


def build_tpns(processes: Processes, root: Path) -> Path:
    return _built(processes, root, [TPNS], release=False)[TPNS]


def build_apps_check(processes: Processes, root: Path) -> Path:
    return _built(processes, root, [APPS_CHECK], release=False)[APPS_CHECK]


def _built(processes: Processes, root: Path, names: list[str], release: bool) -> dict[str, Path]:
    _need("cargo", "install Rust from https://rustup.rs, open a new shell, and run the command again")
    _need("cc", "install a C compiler (Debian, Ubuntu: apt-get install gcc; macOS: xcode-select --install)")
    argv = ["cargo", "build", "--locked", *(argument for name in names for argument in ("--bin", name))]
    if release:
        argv += ["--release", *(argument for name in names for argument in ("-p", name))]
    else:
        # With the same features as `cargo test`, so that each can use what the other has built.
        argv += ["--workspace"]
    # Cargo names the files that it built, which is right for any CARGO_TARGET_DIR or cargo configuration.
    argv += ["--message-format", "json-render-diagnostics"]
    process = processes.start(argv, stdout=subprocess.PIPE, cwd=root)
    built = _executables(process)
    code = process.wait()
    if code != 0:
        raise Problem(f"cargo build: failed with exit code {code}; fix the errors above and run the command again")
    for name in names:
        if name not in built:
            raise Problem(f"cargo build: built no binary {name}; add a [[bin]] to the package {name} in Cargo.toml")
    return built


def _executables(process: subprocess.Popen[bytes]) -> dict[str, Path]:
    assert process.stdout is not None
    built: dict[str, Path] = {}
    for line in process.stdout:
        message = json.loads(line)
        if message.get("reason") == "compiler-artifact" and message.get("executable"):
            built[message["target"]["name"]] = Path(message["executable"])
    return built


def _need(tool: str, remedy: str) -> None:
    if shutil.which(tool) is None:
        raise Problem(f"{tool}: is not installed or not on PATH; {remedy}")
