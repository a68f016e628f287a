"""The blocks that the stack registers for the environments of its repository."""

from __future__ import annotations

from pydantic import SecretStr

from argosy.config import load
from argosy.environment import resolve
from deployments.local.aws import AccessKey
from deployments.local.registration import Doors, blocks

DOORS = Doors(
    git_url="http://127.0.0.1:1/argosy.git",
    git_password=SecretStr("git"),
    author_email="argosy@localhost",
    signing_key=SecretStr("key"),
    aws_url="http://127.0.0.1:2",
    aws_key=AccessKey("argosy", "AKIA", SecretStr("aws")),
    registry_password=SecretStr("registry"),
    argocd_url="http://127.0.0.1:3",
    argocd_token=SecretStr("argocd"),
    docker_host="unix:///run/docker.sock",
)
REPOSITORY = """\
version: 1
registry: {registry}
services: {{ui: {{}}}}
environments:
  dev:
    source: {{branch: main}}
    target: {{branch: main, values: dev.yaml}}
    blocks: {{aws: team-aws, registry: team-registry, docker: team-docker}}
  live:
    source: {{branch: main}}
    target: {{branch: main}}
    blocks: {{aws: team-aws, registry: team-registry, argocd: live-argo}}
"""
ECR = '{type: ecr, account_id: "123456789012", region: us-east-1, repository: "{service}"}'
OCI = '{type: oci, endpoint: "127.0.0.1:4", repository: "{service}"}'


def registered(registry: str) -> dict[tuple[str, str], dict[str, object]]:
    configuration = load(REPOSITORY.format(registry=registry).encode())
    found = blocks([resolve(configuration, name) for name in configuration.environments], "argosy", DOORS)
    named = {(each["type"], each["name"]): each["values"] for each in found}
    assert len(named) == len(found)
    return named


def test_every_block_is_there_under_the_name_that_its_environment_gives_it() -> None:
    assert set(registered(ECR)) == {
        ("gitops-repository", "argosy"),
        ("aws-credentials", "team-aws"),
        ("container-registry", "team-registry"),
        ("argocd-server", "argosy-dev-argocd"),
        ("argocd-server", "live-argo"),
        ("docker-host", "team-docker"),
        ("docker-host", "argosy-live-docker"),
    }


def test_the_registrys_login_is_had_from_ecr_or_is_its_own() -> None:
    name = ("container-registry", "team-registry")
    assert registered(ECR)[name] == {"aws_credentials": {"$block": "team-aws"}}
    assert registered(OCI)[name] == {"username": "AWS", "token": "registry"}
