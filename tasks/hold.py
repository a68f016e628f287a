"""Holds, put and lifted by whoever asks for it: each a signed commit that changes the file of holds alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from argosy import standing
from argosy.holds import holding
from argosy.holds import request as hold_request
from argosy.holds.holding import Holding
from argosy.holds.request import HoldRequest
from argosy.inputs.base_images import looked_up
from argosy.inputs.digests import Digests
from argosy.models import ContentDigest, Hold, Resolved
from tasks.policy import stage
from tasks.workspace import Workspace, now


@stage("put hold", run_name="put hold in {environment}", timeout=900)
def put_hold(repository: str, environment: str, resolved: Resolved, request: HoldRequest) -> Holding:
    """Hold the services as they are to be held; what is held so already is written no second time."""
    work, at = Workspace.open(repository, environment, resolved.source_sha), now()
    hold_request.check(work.environment, request, at)
    contents = _contents(work, resolved.source_sha, request.services) if request.content else {}
    wanted = hold_request.holds(work.environment, request, at, resolved.source_sha, contents)
    with work.writing("holds", request.services) as writer:
        return holding.put(writer, wanted)


def _contents(work: Workspace, source_sha: str, services: Sequence[str]) -> dict[str, ContentDigest]:
    digests = looked_up(Digests(work.mirror.git, work.environment), source_sha, work.client)
    survey = digests.survey(source_sha)
    for name in services:
        if name in survey.failures:
            raise survey.failures[name]
    return survey.contents


@stage("lift hold", run_name="lift hold in {environment}", timeout=900)
def lift_hold(repository: str, environment: str, resolved: Resolved, services: tuple[str, ...]) -> Holding:
    """End every hold on the services, those of hands included."""
    work, at = Workspace.open(repository, environment, resolved.source_sha), now()
    for name in services:
        work.environment.service(name)
    with work.writing("holds", services) as writer:
        return holding.lift(writer, services, _by_hand(work, resolved, at), at.replace(microsecond=0))


def _by_hand(work: Workspace, resolved: Resolved, at: datetime) -> list[Hold]:
    digests = looked_up(Digests(work.mirror.git, work.environment), resolved.source_sha, work.client)
    situation = standing.look(digests, resolved.source_sha, resolved.target_sha, at, work.source_tip)
    return [hold for hold in situation.held.values() if hold.by_hand]
