"""How far a run and each of its builds are, shown on the dashboard by a thread that no build waits for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.runtime import task_run

from argosy.builds.output import BuildOutput
from argosy.errors import ArgosyError
from argosy.models import Plan
from tasks.artifacts import ProgressBar
from tasks.workspace import run_id

INTERVAL = 5.0
"""The seconds between two updates: each costs the server about as much as a task run's change of state."""
_PATIENCE = 15.0  # seconds for what is left to be shown at the end of a run
_BUILDS = 90.0  # of a hundred: the write-back, the watch and the report are the rest

logger = logging.getLogger("argosy.tasks")


@dataclass(slots=True)
class _Build:
    """One service's build: what is known of it, and whether it is over, well or not; one that was reused has no bar."""

    bar: ProgressBar | None = None
    output: BuildOutput | None = None
    whole: bool = False
    failure: str = ""

    @property
    def share(self) -> float:
        """From 0 to 1; a build that failed stays where it was."""
        return 1.0 if self.whole else self.output.share if self.output else 0.0

    def said(self) -> str:
        if self.output is None:
            return ""
        spared = f"{self.output.cached} of {self.output.steps} steps from the cache"
        now = self.failure or ("" if self.whole else self.output.doing)
        return f"{now} ({spared})" if now else spared


class Progress:
    """The progress of the run `run`, which builds or reuses the images of `services` for `environment`.

    It looks every `interval` seconds, and holds the end of the run up for at most `patience`.
    """

    def __init__(
        self,
        run: str,
        environment: str,
        services: Sequence[str],
        *,
        interval: float = INTERVAL,
        patience: float = _PATIENCE,
    ) -> None:
        self.run, self._environment, self._interval, self._patience = run, environment, interval, patience
        self._bar = ProgressBar(f"progress-{environment}", run)
        self._builds = {name: _Build() for name in services}
        self._released = False
        self._over, self._given_up = threading.Event(), threading.Event()
        context = copy_context()  # it has the settings of Prefect, and whose run the log lines are of
        self._thread = threading.Thread(target=context.run, args=(self._watch,), daemon=True)

    @contextmanager
    def shown(self) -> Iterator[Progress]:
        """Show it for the length of a `with`, and how it stood at the end; not where an exception ends it."""
        _SHOWN[self.run] = self
        self._thread.start()
        try:
            yield self
        except BaseException:
            self._given_up.set()
            raise
        finally:
            del _SHOWN[self.run]
            self._over.set()
        self._thread.join(self._patience)

    def ended(self, *, well: bool) -> None:
        """The run is over: at 100 where it went `well`, else where it stopped."""
        self._released = well

    def reused(self, service: str) -> None:
        """There was nothing to build for `service`."""
        self._build(service).whole = True

    @contextmanager
    def building(self, service: str, output: BuildOutput, task: str | None) -> Iterator[None]:
        """Follow the `output` of a build by the task run `task`; it is whole when the block ends well."""
        build = self._build(service)
        build.bar = build.bar or ProgressBar(f"build-{self._environment}-{service}", self.run, task)
        build.output, build.whole, build.failure = output, False, ""
        try:
            yield
        except ArgosyError as error:
            build.failure = error.category or "failed"
            raise
        build.whole = True

    def _build(self, service: str) -> _Build:
        return self._builds.setdefault(service, _Build())

    def _watch(self) -> None:
        with ExitStack() as held:
            client: SyncPrefectClient | None = None
            over = False
            while not over:
                over = self._over.wait(self._interval)
                if self._given_up.is_set():
                    return
                try:
                    client = client or held.enter_context(get_client(sync_client=True))
                except Exception:  # whatever it is, no build is to fail of it; the next look may be luckier
                    logger.debug("the progress cannot be shown", exc_info=True)
                else:
                    self._show(client)

    def _show(self, client: SyncPrefectClient) -> None:
        builds = dict(self._builds)
        for name, build in builds.items():
            if build.bar:
                self._try(client, build.bar, 100 * build.share, f"Build of **{name}**: {build.said()}")
        done = sum(build.whole for build in builds.values())
        share = sum(build.share for build in builds.values()) / max(len(builds), 1)
        percent = 100.0 if self._released else _BUILDS * share
        said = f"Release to **{self._environment}**: {done} of {len(builds)} images are there"
        self._try(client, self._bar, percent, said)

    @staticmethod
    def _try(client: SyncPrefectClient, bar: ProgressBar, percent: float, description: str) -> None:
        try:
            bar.show(client, percent, description)
        except Exception:  # as above, and no other bar is to suffer
            logger.debug("the progress could not be shown", exc_info=True)


_SHOWN: dict[str, Progress] = {}
"""The runs of this process whose progress is shown, by their ids: tasks have nothing of their flow but its id."""


def progress_of(plan: Plan) -> Progress:
    """The progress of the flow run at hand, which does what is planned."""
    return Progress(run_id(), plan.environment, [item.name for item in plan.to_write])


def following(service: str, output: BuildOutput) -> AbstractContextManager[None]:
    """A context in which the progress of the run at hand follows the build of `service` by its `output`."""
    progress = _SHOWN.get(run_id())
    return progress.building(service, output, task_run.id) if progress else nullcontext()


def reused(service: str) -> None:
    """Tell the progress of the run at hand that there was nothing to build for `service`."""
    if progress := _SHOWN.get(run_id()):
        progress.reused(service)
