"""Does what `sam package` does: zips the code, uploads the zip to S3 and points the template to it. Changes nothing
else."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from .cloud import Cloud
from .problem import Problem

_BUCKET = "code"
# A zip contains times; with a fixed time the same binary makes the same zip.
_TIME = (1980, 1, 1, 0, 0, 0)


def package(cloud: Cloud, template: Path, bootstrap: Path, environment: dict[str, str] | None = None) -> str:
    """Returns the URL of the template with the code's location, ready to deploy. CloudFormation takes a template of
    more than 51,200 bytes only from S3. `environment`: variables of the function besides the template's, or instead of
    them."""
    document = _with_code_at(template, _uploaded(cloud, bootstrap))
    if environment:
        _function(document, template)["Properties"]["Environment"]["Variables"].update(environment)
    text = json.dumps(document)
    key = f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    cloud.client("s3").put_object(Bucket=_BUCKET, Key=key, Body=text.encode())
    return f"{cloud.url}/{_BUCKET}/{key}"


@functools.cache
def _uploaded(cloud: Cloud, bootstrap: Path) -> str:
    """Uploads the code, once for all stacks that a process deploys."""
    code = _zip(bootstrap)
    key = f"{hashlib.sha256(code).hexdigest()}.zip"
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=_BUCKET)
    s3.put_object(Bucket=_BUCKET, Key=key, Body=code)
    return f"s3://{_BUCKET}/{key}"


def _zip(bootstrap: Path) -> bytes:
    buffer = io.BytesIO()
    # Not compressed: it stays on this machine, and compressing the large unoptimised binary takes seconds.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        entry = zipfile.ZipInfo("bootstrap", _TIME)
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, bootstrap.read_bytes())
    return buffer.getvalue()


def _with_code_at(template: Path, uri: str) -> dict[str, Any]:
    document = yaml_parse(template.read_text())
    _function(document, template)["Properties"]["CodeUri"] = uri
    return document


def _function(document: dict[str, Any], template: Path) -> dict[str, Any]:
    functions = [r for r in document["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]
    if len(functions) != 1:
        raise Problem(f"{template}: has {len(functions)} functions; local/package.py supports exactly one")
    return functions[0]
