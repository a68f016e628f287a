"""The Prefect server of the embedded stack: a real one, with its UI, on SQLite in the state directory."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import SecretStr

from argosy.home import home
from deployments.local import prefect_database
from deployments.local.part import Part
from deployments.local.ports import Port, check_free
from deployments.local.prefect_api import PrefectApi
from deployments.local.process import Process, environment

_PATIENCE = 180.0


class PrefectServer(Part):
    """A server on 127.0.0.1 that reads and changes nothing of the user's own Prefect profile.

    With `auth` (`USER:PASSWORD`) the API, and so the dashboard too, opens to that user alone. It listens on `port`,
    else on one that is free.
    """

    def __init__(self, *, state: Path, auth: SecretStr | None = None, port: int | None = None) -> None:
        self._port = Port(port)
        number = str(self._port.number)
        self.ui_url = self._port.url
        self.api_url = f"{self.ui_url}/api"
        self.auth = auth
        self._home = (state / "prefect").resolve()
        self._database = self._home / "prefect.db"
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", number]
        self._process = Process("prefect-server", command, state=state, env=self._environment(state), port=self._port)

    def start(self) -> None:
        """Start it; raises as `Process.start` and `place` do, and WrongUse where its port is taken."""
        check_free(self._port.number)
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)  # the key to every block's secrets is in it
        if not self._database.exists():
            prefect_database.place(self._database, home() / "prefect")
        with PrefectApi(self.api_url) as api:
            self._process.start(api.healthy, timeout=_PATIENCE)

    def stop(self) -> None:
        """End it; its database stays."""
        self._process.stop()

    def _environment(self, state: Path) -> dict[str, str]:
        guard = {"PREFECT_SERVER_API_AUTH_STRING": self.auth.get_secret_value()} if self.auth else {}
        return prefect_environment(
            state,
            self._home,
            self.api_url,
            self.auth,
            **guard,
            PREFECT_API_DATABASE_CONNECTION_URL=f"sqlite+aiosqlite:///{self._database}",
            PREFECT_SERVER_ANALYTICS_ENABLED="false",
            PREFECT_SERVER_LOGGING_LEVEL="WARNING",
            PREFECT_UI_API_URL=self.api_url,
            PREFECT_UI_STATIC_DIRECTORY=str(self._home / "ui"),  # else it unpacks into the installed package
        )


def prefect_environment(
    state: Path, home: Path, api_url: str, auth: SecretStr | None = None, **more: str
) -> dict[str, str]:
    """The whole environment of a Prefect process that has its profile in `home` and speaks to `api_url` as `auth`."""
    base = environment(state) | more
    ours = {
        "PATH": f"{Path(sys.executable).parent}:{base['PATH']}",  # jobs say `python`, and mean this one
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": api_url,
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "127.0.0.1,localhost",
    }
    return base | ours | ({"PREFECT_API_AUTH_STRING": auth.get_secret_value()} if auth else {})
