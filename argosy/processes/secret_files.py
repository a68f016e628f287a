"""Secrets for programs that read theirs from a file: in memory, so that not even SIGKILL leaves one behind."""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import SecretStr

from argosy.builds.credential_helper import PREFIX, CredentialHelper
from argosy.registries.login import Login, RegistryCredentials

_DOCKER_HUB = "https://index.docker.io/v1/"


@contextmanager
def secret_file(content: SecretStr | bytes) -> Iterator[Path]:
    """A file with `content` that only this user can read, for as long as the block lasts; see `private_file`."""
    with private_file(content.get_secret_value().encode() if isinstance(content, SecretStr) else content) as file:
        yield file


@contextmanager
def private_file(data: bytes, *, executable: bool = False) -> Iterator[Path]:
    """A file with `data` that only this user can read, or run, for as long as the block lasts.

    On Linux it lies in memory, and other processes find it under this one's id: for them it ends with this
    process. Elsewhere it is a file in a private folder, removed at the end.
    """
    mode = 0o700 if executable else 0o600
    if sys.platform == "linux":
        with os.fdopen(os.memfd_create("argosy-secret"), "wb", buffering=0) as memory:
            os.fchmod(memory.fileno(), mode)
            memory.write(data)
            yield Path(f"/proc/{os.getpid()}/fd/{memory.fileno()}")
    else:
        with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
            file = Path(folder) / "secret"
            file.touch(mode=mode)
            file.write_bytes(data)
            yield file


@contextmanager
def docker_config(
    folder: Path, logins: Mapping[str, Login | RegistryCredentials], plugins: Sequence[Path] = ()
) -> Iterator[Path]:
    """A folder in `folder`, for DOCKER_CONFIG, whose client is let in by the registries of `logins`.

    `logins` maps a registry's host and port to what opens it. Of a Login the client gets what it is whenever it asks,
    and for that the folder must be on its path. `plugins` are folders with plugins of the client. What lies on disk are
    links and sockets; the folder is removed at the end. Raises what a Login raised, whatever the client made of it.
    """
    users = {host: user for host, user in logins.items() if isinstance(user, RegistryCredentials)}
    asked = {host: login for host, login in logins.items() if isinstance(login, Login) and login.current()}
    with tempfile.TemporaryDirectory(prefix="docker-", dir=folder) as name, ExitStack() as kept:
        config = Path(name)
        helpers = [_helper(kept, config, number, *each) for number, each in enumerate(asked.items())]
        document = {
            "auths": {_key(host): {"auth": _basic(user)} for host, user in users.items()},
            "credHelpers": {_key(host): f"argosy-{number}" for number, host in enumerate(asked)},
            "cliPluginsExtraDirs": [str(plugin) for plugin in plugins],
        }
        secret = kept.enter_context(private_file(json.dumps(document).encode()))
        (config / "config.json").symlink_to(secret)
        try:
            yield config
        except Exception as error:
            for helper in helpers:
                if helper.failure:
                    raise helper.failure from error
            raise


def _helper(kept: ExitStack, config: Path, number: int, host: str, login: Login) -> CredentialHelper:
    """A helper program `argosy-<number>` in `config`, which works until `kept` is closed."""
    helper = kept.enter_context(CredentialHelper(config / f"socket-{number}", _key(host), login))
    # In memory too, since nobody may run what lies on some disks.
    program = kept.enter_context(private_file(helper.program, executable=True))
    (config / f"{PREFIX}argosy-{number}").symlink_to(program)
    return helper


def _key(host: str) -> str:
    return _DOCKER_HUB if host in {"docker.io", "index.docker.io", "registry-1.docker.io"} else host


def _basic(user: RegistryCredentials) -> str:
    return base64.b64encode(f"{user.username}:{user.password.get_secret_value()}".encode()).decode()
