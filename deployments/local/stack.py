"""The whole embedded stack: every part, started side by side where it can be."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from types import TracebackType

from pydantic import SecretStr

from argosy.errors import Terminal
from argosy.git import Git
from argosy.home import home
from deployments.local import base_image, state_folder
from deployments.local.argocd.controller import Following
from deployments.local.argocd.repository import Login
from deployments.local.argocd.server import ArgoCDStandIn
from deployments.local.aws import Aws
from deployments.local.bridge import Bridge
from deployments.local.engine import Engine
from deployments.local.git_server import BOT, DEVELOPER, GitServer
from deployments.local.packages import unpack
from deployments.local.part import Part
from deployments.local.ports import Port
from deployments.local.prefect_api import PrefectApi
from deployments.local.prefect_server import PrefectServer
from deployments.local.registration import register
from deployments.local.registry import USER, Registry
from deployments.local.seed import EXAMPLE, Developer, Impatience, plant
from deployments.local.signing import SigningKey
from deployments.local.worker import Worker

_BASE = ("library/busybox", "1.35")

Teller = Callable[[str, float], None]
"""Told the name of each part that is up, and the seconds that it took."""


class Stack(Part):
    """A registry, AWS, git, Argo CD's stand-in, an engine and Prefect, with `source` planted and not yet released.

    Everything lies in `state`, a new folder below ARGOSY_HOME; nothing of it stays after `stop`, but the logs where the
    stack did not start, or a `with` of it ended with an error. `stable_for` replaces the seconds
    of health that the planted `argosy.yaml` asks for, `retry_delay` those before the first retry. `auth`
    (`USER:PASSWORD`) closes the Prefect API. The dashboard is on `port`, else on one that is free.
    """

    def __init__(
        self,
        source: Path = EXAMPLE,
        tell: Teller = lambda _name, _seconds: None,
        stable_for: float | None = None,
        retry_delay: float | None = None,
        auth: SecretStr | None = None,
        port: int | None = None,
    ) -> None:
        self.state = state_folder.create(home())
        self.signing_key = SigningKey.generate()
        self.aws = Aws(state=self.state)
        self.engine = Engine(self.state, self._cache)
        self.prefect = PrefectServer(state=self.state, auth=auth, port=port)
        self.passwords = {user: SecretStr(secrets.token_urlsafe(24)) for user in (BOT, DEVELOPER)}
        self.git = GitServer(self.passwords, state=self.state)
        self._registry_port = Port()
        self._source, self._tell, self._impatience = source, tell, Impatience(stable_for, retry_delay)
        self.repository = "argosy"  # the name of the block, and of the repository on the git server
        self.bot_email = "argosy@localhost"
        self._started: list[Part] = []
        self._stopping, self._lock = False, Lock()

    @property
    def _cache(self) -> Path:
        return home() / "packages"

    @property
    def registry_host(self) -> str:
        """The registry's host and port, as image references have them."""
        return self._registry_port.host

    @property
    def api(self) -> PrefectApi:
        """A client for the Prefect server."""
        return PrefectApi(self.prefect.api_url, self.prefect.auth)

    @property
    def origin(self) -> Git:
        """The repository on the git server, read behind the server's back."""
        return Git(self.git.path(self.repository))

    def start(self) -> None:
        """Start every part; raises what the first that failed raised, and leaves nothing behind then."""
        pool = ThreadPoolExecutor(max_workers=4)
        try:
            self._start_all(pool)
        except BaseException as error:
            failed = isinstance(error, Exception)
            self.stop(keep_logs=failed)  # what starts in another thread fails now, instead of being waited for
            pool.shutdown(cancel_futures=True)
            self.stop(keep_logs=failed)
            raise
        pool.shutdown()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(keep_logs=isinstance(error, Exception))

    def stop(self, *, keep_logs: bool = False) -> None:
        """End every part and remove the state folder; what was not started yet never will be.

        With `keep_logs` the folder's logs stay where they are, for somebody to read: the next stacks leave them there
        for a week.
        """
        with self._lock:
            self._stopping = True
        for part in reversed(self._started):
            part.stop()
        state_folder.remove(self.state, keep_logs=keep_logs)

    def _start_all(self, pool: ThreadPoolExecutor) -> None:
        prefect = pool.submit(self._start, "Prefect server", self.prefect)
        engine = pool.submit(self._start, "container engine", self.engine)
        git = pool.submit(self._start_git)
        registry = pool.submit(self._start_registry)
        _together([registry, git, engine])
        self._start("Argo CD stand-in", self._stand_in())
        if prefect.done():
            prefect.result()  # where it failed, registering would wait for a server that never comes
        self._timed("blocks and deployments", lambda: register(self))
        _together([prefect])
        self._start("Prefect worker", self._worker())

    def _start(self, name: str, part: Part) -> None:
        with self._lock:
            if self._stopping:
                raise Terminal(f"{name} was not started, as the stack stops", remedy="start another stack")
            self._started.append(part)
        self._timed(name, part.start)

    def _timed(self, name: str, act: Callable[[], object]) -> None:
        began = time.monotonic()
        act()
        self._tell(name, time.monotonic() - began)

    def _start_registry(self) -> None:
        binary = unpack(["docker-registry"], self._cache) / "usr/bin/docker-registry"
        busybox = unpack(["busybox-static"], self._cache) / "bin/busybox"
        self._start("AWS", self.aws)
        password = self.aws.registry_password()
        bridge = Bridge(self.aws, self.registry_host, password, state=self.state)
        self._start("bridge from the registry to ECR", bridge)
        port = self._registry_port
        self.registry = Registry(binary, password, state=self.state, port=port, notify=bridge.url)
        self._start("registry", self.registry)
        image = base_image.base_image(busybox)
        base_image.push(image, f"http://{self.registry_host}", (USER, password), *_BASE)

    def _start_git(self) -> None:
        self._start("git server", self.git)
        url = self.git.create(self.repository)
        self.developer = Developer(self.state / "work", url, self.passwords[DEVELOPER])
        base = f"{self.registry_host}/{_BASE[0]}:{_BASE[1]}"
        self.branches = plant(self._source, self.developer, self.registry_host, base, self._impatience)
        self.git.set_default_branch(self.repository, self.branches[-1])

    def _stand_in(self) -> ArgoCDStandIn:
        self.argocd = ArgoCDStandIn(
            self.git.url(self.repository),
            self.registry_host,
            Following(self.branches),
            state=self.state,
            git_login=Login(BOT, self.passwords[BOT]),
            registry_login=Login(USER, self.registry.password),
        )
        return self.argocd

    def _worker(self) -> Worker:
        env = self.engine.environment()
        python = str(Path(sys.executable).parent)
        path = os.pathsep.join([python, env.pop("PATH"), *self._signer()])
        cache = str(self.state / "cache")
        extra = {**env, "PATH": path, "ARGOSY_HOME": cache, "AWS_ENDPOINT_URL_STS": self.aws.endpoint_url}
        return Worker(self.prefect.api_url, state=self.state, auth=self.prefect.auth, env=extra)

    def _signer(self) -> list[str]:
        """The folder of ssh-keygen, which git signs with, where the system has none."""
        return [] if shutil.which("ssh-keygen") else [str(unpack(["openssh-client"], self._cache) / "usr/bin")]


def _together(futures: Sequence[Future[None]]) -> None:
    for future in futures:
        future.result()
