"""What the services of a run share of a registry: one login, one client and one breaker, gone when the run ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar, cast

from prefect.runtime import flow_run

from argosy.breaker import Breaker
from argosy.builds.cache_exports import CacheExports
from argosy.registries.login import Login
from argosy.registries.registry import Registry
from argosy.resilience import BreakerPolicy
from blocks.container_registry import ContainerRegistry
from tasks.block_loading import load_block

T = TypeVar("T")


class Connections:
    """What one run has opened; for all of its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Hashable, Any] = {}

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """The object of `key`, made when it is asked for first."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            return cast("T", self._kept[key])

    def login(self, block: str) -> Login:
        """What opens the registry of the Container Registry block called `block`, which is read at each renewal."""
        return self.kept(("login", block), lambda: Login(lambda: load_block(ContainerRegistry, block).credentials()))

    def breaker(self, host: str, policy: BreakerPolicy) -> Breaker:
        """The breaker of the registry at `host`, as the first who asks wants it."""
        return self.kept(("breaker", host), lambda: Breaker(host, policy))

    def registry(self, host: str, block: str | None, policy: BreakerPolicy) -> Registry:
        """The client of the registry at `host`, with the login of `block` where there is one; it stays open."""
        login = self.login(block) if block else None
        if login:
            login.current()  # here a block that is missing is told in the words that name it
        breaker = self.breaker(host, policy)
        return self.kept(("client", host, block), lambda: Registry(host, login, breaker=breaker))

    def exports(self) -> CacheExports:
        """The builds that go on after their images are pushed."""
        return self.kept("exports", CacheExports)

    def close(self) -> None:
        """Close every client, and forget every secret."""
        with self._lock:
            for each in self._kept.values():
                if isinstance(each, Registry):
                    each.close()
            self._kept.clear()


_RUNS: dict[str, Connections] = {}
_LOCK = threading.Lock()


def of_run() -> Connections:
    """The connections of the flow run that goes on; new ones that nobody else has where there is none."""
    if flow_run.id is None:
        return Connections()
    with _LOCK:
        return _RUNS.setdefault(flow_run.id, Connections())


def registry(host: str, block: str | None, policy: BreakerPolicy) -> AbstractContextManager[Registry]:
    """A client of the registry at `host` for a `with`: the run's own, which stays open; closed by it outside of a run.

    `block` names the Container Registry block whose login it has.
    """
    client = of_run().registry(host, block, policy)
    return client if flow_run.id is None else nullcontext(client)


def finish_exports() -> None:
    """Wait for what the builds of the flow run that goes on still export."""
    of_run().exports().finish()


def forget() -> None:
    """Close all that the flow run that ends has opened."""
    with _LOCK:
        connections = _RUNS.pop(flow_run.id, None) if flow_run.id else None
    if connections:
        connections.close()
