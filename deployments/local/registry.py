"""The registry of the embedded stack: CNCF distribution behind a password, telling the bridge of every push."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

import bcrypt
from pydantic import SecretStr

from deployments.local.packages import unpack
from deployments.local.part import Part
from deployments.local.ports import Port
from deployments.local.process import Process

USER = "AWS"
"""The user name that Amazon ECR's docker logins have."""

# The password is random, so stretching it guards nothing, and a push of one image asks for it dozens of times.
_ROUNDS = 4


class Registry(Part):
    """A registry on 127.0.0.1 that keeps its blobs in `state/registry` and opens to `USER` and `password` alone.

    `binary` is distribution's `docker-registry` (or `registry`); `notify` the URL that learns of pushes and deletions.
    """

    def __init__(
        self, binary: Path, password: SecretStr, *, state: Path, port: Port | None = None, notify: str | None = None
    ) -> None:
        self._port = port or Port()
        self.password = password
        self._folder = state / "registry"
        self._notify = notify
        command: list[str | Path] = [binary, "serve", self._folder / "config.yml"]
        env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._folder)}
        self._process = Process("registry", command, state=state, env=env, port=self._port)

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`, as image references have it."""
        return self._port.host

    def start(self) -> None:
        """Write its configuration and start it; raises as `Process.start` does."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.admit(self.password)
        (self._folder / "config.yml").write_text(json.dumps(self._configuration(), indent=2))
        self._process.start()

    def admit(self, password: SecretStr) -> None:
        """Open to `password`, and to no other, from the next request on."""
        salt = bcrypt.gensalt(_ROUNDS, prefix=b"2a")  # Go's bcrypt of distribution 2.8 knows 2a for certain
        entry = bcrypt.hashpw(password.get_secret_value().encode(), salt).decode()
        # It looks at the file's time of change, and reads it at once when that is another.
        new = self._folder / "htpasswd.new"
        new.write_text(f"{USER}:{entry}\n")
        new.replace(self._folder / "htpasswd")

    def stop(self) -> None:
        """End it; what was pushed stays in the state directory."""
        self._process.stop()

    def _configuration(self) -> dict[str, object]:
        # JSON is YAML, and needs no quoting by hand.
        return {
            "version": 0.1,
            "log": {"level": "info", "formatter": "json"},
            "storage": {
                "filesystem": {"rootdirectory": str(self._folder / "blobs")},
                "delete": {"enabled": True},
                "cache": {"blobdescriptor": "inmemory"},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": self.host, "secret": secrets.token_hex(16)},
            "auth": {"htpasswd": {"realm": "argosy", "path": str(self._folder / "htpasswd")}},
            "notifications": {"endpoints": [self._endpoint(self._notify)] if self._notify else []},
        }

    @staticmethod
    def _endpoint(url: str) -> dict[str, object]:
        # Distribution keeps the order and tries again until the bridge has answered 2xx.
        return {
            "name": "bridge",
            "url": url,
            "timeout": "10s",
            "threshold": 5,
            "backoff": "200ms",
            "ignore": {"actions": ["pull", "mount"], "mediatypes": ["application/octet-stream"]},
        }


def binary(cache: Path) -> Path:
    """Debian's `docker-registry`, unpacked in `cache`; raises as `packages.unpack` does."""
    return unpack(["docker-registry"], cache) / "usr/bin/docker-registry"
