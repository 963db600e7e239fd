"""The function for the architecture that this machine does not have, compiled while others wait for a local AWS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import working_copy

from local.cloud import Cloud
from local.stack import host_architecture

RUST_TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}


class Elsewhere:
    def __init__(self, wanted: bool) -> None:
        (self.architecture,) = set(RUST_TARGETS) - {host_architecture()}
        self._wanted = wanted
        self._folder = working_copy.CACHE / "elsewhere"
        self._output = working_copy.CACHE / "elsewhere.log"
        self._build: subprocess.Popen[bytes] | None = None
        self._why_not: str | None = None

    def start(self, cloud: Cloud) -> None:
        """Starts to build, once and if a test wants it."""
        if not self._wanted or self._build or self._why_not:
            return
        environment = working_copy.environment(cloud)
        target = RUST_TARGETS[self.architecture]
        installed = subprocess.run(
            ["rustup", "target", "add", target], check=False, env=environment, capture_output=True, text=True
        )
        if installed.returncode != 0:
            why = installed.stderr.strip().splitlines()[-1:] or ["rustup printed nothing"]
            self._why_not = f"NOT BUILT FOR {self.architecture}: rustup target add {target} failed: {why[0]}"
            return
        print(f"sam build for {self.architecture}: takes a few minutes", file=sys.__stderr__, flush=True)
        argv = ["nice", "sam", "build", "--build-dir", str(self._folder)]
        argv += ["--parameter-overrides", f"Architecture={self.architecture}"]
        with self._output.open("wb") as output:
            self._build = subprocess.Popen(
                argv,
                cwd=working_copy.CACHE / "checkout",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def binary(self) -> Path:
        """Waits until it is built."""
        if self._why_not:
            print(f"\n**** {self._why_not} ****", file=sys.__stderr__, flush=True)
            pytest.skip(self._why_not)
        assert self._build
        assert self._build.wait() == 0, self._output.read_text()
        return self._folder / "Function" / "bootstrap"

    def stop(self) -> None:
        if self._build:
            self._build.terminate()
            self._build.wait()
