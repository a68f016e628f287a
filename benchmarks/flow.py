"""Releases by the flow on the embedded stack, each of content that asks for one way to its images."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import psutil

from argosy import environment
from argosy.config import FILE, load
from argosy.environment import Environment
from argosy.errors import Terminal, Transient
from argosy.models import BuildStatus
from benchmarks import slow_shop
from benchmarks.memory import Peak
from benchmarks.phases import Record
from deployments.local.prefect_api import FlowRun, PrefectApi
from deployments.local.stack import Stack

T = TypeVar("T")

ENVIRONMENT = "prod"
_UPLOAD = "/blobs/uploads/"  # in the registry's log of requests


def described(stack: Stack) -> Environment:
    """The environment as the work tree of the stack's developer has it."""
    return environment.resolve(load((stack.developer.path / FILE).read_bytes()), ENVIRONMENT)


@dataclass(frozen=True, slots=True)
class Released:
    """What the server has of a release, and the most memory in MiB that its process had."""

    record: Record
    mebibytes: float


@dataclass(frozen=True, slots=True)
class Flow:
    """Releases of `described` by a worker of `stack`; each raises Terminal when it was not what it should be."""

    stack: Stack
    described: Environment

    def fresh(self, files: Mapping[str, str] | None = None, *, adopt: bool = False) -> Released:
        """A release of content that nobody ever built, and of `files` that change with it."""
        changed = {**(files or {}), **slow_shop.freshened(self._paths())}
        return self._released("Freshen every service", changed, _fresh, adopt=adopt)

    def cached(self) -> Released:
        """A release of content of which every step is in the engine's cache, after `fresh`."""
        return self._released("Label every service", self._remarked(secrets.token_hex(16)), _cached)

    def reused(self) -> Released:
        """A release of content of which the registry has the images: what `fresh` released, after `cached`."""
        before = self._uploads()
        released = self._released("Take the labels off", self._remarked(None), _reused)
        if self._uploads() != before:
            raise Terminal("layers of images that the registry has were pushed", remedy="see the registry's log")
        return released

    def _remarked(self, remark: str | None) -> dict[str, str]:
        return slow_shop.remarked((self.stack.developer.path / FILE).read_text(), remark)

    def _paths(self) -> list[str]:
        return [service.path for service in self.described.services]

    def _uploads(self) -> int:
        """How often anybody asked the registry to take a layer."""
        log = (self.stack.state / "logs" / "registry.log").read_text(errors="replace")
        return sum(_UPLOAD in line for line in log.splitlines())

    def _released(
        self,
        message: str,
        files: Mapping[str, str],
        wanted: Callable[[Mapping[str, Any]], bool],
        *,
        adopt: bool = False,
    ) -> Released:
        source = self.stack.developer.commit(message, files, self.described.source_branch)
        peak = Peak(self._worker().pid)
        with peak.watched(), self.stack.api as api:
            record, builds = self._run(api, source, adopt=adopt)
            self._settle()
        written = self.stack.origin.text("diff", "--name-only", source, f"refs/heads/{self.described.target_branch}")
        if set(written.splitlines()) != {service.values_path for service in self.described.services}:
            raise Terminal(f"the run wrote {written.split() or 'nothing'}", remedy="see its log on the dashboard")
        if wrong := [each["service"]["name"] for each in builds if not wanted(each)]:
            raise Terminal(f"the run did something else with {wrong}", remedy="see its log on the dashboard")
        return Released(record, peak.mebibytes)

    def _run(self, api: PrefectApi, source: str, *, adopt: bool) -> tuple[Record, list[dict[str, Any]]]:
        asked = {"source_sha": source, "adopt": adopt}
        # Seldom: each question takes the server time from what is measured.
        run = api.wait(api.create_flow_run(f"release/{ENVIRONMENT}", asked).id, interval=2.0)
        if run.state != "COMPLETED":
            raise Terminal(f"the run ended {run.state_name}: {run.message}", remedy="see the worker's log")
        # What the tasks report arrives a little after the run's own end.
        record = _await(partial(_record, api, run), lambda record: record.complete, "what the run did")
        return record, _emitted(api.artifacts(run.id))

    def _settle(self) -> None:
        """Wait for the run's process to be gone, so that it takes nothing from what is measured next."""
        _await(self._worker().children, lambda children: not children, "the end of the run's process")

    def _worker(self) -> psutil.Process:
        return psutil.Process(json.loads((self.stack.state / "run" / "worker.json").read_text())["pid"])


def _fresh(build: Mapping[str, Any]) -> bool:
    return bool(build["build_status"] == BuildStatus.BUILT and build["cached"] < build["steps"])


def _cached(build: Mapping[str, Any]) -> bool:
    return bool(build["build_status"] == BuildStatus.BUILT and build["cached"] == build["steps"] > 0)


def _reused(build: Mapping[str, Any]) -> bool:
    return bool(build["build_status"] == BuildStatus.REUSED)


def _emitted(artifacts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The services of the PipelineExecution that a run emitted."""
    [shown] = [each["data"] for each in artifacts if each["key"] == f"execution-{ENVIRONMENT}"]
    document = json.loads(str(shown).removeprefix("```json\n").removesuffix("\n```"))
    return list(document["services"])


def _record(api: PrefectApi, run: FlowRun) -> Record:
    return Record(run, api.task_runs(run.id), api.logs(run.id))


def _await(read: Callable[[], T], enough: Callable[[T], bool], what: str, seconds: float = 60.0) -> T:
    deadline = time.monotonic() + seconds
    while not enough(found := read()):
        if time.monotonic() > deadline:
            raise Transient(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.1)
    return found
