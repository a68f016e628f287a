"""What a block hands out is known to the redaction before anybody can quote it."""

from __future__ import annotations

import secrets

import pytest
from prefect.blocks.system import Secret
from prefect_aws import AwsCredentials
from prefect_aws.client_parameters import AwsClientParameters
from pydantic import SecretStr

from argosy.redact import redact
from blocks.argocd_server import ArgoCDServer
from blocks.buildkit_tls import BuildKitTLS
from blocks.container_registry import ContainerRegistry, ecr_client
from blocks.engine import build_secret
from blocks.gitops_repository import GitOpsRepository
from deployments.local.aws import PIPELINE_ACTIONS, REGION
from tests.cloud import Cloud


@pytest.fixture
def secret() -> str:
    return f"s3cret/{secrets.token_urlsafe(16)}"


def test_the_token_of_a_repository_and_its_key(secret: str) -> None:
    key = SecretStr(secret[::-1])
    block = GitOpsRepository(url="https://git.example/shop.git", token=SecretStr(secret), signing_key=key)
    block.mirror()
    assert secret not in redact(secret)
    assert secret[::-1] in redact(secret[::-1])
    block.identity("ssh")
    assert secret[::-1] not in redact(secret[::-1])


def test_the_token_of_argo_cd(secret: str) -> None:
    with ArgoCDServer(url="https://argocd.example", token=SecretStr(secret)).client():
        assert secret not in redact(secret)


def test_the_token_of_a_registry(secret: str) -> None:
    ContainerRegistry(username="bot", token=SecretStr(secret)).credentials()
    assert secret not in redact(secret)


def test_the_secret_of_a_build_and_the_key_of_a_builder(secret: str) -> None:
    build_secret(Secret(value=SecretStr(secret)), "npm")
    BuildKitTLS(ca="a", certificate="b", key=SecretStr(secret[::-1])).files()
    assert secret not in redact(secret)
    assert secret[::-1] not in redact(secret[::-1])


def test_the_password_that_ecr_hands_out_and_the_session_that_it_was_asked_with(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", cloud.aws.endpoint_url)
    key = cloud.aws.create_user("a-deputy", ["sts:AssumeRole"])
    aws = AwsCredentials(
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        region_name=REGION,
        assume_role_arn=cloud.aws.create_role("a-pipeline", PIPELINE_ACTIONS),
        aws_client_parameters=AwsClientParameters(endpoint_url=cloud.aws.endpoint_url),
    )
    password = ContainerRegistry(aws_credentials=aws).credentials()
    assert password is not None
    ecr_client(aws).describe_repositories()
    for known in (password.password, key.secret, *[token for _, token in cloud.aws.issued()]):
        assert known.get_secret_value() not in redact(f"it said {known.get_secret_value()}")
