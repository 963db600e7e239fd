"""The output of `sam build` runs on Lambda's Amazon Linux 2023: the file that the walk through docs/deploying.md
deploys, and one for the other architecture if rustup can install its target."""

from __future__ import annotations

import sys

import pytest
import working_copy
from artefact import Artefact
from elsewhere import Elsewhere
from walk import Walk

from local.stack import host_architecture

# Amazon Linux 2023.
GLIBC = (2, 34)
# Parts of its glibc. Not libgcc_s: the base image is not documented to have it.
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
# Measured: 3.5 MiB for x86_64, 3.2 MiB for arm64.
MOST_ZIPPED_MIB = 4.0
BUILT = ".aws-sam/build/Function"


@pytest.fixture(scope="session")
def here(built: Walk) -> Artefact:
    """The binary for this machine's architecture, which the walk deploys."""
    assert [file.name for file in (working_copy.CACHE / "checkout" / BUILT).iterdir()] == ["bootstrap"]
    return Artefact.read(working_copy.CACHE / "checkout" / BUILT / "bootstrap")


@pytest.fixture(scope="session")
def elsewhere(built: Walk, built_elsewhere: Elsewhere) -> Artefact:
    """The binary for the other architecture, cross-compiled. These tests come last (conftest.py)."""
    built_elsewhere.start(built.cloud)
    return Artefact.read(built_elsewhere.binary())


@pytest.fixture(params=["here", "elsewhere"])
def artefact(request: pytest.FixtureRequest) -> Artefact:
    return request.getfixturevalue(request.param)


def test_the_walk_deploys_a_binary_for_this_machine(here: Artefact) -> None:
    assert here.machine == MACHINES[host_architecture()]


def test_the_other_binary_is_for_the_other_architecture(elsewhere: Artefact) -> None:
    assert {elsewhere.machine, MACHINES[host_architecture()]} == set(MACHINES.values())


def test_the_binary_needs_no_newer_glibc_than_amazon_linux_2023_has(artefact: Artefact) -> None:
    assert artefact.glibc <= GLIBC, f"GLIBC_{'.'.join(map(str, artefact.glibc))}"


def test_the_binary_needs_no_library_besides_glibc(artefact: Artefact) -> None:
    assert artefact.libraries - LIBRARIES == set()


def test_a_panic_unwinds_so_that_it_fails_one_event_and_not_the_batch(here: Artefact) -> None:
    if here.machine != "EM_X86_64":
        pytest.skip("the exception class is searched as one constant, which arm64 code assembles from four")
    assert here.unwinds, "cargo-lambda's own profile sets panic = abort; Cargo.toml must set unwind"


def test_the_package_does_not_grow(artefact: Artefact) -> None:
    mebibytes = artefact.zipped / 2**20
    size = artefact.path.stat().st_size / 2**20
    print(f"{artefact.machine}: {mebibytes:.2f} MiB zipped, {size:.1f} MiB unpacked", file=sys.__stderr__, flush=True)
    assert mebibytes <= MOST_ZIPPED_MIB
