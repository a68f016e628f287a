"""The rollback of an environment's services to an earlier release of theirs."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner

from argosy.errors import ArgosyError, ReleaseFailed
from argosy.flow_runs import AWAITING_MERGE
from argosy.redact import redact
from argosy.rollback import RollbackRequest
from flows.ending import prompt_end
from flows.refusal import ended
from flows.release import CONCURRENT_SERVICES
from flows.returning import rolled_back
from tasks.edge import guarded
from tasks.resolve import resolve
from tasks.rollback import show_rollback


@flow(
    name="rollback",
    flow_run_name="rollback in {environment}",
    task_runner=ThreadPoolTaskRunner(max_workers=CONCURRENT_SERVICES),  # type: ignore[arg-type] # Prefect's own types
)
@guarded()
@prompt_end()
def rollback(
    repository: str,
    environment: str,
    services: list[str] | None = None,
    reason: str = "",
    who: str = "",
    to: str | None = None,
) -> State[Any]:
    """Restore the last verified release of services, in one commit, and hold the content that they are taken back from.

    Args:
        repository: the name of the GitOps Repository block to write to.
        environment: the environment of `argosy.yaml`.
        services: the services to take back.
        reason: why, for whoever meets the hold.
        who: in whose name.
        to: the full SHA of a release commit, or of a commit that was released; the last verified release unless given.
    """
    try:
        resolved = resolve(repository, environment, None)
        report = rolled_back(repository, environment, resolved, RollbackRequest(tuple(services or ()), reason, who, to))
    except ArgosyError as error:
        return ended(error)
    show_rollback(report)
    if report.failed:
        raise ReleaseFailed(report.sentence(), remedy="see what runs now: argosy status")
    name = AWAITING_MERGE if report.pull_request else "Completed"
    return Completed(message=redact(report.sentence()), name=name)
