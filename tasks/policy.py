"""What every stage has in common: Prefect's own retries for what may pass, and none for what will not."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.client.schemas.objects import State, TaskRun

from argosy.errors import Transient
from argosy.processes import cancellation
from argosy.resilience import DEFAULT_RETRY, Retry
from tasks.edge import guarded

P = ParamSpec("P")
R = TypeVar("R")

# Services that failed together shall not come back together.
_JITTER = 0.25

logger = logging.getLogger("argosy.tasks")


def patience(retry: Retry) -> Callable[[Task[..., Any], TaskRun, State[Any]], bool]:
    """A condition for Prefect's retries: whether a failed task run is worth another attempt, once the delay is over.

    The delay is waited here, since Prefect's own cannot be ended: a run that is cancelled would wait for it.
    """

    def worth_another(_task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
        error = state.result(raise_on_failure=False)
        if not isinstance(error, Transient):
            return False
        delay = retry.delay(run.run_count) * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
        logger.info("attempt %d of %d failed; the next one in %.1f s", run.run_count, retry.max_attempts, delay)
        return not cancellation.wait(delay)

    return worth_another


def patient(staged: Task[P, R], retry: Retry) -> Task[P, R]:
    """The same stage, tried as `retry` says."""
    return staged.with_options(retries=retry.max_attempts - 1, retry_condition_fn=patience(retry))


def stage(
    name: str, *, run_name: str, timeout: float | None = None, persist: bool = False, service: str | None = None
) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A decorator that makes a function a stage of a release: a task with retries, a timeout and a run name.

    `run_name` is a template over the task's parameters; with `persist` the result outlives the process, so that a
    retried run does not do it again. `timeout`, in seconds, is for stages that run in the flow's own thread: Prefect
    cannot interrupt the others, whose every wait has a limit of its own (a build's is in `argosy.yaml`). `service`
    names the parameter that says which service the stage is of, where it is of one.
    """

    def decorate(function: Callable[P, R]) -> Task[P, R]:
        return task(
            name=name,
            task_run_name=run_name,
            timeout_seconds=timeout,
            retries=DEFAULT_RETRY.max_attempts - 1,
            retry_delay_seconds=0,  # see patience
            retry_condition_fn=patience(DEFAULT_RETRY),
            persist_result=persist,
        )(guarded(service)(function))

    return decorate
