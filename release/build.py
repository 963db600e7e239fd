"""Builds the binaries, by cargo-lambda: it links with Zig against an old glibc, for both architectures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .problem import Problem

FUNCTION = "tpns-account-sync"
TOOLS = ("replay", "tpns-sim", "check-events")
# Lambda's names for the architectures, and Rust's.
TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
# Debian 10, RHEL 8, Ubuntu 18.10, and anything newer.
_TOOLS_GLIBC = "2.28"


@dataclass(frozen=True)
class Builder:
    root: Path
    # Kept from build to build.
    target: Path

    def function(self, architecture: str) -> Path:
        """Returns the function's binary for Lambda, as `sam build` builds it but for the paths in it."""
        argv = ["-p", FUNCTION, "--bin", FUNCTION, "--target", TARGETS[architecture]]
        return self.checked(self._run(self.target / "function", architecture, argv) / FUNCTION / "bootstrap")

    def tools(self, architecture: str) -> dict[str, Path]:
        """Returns the tools by name, for any Linux of that architecture."""
        names = [argument for name in TOOLS for argument in ("-p", name, "--bin", name)]
        # cargo-lambda's only optimisation that Cargo.toml does not replace is for Lambda's processors.
        argv = ["--disable-optimizations", *names, "--target", f"{TARGETS[architecture]}.{_TOOLS_GLIBC}"]
        folder = self._run(self.target / "tools", architecture, argv)
        return {name: self.checked(folder / name / "bootstrap") for name in TOOLS}

    def checked(self, binary: Path) -> Path:
        """Returns the binary, which must not show where it was built."""
        code = binary.read_bytes()
        for folder in (self.root, _cargo_home()):
            if f"{folder}/".encode() in code:
                raise Problem(f"{binary}: contains the path {folder}; add what put it there to Builder._without_paths")
        return binary

    def _run(self, target: Path, architecture: str, argv: list[str]) -> Path:
        """Returns the folder to which cargo-lambda moves the binaries. Each architecture has its own."""
        if shutil.which("cargo-lambda") is None:
            raise Problem("cargo-lambda: is not on PATH; run `make release`, which installs it")
        # Flags of the developer's own would replace those below.
        ours = {
            name: value for name, value in os.environ.items() if name not in ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS")
        }
        flags = f"build.rustflags={json.dumps(self._without_paths(target))}"
        moved = target / "lambda" / architecture
        command = ["cargo", "lambda", "build", "--release", "--locked", "--lambda-dir", str(moved), "--config", flags]
        build = subprocess.run(
            [*command, *argv], check=False, cwd=self.root, env={**ours, "CARGO_TARGET_DIR": str(target)}
        )
        if build.returncode != 0:
            raise Problem("cargo lambda build: failed; fix the errors above and run `make release` again")
        return moved

    def _without_paths(self, target: Path) -> list[str]:
        """Returns flags that replace the builder's folders in the binary, so that it is the same from any machine. The
        last one that fits a path counts."""
        sysroot = Path(_output(self.root, "rustc", "--print", "sysroot"))
        commit = dict(line.split(": ", 1) for line in _output(self.root, "rustc", "-vV").splitlines() if ": " in line)
        folders = {
            self.root: "/source",
            target: "/target",
            _cargo_home() / "registry" / "src": "/crates",
            # What the standard library's paths are anyway, unless its source is installed.
            sysroot / "lib" / "rustlib" / "src" / "rust": f"/rustc/{commit['commit-hash']}",
        }
        return [f"--remap-path-prefix={folder}={instead}" for folder, instead in folders.items()]


def _cargo_home() -> Path:
    return Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))


def _output(folder: Path, *argv: str) -> str:
    """Returns what a command prints in a folder, whose rust-toolchain.toml it follows."""
    return subprocess.run(argv, check=True, cwd=folder, capture_output=True, text=True).stdout.strip()
