"""The apps document, read as the function reads it, and the TPNS of each app."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.problem import Problem

from .deployed import Deployed, code_of
from .finding import Finding, fail, note, ok

SUBJECT = "apps document"
_CHECK_SECONDS = 120
_ROW = 'see its row in docs/runbook.md, "An outage"'


def apps(deployed: Deployed, check: Path) -> Iterator[Finding]:
    """`check`: the binary of crates/apps-check, which gets the document on its standard input."""
    sources = [(name, read) for name, read in _SOURCES.items() if deployed.environment.get(name)]
    if len(sources) != 1:
        yield fail(
            SUBJECT,
            f"the function's environment has {len(sources)} of {', '.join(_SOURCES)}",
            "deploy the stack again with exactly one source of the apps",
        )
        return
    ((name, read),) = sources
    try:
        document = read(deployed, deployed.environment[name])
    except ClientError as error:
        yield _unreadable(name, deployed.environment[name], error)
        return
    report = _report(check, document)
    if "error" in report:
        yield fail(SUBJECT, f"{name}: the document {report['error']}", "docs/deploying.md, step 1, shows one")
        return
    yield ok(SUBJECT, f"{name} is readable and valid: {', '.join(app['name'] for app in report['apps'])}")
    if deployed.environment.get("LEDGER_TABLE") and not report["ledger_keys"]:
        yield note(
            SUBJECT,
            "has no ledger_keys, so the ledger keeps accounts in clear text",
            'add one: docs/security.md, "Ledger keys"',
        )
    for app in report["apps"]:
        subject = f"app {app['name']}"
        if app["failure"]:
            yield fail(subject, f"{app['endpoint']}: {app['failure']}", _ROW)
        elif app["endpoint"].startswith("https:"):
            yield ok(subject, f"{app['endpoint']} is reached from here, and its certificate is trusted")
        else:
            yield ok(subject, f"{app['endpoint']} is reached from here, without TLS")


def _of_environment(_deployed: Deployed, document: str) -> str:
    return document


def _of_secret(deployed: Deployed, secret: str) -> str:
    # A binary secret is as good as an empty document.
    return deployed.client("secretsmanager").get_secret_value(SecretId=secret).get("SecretString", "")


def _of_parameter(deployed: Deployed, name: str) -> str:
    answer = deployed.client("ssm").get_parameter(Name=name, WithDecryption=True)
    return answer["Parameter"]["Value"]


_SOURCES: dict[str, Callable[[Deployed, str], str]] = {
    "TPNS_APPS": _of_environment,
    "TPNS_APPS_SECRET_ID": _of_secret,
    "TPNS_APPS_SSM_PARAMETER": _of_parameter,
}


def _unreadable(variable: str, place: str, error: ClientError) -> Finding:
    code, place = code_of(error), place.rpartition(":secret:")[2]
    if code in ("ResourceNotFoundException", "ParameterNotFound"):
        return fail(SUBJECT, f"{variable}: {place} does not exist", "create it: docs/deploying.md, step 1")
    return fail(
        SUBJECT,
        f"{variable}: {place} can't be read with your credentials ({code})",
        "allow yourself to read it, and to decrypt it if it has a key of its own; the function's role needs the same",
    )


def _report(check: Path, document: str) -> dict[str, Any]:
    done = subprocess.run(
        [str(check)], input=document.encode(), capture_output=True, timeout=_CHECK_SECONDS, check=False
    )
    if done.returncode != 0:
        raise Problem(f"apps-check: failed: {done.stderr.decode(errors='replace').strip()}")
    return json.loads(done.stdout)
