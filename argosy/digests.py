"""The content digest of a service at any commit, each commit read by the `argosy.yaml` of its own tree."""

from __future__ import annotations

from argosy.config import FILE
from argosy.config_text import read
from argosy.environment import Environment
from argosy.errors import ConfigurationError, Terminal
from argosy.git import Git
from argosy.models import ContentDigest, Service
from argosy.snapshot import Snapshot


def environment_at(git: Git, commit: str, name: str) -> Environment:
    """The environment called `name` as the commit's own `argosy.yaml` has it.

    Raises ConfigurationError where that file is missing or wrong, or has no such environment.
    """
    text = git.file(commit, FILE)
    if text is None:
        raise ConfigurationError(
            f"commit {commit[:12]} has no {FILE}", remedy=f"commit {FILE} at the repository's root"
        )
    return read(text, name)


class Digests:
    """Content digests in one repository; each commit's tree is listed once."""

    def __init__(self, git: Git, current: Environment) -> None:
        self._git = git
        self._current = current
        self._sides: dict[str, tuple[Environment | None, Snapshot]] = {}

    def desired(self, commit: str) -> dict[str, ContentDigest]:
        """The digest of every service of the environment at `commit`. Raises Terminal where an input is missing."""
        snapshot = Snapshot(self._git, commit, self._current.written)
        return {service.name: snapshot.digest(service) for service in self._current.services}

    def released(self, commit: str, service: str) -> ContentDigest | None:
        """The digest of `service` at a commit that was released; None where its tree does not tell it any more."""
        own, snapshot = self._side(commit)
        described = _find(own, service)
        if described is None:
            return None
        try:
            return snapshot.digest(described)
        except Terminal:
            return None

    def _side(self, commit: str) -> tuple[Environment | None, Snapshot]:
        if commit not in self._sides:
            own = self._own_environment(commit)
            self._sides[commit] = own, Snapshot(self._git, commit, (own or self._current).written)
        return self._sides[commit]

    def _own_environment(self, commit: str) -> Environment | None:
        if self._git.file(commit, FILE) is None:
            return self._current
        try:
            return environment_at(self._git, commit, self._current.name)
        except ConfigurationError:
            return None


def _find(environment: Environment | None, name: str) -> Service | None:
    services = environment.services if environment else ()
    return next((service for service in services if service.name == name), None)
