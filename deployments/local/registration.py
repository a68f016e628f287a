"""The stack's blocks and deployments, registered as an installation of Argosy registers its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.config import FILE, load
from argosy.errors import Terminal
from deployments.local.aws import REGION
from deployments.local.git_server import BOT
from deployments.local.prefect_server import prefect_environment

if TYPE_CHECKING:  # the stack uses this
    from deployments.local.stack import Stack

_ROOT = Path(__file__).parents[2]


def register(stack: Stack) -> None:
    """Run `deployments.register` for the stack's Prefect server; the secrets go through its standard input."""
    env = prefect_environment(stack.state, stack.state / "registration", stack.prefect.api_url, stack.prefect.auth)
    command = [sys.executable, "-m", "deployments.register", "--blocks", "-", "--wait", "60"]
    done = subprocess.run(
        command, input=json.dumps(blocks(stack)), capture_output=True, text=True, env=env, cwd=_ROOT, check=False
    )
    if done.returncode:
        raise Terminal(f"registering the blocks failed: {done.stderr.strip()}", remedy="see the Prefect server's log")


def blocks(stack: Stack) -> list[dict[str, Any]]:
    """Every block that the environments of the planted `argosy.yaml` name."""
    environments = load((stack.developer.path / FILE).read_bytes()).environments
    repository = {
        "url": stack.developer.url,
        "username": BOT,
        "token": stack.passwords[BOT].get_secret_value(),
        "author_email": stack.bot_email,
        "signing_key": stack.signing_key.private.get_secret_value(),
    }
    found = [{"type": "gitops-repository", "name": stack.repository, "values": repository}]
    return found + [block for name in environments for block in _environment_blocks(stack, name)]


def _environment_blocks(stack: Stack, name: str) -> list[dict[str, Any]]:
    key = stack.aws.key
    aws = {
        "aws_access_key_id": key.id,
        "aws_secret_access_key": key.secret.get_secret_value(),
        "region_name": REGION,
        "aws_client_parameters": {"endpoint_url": stack.aws.endpoint_url},
    }
    argocd = {"url": stack.argocd.url, "token": stack.argocd.token.get_secret_value()}
    return [
        {"type": "aws-credentials", "name": f"argosy-{name}-aws", "values": aws},
        {
            "type": "container-registry",
            "name": f"argosy-{name}-registry",
            "values": {"aws_credentials": {"$block": f"argosy-{name}-aws"}},
        },
        {"type": "argocd-server", "name": f"argosy-{name}-argocd", "values": argocd},
        {"type": "docker-host", "name": f"argosy-{name}-docker", "values": {"base_url": stack.engine.docker_host}},
    ]
