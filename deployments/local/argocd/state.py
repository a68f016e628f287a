"""An application over time, pure: what Argo CD's controller and a cluster make of each look at the world."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

HISTORY = 10


@dataclass(frozen=True, slots=True)
class Rendered:
    """A chart at a revision: `fingerprint` is equal where the manifests are.

    `workload` is the image that has to be pulled, `images` every image that the chart names.
    """

    revision: str
    fingerprint: str
    workload: str | None
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pull:
    """How the last attempt to pull the workload's image ended; `error` is None where it was fetched whole."""

    at: datetime
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Orders:
    """What the stand-in was told to do with an application.

    `degraded` is the message to be Degraded with, `degraded_image` limits it to images that contain that text;
    `failing` is the message with which operations fail.
    """

    degraded: str | None = None
    degraded_image: str | None = None
    hanging: bool = False
    locked: bool = False
    failing: str | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things take, in seconds."""

    operation: float = 1.0
    settling: float = 0.5
    progress_deadline: float = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the world: the chart at the target revision, or the `error` that kept it from being rendered."""

    rendered: Rendered | None
    error: str | None = None
    pull: Pull | None = None
    orders: Orders = Orders()
    automated: bool = True
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A sync, running or ended."""

    rendered: Rendered
    automated: bool
    started: datetime
    phase: str = "Running"
    message: str = "waiting for completion of the sync"
    finished: datetime | None = None

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.finished is None


@dataclass(frozen=True, slots=True)
class Deployed:
    """One line of an application's history."""

    id: int
    revision: str
    started: datetime
    finished: datetime


@dataclass(frozen=True, slots=True)
class Health:
    """A health status and why."""

    status: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """An application: what was compared, what is applied, and how that does."""

    compared: Rendered | None = None
    error: str | None = None
    sync_status: str = "Unknown"
    reconciled: datetime | None = None
    applied: Rendered | None = None
    requested: Rendered | None = None
    operation: Operation | None = None
    history: tuple[Deployed, ...] = ()
    rollout: int = 0
    rolled_out: datetime | None = None
    health: Health = Health("Missing")
    health_since: datetime | None = None

    @property
    def busy(self) -> bool:
        """Whether an operation runs or was ordered."""
        return self.requested is not None or (self.operation is not None and self.operation.running)


def advance(state: State, seen: Seen, timing: Timing, now: datetime) -> State:
    """The application after the look `seen` at the time `now`; equal to `state` where nothing happened."""
    ended = _end_operation(state, seen.orders, timing, now)
    if ended is not state:
        # Argo CD compares after an operation, not with it: for a moment the status is that from before.
        return ended
    return _begin_operation(_reconcile(state, seen, timing, now), seen, now)


def _end_operation(state: State, orders: Orders, timing: Timing, now: datetime) -> State:
    operation = state.operation
    if operation is None or not operation.running or orders.locked:
        return state
    if now - operation.started < timedelta(seconds=timing.operation):
        return state
    if orders.failing is not None:
        return replace(state, operation=replace(operation, phase="Failed", message=orders.failing, finished=now))
    done = replace(operation, phase="Succeeded", message="successfully synced (all tasks run)", finished=now)
    return _apply(replace(state, operation=done), done, now)


def _apply(state: State, operation: Operation, now: datetime) -> State:
    number = state.history[-1].id + 1 if state.history else 0
    line = Deployed(number, operation.rendered.revision, operation.started, now)
    rolls = state.applied is None or state.applied.fingerprint != operation.rendered.fingerprint
    return replace(
        state,
        applied=operation.rendered,
        history=(*state.history, line)[-HISTORY:],
        rollout=state.rollout + rolls,
        rolled_out=now if rolls else state.rolled_out,
    )


def _reconcile(state: State, seen: Seen, timing: Timing, now: datetime) -> State:
    health = _health(state, seen, timing, now)
    operation = state.operation
    unseen_end = (
        operation and operation.finished and (state.reconciled is None or state.reconciled < operation.finished)
    )
    same = (seen.rendered, seen.error, health) == (state.compared, state.error, state.health)
    if same and not seen.refresh and not unseen_end and state.reconciled is not None:
        return state
    return replace(
        state,
        compared=seen.rendered,
        error=seen.error,
        sync_status=_sync_status(state.applied, seen),
        reconciled=now,
        health=health,
        health_since=state.health_since if health.status == state.health.status and state.health_since else now,
    )


def _sync_status(applied: Rendered | None, seen: Seen) -> str:
    if seen.rendered is None:
        return "Unknown"
    return "Synced" if applied is not None and applied.fingerprint == seen.rendered.fingerprint else "OutOfSync"


def _begin_operation(state: State, seen: Seen, now: datetime) -> State:
    if state.operation is not None and state.operation.running:
        return state
    if state.requested is not None:
        return replace(state, requested=None, operation=Operation(state.requested, automated=False, started=now))
    if state.compared is None or not (seen.orders.locked or _auto_syncs(state, state.compared, seen)):
        return state
    return replace(state, operation=Operation(state.compared, automated=not seen.orders.locked, started=now))


def _auto_syncs(state: State, compared: Rendered, seen: Seen) -> bool:
    if not seen.automated or state.sync_status != "OutOfSync":
        return False
    last = state.operation
    # Auto-sync never tries a revision again on which it failed.
    return last is None or last.phase == "Succeeded" or last.rendered.revision != compared.revision


def _health(state: State, seen: Seen, timing: Timing, now: datetime) -> Health:
    applied, orders = state.applied, seen.orders
    if applied is None or state.rolled_out is None:
        return Health("Missing")
    if orders.degraded is not None and (orders.degraded_image or "") in (applied.workload or ""):
        return Health("Degraded", orders.degraded)
    waiting = Health("Progressing", "Waiting for rollout to finish: 0 of 1 updated replicas are available")
    if orders.hanging:
        return waiting
    if applied.workload is None:
        return Health("Healthy")
    if seen.pull is None:
        return waiting
    if seen.pull.error is None:
        return Health("Healthy") if now - seen.pull.at >= timedelta(seconds=timing.settling) else waiting
    back_off = f'Back-off pulling image "{applied.workload}": ImagePullBackOff: {seen.pull.error}'
    if now - state.rolled_out < timedelta(seconds=timing.progress_deadline):
        return Health("Progressing", back_off)
    return Health("Degraded", f"the Deployment exceeded its progress deadline. {back_off}")
