"""The repository that the stack releases from: the example, or one of the user's, on the stack's git server."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from ruamel.yaml import YAML

from argosy.config import FILE, load
from argosy.errors import ConfigurationError
from argosy.git import environment
from argosy.gitops.remote import Remote

EXAMPLE = Path(__file__).parents[2] / "examples" / "retail-store"
_DEVELOPER = {"NAME": "Developer", "EMAIL": "developer@localhost"}


@dataclass(frozen=True, slots=True)
class Impatience:
    """What replaces times of the planted `argosy.yaml`, in seconds: of health, and before the first retry."""

    stable_for: float | None = None
    retry_delay: float | None = None


@dataclass(frozen=True, slots=True)
class Developer:
    """Somebody with a work tree at `path` who commits and pushes to `url` with a password."""

    path: Path
    url: str
    password: SecretStr

    def git(self, *arguments: str) -> str:
        """What `git ARGUMENTS` writes in the work tree."""
        who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _DEVELOPER.items()}
        command = ["git", "-C", str(self.path), *arguments]
        with Remote(self.url, "developer", self.password).access() as login:
            done = subprocess.run(command, capture_output=True, env=environment(who | login), check=False, timeout=120)
        if done.returncode:
            raise ConfigurationError(
                f"git {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}",
                remedy="see whether the repository is whole: git fsck",
            )
        return done.stdout.decode(errors="replace").strip()

    def commit(self, message: str, files: Mapping[str, str], branch: str) -> str:
        """Write `files`, commit them on the tip of the remote's `branch`, push, and return the SHA."""
        self.git("fetch", "--quiet", "origin", branch)
        self.git("checkout", "--quiet", "-B", branch, "FETCH_HEAD")
        for name, content in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")


def plant(
    source: Path, developer: Developer, registry_host: str, base_image: str, impatience: Impatience = Impatience()
) -> tuple[str, ...]:
    """Make the files in `source` the first commit of every branch that its environments name; return the branches.

    `source`, whose `argosy.yaml` is right, is left as it is. The copy's `argosy.yaml` names the stack's registry, and
    `base_image` where a Dockerfile asks for busybox by that build argument, so that the example and what is made from
    it build without network; and it is as impatient as `impatience` says.
    """
    shutil.copytree(source, developer.path, symlinks=True)
    _point_at(developer.path / FILE, registry_host, base_image if _takes_busybox(developer.path) else None, impatience)
    configuration = load((developer.path / FILE).read_bytes())
    named = configuration.environments.values()
    branches = tuple(dict.fromkeys(branch for each in named for branch in (each.source.branch, each.target.branch)))
    developer.git("init", "--quiet", "--initial-branch", branches[-1])
    developer.git("remote", "add", "origin", developer.url)
    developer.git("add", "--all", "--force")  # what was committed though ignored, too
    developer.git("commit", "--quiet", "--message", "Open the shop")
    developer.git("push", "--quiet", "origin", *_refspecs(branches))
    return branches


def _takes_busybox(folder: Path) -> bool:
    return any("ARG BASE_IMAGE=busybox" in file.read_text(errors="replace") for file in folder.rglob("Dockerfile*"))


def _refspecs(branches: Sequence[str]) -> list[str]:
    return [f"HEAD:refs/heads/{branch}" for branch in branches]


def _point_at(file: Path, registry_host: str, base_image: str | None, impatience: Impatience) -> None:
    """Name the stack's registry, and what else was given, in a copy of somebody's argosy.yaml."""
    yaml = YAML()
    document: dict[str, Any] = yaml.load(file)
    document["registry"]["endpoint"] = registry_host
    if base_image:
        _section(_section(_section(document, "defaults"), "build"), "args")["BASE_IMAGE"] = base_image
    if impatience.stable_for is not None and document.get("argocd"):
        document["argocd"]["stable_for"] = impatience.stable_for
    if impatience.retry_delay is not None:
        for environment in document["environments"].values():
            _section(environment, "retry")["initial_delay"] = impatience.retry_delay
    yaml.dump(document, file)


def _section(document: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping under `key`, which may be left out or blank."""
    section: dict[str, Any] = document.get(key) or {}
    document[key] = section
    return section
