"""What `sam build` makes runs on Lambda's Amazon Linux 2023: the very file that the walk through docs/deploying.md deploys, and
the same for the other architecture, where Rust can be had for it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import working_copy
from artefact import Artefact
from walk import Walk

from local.stack import host_architecture

# Amazon Linux 2023.
GLIBC = (2, 34)
# Parts of its glibc. Not libgcc_s: the base image is not said to have it.
LIBRARIES = {
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
}
MACHINES = {"x86_64": "EM_X86_64", "arm64": "EM_AARCH64"}
RUST_TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
# Measured: 5.3 MiB, before the release profile went for size, which took a quarter off what cargo alone builds. The goal is 4 MiB.
MOST_ZIPPED_MIB = 5.75
BUILT = ".aws-sam/build/Function"


@pytest.fixture(scope="session")
def here(built: Walk) -> Artefact:
    """For this machine's architecture, as the walk deploys it."""
    assert [file.name for file in (working_copy.KEPT / "checkout" / BUILT).iterdir()] == ["bootstrap"]
    return Artefact.read(working_copy.KEPT / "checkout" / BUILT / "bootstrap")


@pytest.fixture(scope="session")
def elsewhere(built: Walk) -> Artefact:
    """For the other architecture: cross-compiled."""
    (architecture,) = set(MACHINES) - {host_architecture()}
    environment = working_copy.environment(built.cloud)
    fetched = subprocess.run(
        ["rustup", "target", "add", RUST_TARGETS[architecture]], env=environment, capture_output=True, text=True
    )
    if fetched.returncode != 0:
        why = fetched.stderr.strip().splitlines()[-1:] or ["rustup says nothing"]
        told = f"NOT BUILT FOR {architecture}: rustup target add {RUST_TARGETS[architecture]} failed: {why[0]}"
        print(f"\n**** {told} ****", file=sys.__stderr__, flush=True)
        pytest.skip(told)
    folder = working_copy.KEPT / "elsewhere"
    argv = ["sam", "build", "--build-dir", str(folder), "--parameter-overrides", f"Architecture={architecture}"]
    print(f"sam build for {architecture}: some minutes", file=sys.__stderr__, flush=True)
    made = subprocess.run(argv, cwd=working_copy.KEPT / "checkout", env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return Artefact.read(folder / "Function" / "bootstrap")


@pytest.fixture(params=["here", "elsewhere"])
def artefact(request: pytest.FixtureRequest) -> Artefact:
    return request.getfixturevalue(request.param)


def test_the_walk_deploys_what_was_built_for_this_machine(here: Artefact) -> None:
    assert here.machine == MACHINES[host_architecture()]


def test_it_is_built_for_the_other_architecture_too(elsewhere: Artefact) -> None:
    assert {elsewhere.machine, MACHINES[host_architecture()]} == set(MACHINES.values())


def test_it_needs_no_newer_glibc_than_amazon_linux_2023_has(artefact: Artefact) -> None:
    assert artefact.glibc <= GLIBC, f"GLIBC_{'.'.join(map(str, artefact.glibc))}"


def test_it_needs_no_library_besides_glibc(artefact: Artefact) -> None:
    assert artefact.libraries - LIBRARIES == set()


def test_a_panic_unwinds_so_that_it_costs_one_event_and_not_the_batch(here: Artefact) -> None:
    if here.machine != "EM_X86_64":
        pytest.skip("the mark of unwinding is looked for as one number, which arm64 code builds of four")
    assert here.unwinds, "cargo-lambda's own profile says panic = abort: Cargo.toml must say unwind"


def test_the_package_does_not_grow(artefact: Artefact) -> None:
    mebibytes = artefact.zipped / 2**20
    size = artefact.path.stat().st_size / 2**20
    print(
        f"{artefact.machine}: {mebibytes:.2f} MiB zipped, {size:.1f} MiB unpacked; the goal is 4 MiB zipped",
        file=sys.__stderr__,
        flush=True,
    )
    assert mebibytes <= MOST_ZIPPED_MIB
