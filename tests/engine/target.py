"""The target of releases for the tests of the engine: a shop's origin, its mirror and a writer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from argosy.gitops.commits import Identity
from argosy.gitops.mirror import Mirror
from argosy.gitops.patience import Pace
from argosy.gitops.remote import Remote
from argosy.gitops.writer import Writer
from argosy.models import ImageReference, Release
from tests.engine.shop import Shop, image, run

HASTE = Pace(clock=lambda: 0.0, sleep=lambda _seconds: None)
"""Waits for nobody, and thinks that nothing takes any time."""
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Target:
    """A shop, and a writer to its origin."""

    def __init__(self, shop: Shop, home: Path, identity: Identity | None = None, name: str = "dev") -> None:
        self.shop, self.name = shop, name
        self.mirror = Mirror(home, Remote(str(shop.origin)))
        self.mirror.update()
        identity = identity or Identity("Argosy", "argosy@example.com")
        self.writer = Writer(self.mirror, shop.environment(name), identity, "run-1", lambda: NOW)

    def release(self, service: str = "ui", sha: str | None = None) -> Release:
        sha = sha or self.shop.head
        described = self.shop.environment(self.name, sha).service(service)
        content = self.shop.digests(sha).desired(sha)[service]
        expected = ImageReference(f"public.example/shop-{service}", "1.0")
        return Release(described, expected, image(service, sha), content, "sha256:" + "b" * 64)

    def read(self, path: str, ref: str = "main") -> str:
        return run("-C", str(self.shop.origin), "show", f"{ref}:{path}")

    def log(self) -> list[str]:
        return run("-C", str(self.shop.origin), "log", "--format=%s", "main").splitlines()

    def hook(self, name: str, script: str) -> None:
        path = self.shop.origin / "hooks" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
