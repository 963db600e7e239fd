"""The template, and what every transform of it needs."""

from __future__ import annotations

from typing import Any

import pytest
from checkers import ROOT
from expanded import parsed

TEMPLATE = ROOT / "template.yaml"
APPS = '{"android":{}}'
TOPIC = "arn:aws:sns:us-east-1:123456789012:on-call"


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SAM transform needs a region."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def template() -> dict[str, Any]:
    return parsed(TEMPLATE.read_text())
