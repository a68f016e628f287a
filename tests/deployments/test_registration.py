"""What `python -m deployments.register` makes known to a Prefect server."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL
from prefect_aws import AwsCredentials
from pydantic import SecretStr

from argosy.errors import ConfigurationError
from blocks.argocd_server import ArgoCDServer
from blocks.container_registry import ContainerRegistry
from deployments.register import main
from deployments.registration import (
    FLOWS,
    BlockDocument,
    register_blocks,
    register_deployments,
    register_types,
)
from tasks.block_loading import KINDS
from tasks.workspace import load
from tests.cli.process import argosy

pytestmark = pytest.mark.usefixtures("prefect")

SECRET = "correct-horse-battery-staple"
ARGOCD = BlockDocument("argocd-server", "shop-argocd", {"url": "https://argocd.example", "token": SECRET})
PREFECT_YAML = Path(__file__).parents[2] / "prefect.yaml"


@pytest.fixture(autouse=True)
def _leave_no_deployment() -> Iterator[None]:
    yield
    with get_client(sync_client=True) as client:
        for each in client.read_deployments():
            client.delete_deployment(each.id)


def deployment(name: str) -> Any:
    with get_client(sync_client=True) as client:
        return client.read_deployment_by_name(f"release/{name}")


def count() -> tuple[int, int, int]:
    with get_client(sync_client=True) as client:
        found = client.read_block_documents(), client.read_deployments(), client.read_work_pools()
    return tuple(len(each) for each in found)  # type: ignore[return-value] # three of them


def test_every_type_is_known_afterwards_however_often_it_was_registered() -> None:
    slugs = {kind.get_block_type_slug() for kind in KINDS}
    assert set(register_types()) == set(register_types()) == slugs
    with get_client(sync_client=True) as client:
        assert {client.read_block_type_by_slug(slug).slug for slug in slugs} == slugs


def test_registering_twice_leaves_what_registering_once_does() -> None:
    for _ in range(2):
        names = register_blocks([ARGOCD])
        deployments = register_deployments(PREFECT_YAML, {})
        found = count()
    assert names == ["argocd-server/shop-argocd"]
    assert deployments == [f"{flow}/{name}" for flow in ("release", "hold", "rollback") for name in ("dev", "prod")]
    register_blocks([ARGOCD])
    register_deployments(PREFECT_YAML, {})
    assert count() == found


def test_a_block_registered_again_has_the_new_values() -> None:
    register_blocks([ARGOCD])
    register_blocks([BlockDocument("argocd-server", "shop-argocd", {"url": "https://new.example", "token": "new"})])
    found = load(ArgoCDServer, "shop-argocd")
    assert (found.url, found.token) == ("https://new.example", SecretStr("new"))


def test_a_session_token_which_prefect_would_show_in_clear_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="in clear") as caught:
        register_blocks([BlockDocument("aws-credentials", "temporary", {"aws_session_token": SECRET})])
    assert SECRET not in str(caught.value)


def test_a_block_may_stand_on_another() -> None:
    aws = {"aws_access_key_id": "AKIA", "aws_secret_access_key": SECRET, "region_name": "eu-west-1"}
    register_blocks(
        [
            BlockDocument("aws-credentials", "shop-aws", aws),
            BlockDocument("container-registry", "shop-registry", {"aws_credentials": {"$block": "shop-aws"}}),
        ]
    )
    registry = load(ContainerRegistry, "shop-registry")
    assert isinstance(registry.aws_credentials, AwsCredentials)
    assert registry.aws_credentials.aws_secret_access_key == SecretStr(SECRET)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (BlockDocument("argo", "shop", {"token": SECRET}), "argo is no type of block"),
        (BlockDocument("argocd-server", "shop", {"url": "https://a.example", "tokn": SECRET}), "no field tokn"),
        (BlockDocument("argocd-server", "shop", {"token": SECRET}), "url: Field required"),
        (BlockDocument("argocd-server", "shop", {"url": "https://a.example", "token": [SECRET]}), "token: "),
        (BlockDocument("gitops-repository", "shop", {"url": f"https://me:{SECRET}@git.example/s.git"}), "credentials"),
        (BlockDocument("container-registry", "shop", {"aws_credentials": {"$block": "nowhere"}}), "nowhere"),
    ],
)
def test_a_wrong_block_is_refused_with_the_remedy_and_without_its_secrets(document: BlockDocument, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        register_blocks([document])
    assert refused.value.remedy
    assert SECRET not in str(refused.value)
    assert SECRET not in str(refused.value.__cause__)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_a_deployment_is_as_prefect_yaml_describes_it(name: str) -> None:
    register_deployments(PREFECT_YAML, {})
    found = deployment(name)
    assert found.entrypoint == "flows.release.release"
    assert found.parameters == {"repository": "argosy", "environment": name}
    assert (found.work_pool_name, found.job_variables) == ("argosy", {"command": "python -m prefect.engine"})
    assert set(found.tags) == {"argosy", name}
    [schedule] = found.schedules
    assert (schedule.schedule.cron, schedule.schedule.timezone, schedule.slug) == ("*/30 * * * *", "Etc/UTC", "re-run")
    assert schedule.active
    assert schedule.parameters == {"trigger": {"type": "schedule"}}


def test_the_parameters_of_a_deployment_are_those_that_the_flow_takes() -> None:
    register_deployments(PREFECT_YAML, {})
    schema = deployment("prod").parameter_openapi_schema
    assert set(schema["required"]) == {"repository", "environment"}
    assert {"source_sha", "services", "trigger", "adopt", "dry_run"} <= set(schema["properties"])


@pytest.mark.parametrize(
    "words",
    [
        ["release", "ui", "--head", "a" * 40, "--adopt", "--dry-run", "--force", "cart"],
        ["hold", "ui", "--reason", "it loses baskets", "--until", "2h", "--content"],
        ["hold", "ui", "--lift"],
        ["rollback", "ui", "--reason", "it loses baskets", "--to", "a" * 40],
    ],
)
def test_a_deployment_takes_what_its_command_asks_for(words: list[str]) -> None:
    register_deployments(PREFECT_YAML, {})
    url = PREFECT_API_URL.value() or ""
    done = argosy(words[0], "--environment", "dev", "--detach", *words[1:], PREFECT_API_URL=url)
    assert done.returncode == 0, done.stderr
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(uuid.UUID(done.stdout.strip()))
    assert run.parameters["repository"] == "argosy"
    flow = FLOWS[f"flows.{words[0]}.{words[0]}"]
    flow.validate_parameters(run.parameters)


def test_overrides_are_laid_over_every_deployment() -> None:
    register_deployments(PREFECT_YAML, {"repository": "shop"})
    assert {deployment(name).parameters["repository"] for name in ("dev", "prod")} == {"shop"}


def test_the_command_registers_what_its_standard_input_holds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = {"type": "argocd-server", "name": "piped", "values": {"url": "https://a.example", "token": SECRET}}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps([document])))
    assert main(["--blocks", "-", "--file", str(PREFECT_YAML), "--repository", "piped-shop", "--json"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["blocks"] == ["argocd-server/piped"]
    assert SECRET not in output.out + output.err
    assert deployment("dev").parameters["repository"] == "piped-shop"


@pytest.mark.parametrize("text", [f"- {{name: x, token: {SECRET}}}", f"- {{type: x, token: '{SECRET}", f"{SECRET}"])
def test_the_command_refuses_what_is_no_list_of_blocks_without_quoting_it(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["--blocks", "-", "--file", str(PREFECT_YAML)]) == 2
    output = capsys.readouterr()
    assert "not a list of blocks" in output.err
    assert SECRET not in output.out + output.err
