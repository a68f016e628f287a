"""The edge of tasks and flows: what is raised across it, Prefect keeps, shows and tells others of."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prefect.runtime import flow_run

from argosy.clean_errors import cleaned
from argosy.logs import about
from tasks import logs

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("argosy.tasks")


def guarded(service: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator, to stand under `@task` or `@flow`, after which no secret leaves in an exception or a log line.

    An exception keeps its class, service and remedy, and loses what it came from, which the log has at level debug.
    `service` names the parameter whose `name` is the service that the log lines are of.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function, eval_str=True)

        @wraps(function)
        def inside(*args: P.args, **kwargs: P.kwargs) -> R:
            if flow_run.id:  # else somebody calls it as a plain function, and has a log of their own
                logs.attach()
            subject = signature.bind(*args, **kwargs).arguments[service] if service else None
            with about(run=flow_run.id, service=getattr(subject, "name", None)):
                try:
                    return function(*args, **kwargs)
                except Exception as error:  # the outermost edge: what goes on is the same, but clean
                    logger.debug("what was raised, with what it came from", exc_info=error)
                    failure = cleaned(error)
                raise failure from None

        # Prefect would look the names of the annotations up in this module.
        setattr(inside, "__signature__", signature)  # noqa: B010  # functions have no such attribute to a type checker
        return inside

    return decorate
