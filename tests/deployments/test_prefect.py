"""The Prefect server and worker of the embedded stack, and the client that asks them for runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from argosy.errors import Terminal
from deployments.local.prefect_api import PrefectApi
from deployments.local.prefect_server import PrefectServer
from deployments.local.process import runs
from deployments.local.worker import POOL, Worker
from tests.deployments.waiting import soon

pytestmark = pytest.mark.e2e  # the server takes many seconds to start

_FLOWS = """
import os, time
from pathlib import Path
from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_run_logger

@flow
def greet(name: str) -> None:
    get_run_logger().info("hello %s in %s", name, os.environ["ARGOSY_HOME"])
    create_markdown_artifact("# hello", key="greeting")
    if name == "nobody":
        raise ValueError("nobody is there")

@flow
def linger(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    time.sleep(600)
"""


@dataclass(frozen=True, slots=True)
class Running:
    server: PrefectServer
    worker: Worker
    api: PrefectApi


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    state, flows = tmp_path_factory.mktemp("prefect"), tmp_path_factory.mktemp("flows")
    (flows / "greetings.py").write_text(_FLOWS)
    with (
        PrefectServer(state=state) as server,
        PrefectApi(server.api_url) as api,
        Worker(server.api_url, state=state, env={"ARGOSY_HOME": "/the/home"}, working_dir=flows) as worker,
    ):
        for flow in ("greet", "linger"):
            _deploy(api, flow)
        yield Running(server, worker, api)


def _deploy(api: PrefectApi, flow: str) -> None:
    document = {
        "name": "test",
        "flow_id": api._call("POST", "/flows/", {"name": flow})["id"],
        "entrypoint": f"greetings.{flow}",
        "work_pool_name": POOL,
        "parameter_openapi_schema": {},
    }
    api._call("POST", "/deployments/", document)


def test_a_run_is_carried_out_with_the_environment_given_to_the_worker(prefect: Running) -> None:
    asked = prefect.api.create_flow_run("greet/test", {"name": "you"})
    run = prefect.api.wait(asked.id, timeout=120)
    assert (run.state, run.message) == ("COMPLETED", "")
    # A run's process sends its log in batches, the last of them after its end.
    soon(lambda: "hello you in /the/home" in [line["message"] for line in prefect.api.logs(run.id)], True)
    assert [artifact["key"] for artifact in prefect.api.artifacts(run.id)] == ["greeting"]


def test_a_run_that_failed_says_why(prefect: Running) -> None:
    run = prefect.api.wait(prefect.api.create_flow_run("greet/test", {"name": "nobody"}).id, timeout=120)
    assert run.state == "FAILED"
    assert "nobody is there" in run.message


def test_the_same_idempotency_key_asks_for_the_same_run(prefect: Running) -> None:
    first, again = (prefect.api.create_flow_run("greet/test", {"name": "you"}, "key") for _ in range(2))
    assert first.id == again.id
    prefect.api.wait(first.id, timeout=120)


def test_an_unknown_deployment_is_refused_for_good(prefect: Running) -> None:
    with pytest.raises(Terminal, match="404"):
        prefect.api.create_flow_run("greet/missing")


def test_the_dashboard_speaks_to_this_server(prefect: Running) -> None:
    page = httpx.get(prefect.server.ui_url, follow_redirects=True, trust_env=False)
    assert "<title>Prefect" in page.text
    settings = httpx.get(f"{prefect.server.ui_url}/ui-settings", trust_env=False).json()
    assert settings["api_url"] == prefect.server.api_url


def test_no_run_outlives_the_worker(prefect: Running, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    prefect.api.create_flow_run("linger/test", {"file": str(file)})
    soon(lambda: file.exists() and file.read_text() != "", True, seconds=60)
    pid = int(file.read_text())
    prefect.worker.stop()
    assert not runs(pid)
