"""checkov finds only what is skipped with a reason, and would find more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checkers import checkov
from conftest import TEMPLATE

# A reason is a sentence, not just "n/a".
SHORTEST_REASON = 40


def test_checkov_finds_only_what_is_skipped_with_a_reason(template: dict[str, Any]) -> None:
    found = checkov(TEMPLATE)
    assert [f"{check['check_id']} {check['resource']}: {check['check_name']}" for check in found["failed_checks"]] == []
    assert found["parsing_errors"] == []
    assert len(found["passed_checks"]) > 10, "it did not check the template"
    skips = {
        (f"{resource['Type']}.{name}", skip["id"]): skip["comment"]
        for name, resource in template["Resources"].items()
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    }
    used = {(check["resource"], check["check_id"]) for check in found["skipped_checks"]}
    assert used == skips.keys(), "there is an unused skip"
    assert [skip for skip, reason in skips.items() if len(reason) < SHORTEST_REASON] == []


def test_checkov_finds_injected_faults(tmp_path: Path) -> None:
    text = TEMPLATE.read_text()
    # A log without retention, and a table without its skip.
    for there in ("      RetentionInDays: !Ref LogRetentionDays\n", "- id: CKV_AWS_28\n"):
        assert there in text
        text = text.replace(there, "- id: CKV_AWS_000\n" if "CKV" in there else "")
    file = tmp_path / "template.yaml"
    file.write_text(text)
    found = {(check["check_id"], check["resource"]) for check in checkov(file)["failed_checks"]}
    log = "AWS::Logs::LogGroup.FunctionLog"
    assert found == {("CKV_AWS_66", log), ("CKV_AWS_28", "AWS::DynamoDB::Table.LedgerTable")}
