"""The doctor on the embedded stack, whose every part is real: all is well, and what is spoilt is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from deployments.local.git_server import BOT
from deployments.local.stack import Stack
from tests.e2e.store import ENVIRONMENT, Store

ROOT = Path(__file__).parents[2]


def examined(stack: Stack, **spoilt: str) -> tuple[int, list[dict[str, Any]]]:
    """The doctor's exit status and findings, with every credential that it can use, some of them spoilt."""
    key, auth = stack.aws.key, stack.prefect.auth
    given = {
        **stack.engine.environment(),
        "HOME": str(stack.state / "home"),
        "ARGOSY_HOME": str(stack.state / "cache"),
        "PYTHONPATH": str(ROOT),
        "PREFECT_API_URL": stack.prefect.api_url,
        "PREFECT_API_AUTH_STRING": auth.get_secret_value() if auth else "",
        "AWS_ENDPOINT_URL": stack.aws.endpoint_url,
        "AWS_ACCESS_KEY_ID": key.id,
        "AWS_SECRET_ACCESS_KEY": key.secret.get_secret_value(),
        "ARGOSY_GIT_USERNAME": BOT,
        "ARGOSY_GIT_PASSWORD": stack.passwords[BOT].get_secret_value(),
        "ARGOCD_AUTH_TOKEN": stack.argocd.token.get_secret_value(),
    }
    signer = os.pathsep.join([given["PATH"], os.environ["PATH"]])
    command = [sys.executable, "-m", "argosy", "doctor", "--json", "--environment", ENVIRONMENT]
    done = subprocess.run(
        command, cwd=stack.developer.path, env=given | {"PATH": signer} | spoilt, capture_output=True, check=False
    )
    return done.returncode, json.loads(done.stdout)["findings"]


def levels(findings: list[dict[str, Any]]) -> dict[str, str]:
    """Those that are not good; of charts' rendering alone, for which a helm may be there or not, nothing."""
    others = [finding for finding in findings if finding["what"] != "rendering"]
    return {finding["what"]: finding["level"] for finding in others if finding["level"] != "good"}


def test_a_stack_that_is_well_is_found_so_and_each_credential_that_is_not_is_named(store: Store) -> None:
    stack = store.stack
    code, findings = examined(stack)
    assert (code, levels(findings)) == (0, {})
    asked = {finding["what"] for finding in findings}
    assert asked >= {"registry", "AWS", "git server", "Argo CD", "Prefect", "blocks", "worker", "Docker", "BuildKit"}
    wrong = {"AWS_SECRET_ACCESS_KEY": "no", "ARGOSY_GIT_PASSWORD": "no", "ARGOCD_AUTH_TOKEN": "no"}
    code, findings = examined(stack, **wrong)
    expected = dict.fromkeys(("registry", "AWS", "git server", "Argo CD"), "wrong")
    assert (code, levels(findings)) == (1, expected)
