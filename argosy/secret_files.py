"""Secrets for programs that read theirs from a file: in memory, so that not even SIGKILL leaves one behind."""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:  # its module brings a web client, which a command that only signs need not wait for
    from argosy.registry import RegistryCredentials

_DOCKER_HUB = "https://index.docker.io/v1/"


@contextmanager
def secret_file(content: SecretStr | bytes) -> Iterator[Path]:
    """A file with `content` that only this user can read, for as long as the block lasts.

    On Linux it lies in memory, and other processes find it under this one's id: for them it ends with this
    process. Elsewhere it is a file of mode 0600 in a private folder, removed at the end.
    """
    data = content.get_secret_value().encode() if isinstance(content, SecretStr) else content
    if sys.platform == "linux":
        with os.fdopen(os.memfd_create("argosy-secret"), "wb", buffering=0) as memory:
            os.fchmod(memory.fileno(), 0o600)
            memory.write(data)
            yield Path(f"/proc/{os.getpid()}/fd/{memory.fileno()}")
    else:
        with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
            file = Path(folder) / "secret"
            file.touch(mode=0o600)
            file.write_bytes(data)
            yield file


@contextmanager
def docker_config(
    folder: Path, auths: Mapping[str, RegistryCredentials], plugins: Sequence[Path] = ()
) -> Iterator[Path]:
    """A folder in `folder`, for DOCKER_CONFIG, whose client is logged in to the registries of `auths`.

    `auths` maps a registry's host and port to its user. `plugins` are folders with plugins of the client. What lies
    on disk is a link; the folder is removed at the end.
    """
    document = {
        "auths": {_key(host): {"auth": _basic(user)} for host, user in auths.items()},
        "cliPluginsExtraDirs": [str(plugin) for plugin in plugins],
    }
    with (
        secret_file(json.dumps(document).encode()) as secret,
        tempfile.TemporaryDirectory(prefix="docker-", dir=folder) as config,
    ):
        (Path(config) / "config.json").symlink_to(secret)
        yield Path(config)


def _key(host: str) -> str:
    return _DOCKER_HUB if host in {"docker.io", "index.docker.io", "registry-1.docker.io"} else host


def _basic(user: RegistryCredentials) -> str:
    return base64.b64encode(f"{user.username}:{user.password.get_secret_value()}".encode()).decode()
