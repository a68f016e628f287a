"""Servers that accept and never answer, and certificates that nobody vouches for, as each client meets them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from argosy.argocd.client import ArgoCD
from argosy.ecr import control_plane as ecr
from argosy.errors import ArgosyError, ExitCode, Terminal, Transient
from argosy.gitops import mirror
from argosy.gitops.mirror import Mirror
from argosy.gitops.remote import Remote
from argosy.prefect_api import PrefectApi
from argosy.registries import registry
from argosy.registries.registry import Registry
from tests.engine.certificates import self_signed, server_side
from tests.engine.silence import silent
from tests.engine.web import Answer, served

SECONDS = 0.3
TOKEN = SecretStr("a-token")


@pytest.fixture(scope="module")
def untrusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    certificate = self_signed(tmp_path_factory.mktemp("tls"))
    with served(lambda _request: Answer(200, body=b"{}"), server_side(certificate)) as host:
        yield host


def ask_registry(host: str, _folder: Path) -> None:
    with Registry(host, timeout=SECONDS) as client:
        client.digest_of("ui", "one")


def ask_registry_with_tls(host: str, _folder: Path) -> None:
    import certifi

    with Registry(host, timeout=10, ca=Path(certifi.where())) as client:
        client.digest_of("ui", "one")


def ask_argocd(host: str, _folder: Path) -> None:
    with ArgoCD(url(host), TOKEN, timeout=SECONDS if scheme(host) == "http" else 10) as client:
        client.version()


def ask_prefect(host: str, _folder: Path) -> None:
    with PrefectApi(f"{url(host)}/api", timeout=SECONDS if scheme(host) == "http" else 10) as api:
        api.version()


def ask_git(host: str, folder: Path) -> None:
    Mirror(folder, Remote(f"{url(host)}/shop.git")).update()


def ask_aws(host: str, _folder: Path) -> None:
    limits = Config(connect_timeout=SECONDS, read_timeout=SECONDS if scheme(host) == "http" else 10,
                    retries={"total_max_attempts": 1})  # fmt: skip
    client = boto3.client("ecr", region_name="eu-west-1", endpoint_url=url(host), config=limits,
                          aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="none")  # fmt: skip
    try:
        ecr.authorization(client)
    except (BotoCoreError, ClientError) as error:
        raise ecr.translate(error, "asking for an authorization token") from error


def scheme(host: str) -> str:
    return "http" if host.endswith("#plain") else "https"


def url(host: str) -> str:
    return f"{scheme(host)}://{host.removesuffix('#plain')}"


@pytest.mark.parametrize(
    ("ask", "remedy"),
    [
        (ask_registry, "check the network and the address"),
        (ask_argocd, "see how busy it is"),
        (ask_prefect, "see how busy its server is"),
        (ask_git, "check that the git server is up"),
        (ask_aws, "check the network, the region and the endpoint"),
    ],
)
def test_a_server_that_never_answers_meets_a_time_limit(
    ask: Callable[[str, Path], None], remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "_IMPATIENT", mirror._IMPATIENT | {"GIT_HTTP_LOW_SPEED_TIME": "1"})
    started = time.monotonic()
    with silent() as port, pytest.raises(Transient) as caught:
        ask(f"127.0.0.1:{port}" + ("" if ask is ask_registry else "#plain"), tmp_path)
    assert time.monotonic() - started < 10
    assert caught.value.exit_code is ExitCode.DOWN
    assert str(port) in caught.value.message
    assert remedy in (caught.value.remedy or "")


@pytest.mark.parametrize(
    ("ask", "remedy"),
    [
        (ask_registry_with_tls, "name the CA that signed its certificate in SSL_CERT_FILE"),
        (ask_argocd, "name the CA that signed it in SSL_CERT_FILE"),
        (ask_prefect, "name the CA that signed its certificate in SSL_CERT_FILE"),
        (ask_git, "name the CA that signed it in GIT_SSL_CAINFO"),
        (ask_aws, "name the CA that signed the endpoint's certificate in AWS_CA_BUNDLE"),
    ],
)
def test_a_certificate_that_is_not_trusted_is_said_to_be_one(
    ask: Callable[[str, Path], None], remedy: str, untrusted: str, tmp_path: Path
) -> None:
    with pytest.raises(Terminal, match="certificate") as caught:
        ask(untrusted, tmp_path)
    assert untrusted in caught.value.message
    assert isinstance(caught.value, ArgosyError)
    assert remedy in (caught.value.remedy or "")
    assert not (tmp_path / "mirrors").exists() or not list((tmp_path / "mirrors").glob("*.damaged"))


def test_a_ca_that_is_named_in_the_environment_is_trusted_by_each_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
    registry._usual_trust.cache_clear()
    try:
        # On this machine itself the client speaks plain HTTP: its trust is tried without it.
        trust = registry._usual_trust()
        with served(lambda _request: Answer(404), server_side(certificate)) as host:
            assert httpx.get(f"https://{host}", verify=trust).status_code == 404
            for ask in (ask_git, ask_aws):
                with pytest.raises(ArgosyError) as caught:
                    ask(host, tmp_path)
                assert "certificate" not in caught.value.message
    finally:
        registry._usual_trust.cache_clear()
