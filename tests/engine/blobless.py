"""Shops whose servers leave out what files hold, and mirrors of them."""

from __future__ import annotations

import io
from pathlib import Path

from pydantic import SecretStr

from argosy.environment import Environment
from argosy.gitops.commits import Identity
from argosy.gitops.mirror import Mirror
from argosy.gitops.remote import Remote
from argosy.gitops.writer import Writer
from argosy.inputs import build_context
from argosy.inputs.digests import Digests, environment_at
from argosy.inputs.snapshot import Snapshot
from argosy.models import ContentDigest, ImageReference, Release
from argosy.standing import look
from deployments.local.git_server import BOT
from tests.engine.shop import Shop, image, run
from tests.engine.target import HASTE, NOW
from tests.fault_proxy import FaultProxy

TEXT, DOCKERFILE, VALUES = "src/ui/main.txt", "src/ui/Dockerfile", "src/ui/chart/values-dev.yaml"


def filtering(origin: Path, **settings: str) -> None:
    """Let the server of `origin` leave out what it is told to."""
    for setting, value in ({"allowFilter": "true", "allowAnySHA1InWant": "true"} | settings).items():
        run("-C", str(origin), "config", f"uploadpack.{setting}", value)


def blobless(shop: Shop, home: Path) -> Mirror:
    """A mirror below `home` of the shop, whose server leaves out what files hold."""
    filtering(shop.origin)
    mirror = Mirror(home, Remote(shop.origin.as_uri()))
    mirror.update()
    return mirror


class Distant:
    """A shop on a git server behind a password, a mirror of it, and what was asked on the way there."""

    def __init__(self, shop: Shop, home: Path, proxy: FaultProxy, path: Path, password: SecretStr) -> None:
        self.shop, self.home, self.proxy, self.path = shop, home, proxy, path
        self.remote = Remote(f"http://{proxy.host}/{path.name}", BOT, password)
        self.mirror = Mirror(home, self.remote)

    @property
    def asked(self) -> list[str]:
        """The requests since this was asked for last."""
        found = [f"{each.method} {each.path.rpartition('/')[2]}" for each in self.proxy.asked]
        self.proxy.clear()
        return found

    def planned(self) -> Environment:
        """The environment, looked at as a plan does, by a mirror that is up to date."""
        self.mirror.update()
        tip = self.mirror.branch("main")
        environment = environment_at(self.mirror.git, tip, "dev")
        look(Digests(self.mirror.git, environment), tip, tip, NOW, tip)
        return environment

    def release(self, service: str, expected: ImageReference | None = None) -> Release:
        described = self.shop.environment().service(service)
        expected = expected or ImageReference(f"public.example/shop-{service}", "1.0")
        content = ContentDigest("c" * 64, "1")
        return Release(described, expected, image(service, self.shop.head), content, "sha256:" + "b" * 64)

    def writer(self, run_id: str = "run-1") -> Writer:
        environment = environment_at(self.mirror.git, self.shop.head, "dev")
        identity = Identity("Argosy", "argosy@example.com")
        return Writer(self.mirror, environment, identity, run_id, lambda: NOW, HASTE)


BROUGHT = ["GET refs?service=git-upload-pack", "POST git-upload-pack"]
"""What one question takes, of refs or for files."""
PUSHED = ["GET refs?service=git-receive-pack", "POST git-receive-pack"]


def at_hand(mirror: Mirror, shop: Shop, path: str, commit: str = "HEAD") -> bool:
    """Whether the mirror has what the shop's file holds."""
    sha = shop.run("rev-parse", f"{commit}:{path}")
    return "missing" not in mirror.git.text("cat-file", "--batch-check", data=f"{sha}\n".encode())


def exported(mirror: Mirror, environment: Environment, commit: str, service: str = "ui") -> bytes:
    """The build context."""
    stream = io.BytesIO()
    build_context.export(mirror.git, Snapshot(mirror.git, commit).inputs(environment.service(service)), stream)
    return stream.getvalue()


def exported_whole(shop: Shop) -> bytes:
    stream = io.BytesIO()
    build_context.export(shop.git, Snapshot(shop.git, shop.head).inputs(shop.environment().service("ui")), stream)
    return stream.getvalue()
