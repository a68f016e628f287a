"""A git server, a shop of many services on it, and somebody who commits to the same branch all the time."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from argosy import state
from argosy.environment import Environment
from argosy.git import Git
from argosy.gitops.commits import Draft, Identity, commit
from argosy.gitops.mirror import Mirror, PushRejected
from argosy.gitops.remote import Remote
from argosy.gitops.signing import Signing, SigningKey
from argosy.gitops.writer import Writer
from argosy.inputs.digests import environment_at
from argosy.models import ContentDigest, ImageReference, Release
from argosy.processes.groups import shared_group
from benchmarks.chronicle import Claim
from deployments.local.git_server import BOT, DEVELOPER, GitServer
from deployments.local.signing import SigningKey as Pair

BRANCH, ENVIRONMENT = "main", "prod"
FILE = "NOTES.txt"
_HOST = "registry.example:5000"
_CONFIGURATION = """\
version: 1
registry: {{type: oci, endpoint: "{host}", repository: "shop-{{service}}"}}
services: {{{services}}}
environments: {{prod: {{source: {{branch: main}}, target: {{branch: main, sign: ssh}}}}}}
"""
_VALUES = 'replicas: 2\nimage:\n  repository: public.example/{name}\n  tag: "1.0" # set by releases\n'
_CONTENT, _MANIFEST = "c" * 64, "sha256:" + "d" * 64


class Contest:
    """The server with the repository `shop`, of so many services, and the key that signs its releases."""

    def __init__(self, folder: Path, services: int) -> None:
        self.folder = folder
        self.names = tuple(f"service-{number:03}" for number in range(services))
        self._passwords = {user: SecretStr(secrets.token_urlsafe()) for user in (BOT, DEVELOPER)}
        self.server = GitServer(self._passwords, state=folder / "server")
        self.pair = Pair.generate()
        self.url = ""

    def __enter__(self) -> Self:
        self.server.start()
        self.url = self.server.create("shop", protected=(BRANCH,))
        self.git.run("fast-import", "--quiet", data="".join(self._files()).encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.stop()

    def _files(self) -> Iterator[str]:
        described = _CONFIGURATION.format(host=_HOST, services=", ".join(f"{name}: {{}}" for name in self.names))
        files = {"argosy.yaml": described, FILE: "0\n"}
        for name in self.names:
            files[f"src/{name}/Dockerfile"] = "FROM busybox:1.36\nCOPY . /app\n"
            files[f"src/{name}/chart/values.yaml"] = _VALUES.format(name=name)
        yield f"commit refs/heads/{BRANCH}\ncommitter Dev <dev@example.com> 0 +0000\ndata 4\nOpen\n"
        for path, text in files.items():
            yield f"M 100644 inline {path}\ndata {len(text)}\n{text}\n"

    @property
    def git(self) -> Git:
        """The repository behind the server's back."""
        return Git(self.server.path("shop"))

    def mirror(self, home: str, user: str = BOT) -> Mirror:
        """A warm mirror in a cache folder of that name."""
        mirror = Mirror(self.folder / home, Remote(self.url, user, self._passwords[user]))
        mirror.update()
        return mirror

    def release(self, mirror: Mirror, names: Sequence[str], run: str) -> Claim:
        """Plan a release of the branch's tip, as a run does, and write it back."""
        mirror.update()
        source = mirror.branch(BRANCH)
        environment = environment_at(mirror.git, source, ENVIRONMENT)
        readings = state.Reader.open(mirror.git, environment, source).read_all(map(environment.service, names))
        releases = [_release(environment, name, readings.released[name].reference, source) for name in names]
        identity = Identity("Argosy", "argosy@example.com", SigningKey(self.pair.private))
        writer = Writer(mirror, environment, identity, run, lambda: datetime.now(UTC))
        return Claim(run, source, writer.write_back(source, releases))


def _release(environment: Environment, name: str, current: ImageReference, source: str) -> Release:
    service = environment.service(name)
    wanted = ImageReference(f"{_HOST}/shop-{name}", source)
    return Release(service, current, wanted, ContentDigest(_CONTENT, "1"), _MANIFEST)


class Competitor:
    """Another writer: reads the branch, commits to it and pushes, and again `period` seconds after that was taken.

    When it loses a race it tries again at once.
    """

    def __init__(self, mirror: Mirror, period: float) -> None:
        self._mirror, self._period = mirror, period
        self._who = Identity("Dev", "dev@example.com")
        self._landing = threading.Condition()
        self.made: list[str] = []

    @contextmanager
    def competing(self) -> Iterator[None]:
        """Compete for as long as the block lasts."""
        stop = threading.Event()
        thread = threading.Thread(target=self._compete, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def wait_for(self, more: int) -> None:
        """Wait until it has landed so many more commits."""
        with self._landing:
            self._landing.wait_for(partial(self._has, len(self.made) + more))

    def _has(self, many: int) -> bool:
        return len(self.made) >= many

    def _compete(self, stop: threading.Event) -> None:
        ref = f"refs/heads/{BRANCH}"
        with shared_group():
            while not stop.wait(self._period):
                while not self._landed(ref):
                    pass

    def _landed(self, ref: str) -> bool:
        self._mirror.follow(ref)
        head = self._mirror.branch(BRANCH)
        files = {FILE: f"{len(self.made) + 1}\n".encode()}
        made = commit(self._mirror.git, Draft(head, files, "Compete\n", self._who, datetime.now(UTC)), Signing(None))
        try:
            self._mirror.push(made, ref, head)
        except PushRejected:
            return False
        with self._landing:
            self.made.append(made)
            self._landing.notify_all()
        return True
