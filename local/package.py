"""What `sam package` does: the code into a zip, the zip into S3, the template pointing there. Nothing else is changed."""

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
# A zip keeps times; a fixed one makes the same binary the same zip.
_TIME = (1980, 1, 1, 0, 0, 0)


def package(cloud: Cloud, template: Path, bootstrap: Path) -> str:
    """The template's text with the code's place in it, ready to deploy."""
    return json.dumps(_with_code_at(template, _uploaded(cloud, bootstrap)))


@functools.cache
def _uploaded(cloud: Cloud, bootstrap: Path) -> str:
    """Once for all the stacks that a process deploys."""
    code = _zip(bootstrap)
    key = f"{hashlib.sha256(code).hexdigest()}.zip"
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=_BUCKET)
    s3.put_object(Bucket=_BUCKET, Key=key, Body=code)
    return f"s3://{_BUCKET}/{key}"


def _zip(bootstrap: Path) -> bytes:
    buffer = io.BytesIO()
    # Not compressed: it goes nowhere, and the unoptimised binary is so large that compressing it takes seconds.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        entry = zipfile.ZipInfo("bootstrap", _TIME)
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, bootstrap.read_bytes())
    return buffer.getvalue()


def _with_code_at(template: Path, uri: str) -> dict[str, Any]:
    document = yaml_parse(template.read_text())
    functions = [r for r in document["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]
    if len(functions) != 1:
        raise Problem(f"{template} has {len(functions)} functions, and there is code for one: local/package.py must learn which")
    functions[0]["Properties"]["CodeUri"] = uri
    return document
