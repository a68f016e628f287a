"""The loop that follows the repository, pulls images, and moves every application on."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from argosy.errors import ArgosyError
from deployments.local.argocd.charts import render
from deployments.local.argocd.images import Puller, PullFailed
from deployments.local.argocd.manifests import Invalid, Manifest
from deployments.local.argocd.repository import Mirror
from deployments.local.argocd.state import Orders, Pull, Rendered, Seen, State, Timing, advance

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Following:
    """What is followed: the Applications of `branches`; `poll`, `tick` and `back_off` are seconds.

    Who asks for an application anew does not wait for the next `poll`.
    """

    branches: tuple[str, ...]
    poll: float = 3.0
    tick: float = 0.1
    back_off: float = 1.0
    timing: Timing = field(default_factory=Timing)


@dataclass(slots=True)
class Tracked:
    """An application in the controller's hands; `version` grows with every change."""

    manifest: Manifest
    created: datetime
    rendered: Rendered | None = None
    error: str | None = None
    state: State = field(default_factory=State)
    orders: Orders = field(default_factory=Orders)
    version: int = 0
    pull: Pull | None = None
    pulling: tuple[int, asyncio.Task[None]] | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A change of an application: `ADDED`, `MODIFIED` or `DELETED`."""

    type: str
    tracked: Tracked


class Controller:
    """Owns the applications; runs in one event loop, from `start` to `stop`."""

    def __init__(self, mirror: Mirror, puller: Puller, following: Following) -> None:
        self.applications: dict[str, Tracked] = {}
        self.version = 0
        self._mirror, self._puller, self._following = mirror, puller, following
        self._subscribers: set[asyncio.Queue[Event]] = set()
        self._refreshes: dict[str, list[asyncio.Future[None]]] = {}
        self._wake = asyncio.Event()
        self._polled = float("-inf")
        self._trouble: str | None = None
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look once, then go on looking."""
        await self._step()
        self._loop = asyncio.create_task(self._run())
        self._loop.add_done_callback(_not_alone)

    async def stop(self) -> None:
        """Stop looking, and give up what is under way."""
        pulls = [each.pulling[1] for each in self.applications.values() if each.pulling]
        for task in [*pulls, *([self._loop] if self._loop else [])]:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def refresh(self, name: str) -> None:
        """Compare the application anew, and return when that was done."""
        done = asyncio.get_running_loop().create_future()
        self._refreshes.setdefault(name, []).append(done)
        self.wake()
        await done

    def wake(self) -> None:
        """Take the next step now."""
        self._wake.set()

    def subscribe(self) -> asyncio.Queue[Event]:
        """A queue that gets every event from now on."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._subscribers.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[Event]) -> None:
        """Let that queue be."""
        self._subscribers.discard(queue)

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._following.tick)
            self._wake.clear()
            await self._step()

    async def _step(self) -> None:
        asked, self._refreshes = self._refreshes, {}
        if asked or time.monotonic() - self._polled >= self._following.poll:
            await self._follow()
            self._polled = time.monotonic()
        for name, tracked in list(self.applications.items()):
            self._advance(tracked, refresh=name in asked)
        for future in (future for futures in asked.values() for future in futures):
            if not future.done():
                future.set_result(None)

    async def _follow(self) -> None:
        try:
            changed = await asyncio.to_thread(self._mirror.poll)
            if not changed and self._trouble is None:
                return
            manifests = await asyncio.to_thread(self._manifests)
            rendered = await asyncio.to_thread(self._render, manifests)
        except (ArgosyError, Invalid) as error:
            self._trouble = str(error)
            log.warning("the repository cannot be followed: %s", error)
            for tracked in self.applications.values():
                tracked.rendered, tracked.error = None, self._trouble
            return
        self._trouble = None
        self._take(manifests, rendered)

    def _manifests(self) -> dict[str, Manifest]:
        return self._mirror.manifests(self._following.branches)

    def _render(self, manifests: dict[str, Manifest]) -> dict[str, Rendered | str]:
        found: dict[str, Rendered | str] = {}
        for name, manifest in manifests.items():
            try:
                found[name] = self.render(manifest, manifest.target_revision)
            except Invalid as error:
                found[name] = str(error)
        return found

    def render(self, manifest: Manifest, revision: str) -> Rendered:
        """The chart of `manifest` at `revision`. Raises Invalid."""
        return render(self._mirror.git, manifest, self._mirror.resolve(revision))

    def _take(self, manifests: dict[str, Manifest], rendered: dict[str, Rendered | str]) -> None:
        for name in [name for name in self.applications if name not in manifests]:
            gone = self.applications.pop(name)
            if gone.pulling:
                gone.pulling[1].cancel()
            self._publish("DELETED", gone)
        for name, manifest in manifests.items():
            tracked = self.applications.get(name)
            if tracked is None:
                tracked = self.applications[name] = Tracked(manifest, datetime.now(UTC))
                self._publish("ADDED", tracked)
            elif tracked.manifest != manifest:
                tracked.manifest = manifest
                self._publish("MODIFIED", tracked)
            outcome = rendered[name]
            tracked.rendered = outcome if isinstance(outcome, Rendered) else None
            tracked.error = outcome if isinstance(outcome, str) else None

    def _advance(self, tracked: Tracked, *, refresh: bool) -> None:
        seen = Seen(
            rendered=tracked.rendered,
            error=tracked.error,
            pull=tracked.pull,
            orders=tracked.orders,
            automated=tracked.manifest.automated,
            refresh=refresh,
        )
        before, now, timing = tracked.state, datetime.now(UTC), self._following.timing
        tracked.state = advance(before, seen, timing, now)
        if refresh and tracked.state.reconciled != now:  # an operation ended: what was asked for comes after that
            tracked.state = advance(tracked.state, seen, timing, now)
        if tracked.state != before:
            self._publish("MODIFIED", tracked)
        self._keep_pulling(tracked)

    def _keep_pulling(self, tracked: Tracked) -> None:
        """See that the image of the current rollout is being pulled."""
        rollout, applied = tracked.state.rollout, tracked.state.applied
        if applied is None or applied.workload is None or (tracked.pulling and tracked.pulling[0] == rollout):
            return
        if tracked.pulling:
            tracked.pulling[1].cancel()
        tracked.pull = None
        tracked.pulling = (rollout, asyncio.create_task(self._pull(tracked, applied.workload)))

    async def _pull(self, tracked: Tracked, image: str) -> None:
        while True:
            try:
                await self._puller.pull(image)
            except PullFailed as error:
                tracked.pull = Pull(datetime.now(UTC), str(error))
                await asyncio.sleep(self._following.back_off)
            else:
                tracked.pull = Pull(datetime.now(UTC))
                return

    def request(self, tracked: Tracked, rendered: Rendered) -> None:
        """Order a sync to `rendered`."""
        # As Argo CD does, the last operation is forgotten as soon as another one is ordered.
        tracked.state = replace(tracked.state, requested=rendered, operation=None)
        self._publish("MODIFIED", tracked)
        self.wake()

    def _publish(self, kind: str, tracked: Tracked) -> None:
        self.version += 1
        tracked.version = self.version
        for queue in self._subscribers:
            queue.put_nowait(Event(kind, tracked))


def _not_alone(loop: asyncio.Task[None]) -> None:
    """End the process when its loop broke: `stop` then raises what broke it."""
    if not loop.cancelled():
        signal.raise_signal(signal.SIGTERM)
