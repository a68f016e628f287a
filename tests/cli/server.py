"""A Prefect server as commands see it: with deployments that nothing carries out, whose runs are ended by hand."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import Any

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun, State
from prefect.settings import PREFECT_API_URL

from tests.cli.process import ROOT, Done, argosy
from tests.deployments.waiting import soon

FLOWS = ("release", "hold", "rollback")


@dataclass(frozen=True)
class Server:
    """The server, and a deployment called `name` of each flow on it."""

    client: SyncPrefectClient
    deployments: Mapping[str, uuid.UUID]
    name: str

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[Server]:
        """The server that Prefect's settings name, with its deployments for the length of a `with`."""
        name = f"env-{uuid.uuid4().hex[:8]}"
        with get_client(sync_client=True) as client:
            found = {}
            for flow in FLOWS:
                identity = client.create_flow_from_name(flow)
                found[flow] = client.create_deployment(flow_id=identity, name=name, enforce_parameter_schema=False)
            yield cls(client, found, name)
            for deployment in found.values():
                client.delete_deployment(deployment)

    @property
    def url(self) -> str:
        return PREFECT_API_URL.value() or ""

    def runs(self, flow: str) -> list[FlowRun]:
        wanted = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[self.deployments[flow]]))
        return self.client.read_flow_runs(flow_run_filter=wanted)

    def newest(self, flow: str) -> FlowRun:
        return max(self.runs(flow), key=lambda run: str(run.created))

    def ask(self, command: str, *words: str, cwd: Path = ROOT) -> Done:
        return argosy(command, "--environment", self.name, *words, cwd=cwd, PREFECT_API_URL=self.url)

    def follow(self, state: State[Any], command: str, *words: str) -> Done:
        """Start a run that is followed, end it in `state`, and wait for the command's own end."""
        before = len(self.runs(command))
        line = [sys.executable, "-m", "argosy", command, "--environment", self.name, *words]
        variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PREFECT_API_URL": self.url}
        with subprocess.Popen(line, env=variables, stdout=PIPE, stderr=PIPE, text=True) as process:
            try:
                soon(lambda: len(self.runs(command)) > before, True, seconds=60)
                self.client.set_flow_run_state(self.newest(command).id, state, force=True)
                output, errors = process.communicate(timeout=60)
            finally:
                process.kill()
        return subprocess.CompletedProcess(line, process.returncode, output, errors)
