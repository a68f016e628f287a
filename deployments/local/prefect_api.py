"""Prefect's REST API as far as the embedded stack speaks it: pools, runs and what came of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import SecretStr

from argosy.errors import Terminal, Transient

_FINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})

# On SQLite the server answers 503 when two writers met and nothing was written: it asks to be asked again.
_DELAYS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


@dataclass(frozen=True, slots=True)
class FlowRun:
    """A run as the server knows it; `state` is a type such as `RUNNING`, `name` and `message` are for people."""

    id: str
    name: str
    state: str
    state_name: str
    message: str
    created: str
    started: str | None
    ended: str | None

    @property
    def final(self) -> bool:
        """Whether it has ended."""
        return self.state in _FINAL


@dataclass(frozen=True, slots=True)
class TaskRun:
    """A task run as the server knows it; `seconds` is how long it has been, or was, at work.

    `started` and `ended` are times in ISO format, None for what has not come yet.
    """

    name: str
    state: str
    state_name: str
    seconds: float
    started: str | None
    ended: str | None


class PrefectApi:
    """A client of the API at `url` (it ends in `/api`), with the `auth` that it asks for; close it, or use `with`.

    Every method raises Transient when the server cannot be reached or is in trouble, Terminal when it refuses.
    """

    def __init__(self, url: str, auth: SecretStr | None = None) -> None:
        user, _, password = auth.get_secret_value().partition(":") if auth else ("", "", "")
        login = httpx.BasicAuth(user, password) if auth else None
        self._http = httpx.Client(base_url=url, auth=login, trust_env=False, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of its connections."""
        self._http.close()

    def healthy(self) -> bool:
        """Whether the server answers that it is well."""
        try:
            return self._http.get("/health").is_success
        except httpx.HTTPError:
            return False

    def ensure_process_pool(self, name: str, variables: Mapping[str, Any]) -> None:
        """Create or update a work pool of type `process` in which `variables` are the defaults of every job."""
        types = self._call("GET", "/collections/views/aggregate-worker-metadata")
        template = types["prefect"]["process"]["default_base_job_configuration"]
        for variable, value in variables.items():
            template["variables"]["properties"][variable]["default"] = value
        if self._call("POST", "/work_pools/filter", {"work_pools": {"name": {"any_": [name]}}}):
            self._call("PATCH", f"/work_pools/{name}", {"base_job_template": template})
        else:
            pool = {"name": name, "type": "process", "base_job_template": template}
            self._call("POST", "/work_pools/", pool)

    def workers_online(self, pool: str) -> list[str]:
        """The names of the workers that poll `pool` now."""
        workers = self._call("POST", f"/work_pools/{pool}/workers/filter", {})
        return [worker["name"] for worker in workers if worker["status"] == "ONLINE"]

    def create_flow_run(
        self, deployment: str, parameters: Mapping[str, Any] | None = None, idempotency_key: str | None = None
    ) -> FlowRun:
        """Ask for a run of `deployment` (`flow/deployment`); the same key again answers with the run it made."""
        flow, _, name = deployment.partition("/")
        found = self._call("GET", f"/deployments/name/{flow}/{name}")
        asked = {"parameters": dict(parameters or {}), "idempotency_key": idempotency_key}
        return _flow_run(self._call("POST", f"/deployments/{found['id']}/create_flow_run", asked))

    def pause_schedules(self, deployment: str) -> None:
        """Let no schedule of `deployment` (`flow/deployment`) make runs; those that are asked for go on."""
        flow, _, name = deployment.partition("/")
        found = self._call("GET", f"/deployments/name/{flow}/{name}")
        self._call("POST", f"/deployments/{found['id']}/pause_deployment", {})

    def resume_schedules(self, deployment: str) -> None:
        """Undo `pause_schedules`."""
        flow, _, name = deployment.partition("/")
        found = self._call("GET", f"/deployments/name/{flow}/{name}")
        self._call("POST", f"/deployments/{found['id']}/resume_deployment", {})

    def cancel(self, run: str) -> None:
        """Ask for the end of a run, as the dashboard's button does; its worker sees to it."""
        self._call("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})

    def flow_run(self, run: str) -> FlowRun:
        """The run as it stands."""
        return _flow_run(self._call("GET", f"/flow_runs/{run}"))

    def wait(self, run: str, timeout: float = 300.0, interval: float = 0.5) -> FlowRun:
        """The run once it has ended; raises Transient when it has not within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not (found := self.flow_run(run)).final:
            if time.monotonic() > deadline:
                raise Transient(
                    f"Prefect: {found.name} is still {found.state_name} after {timeout:.0f} s", remedy="see its log"
                )
            time.sleep(interval)
        return found

    def task_runs(self, run: str) -> list[TaskRun]:
        """The task runs of a run that the server has heard of, in the order in which they began."""
        asked = {"flow_runs": {"id": {"any_": [run]}}, "sort": "EXPECTED_START_TIME_ASC"}
        return [_task_run(document) for document in self._call("POST", "/task_runs/filter", asked)]

    def artifacts(self, run: str) -> list[dict[str, Any]]:
        """The artifacts of a run and its tasks: `key`, `type`, `data`, `description` and more, oldest first."""
        asked = {"artifacts": {"flow_run_id": {"any_": [run]}}, "sort": "UPDATED_DESC"}
        return list(reversed(self._call("POST", "/artifacts/filter", asked)))

    def logs(self, run: str) -> list[dict[str, Any]]:
        """The log of a run and its tasks: `timestamp`, `level`, `name`, `message` and more, oldest first."""
        lines: list[dict[str, Any]] = []
        while True:
            asked = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC", "offset": len(lines)}
            page = self._call("POST", "/logs/filter", asked)
            if not page:
                return lines
            lines += page

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        for delay in _DELAYS:
            answer = self._request(method, path, body)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(delay)
        if answer.is_success:
            return answer.json() if answer.content else None
        busy = answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS
        kind = Transient if busy else Terminal
        raise kind(
            f"Prefect: {method} {path}: {answer.status_code} {answer.text[:300]}", remedy="see the log of its server"
        )

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        try:
            return self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise Transient(f"Prefect: {method} {path}: {error}", remedy="see that its server runs") from error


def _flow_run(document: Mapping[str, Any]) -> FlowRun:
    state = document["state"] or {}
    return FlowRun(
        id=document["id"],
        name=document["name"],
        state=state.get("type", ""),
        state_name=state.get("name", ""),
        message=state.get("message") or "",
        created=document["created"],
        started=document["start_time"],
        ended=document["end_time"],
    )


def _task_run(document: Mapping[str, Any]) -> TaskRun:
    state = document["state"] or {}
    return TaskRun(
        name=document["name"],
        state=state.get("type", ""),
        state_name=state.get("name", ""),
        seconds=float(document["estimated_run_time"]),
        started=document["start_time"],
        ended=document["end_time"],
    )
