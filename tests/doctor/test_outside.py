"""What the doctor says of services that are well, down, slow, untrusted, or that refuse the credentials."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Protocol

import pytest
from pydantic import SecretStr

from argosy.doctor import git_servers, orchestrator, remotes
from argosy.doctor.findings import Finding, Level
from argosy.doctor.remotes import Given
from argosy.environment import Environment
from argosy.git import Git
from deployments.local.git_server import BOT, GitServer
from deployments.local.github.server import GitHubStandIn
from deployments.local.process import free_port
from tests.doctor.described import environment, on_amazon
from tests.engine.argocd_documents import document
from tests.engine.certificates import self_signed, server_side
from tests.engine.silence import silent
from tests.engine.web import Answer, Request, served

SECRET = "correct-horse-battery-staple"


PATIENT, IMPATIENT = 20.0, 0.5
"""How long, in seconds, one waits for who answers on a machine that is busy, and for who never does."""


def given(seconds: float = PATIENT, **variables: str) -> Given:
    return Given(variables, seconds=seconds)


class Check(Protocol):
    def __call__(self, address: str, seconds: float = PATIENT) -> Finding: ...


def registry(address: str, seconds: float = PATIENT) -> Finding:
    described = environment(address.partition("//")[2])
    return remotes.registry(given(seconds), described, described.registries[None])


def git(address: str, seconds: float = PATIENT) -> Finding:
    return git_servers.source(given(seconds), f"{address}/shop.git")


def argocd(address: str, seconds: float = PATIENT) -> Finding:
    return remotes.argocd(given(seconds, ARGOCD_AUTH_TOKEN="a-token"), environment(), address)


def prefect(address: str, seconds: float = PATIENT) -> Finding:
    return orchestrator.check({"PREFECT_API_URL": f"{address}/api"}, (), seconds=seconds)[0][0]


def aws(address: str, seconds: float = PATIENT) -> Finding:
    variables = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": address}
    with pytest.MonkeyPatch.context() as patch:  # the AWS SDK reads the environment of the process
        for name, value in variables.items():
            patch.setenv(name, value)
        return remotes.aws(given(seconds, AWS_ACCESS_KEY_ID="AKIAEXAMPLE"), on_amazon().registries[None])


@pytest.mark.parametrize(
    ("check", "remedy"),
    [
        (registry, "check the network and the address"),
        (git, "check that the git server is up"),
        (argocd, "check the address and the network"),
        (prefect, "check the network and the address"),
        (aws, "check the network, the region and the endpoint"),
    ],
)
def test_a_service_that_is_down_is_down(check: Check, remedy: str) -> None:
    finding = check(f"http://127.0.0.1:{free_port()}")
    assert (finding.level, finding.remedy) == (Level.DOWN, remedy)


@pytest.mark.parametrize(
    ("check", "remedy"),
    [
        (registry, "see how busy it is"),
        (git, "see whether the git server"),
        (argocd, "see how busy it is"),
        (prefect, "see how busy its server is"),
        (aws, "check the network, the region and the endpoint"),
    ],
)
def test_a_service_that_never_answers_meets_a_time_limit(check: Check, remedy: str) -> None:
    started = time.monotonic()
    with silent() as port:
        finding = check(f"http://127.0.0.1:{port}", IMPATIENT)
    assert (finding.level, remedy in finding.remedy) == (Level.DOWN, True)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("check", "remedy"),
    [
        (registry, "try again later"),
        (git, "check that the git server is up"),
        (argocd, "see the Argo CD server's log"),
        (prefect, "see its server's log"),
        (aws, "try again later"),
    ],
)
def test_a_service_in_trouble_is_down(check: Check, remedy: str) -> None:
    with served(lambda _request: Answer(503)) as host:
        finding = check(f"http://{host}")
    assert (finding.level, remedy in finding.remedy) == (Level.DOWN, True)


@pytest.mark.parametrize(
    ("who", "level", "words"),
    [
        ("push", Level.GOOD, "write to acme/"),
        ("pull", Level.WRONG, "only read"),
        ("nobody", Level.WRONG, "renew the token"),
        ("", Level.SKIPPED, "ARGOSY_GIT_PASSWORD"),
    ],
)
def test_githubs_api_is_asked_whether_the_token_may_write(
    git_server: tuple[GitServer, SecretStr], github: GitHubStandIn, who: str, level: Level, words: str
) -> None:
    git_server[0].create("doctored")
    tokens = {each: github.admit(each, "doctored", permission=each).get_secret_value() for each in ("push", "pull")}
    token = {"ARGOSY_GIT_PASSWORD": tokens.get(who, "ghp_wrong")} if who else {}
    finding = git_servers.github(given(seconds=10, **token), github.url, github.repository("doctored"))
    assert (finding.level, words in f"{finding.why} {finding.remedy}") == (level, True), finding


def test_githubs_api_is_asked_where_the_block_says_and_only_where_a_release_goes_that_way() -> None:
    addresses = {"gitops-repository/a": "https://github.com/acme/shop.git", "api_repository/gitops-repository/a": "b/c"}

    def asked(described: Environment) -> list[str]:
        return [found.where for check in remotes.checks(given(), described, addresses, "") for found in _github(check)]

    assert asked(replace(environment(), mode="auto")) == ["https://api.github.com"]
    assert asked(environment()) == []


def _github(check: Callable[[], Finding]) -> Iterator[Finding]:
    if isinstance(check, partial) and check.func is git_servers.github:
        yield check()


@pytest.fixture(scope="module")
def untrusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    certificate = self_signed(tmp_path_factory.mktemp("tls"))
    with served(lambda _request: Answer(200, body=b"{}"), server_side(certificate)) as host:
        yield f"https://{host}"


@pytest.mark.parametrize(
    ("check", "remedy"),
    [
        (registry, "in SSL_CERT_FILE"),
        (git, "in GIT_SSL_CAINFO"),
        (argocd, "in SSL_CERT_FILE"),
        (prefect, "in SSL_CERT_FILE"),
        (aws, "in AWS_CA_BUNDLE"),
    ],
)
def test_a_service_whose_certificate_is_not_trusted_is_wrong_and_not_down(
    check: Check, remedy: str, untrusted: str
) -> None:
    # To the registry on a loopback address plain HTTP is spoken; this is the same machine, and no loopback address.
    finding = check(untrusted.replace("127.0.0.1", "0.0.0.0") if check is registry else untrusted)  # noqa: S104
    assert (finding.level, "certificate" in finding.why.lower()) == (Level.WRONG, True)
    assert remedy in finding.remedy


def test_a_registry_that_refuses_the_credentials_names_them() -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="registry"'}
    with served(lambda _request: Answer(401, challenge)) as host:
        login = given(ARGOSY_REGISTRY_USERNAME="u", ARGOSY_REGISTRY_PASSWORD=SECRET)
        described = environment(host)
        refused = remotes.registry(login, described, described.registries[None])
        without = remotes.registry(given(), described, described.registries[None])
    assert (refused.level, "password" in refused.remedy) == (Level.WRONG, True)
    assert (without.level, "no credentials were given" in without.why) == (Level.GOOD, True)
    assert SECRET not in str(refused)


def test_a_git_server_that_refuses_the_credentials_is_told_from_one_that_was_shown_none() -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="git"'}
    with served(lambda _request: Answer(401, challenge)) as host:
        refused = git_servers.source(
            given(ARGOSY_GIT_USERNAME="u", ARGOSY_GIT_PASSWORD=SECRET), f"http://{host}/shop.git"
        )
        without = git_servers.source(given(), f"http://{host}/shop.git")
    assert (refused.level, "refuses the credentials" in refused.why) == (Level.WRONG, True)
    assert (without.level, "none were given" in without.why) == (Level.GOOD, True)


def logged_in(password: SecretStr) -> Given:
    return given(ARGOSY_GIT_USERNAME=BOT, ARGOSY_GIT_PASSWORD=password.get_secret_value(), seconds=10)


def test_credentials_that_may_push_are_tried_and_nothing_is_pushed(git_server: tuple[GitServer, SecretStr]) -> None:
    server, password = git_server
    name = f"doctor-{uuid.uuid4().hex[:8]}"
    finding = git_servers.source(logged_in(password), server.create(name))
    assert (finding.level, "read and push" in finding.why) == (Level.GOOD, True)
    assert "cannot be known before a run pushes" in finding.why
    assert Git(server.path(name)).text("for-each-ref") == ""


def test_a_token_that_may_only_read_is_found_before_a_run_pushes(git_server: tuple[GitServer, SecretStr]) -> None:
    server, password = git_server
    name = f"doctor-{uuid.uuid4().hex[:8]}"
    url = server.create(name)
    Git(server.path(name)).run("config", "http.receivepack", "false")
    finding = git_servers.source(logged_in(password), url)
    assert (finding.level, "read and write access" in finding.remedy) == (Level.WRONG, True)
    without = git_servers.source(given(seconds=10), url)
    assert (without.level, "cannot be known before a run pushes" in without.why) == (Level.GOOD, True)


def test_a_git_server_reached_by_ssh_is_left_alone() -> None:
    assert git_servers.source(given(), "git@git.example:shop.git").level is Level.SKIPPED


def test_an_argo_cd_is_asked_for_every_application_with_the_token() -> None:
    known: set[str] = {"shop-ui"}

    def answer(request: Request) -> Answer:
        if request.path.startswith("/api/version"):
            return Answer(200, body=b'{"Version": "v3.1.0"}')
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return Answer(401, body=b'{"message": "invalid session"}')
        name = request.path.rpartition("/")[2].partition("?")[0]
        return Answer(200, body=json.dumps(document()).encode()) if name in known else Answer(403, body=b"{}")

    def asked(token: str) -> Finding:
        return remotes.argocd(given(ARGOCD_AUTH_TOKEN=token, ARGOCD_SERVER=f"http://{host}"), environment(), None)

    with served(answer) as host:
        missing, wrong = asked(SECRET), asked("another")
        known.add("shop-cart")
        good = asked(SECRET)
    assert (good.level, "v3.1.0" in good.why) == (Level.GOOD, True)
    assert (missing.level, "role may not" in missing.remedy) == (Level.WRONG, True)
    assert (wrong.level, "expired" in wrong.remedy) == (Level.WRONG, True)


def test_aws_is_asked_only_with_credentials() -> None:
    assert remotes.aws(given(), on_amazon().registries[None]).level is Level.SKIPPED
    token = base64.b64encode(b"AWS:token").decode()
    body = {"authorizationData": [{"authorizationToken": token, "proxyEndpoint": "https://r", "expiresAt": 1}]}
    answers = [Answer(200, body=json.dumps(body).encode())]
    with served(lambda _request: answers[0]) as host:
        assert aws(f"http://{host}").level is Level.GOOD
        refusal = {"__type": "UnrecognizedClientException", "message": "The security token is invalid."}
        answers[0] = Answer(400, body=json.dumps(refusal).encode())
        refused = aws(f"http://{host}")
    assert (refused.level, "access key" in refused.remedy) == (Level.WRONG, True)
