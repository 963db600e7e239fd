"""What a release page holds besides the binaries: the template for the AWS CLI, and archives that depend on nothing but
what is in them."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from checkers import cfn_lint, sam_validate
from conftest import TEMPLATE
from expanded import parsed

from release import archives
from release.build import Builder
from release.problem import Problem
from release.template import package_name, packaged


@pytest.fixture
def released(tmp_path: Path) -> Path:
    file = tmp_path / "template.yaml"
    file.write_text(packaged(TEMPLATE.read_text(), "1.2.3"))
    return file


def test_the_releases_template_is_the_template_with_the_code_in_a_bucket(
    template: dict[str, Any], released: Path
) -> None:
    document = parsed(released.read_text())
    function = document["Resources"]["Function"]
    assert function["Properties"].pop("CodeUri") == {
        "Bucket": {"Ref": "CodeBucket"},
        "Key": {"Fn::Sub": "tpns-account-sync-1.2.3-${Architecture}.zip"},
    }
    assert document["Parameters"].pop("CodeBucket")["Type"] == "String"
    groups = document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    (group,) = (group for group in groups if "CodeBucket" in group["Parameters"])
    group["Parameters"].remove("CodeBucket")
    del template["Resources"]["Function"]["Properties"]["CodeUri"]
    for name in ("BuildMethod", "BuildProperties"):
        del template["Resources"]["Function"]["Metadata"][name]
    assert document == template
    assert "!Contains" not in released.read_text()


def test_each_architecture_of_the_template_has_a_package(template: dict[str, Any]) -> None:
    assert template["Parameters"]["Architecture"]["AllowedValues"] == ["arm64", "x86_64"]
    assert package_name("1.2.3", "arm64") == "tpns-account-sync-1.2.3-arm64.zip"


def test_sam_and_cfn_lint_find_nothing_in_the_releases_template(released: Path) -> None:
    for answer in (sam_validate(released), cfn_lint(released)):
        assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_template_of_another_shape_is_refused() -> None:
    with pytest.raises(Problem, match=r"CodeUri: \.' 0 times"):
        packaged(TEMPLATE.read_text().replace("CodeUri: .", "CodeUri: elsewhere"), "1.2.3")


def test_a_binary_that_shows_where_it_was_built_is_refused(tmp_path: Path) -> None:
    builder, binary = Builder(tmp_path / "checkout", tmp_path / "target"), tmp_path / "binary"
    binary.write_bytes(b"\0/source/src/main.rs\0/crates/serde/src/lib.rs\0")
    assert builder.checked(binary) == binary
    binary.write_bytes(f"\0{tmp_path}/checkout/src/main.rs\0".encode())
    with pytest.raises(Problem, match="contains the path"):
        builder.checked(binary)


def test_a_package_is_the_same_whenever_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    first = archives.zipped(b"code")
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert archives.zipped(b"code") == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        (entry,) = archive.infolist()
    # Lambda starts the file of this name, if it is executable.
    assert (entry.filename, entry.external_attr >> 16, entry.create_system) == ("bootstrap", 0o755, 3)


def test_an_archive_of_tools_is_the_same_whenever_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = archives.tarred({"replay": b"1", "a-tool": b"2"}, {"LICENSE": b"text"})
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert archives.tarred({"a-tool": b"2", "replay": b"1"}, {"LICENSE": b"text"}) == made
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(made))) as archive:
        entries = [(entry.name, entry.mode, entry.uid, entry.uname) for entry in archive.getmembers()]
    assert entries == [("LICENSE", 0o644, 0, ""), ("a-tool", 0o755, 0, ""), ("replay", 0o755, 0, "")]


def test_the_checksums_are_those_of_all_files_in_the_form_of_sha256sum(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_text(name)
    archives.write_sums(tmp_path)
    archives.write_sums(tmp_path)
    lines = (tmp_path / "SHA256SUMS").read_text().splitlines()
    assert lines == [f"{hashlib.sha256(name.encode()).hexdigest()}  {name}" for name in ("a", "b")]
