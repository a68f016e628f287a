"""Holds: what is not to be released, put and lifted on the target branch by a signed commit."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import AwareDatetime

from argosy.errors import ArgosyError, PolicyRefused
from argosy.flow_runs import AWAITING_MERGE
from argosy.holds.request import HoldRequest
from flows.ending import prompt_end
from flows.refusal import ended
from tasks.edge import guarded
from tasks.hold import lift_hold, put_hold
from tasks.resolve import resolve


@flow(name="hold", flow_run_name="hold in {environment}")
@guarded()
@prompt_end()
def hold(
    repository: str,
    environment: str,
    services: list[str] | None = None,
    reason: str = "",
    who: str = "",
    until: AwareDatetime | None = None,
    content: bool = False,
    lift: bool = False,
) -> State[Any]:
    """Hold services of `environment` so that no run releases them, or lift every hold on them.

    Args:
        repository: the name of the GitOps Repository block to write to.
        environment: the environment of `argosy.yaml`.
        services: the services that are held.
        reason: why, for whoever meets the hold.
        who: in whose name.
        until: when it ends by itself, with a zone; it lasts until it is lifted unless given.
        content: hold the content that the tip of the source branch has, and release any other.
        lift: lift every hold on the services instead.
    """
    names = tuple(services or ())
    try:
        resolved = resolve(repository, environment, None)
        if lift:
            done = lift_hold(repository, environment, resolved, names)
        else:
            request = HoldRequest(names, reason, who, until, content)
            done = put_hold(repository, environment, resolved, request)
    except ArgosyError as error:
        return ended(error)
    if done.declined:
        return ended(PolicyRefused(done.declined, remedy="see the pull request"))
    said = f"{', '.join(done.services)} {'lifted' if lift else 'held'} in {environment}"
    if done.pull_request:
        return Completed(message=f"{said} once {done.pull_request} is merged", name=AWAITING_MERGE)
    said = f"{said}: {(done.commit or '')[:12]}"
    return Completed(message=said if done.commit else "nothing to do")
