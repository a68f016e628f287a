"""The clients of several registries, each opened when it is asked for first, and all closed together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Self

from argosy.registries.registry import Registry

Client = Callable[[str], AbstractContextManager[Registry]]
"""Opens a client for the registry at a host."""


class Clients(AbstractContextManager["Clients"]):
    """Clients that `client` opens, one a registry; for several threads. `with` closes them."""

    def __init__(self, client: Client) -> None:
        self._client, self._lock, self._opened = client, threading.Lock(), ExitStack()
        self._clients: dict[str, Registry] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def at(self, host: str) -> Registry:
        """The client for the registry at `host`; raises as opening one does."""
        with self._lock:
            if host not in self._clients:
                self._clients[host] = self._opened.enter_context(self._client(host))
            return self._clients[host]
