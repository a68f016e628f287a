"""A Prefect worker of the embedded stack: it starts each run as one process of its own."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from deployments.local.part import Part
from deployments.local.prefect_api import PrefectApi
from deployments.local.prefect_server import prefect_environment
from deployments.local.process import Process

POOL = "argosy"

_REPOSITORY = Path(__file__).parents[2]
_POLL_SECONDS = "1"


class Worker(Part):
    """Creates the process pool `pool` where it is missing and carries out its runs in `working_dir`.

    `auth` is what the API asks for; `env` what the worker and its runs see beyond the variables of Python and of
    Prefect's connection.
    """

    def __init__(
        self,
        api_url: str,
        *,
        state: Path,
        auth: SecretStr | None = None,
        pool: str = POOL,
        env: Mapping[str, str] | None = None,
        working_dir: Path = _REPOSITORY,
        name: str = "worker",
    ) -> None:
        self._auth = auth
        self._api_url, self._pool, self._name, self._working_dir = api_url, pool, name, working_dir
        home = (state / name).resolve()
        own = {"PREFECT_WORKER_QUERY_SECONDS": _POLL_SECONDS} | dict(env or {})
        command = [sys.executable, "-m", "prefect", "worker", "start"]
        command += ["--pool", pool, "--type", "process", "--name", name]
        self._process = Process(name, command, state=state, env=prefect_environment(state, home, api_url, auth, **own))

    def start(self) -> None:
        """Start it and return when it polls; raises as `Process.start` does."""
        # One process a run: the worker's default starts a supervisor first, which costs seconds.
        command = shlex.join([sys.executable, "-m", "prefect.engine"])
        with PrefectApi(self._api_url, self._auth) as api:
            api.ensure_process_pool(self._pool, {"command": command, "working_dir": str(self._working_dir)})
            self._process.start(lambda: self._name in api.workers_online(self._pool), timeout=120)

    def stop(self) -> None:
        """End it and every run that it started."""
        self._process.stop()
