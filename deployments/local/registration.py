"""The stack's blocks and deployments, registered as an installation of Argosy registers its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from argosy.config import FILE, load
from argosy.environment import Blocks, Environment, resolve
from argosy.errors import Terminal
from argosy.registries.targets import RegistryTarget
from deployments.local.aws import REGION, AccessKey
from deployments.local.git_server import BOT
from deployments.local.prefect_server import prefect_environment
from deployments.local.registry import USER

if TYPE_CHECKING:  # the stack uses this
    from deployments.local.stack import Stack

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the parts of a stack are, and what opens them."""

    git_url: str
    git_password: SecretStr
    author_email: str
    signing_key: SecretStr
    aws_url: str
    aws_key: AccessKey
    registry_password: SecretStr
    argocd_url: str
    argocd_token: SecretStr
    docker_host: str

    @classmethod
    def of(cls, stack: Stack) -> Doors:
        """The doors of a stack whose parts are started."""
        return cls(
            git_url=stack.developer.url,
            git_password=stack.passwords[BOT],
            author_email=stack.bot_email,
            signing_key=stack.signing_key.private,
            aws_url=stack.aws.endpoint_url,
            aws_key=stack.aws.key,
            registry_password=stack.registry.password,
            argocd_url=stack.argocd.url,
            argocd_token=stack.argocd.token,
            docker_host=stack.engine.docker_host,
        )


def register(stack: Stack) -> None:
    """Run `deployments.register` for the stack's Prefect server; the secrets go through its standard input."""
    configuration = load((stack.developer.path / FILE).read_bytes())
    environments = [resolve(configuration, name) for name in configuration.environments]
    documents = blocks(environments, stack.repository, Doors.of(stack))
    env = prefect_environment(stack.state, stack.state / "registration", stack.prefect.api_url, stack.prefect.auth)
    command = [sys.executable, "-m", "deployments.register", "--blocks", "-", "--wait", "60"]
    done = subprocess.run(
        command, input=json.dumps(documents), capture_output=True, text=True, env=env, cwd=_ROOT, check=False
    )
    if done.returncode:
        raise Terminal(f"registering the blocks failed: {done.stderr.strip()}", remedy="see the Prefect server's log")


def blocks(environments: Iterable[Environment], repository: str, doors: Doors) -> list[dict[str, Any]]:
    """The block `repository`, and every block that `environments` name; one that several name is there once."""
    values = {
        "url": doors.git_url,
        "username": BOT,
        "token": doors.git_password.get_secret_value(),
        "author_email": doors.author_email,
        "signing_key": doors.signing_key.get_secret_value(),
    }
    found = [{"type": "gitops-repository", "name": repository, "values": values}]
    for environment in environments:
        found += _blocks(environment.blocks, doors)
        for target in environment.used_registries:
            found += _registry_blocks(target, doors)
    return list({(each["type"], each["name"]): each for each in found}.values())


def _registry_blocks(target: RegistryTarget, doors: Doors) -> list[dict[str, Any]]:
    aws = {
        "aws_access_key_id": doors.aws_key.id,
        "aws_secret_access_key": doors.aws_key.secret.get_secret_value(),
        "region_name": REGION,
        "aws_client_parameters": {"endpoint_url": doors.aws_url},
    }
    own_login = {"username": USER, "token": doors.registry_password.get_secret_value()}
    login = {"aws_credentials": {"$block": target.aws}} if target.type == "ecr" else own_login
    return [
        {"type": "aws-credentials", "name": target.aws, "values": aws},
        {"type": "container-registry", "name": target.login, "values": login},
    ]


def _blocks(names: Blocks, doors: Doors) -> list[dict[str, Any]]:
    argocd = {"url": doors.argocd_url, "token": doors.argocd_token.get_secret_value()}
    return [
        {"type": "argocd-server", "name": names.argocd, "values": argocd},
        {"type": "docker-host", "name": names.docker, "values": {"base_url": doors.docker_host}},
    ]
