"""What every stage has in common: Prefect's own retries for what may pass, and none for what will not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from argosy.errors import Transient
from tasks.edge import guarded

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 3
FIRST_DELAY = 5


def is_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task run is worth another attempt."""
    return isinstance(state.result(raise_on_failure=False), Transient)


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
            retries=ATTEMPTS - 1,
            retry_delay_seconds=exponential_backoff(FIRST_DELAY),
            retry_jitter_factor=0.5,
            retry_condition_fn=is_transient,
            persist_result=persist,
        )(guarded(service)(function))

    return decorate
