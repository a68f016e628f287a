"""`argosy release` as a process, against a real Prefect server; the runs that it starts are ended by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from subprocess import PIPE
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun, State
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelled, Completed, Failed

from argosy.flow_runs import REFUSED
from tests.cli.process import ROOT, Done, argosy, spoken
from tests.deployments.waiting import soon

SHA = "a" * 40


@dataclass(frozen=True)
class Server:
    """The server, and a deployment of the flow `release` on it that nothing carries out."""

    client: SyncPrefectClient
    deployment: uuid.UUID
    name: str

    @property
    def url(self) -> str:
        return PREFECT_API_URL.value() or ""

    def runs(self) -> list[FlowRun]:
        wanted = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[self.deployment]))
        return self.client.read_flow_runs(flow_run_filter=wanted)

    def ask(self, *words: str) -> Done:
        return argosy("release", "--environment", self.name, *words, PREFECT_API_URL=self.url)

    def follow(self, state: State[Any], *words: str) -> Done:
        """Start a run that is followed, end it in `state`, and wait for the command's own end."""
        before = len(self.runs())
        command = [sys.executable, "-m", "argosy", "release", "--environment", self.name, *words]
        variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PREFECT_API_URL": self.url}
        with subprocess.Popen(command, env=variables, stdout=PIPE, stderr=PIPE, text=True) as process:
            try:
                soon(lambda: len(self.runs()) > before, True, seconds=60)
                newest = max(self.runs(), key=lambda run: str(run.created))
                self.client.set_flow_run_state(newest.id, state, force=True)
                output, errors = process.communicate(timeout=60)
            finally:
                process.kill()
        return subprocess.CompletedProcess(command, process.returncode, output, errors)


@pytest.fixture
def server(prefect: None) -> Iterator[Server]:
    name = f"env-{uuid.uuid4().hex[:8]}"
    with get_client(sync_client=True) as client:
        flow = client.create_flow_from_name("release")
        deployment = client.create_deployment(flow_id=flow, name=name, enforce_parameter_schema=False)
        yield Server(client, deployment, name)
        client.delete_deployment(deployment)


def test_what_was_asked_for_is_what_the_run_is_given_and_the_rest_is_left_to_the_deployment(server: Server) -> None:
    words = ["ui", "--head", SHA, "--adopt", "--force", "cart", "--dry-run", "--detach", "--json"]
    done = server.ask(*words)
    assert done.returncode == 0, done.stderr
    [run] = server.runs()
    assert spoken(done)["run"] == str(run.id)
    assert run.parameters == {
        "environment": server.name,
        "source_sha": SHA,
        "services": ["ui"],
        "adopt": True,
        "dry_run": True,
        "force": ["cart"],
        "trigger": {"type": "manual"},
    }
    server.ask("--detach")
    newest = max(server.runs(), key=lambda each: str(each.created))
    assert newest.parameters == {"environment": server.name, "trigger": {"type": "manual"}}


def test_the_same_key_again_starts_no_second_run(server: Server) -> None:
    found = {spoken(server.ask("--detach", "--json", "--key", "one"))["run"] for _ in range(2)}
    assert len(found) == len(server.runs()) == 1
    server.ask("--detach")
    assert len(server.runs()) == 2


@pytest.mark.parametrize(
    ("state", "words", "code"),
    [
        (Completed(message="ui released to dev"), [], 0),
        (Completed(message="nothing to do"), [], 0),
        (Completed(message="nothing to do"), ["--exit-code"], 3),
        (Failed(message="ui: no Dockerfile"), [], 1),
        (Failed(message="ui: the scan gate blocks it", name=REFUSED), [], 4),
        (Cancelled(message="enough"), [], 1),
    ],
)
def test_a_run_is_followed_to_its_end_which_is_the_commands(
    server: Server, state: State[Any], words: list[str], code: int
) -> None:
    done = server.follow(state, *words)
    assert done.returncode == code, done.stderr
    assert (state.message or "?") in done.stdout


def test_how_a_run_ended_is_one_object_for_programs(server: Server) -> None:
    done = server.follow(Failed(message="ui: no Dockerfile"), "--json")
    said = json.loads(done.stdout)
    assert (said["state"], said["name"], said["message"]) == ("FAILED", "Failed", "ui: no Dockerfile")
    assert said["run"] in {str(run.id) for run in server.runs()}


def test_an_abbreviated_commit_is_refused_before_anything_is_asked(server: Server) -> None:
    done = server.ask("--head", "abc123")
    assert (done.returncode, server.runs()) == (2, [])
    assert "full commit SHA" in done.stderr


def test_a_deployment_that_is_not_there_is_named_with_those_that_are(server: Server) -> None:
    done = argosy("release", "--environment", "nowhere", PREFECT_API_URL=server.url)
    assert done.returncode == 2
    assert "no deployment release/nowhere" in done.stderr
    assert f"release/{server.name}" in done.stderr


def test_a_server_that_is_down_ends_in_five(server: Server) -> None:
    done = argosy("release", "--environment", "dev", PREFECT_API_URL="http://127.0.0.1:1/api")
    assert done.returncode == 5
    assert argosy("release", "--environment", "dev").returncode == 2
