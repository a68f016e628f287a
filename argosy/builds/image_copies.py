"""An image copied from one registry to another, by the build client: no engine and no disk has it in between."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from argosy.builds import clients as build_clients
from argosy.builds.builders import BuilderHost
from argosy.errors import Terminal, Transient
from argosy.models import ImageReference
from argosy.processes import supervised
from argosy.registries.login import Login, RegistryCredentials

_SECONDS = 900.0


def copy(
    source: str,
    target: ImageReference,
    host: BuilderHost,
    credentials: Mapping[str, Login | RegistryCredentials],
    scratch: Path,
) -> None:
    """Copy the manifest that `source`, a repository with `@` and a digest, names into the repository of `target`.

    `credentials` maps a registry's host and port to what opens it, `scratch` is a folder that exists. Under its own
    digest the manifest is there afterwards, with all that it names; what `target`'s tag names is for the caller to say,
    as some clients put an index of their own there. Raises Terminal where the client has no buildx, Transient where it
    fails or takes longer than 15 minutes.
    """
    client = build_clients.find(host, scratch)
    if not client.buildx:
        raise Terminal(f"{client.program} copies no images", remedy="install docker-buildx where the worker runs")
    with build_clients.ready(client, host, scratch, credentials) as environment, TemporaryDirectory(dir=scratch) as own:
        words = [*client.words, "imagetools", "create", f"--tag={target}", source]
        said: list[str] = []
        status = _run(words, environment, said, Path(own) / "log")
    if status:
        last = next((line for line in reversed(said) if line.strip()), "without a word")
        raise Transient(f"copying {source} to {target.repository}: {last}", remedy="see that both registries answer")


def _run(words: list[str], environment: Mapping[str, str], said: list[str], log_file: Path) -> int:
    try:
        return supervised.run(
            words, environment=environment, write=lambda _stream: None, on_line=said.append, log=log_file,
            timeout=_SECONDS,
        )  # fmt: skip
    except supervised.TimedOut:
        said.append(f"it did not end within {_SECONDS:g} s")
        return 1
