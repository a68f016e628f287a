"""A registry's password that changes while an image is built: on a real engine and a real registry."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from pydantic import SecretStr

from argosy.builds import images
from argosy.builds.builders import BuilderHost
from argosy.builds.request import BuildRequest
from argosy.errors import Terminal
from argosy.home import home
from argosy.models import BuildContext, ImageReference, Service
from argosy.registries.login import Login, RegistryCredentials, renewing
from argosy.registries.registry import Registry
from deployments.local import registry as local
from deployments.local.engine import Engine, packages
from deployments.local.packages import unpack

pytestmark = pytest.mark.e2e

LIFE = timedelta(minutes=1)  # less than a build may take: else its client is told once
STARTED = "the long step goes on"


@dataclass
class Yard:
    """An engine, and a registry whose passwords end: `expire` lets the one that it takes be another."""

    host: BuilderHost
    store: local.Registry
    busybox: bytes
    now: datetime
    password: SecretStr
    builds: int = 0

    def login(self) -> Login:
        return Login(self._issue, lambda: self.now)

    def _issue(self) -> RegistryCredentials:
        return RegistryCredentials(local.USER, self.password, self.now + LIFE)

    def expire(self) -> None:
        self.now += LIFE
        self.password = SecretStr(uuid.uuid4().hex)
        self.store.admit(self.password)

    def build(self, login: Login, scratch: Path, name: str, dockerfile: str, on_line: Callable[[str], None]) -> str:
        """Push an image to the repository `name`, and return its digest."""
        self.builds += 1

        def write(stream: BinaryIO) -> None:
            with tarfile.open(fileobj=stream, mode="w|") as archive:
                for file, content in (("busybox", self.busybox), ("Dockerfile", dockerfile.encode())):
                    member = tarfile.TarInfo(file)
                    member.size, member.mode, member.mtime = len(content), 0o755, 315_532_800
                    archive.addfile(member, io.BytesIO(content))

        service = Service("ui", ".", "chart", "chart/values.yaml", name, BuildContext(".", "Dockerfile"), timeout=120)
        reference = ImageReference(f"{self.store.host}/{name}", "1")
        request = BuildRequest(service, (reference,), "Dockerfile", write, scratch)
        return images.build(request, self.host, {self.store.host: login}, on_line)


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    cache, state = home() / "packages", tmp_path_factory.mktemp("yard")
    password = SecretStr(uuid.uuid4().hex)
    store = local.Registry(local.binary(cache), password, state=state)
    busybox = (unpack(packages(), cache) / "bin/busybox").read_bytes()
    with Engine(state, cache) as engine, store:
        host = BuilderHost(engine.docker_host, engine.environment())
        yield Yard(host, store, busybox, datetime(2026, 1, 1, tzinfo=UTC), password)


def lengthy(begin: str) -> str:
    """A Dockerfile whose last step says when it has begun, and that is cached nowhere."""
    return f"{begin}RUN : {uuid.uuid4().hex}; echo {STARTED}; sleep 2\n"


def expiring(yard: Yard) -> Callable[[str], None]:
    """What lets the password end as soon as the long step goes on, once."""
    left = [yard.expire]

    def on_line(line: str) -> None:
        if line.endswith(STARTED) and "RUN" not in line and left:
            left.pop()()

    return on_line


FROM_NOTHING = "FROM scratch\nCOPY busybox /bin/sh\n"


def test_a_token_that_ends_during_a_build_is_replaced_before_the_push(yard: Yard, tmp_path: Path) -> None:
    login, before = yard.login(), yard.builds
    digest = yard.build(login, tmp_path, "shop/long", lengthy(FROM_NOTHING), expiring(yard))
    with Registry(yard.store.host, login) as registry:
        assert registry.digest_of("shop/long", "1") == digest
    assert yard.builds == before + 1


def test_where_the_builder_keeps_what_it_was_given_first_the_push_is_made_again(yard: Yard, tmp_path: Path) -> None:
    login = yard.login()
    yard.build(login, tmp_path, "shop/base", FROM_NOTHING, print)
    based = lengthy(f"FROM {yard.store.host}/shop/base:1\n")  # it is pulled with the first token
    steps: list[str] = []
    ends = expiring(yard)

    def on_line(line: str) -> None:
        steps.append(line)
        ends(line)

    before = yard.builds
    digest = renewing(login, lambda: yard.build(login, tmp_path, "shop/based", based, on_line))
    with Registry(yard.store.host, login) as registry:
        assert registry.digest_of("shop/based", "1") == digest
    assert yard.builds <= before + 2
    assert sum(line.endswith(STARTED) and "RUN" not in line for line in steps) == 1, "no step is run twice"


def test_a_password_that_is_wrong_and_stays_so_is_tried_once(yard: Yard, tmp_path: Path) -> None:
    wrong = Login.of(RegistryCredentials(local.USER, SecretStr("wrong-word")))
    before = yard.builds
    with pytest.raises(Terminal, match="401"):
        renewing(wrong, lambda: yard.build(wrong, tmp_path, "shop/refused", FROM_NOTHING, print))
    assert yard.builds == before + 1
