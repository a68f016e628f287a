"""A shop on a real git server that keeps people's pushes off main, with GitHub's API beside it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from argosy.github.client import GitHub
from argosy.gitops.commits import Identity
from argosy.gitops.mirror import Mirror
from argosy.gitops.remote import Remote
from argosy.gitops.writer import Writer
from argosy.models import ImageReference, Release
from deployments.local.git_server import BOT, GitServer
from deployments.local.github.server import GitHubStandIn
from tests.engine.shop import CONFIGURATION, Shop, image, run, service_files
from tests.engine.target import NOW

ANYBODY = "nobody"
"""Who pushes behind the server's back, as the shop's own work tree does."""


class Forge:
    """The shop, its repository's `name` on the `server`, and the ways to them; main is protected from `BOT`."""

    def __init__(self, folder: Path, server: GitServer, password: SecretStr, github: GitHubStandIn) -> None:
        self.folder, self.server, self.github = folder, server, github
        self.name = f"forge-{uuid.uuid4().hex[:8]}"
        self.url = server.create(self.name, protected=())
        self.shop = Shop(folder, server.path(self.name))
        files = {"argosy.yaml": CONFIGURATION}
        for service in ("ui", "cart"):
            files |= service_files(service)
        self.shop.commit("Open the shop", files)
        self.token = github.admit(BOT, self.name)
        self.mirror = Mirror(folder / "home", Remote(self.url, BOT, password))
        self.mirror.update()
        self.protect("main")

    def protect(self, *branches: str) -> None:
        """Let only people push to these branches, and everybody to all others."""
        self.server.create(self.name, protected=branches, pushers=(ANYBODY,))

    def client(self, token: SecretStr | None = None) -> GitHub:
        """A client for the repository."""
        return GitHub(self.github.url, self.github.repository(self.name), token or self.token)

    def writer(self, run: str = "run-1") -> Writer:
        """A writer to main of one run; each commits a minute after the one before."""
        environment = self.shop.environment()
        later = NOW + timedelta(minutes=int(run.rpartition("-")[2]))
        return Writer(self.mirror, environment, Identity("Argosy", "argosy@example.com"), run, lambda: later)

    def release(self, service: str = "ui", sha: str | None = None, tag: str | None = None) -> Release:
        """The release of the service's content at a commit."""
        sha = sha or self.shop.head
        described = self.shop.environment("dev", sha).service(service)
        content = self.shop.digests(sha).desired(sha)[service]
        expected = ImageReference(f"public.example/shop-{service}", "1.0")
        release = Release(described, expected, image(service, sha), content, "sha256:" + "b" * 64)
        return replace(release, reference=image(service, tag)) if tag else release

    def read(self, path: str, ref: str = "main") -> str:
        """A file of the repository."""
        return self.at("show", f"{ref}:{path}")

    def at(self, *arguments: str) -> str:
        """What `git ARGUMENTS` writes in the repository."""
        return run("-C", str(self.shop.origin), *arguments)

    def values(self, service: str = "ui", ref: str = "main") -> str:
        """The service's values file."""
        return self.read(f"src/{service}/chart/values-dev.yaml", ref)

    def tip(self, branch: str = "main") -> str:
        """The tip of a branch."""
        return self.at("rev-parse", branch)

    def branches(self) -> list[str]:
        """Every branch of the repository."""
        return self.at("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
