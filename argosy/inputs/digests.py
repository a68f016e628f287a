"""The content digest of services at any commit, each commit read by the `argosy.yaml` of its own tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from argosy.config import FILE
from argosy.environment import Environment
from argosy.errors import ConfigurationError, Terminal
from argosy.git import Git
from argosy.inputs.content import RECIPES
from argosy.inputs.snapshot import Snapshot, closure
from argosy.models import ContentDigest, Service
from argosy.settings.text import read


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


@dataclass(frozen=True, slots=True)
class Survey:
    """The content of every service at one commit, and what is missing where that of one cannot be told."""

    contents: dict[str, ContentDigest] = field(default_factory=dict)
    failures: dict[str, Terminal] = field(default_factory=dict)


class Digests:
    """Content digests of the services that `environment` describes, in one repository; each tree is listed once.

    `resolved` has the digests of the external images that were looked up, by their reference.
    """

    def __init__(self, git: Git, environment: Environment, resolved: Mapping[str, str] | None = None) -> None:
        self.git = git
        self.environment = environment
        self._resolved = resolved
        self._snapshots: dict[str, Snapshot] = {}

    def survey(self, commit: str) -> Survey:
        """The digest of every service at `commit`, or what is missing for it."""
        snapshot, found = self.snapshot(commit), Survey()
        for service in self.environment.services:
            try:
                found.contents[service.name] = snapshot.digest(service)
            except Terminal as error:
                found.failures[service.name] = error
        return found

    def desired(self, commit: str) -> dict[str, ContentDigest]:
        """The digest of every service at `commit`. Raises Terminal where an input is missing."""
        found = self.survey(commit)
        for error in found.failures.values():
            raise error
        return found.contents

    def recorded(self, commit: str, service: str, content: ContentDigest) -> bool:
        """Whether `content`, as a trailer records it, is that of the service at `commit`, by the recipe it names."""
        if content.recipe not in RECIPES:
            return False
        try:
            inputs = self.snapshot(commit).inputs(self.environment.service(service))
        except Terminal:
            return False
        return inputs.digest(content.recipe) == content

    def base_images(self, commit: str) -> dict[str, tuple[tuple[str, str], ...]]:
        """The external images that were looked up for each service at `commit`, by reference, with their digests.

        Those of what it is built from are among them.
        """
        if self._resolved is None:
            return {}
        found: dict[str, tuple[tuple[str, str], ...]] = {}
        for service in self.environment.services:
            with suppress(Terminal):
                found[service.name] = tuple(sorted(set(self._looked_up(commit, service))))
        return {name: images for name, images in found.items() if images}

    def _looked_up(self, commit: str, service: Service) -> Iterator[tuple[str, str]]:
        for each in closure(service):
            images = self.snapshot(commit).inputs(each).images
            yield from ((image.reference, image.digest) for image in images if image.digest)

    def snapshot(self, commit: str) -> Snapshot:
        """The tree of `commit`, as the environment describes it."""
        if commit not in self._snapshots:
            snapshot = Snapshot(self.git, commit, self.environment.written, resolved=self._resolved)
            snapshot.read_ahead(self.environment.services)
            self._snapshots[commit] = snapshot
        return self._snapshots[commit]
