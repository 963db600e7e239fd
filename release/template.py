"""The template of a release: template.yaml, with the code in a bucket of the user's instead of in this checkout.

One template serves both architectures, and no file has to be rewritten before it is deployed: `aws cloudformation
package` would need a template for each architecture, and write another one."""

from __future__ import annotations

import re

from .problem import Problem

_NAME = "tpns-account-sync"
_ARCHITECTURE = "  Architecture:\n    Type: String\n"
_GROUP = "Parameters: [Architecture, "
_CODE = "      CodeUri: .\n"
_BUILD = """\
      BuildMethod: rust-cargolambda
      BuildProperties:
        Binary: tpns-account-sync
"""
_BUCKET = r"""  CodeBucket:
    Type: String
    AllowedPattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$'
    ConstraintDescription: must be the name of a bucket in this region.
    Description: The S3 bucket, in this region, with the zip files of this release.
"""


def package_name(version: str, architecture: str) -> str:
    """Returns the name of the package for Lambda: on the release page, and in the bucket."""
    return f"{_NAME}-{version}-{architecture}.zip"


def packaged(template: str, version: str) -> str:
    """Returns the text of the release's template."""
    # A name for each version: CloudFormation updates the function only if the place of its code changes.
    key = package_name(version, "${Architecture}")
    code = f"      CodeUri:\n        Bucket: !Ref CodeBucket\n        Key: !Sub {key}\n"
    changes = {
        _GROUP: _GROUP.replace("Architecture", "CodeBucket, Architecture"),
        _ARCHITECTURE: _BUCKET + _ARCHITECTURE,
        _BUILD: "",
        _CODE: code,
    }
    for old, new in changes.items():
        if template.count(old) != 1:
            raise Problem(f"template.yaml: has {old.strip()!r} {template.count(old)} times; change release/template.py")
        template = template.replace(old, new)
    # CloudFormation documents no short form of it; SAM CLI writes the long one, and here nothing rewrites the file.
    template = re.sub(r"!Contains (\[.*\])$", r"{Fn::Contains: \1}", template, flags=re.MULTILINE)
    if "!Contains" in template:
        raise Problem("template.yaml: has a !Contains that is not the end of its line; change release/template.py")
    return template
