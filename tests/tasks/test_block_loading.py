"""Blocks that are missing, of another type, incomplete, or behind a Prefect that is down."""

from __future__ import annotations

import uuid

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from pydantic import SecretStr

from argosy.errors import ConfigurationError, ExitCode, Terminal, Transient, WrongUse
from argosy.prefect_api import PrefectApi
from blocks.argocd_server import ArgoCDServer
from blocks.container_registry import ContainerRegistry
from deployments.local.process import free_port
from tasks.block_loading import load_block
from tests.engine.web import Answer, served

SECRET = "correct-horse-battery-staple"


def saved() -> str:
    """The name of a new Argo CD Server block."""
    name = f"block-{uuid.uuid4().hex[:8]}"
    ArgoCDServer(url="https://argocd.example", token=SecretStr(SECRET)).save(name)
    return name


@pytest.mark.usefixtures("prefect")
def test_a_block_that_is_missing_is_named_with_its_type() -> None:
    with pytest.raises(ConfigurationError, match="there is no argocd-server block nobody") as caught:
        load_block(ArgoCDServer, "nobody")
    assert "deployments.register" in (caught.value.remedy or "")


@pytest.mark.usefixtures("prefect")
def test_a_block_of_another_type_is_said_to_be_one() -> None:
    name = saved()
    with pytest.raises(
        ConfigurationError,
        match=r"of the type argocd-server, and a container-registry block .*\(register a container-registry block",
    ):
        load_block(ContainerRegistry, name)


@pytest.mark.usefixtures("prefect")
def test_a_block_that_lost_a_field_says_which_and_not_what_the_others_hold() -> None:
    name = saved()
    with get_client(sync_client=True) as client:
        document = client.read_block_document_by_name(name, "argocd-server", include_secrets=True)
        values = {"data": {"token": SECRET}, "merge_existing_data": False}
        client._client.patch(f"/block_documents/{document.id}", json=values).raise_for_status()
    with pytest.raises(ConfigurationError, match="url: Field required") as caught:
        load_block(ArgoCDServer, name)
    assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert "correct it in the Prefect UI" in (caught.value.remedy or "")


@pytest.mark.parametrize("name", ["../../flows", "a/b", "a b", "-x", "a;b", "A", "a\n", "", "$(id)"])
def test_a_name_that_can_be_no_blocks_reaches_no_address(name: str) -> None:
    with pytest.raises(WrongUse, match="can be no argocd-server block") as caught:
        load_block(ArgoCDServer, name)
    assert caught.value.exit_code is ExitCode.WRONG


def test_a_prefect_that_is_down_may_come_back() -> None:
    settings = {PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with (
        temporary_settings(settings),
        pytest.raises(Transient, match=r"loading the argocd-server block some.*check the network and the address"),
    ):
        load_block(ArgoCDServer, "some")


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (500, Transient, "log of the Prefect server"),
        (401, Terminal, "PREFECT_API_KEY"),
        (403, Terminal, "PREFECT_API_KEY"),
    ],
)
def test_a_prefect_that_refuses_is_no_missing_block(status: int, kind: type[Exception], remedy: str) -> None:
    with served(lambda _request: Answer(status, {"Content-Type": "application/json"}, b"{}")) as host:
        settings = {PREFECT_API_URL: f"http://{host}/api", PREFECT_CLIENT_MAX_RETRIES: 0}
        with temporary_settings(settings), pytest.raises(kind, match=f"it answers {status} .*{remedy}"):
            load_block(ArgoCDServer, "some")


@pytest.mark.usefixtures("prefect")
def test_the_command_line_reads_blocks_without_their_secrets() -> None:
    name = saved()
    with PrefectApi(PREFECT_API_URL.value() or "") as api:
        assert api.version()
        (document,) = api.blocks([name])
    assert document["block_type"]["slug"] == "argocd-server"
    assert document["data"]["url"] == "https://argocd.example"
    assert SECRET not in str(document)
