"""Builds that go on once their image is pushed, to export their cache: nobody waits for that before the run's end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

from argosy.builds.output import BuildOutput
from argosy.processes.cancellation import Cancelled

log = logging.getLogger(__name__)

T = TypeVar("T")
Tell = Callable[[str], None]
Build = Callable[[Tell], str]
"""A build from beginning to end: it tells each line of its output, and returns the digest of what it pushed."""


class CacheExports:
    """The builds of a run whose caches are still being exported; for all threads of the run.

    They belong to the work that they were begun in (`argosy.processes.cancellation`), and end with it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._going: list[_Going] = []

    def image(
        self, build: Build, output: BuildOutput, there: Callable[[str], T | None], *, spared: bool
    ) -> tuple[str, T | None]:
        """The digest of the image that `build` pushes, and what is `there` under it while the cache is still exported.

        `output` is what `build` adds its lines to, before it tells them. Where the cache is `spared` it is exported
        only if a step ran. Where nothing is there before the end, that is waited for. Raises what the build raises
        until then; what goes wrong afterwards is only logged.
        """
        going = _Going(build, output, spared=spared)
        with self._lock:
            self._going = [*(each for each in self._going if each.alive), going]
        pushed = going.pushed()
        found = there(pushed) if pushed else None
        if pushed is None or found is None:
            return going.ended(), None
        going.leave()
        return pushed, found

    def finish(self) -> None:
        """Wait for every export: each has the time limit of its build."""
        with self._lock:
            going = [each for each in self._going if each.alive]
        if going:
            log.info("waiting for %d build caches to be exported", len(going))
        for each in going:
            each.join()


class _Enough(Exception):
    """The rest of a build is worth nothing."""


class _Going:
    """A build in a thread of its own, which has the context of the thread that began it: its run, and what ends it."""

    def __init__(self, build: Build, output: BuildOutput, *, spared: bool) -> None:
        self._build, self._output, self._spared = build, output, spared
        self._known, self._left = threading.Event(), threading.Event()
        self._digest = ""
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,), daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def pushed(self) -> str | None:
        """Wait for the image to be pushed, or for the end; the digest of the image, where the end is yet to come."""
        self._known.wait()
        return self._output.pushed if self.alive else None

    def ended(self) -> str:
        """Wait for the end, and return the digest; raises what the build raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._digest

    def leave(self) -> None:
        """From now on nobody asks how the build ends."""
        self._left.set()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        try:
            self._digest = self._build(self._line)
        except _Enough:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits for the image
            self._error = error
            if self._left.is_set() and not isinstance(error, Cancelled):
                log.warning("the build's cache was not exported: %s", error)
        finally:
            self._known.set()

    def _line(self, _line: str) -> None:
        if self._output.pushed:
            self._known.set()
            if self._left.is_set() and self._spared and self._output.cached == self._output.steps:
                raise _Enough
