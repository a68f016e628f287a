"""The blocks: what they keep, what they hide, and what they refuse."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client
from prefect_aws import AwsCredentials
from prefect_docker import DockerHost
from pydantic import SecretStr, ValidationError

from argosy.builds.options import Builder
from argosy.errors import ConfigurationError, Terminal, Transient
from argosy.gitops.signing import SigningKey
from blocks.argocd_server import ArgoCDServer
from blocks.buildkit_tls import BuildKitTLS
from blocks.container_registry import ContainerRegistry
from blocks.engine import build_secret, builder_host
from blocks.gitops_repository import GitOpsRepository
from deployments.local.process import free_port

SECRET = "correct-horse-battery-staple"
KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----\n"
URL = "https://git.example/shop.git"

MAKERS: dict[str, Callable[[], Block]] = {
    "gitops-repository": lambda: GitOpsRepository(url=URL, token=SecretStr(SECRET), signing_key=SecretStr(KEY)),
    "container-registry": lambda: ContainerRegistry(username="bot", token=SecretStr(SECRET)),
    "argocd-server": lambda: ArgoCDServer(url="https://argocd.example", token=SecretStr(SECRET)),
    "buildkit-tls": lambda: BuildKitTLS(ca="an authority", certificate="a certificate", key=SecretStr(KEY)),
}


@pytest.fixture(params=sorted(MAKERS))
def block(request: pytest.FixtureRequest) -> Block:
    return MAKERS[request.param]()


@pytest.mark.usefixtures("prefect")
def test_a_block_comes_back_as_it_was_saved(block: Block) -> None:
    block.save("as-saved", overwrite=True)
    found = type(block).load("as-saved")
    assert isinstance(found, Block)
    assert revealed(found) == revealed(block)


def revealed(block: Block) -> dict[str, Any]:
    values = {name: getattr(block, name) for name in type(block).model_fields}
    return {name: each.get_secret_value() if isinstance(each, SecretStr) else each for name, each in values.items()}


@pytest.mark.usefixtures("prefect")
def test_the_server_shows_no_secret_of_a_block(block: Block) -> None:
    block.save("shown", overwrite=True)
    with get_client(sync_client=True) as client:
        document = client.read_block_document_by_name("shown", type(block).get_block_type_slug(), include_secrets=False)
    assert "********" in str(document.data)
    assert SECRET not in document.model_dump_json()


def test_a_block_keeps_its_secrets_out_of_what_is_printed_and_logged(
    block: Block, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("argosy").warning("%s %r", block, block)
    assert SECRET not in caplog.text + str(block) + repr(block) + block.model_dump_json()


@pytest.mark.parametrize(
    "url",
    [
        "https://bot:hunter2@git.example/shop.git",
        "http://bot:hunter2@127.0.0.1/shop.git",
        "http://git.example/shop.git",
        "http://localhost.example/shop.git",
        "ssh://git@git.example/shop.git",
        "git.example/shop.git",
        "file:///srv/shop.git",
    ],
)
def test_a_repository_is_refused_whose_address_is_not_confidential(url: str) -> None:
    with pytest.raises(ValidationError, match=r"must begin with https|must not hold credentials") as refused:
        GitOpsRepository(url=url)
    assert "hunter2" not in str(refused.value.errors(include_input=False))


@pytest.mark.parametrize("url", [URL, "http://127.0.0.1:3000/shop.git", "http://localhost/shop.git"])
def test_a_repository_over_https_or_on_this_machine_is_taken(url: str) -> None:
    assert GitOpsRepository(url=url).mirror().remote.url == url


@pytest.mark.parametrize(
    "url", [URL, "https://git.example/shop", "https://git.example/shop/", "https://GIT.example/Shop.git"]
)
def test_charts_that_are_said_to_lie_apart_and_do_not_are_refused(url: str) -> None:
    source = GitOpsRepository(url=URL).mirror()
    with pytest.raises(ConfigurationError, match=r"which is what is released from .*leave target.repository"):
        GitOpsRepository(url=url).mirror_beside(source)
    assert GitOpsRepository(url=URL.replace(".git", "-charts.git")).mirror_beside(source).path != source.path


@pytest.mark.parametrize("url", ["https://bot:hunter2@argocd.example", "http://argocd.example", "argocd.example"])
def test_an_argo_cd_is_refused_whose_address_is_not_confidential(url: str) -> None:
    with pytest.raises(Terminal) as refused:
        ArgoCDServer(url=url, token=SecretStr(SECRET)).client()
    assert "hunter2" not in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"url": "https://github.com/acme/shop.git"}, "https://api.github.com acme/shop"),
        ({"url": "https://git.acme.example/team/shop"}, "https://git.acme.example/api/v3 team/shop"),
        ({"url": URL, "api_url": "https://api.acme.example", "api_repository": "a/b"}, "https://api.acme.example a/b"),
    ],
)
def test_github_is_found_by_the_repositorys_address_unless_it_is_elsewhere(fields: dict[str, str], where: str) -> None:
    with GitOpsRepository(**fields, token=SecretStr(SECRET)).github() as client:
        assert f"{client._url} {client.repository}" == where
        assert SECRET not in repr(client)


def test_github_wants_a_token_and_a_confidential_address() -> None:
    with pytest.raises(ConfigurationError, match="without a token"):
        GitOpsRepository(url=URL).github()
    with pytest.raises(ValidationError, match="must begin with https"):
        GitOpsRepository(url=URL, api_url="http://api.acme.example")


def test_signed_commits_need_a_key_and_unsigned_ones_use_none() -> None:
    with pytest.raises(ConfigurationError, match="signing_key"):
        GitOpsRepository(url=URL).identity("ssh")
    keyed = GitOpsRepository(url=URL, signing_key=SecretStr(KEY), author_email="bot@acme.example")
    assert keyed.identity(None).signing_key is None
    assert keyed.identity("ssh").signing_key == SigningKey(SecretStr(KEY))
    assert keyed.identity("ssh").email == "bot@acme.example"


def test_a_signing_key_that_lost_its_last_newline_gets_it_back() -> None:
    key = GitOpsRepository(url=URL, signing_key=SecretStr(KEY.rstrip())).signing_key
    assert key == SecretStr(KEY)


def test_a_registry_without_credentials_is_open_to_all() -> None:
    assert ContainerRegistry().credentials() is None


def test_a_registry_with_a_token_uses_it() -> None:
    found = ContainerRegistry(username="bot", token=SecretStr(SECRET)).credentials()
    assert found is not None
    assert found.username == "bot"
    assert SECRET not in repr(found)


def test_an_aws_that_cannot_be_reached_is_a_passing_trouble() -> None:
    aws = AwsCredentials(
        aws_access_key_id="nobody",
        aws_secret_access_key=SecretStr(SECRET),
        region_name="us-east-1",
        aws_client_parameters={
            "endpoint_url": f"http://127.0.0.1:{free_port()}",
            "config": {"retries": {"max_attempts": 0}},
        },
    )
    with pytest.raises(Transient):
        ContainerRegistry(aws_credentials=aws).credentials()


def test_the_engine_is_the_one_of_the_block_else_of_the_worker() -> None:
    assert builder_host(DockerHost(base_url="unix:///run/engine.sock")).docker_host == "unix:///run/engine.sock"
    assert builder_host(DockerHost()).docker_host is None


def test_a_daemon_is_opened_by_the_files_of_its_block() -> None:
    builder = Builder(address="tcp://build.example:1234", tls="fleet")
    host = builder_host(None, builder, BuildKitTLS(ca="a", certificate="b", key=SecretStr(KEY)))
    assert (host.builder, host.docker_host) == (builder, None)
    assert host.tls is not None
    assert (host.tls.ca, host.tls.certificate, host.tls.key.get_secret_value()) == ("a", "b", KEY)
    assert SECRET not in repr(host)


def test_a_secret_of_a_build_is_text_and_nothing_else() -> None:
    assert build_secret(Secret(value=SecretStr(SECRET)), "npm").get_secret_value() == SECRET
    with pytest.raises(ConfigurationError, match=r"the secret block npm has no text .*as text"):
        build_secret(Secret(value={"token": SECRET}), "npm")
