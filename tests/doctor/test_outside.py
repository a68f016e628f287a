"""What the doctor says of services that are well, down, slow, untrusted, or that refuse the credentials."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterator

import pytest
from prefect.settings import PREFECT_API_URL
from pydantic import SecretStr

from argosy.config_text import read
from argosy.doctor import orchestrator, remotes
from argosy.doctor.findings import Finding, Level
from argosy.doctor.remotes import Given
from argosy.environment import Environment
from blocks.argocd_server import ArgoCDServer
from blocks.container_registry import ContainerRegistry
from deployments.local.process import free_port
from tests.engine.argocd_documents import document
from tests.engine.certificates import self_signed, server_side
from tests.engine.shop import CONFIGURATION
from tests.engine.silence import silent
from tests.engine.web import Answer, Request, served

SECRET = "correct-horse-battery-staple"


def environment(host: str = "127.0.0.1:1", extra: str = "") -> Environment:
    text = CONFIGURATION.replace("registry.example:5000", host).replace(
        "    target: {branch: main, values: values-dev.yaml}\n",
        f"    target: {{branch: main, values: values-dev.yaml}}\n{extra}",
    )
    return read(text.encode(), "dev")


def given(**variables: str) -> Given:
    return Given(variables, seconds=0.5)


Check = Callable[[str], Finding]


def registry(address: str) -> Finding:
    return remotes.registry(given(), environment(address.partition("//")[2]))


def git(address: str) -> Finding:
    return remotes.git(given(), f"{address}/shop.git")


def argocd(address: str) -> Finding:
    return remotes.argocd(given(ARGOCD_AUTH_TOKEN="a-token"), environment(), address)


def prefect(address: str) -> Finding:
    return orchestrator.check({"PREFECT_API_URL": f"{address}/api"}, (), seconds=0.5)[0][0]


CHECKS = [registry, git, argocd, prefect]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_service_that_is_down_is_down(check: Check) -> None:
    finding = check(f"http://127.0.0.1:{free_port()}")
    assert (finding.level, bool(finding.remedy)) == (Level.DOWN, True)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_service_that_never_answers_meets_a_time_limit(check: Check) -> None:
    with silent() as port:
        finding = check(f"http://127.0.0.1:{port}")
    assert (finding.level, bool(finding.remedy)) == (Level.DOWN, True)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_service_in_trouble_is_down(check: Check) -> None:
    with served(lambda _request: Answer(503)) as host:
        finding = check(f"http://{host}")
    assert (finding.level, bool(finding.remedy)) == (Level.DOWN, True)


@pytest.fixture(scope="module")
def untrusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    certificate = self_signed(tmp_path_factory.mktemp("tls"))
    with served(lambda _request: Answer(200, body=b"{}"), server_side(certificate)) as host:
        yield f"https://{host}"


@pytest.mark.parametrize("check", [git, argocd, prefect], ids=lambda check: check.__name__)
def test_a_service_whose_certificate_is_not_trusted_is_wrong_and_not_down(check: Check, untrusted: str) -> None:
    finding = check(untrusted)
    assert (finding.level, "certificate" in finding.why, bool(finding.remedy)) == (Level.WRONG, True, True)


def test_a_registry_that_refuses_the_credentials_names_them() -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="registry"'}
    with served(lambda _request: Answer(401, challenge)) as host:
        login = given(ARGOSY_REGISTRY_USERNAME="u", ARGOSY_REGISTRY_PASSWORD=SECRET)
        refused = remotes.registry(login, environment(host))
        without = remotes.registry(given(), environment(host))
    assert (refused.level, "password" in refused.remedy) == (Level.WRONG, True)
    assert (without.level, "no credentials were given" in without.why) == (Level.GOOD, True)
    assert SECRET not in str(refused)


def test_a_git_server_that_refuses_the_credentials_is_told_from_one_that_was_shown_none() -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="git"'}
    with served(lambda _request: Answer(401, challenge)) as host:
        refused = remotes.git(given(ARGOSY_GIT_USERNAME="u", ARGOSY_GIT_PASSWORD=SECRET), f"http://{host}/shop.git")
        without = remotes.git(given(), f"http://{host}/shop.git")
    assert (refused.level, "refuses the credentials" in refused.why) == (Level.WRONG, True)
    assert (without.level, "none were given" in without.why) == (Level.GOOD, True)


def test_a_git_server_reached_by_ssh_is_left_alone() -> None:
    assert remotes.git(given(), "git@git.example:shop.git").level is Level.SKIPPED


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


def test_aws_is_asked_only_with_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    ecr = 'registry: {type: ecr, account_id: "123456789012", region: eu-west-1, repository: "shop-{service}"}'
    text = CONFIGURATION.replace(CONFIGURATION.splitlines()[1], ecr)
    described = read(text.encode(), "dev")
    assert remotes.aws(given(), described).level is Level.SKIPPED
    token = base64.b64encode(b"AWS:token").decode()
    body = {"authorizationData": [{"authorizationToken": token, "proxyEndpoint": "https://r", "expiresAt": 1}]}
    answers = [Answer(200, body=json.dumps(body).encode())]
    with served(lambda _request: answers[0]) as host:
        for name, value in {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}")
        asked = given(AWS_ACCESS_KEY_ID="AKIAEXAMPLE")
        assert remotes.aws(asked, described).level is Level.GOOD
        refusal = {"__type": "UnrecognizedClientException", "message": "The security token is invalid."}
        answers[0] = Answer(400, body=json.dumps(refusal).encode())
        refused = remotes.aws(asked, described)
    assert (refused.level, "access key" in refused.remedy) == (Level.WRONG, True)
    assert remotes.aws(asked, described).level is Level.DOWN


def test_a_prefect_that_refuses_the_credentials_names_the_variables() -> None:
    with served(lambda _request: Answer(401, body=b"{}")) as host:
        finding = prefect(f"http://{host}")
    assert (finding.level, "PREFECT_API_AUTH_STRING" in finding.remedy) == (Level.WRONG, True)


@pytest.mark.parametrize("url", ["", "ftp://x/api", "https://user:pass@prefect.example/api", "http://[/api"])
def test_an_address_of_prefect_that_is_none_is_wrong(url: str) -> None:
    finding = orchestrator.check({"PREFECT_API_URL": url}, ())[0][0]
    assert finding.level is Level.WRONG
    assert "pass@" not in str(finding)


@pytest.mark.usefixtures("prefect")
def test_missing_blocks_and_those_of_a_wrong_type_are_found_on_a_real_server() -> None:
    mark = uuid.uuid4().hex[:8]
    extra = f"    blocks: {{registry: r-{mark}, argocd: a-{mark}, docker: d-{mark}}}\n"
    ContainerRegistry(username="bot", token=SecretStr(SECRET)).save(f"r-{mark}")
    ContainerRegistry().save(f"a-{mark}")
    found, _ = orchestrator.check({"PREFECT_API_URL": PREFECT_API_URL.value() or ""}, (environment(extra=extra),))
    by_where = {finding.where: finding for finding in found}
    assert f"r-{mark}" not in by_where
    assert "a container-registry block" in by_where[f"a-{mark}"].why
    assert "no docker-host block" in by_where[f"d-{mark}"].why
    assert "no deployment" in by_where["dev"].why
    assert SECRET not in str(found)


@pytest.mark.usefixtures("prefect")
def test_the_addresses_that_blocks_hold_are_read_and_their_secrets_are_not() -> None:
    name = f"a-{uuid.uuid4().hex[:8]}"
    ArgoCDServer(url="https://argocd.example", token=SecretStr(SECRET)).save(name)
    extra = f"    blocks: {{argocd: {name}}}\n"
    variables = {"PREFECT_API_URL": PREFECT_API_URL.value() or ""}
    _, addresses = orchestrator.check(variables, (environment(extra=extra),))
    assert addresses == {f"argocd-server/{name}": "https://argocd.example"}


def deployed(*, workers: list[dict[str, str]]) -> Callable[[Request], Answer]:
    """A Prefect with a deployment for dev, and these workers."""
    deployments = [{"parameters": {"environment": "dev", "repository": "argosy"}, "work_pool_name": "releases"}]
    lists = {"deployments": deployments, "block_documents": [], "workers": workers}

    def answer(request: Request) -> Answer:
        if request.path.endswith("/version"):
            return Answer(200, body=b'"3.8.8"')
        return Answer(200, body=json.dumps(lists[request.path.split("/")[-2]]).encode())

    return answer


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        ([], Level.DOWN),
        ([{"name": "w", "status": "OFFLINE"}], Level.DOWN),
        ([{"name": "w", "status": "ONLINE"}], Level.GOOD),
    ],
)
def test_a_pool_that_no_worker_serves_is_down(workers: list[dict[str, str]], expected: Level) -> None:
    with served(deployed(workers=workers)) as host:
        found, _ = orchestrator.check({"PREFECT_API_URL": f"http://{host}/api"}, (environment(),))
    assert next(finding.level for finding in found if finding.what == "worker") is expected
    assert not [finding for finding in found if finding.what == "deployment"]


def test_no_secret_is_ever_asked_of_prefect() -> None:
    asked: list[Request] = []
    answer = deployed(workers=[])

    def record(request: Request) -> Answer:
        asked.append(request)
        return answer(request)

    with served(record) as host:
        orchestrator.check({"PREFECT_API_URL": f"http://{host}/api"}, (environment(),))
    blocks = [json.loads(request.body) for request in asked if "block_documents" in request.path]
    assert [each["include_secrets"] for each in blocks] == [False]
