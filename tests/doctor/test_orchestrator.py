"""What the doctor says of Prefect: its blocks, of which it asks no secret, its deployments and its workers."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL
from prefect_aws import AwsCredentials
from pydantic import SecretStr

from argosy.doctor import blocks, orchestrator
from argosy.doctor.findings import Finding, Level
from argosy.environment import Environment
from argosy.prefect_api import PrefectApi
from argosy.settings.target_mode import Mode
from blocks.argocd_server import ArgoCDServer
from blocks.container_registry import ContainerRegistry
from blocks.gitops_repository import GitOpsRepository
from tests.doctor.described import environment, on_amazon
from tests.engine.web import Answer, Request, served

SECRET = "correct-horse-battery-staple"


def test_a_prefect_that_refuses_the_credentials_names_the_variables() -> None:
    with served(lambda _request: Answer(401, body=b"{}")) as host:
        finding = orchestrator.check({"PREFECT_API_URL": f"http://{host}/api"}, ())[0][0]
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


def examined(*environments: Environment) -> dict[str, list[Finding]]:
    """What is said of each block of these environments, by its name."""
    found, _ = orchestrator.check({"PREFECT_API_URL": PREFECT_API_URL.value() or ""}, environments)
    said: dict[str, list[Finding]] = defaultdict(list)
    for finding in found:
        if finding.what == "block":
            said[finding.where].append(finding)
    assert SECRET not in str(found)
    return said


@pytest.mark.usefixtures("prefect")
def test_a_block_that_lost_a_field_that_every_one_has_is_found() -> None:
    name = f"a-{uuid.uuid4().hex[:8]}"
    ArgoCDServer(url="https://argocd.example", token=SecretStr(SECRET)).save(name)
    described = environment(extra=f"    blocks: {{argocd: {name}}}\n")
    assert name not in examined(described)
    with get_client(sync_client=True) as client:
        document = client.read_block_document_by_name(name, "argocd-server", include_secrets=False)
        values = {"data": {"token": SECRET}, "merge_existing_data": False}
        client._client.patch(f"/block_documents/{document.id}", json=values).raise_for_status()
    (finding,) = examined(described)[name]
    assert (finding.level, "has no url" in finding.why) == (Level.WRONG, True)
    assert "set it in the Prefect UI" in finding.remedy


@pytest.mark.usefixtures("prefect")
def test_a_registry_of_amazons_without_any_credentials_is_incomplete() -> None:
    name = f"r-{uuid.uuid4().hex[:8]}"
    described = on_amazon(f"    blocks: {{registry: {name}, aws: {name}}}")
    AwsCredentials(region_name="eu-west-1").save(name)
    ContainerRegistry().save(name)
    (finding,) = examined(described)[name]
    assert (finding.level, "no aws_credentials and no token" in finding.why) == (Level.WRONG, True)
    ContainerRegistry(aws_credentials=AwsCredentials.load(name)).save(name, overwrite=True)
    assert name not in examined(described)


@pytest.mark.usefixtures("prefect")
@pytest.mark.parametrize("sign", [True, False])
def test_a_signing_key_is_asked_for_where_commits_are_to_be_signed(sign: bool) -> None:
    name = f"g-{uuid.uuid4().hex[:8]}"
    GitOpsRepository(url="https://git.example/shop.git", token=SecretStr(SECRET)).save(name)
    deployments = [{"parameters": {"environment": "dev", "repository": name}}]
    described = replace(environment(), sign="gpg" if sign else None)

    def said() -> list[Finding]:
        with PrefectApi(PREFECT_API_URL.value() or "") as api:
            found = [block for block in blocks.wanted((described,), deployments) if block.name == name]
            return [each for each in blocks.check(found, api.blocks([name])) if each.level is not Level.GOOD]

    assert [(each.level, "signing_key" in each.remedy) for each in said()] == [(Level.WRONG, True)] * sign
    GitOpsRepository(url="https://git.example/shop.git", signing_key=SecretStr(SECRET)).save(name, overwrite=True)
    assert said() == []


@pytest.mark.parametrize(("mode", "asked"), [("push", ()), ("pull-request", ("token",)), ("github-api", ("token",))])
def test_a_token_is_asked_for_where_githubs_api_is(mode: Mode, asked: tuple[str, ...]) -> None:
    deployments = [{"parameters": {"environment": "dev", "repository": "argosy"}}]
    described = replace(environment(), mode=mode)
    [block] = [each for each in blocks.wanted((described,), deployments) if each.kind == blocks.REPOSITORY]
    assert tuple(field for need in block.needs for field in need.fields) == asked


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


@pytest.mark.parametrize("flow", ["hold", "rollback"])
def test_an_environment_in_which_nobody_can_hold_or_go_back_is_warned_of(flow: str) -> None:
    whole = deployed(workers=[])

    def lacking(request: Request) -> Answer:
        mine = request.path.endswith("/deployments/filter") and flow in request.body.decode()
        return Answer(200, body=b"[]") if mine else whole(request)

    with served(lacking) as host:
        found, _ = orchestrator.check({"PREFECT_API_URL": f"http://{host}/api"}, (environment(),))
    [finding] = [finding for finding in found if finding.what == "deployment"]
    assert (finding.level, finding.where) == (Level.WARNING, f"{flow}/dev")
    assert "deployments.register" in finding.remedy


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
