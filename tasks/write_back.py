"""The seventh stage: every new reference in one signed commit on the target."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from argosy.errors import Terminal
from argosy.models import BuildResult, Plan, Release, ServicePlan, State, WriteBack
from tasks.policy import stage
from tasks.workspace import Workspace

logger = logging.getLogger("argosy.tasks")


@stage("write back", run_name="write back {plan.environment}", timeout=1800)
def write_back(repository: str, plan: Plan, built: Sequence[BuildResult]) -> WriteBack:
    """Commit the references of what was built; with adoption, also the trailers of what is right already.

    What hands hold is written down in the same commit, or in one of its own. A pull request that has nothing to say any
    more is closed.
    """
    work = Workspace.open(repository, plan.environment, plan.source_sha)
    results = {result.service: result for result in built}
    releases = [_release(item, results[item.name]) for item in plan.services if item.name in results]
    if plan.adopt:
        releases += _adopted(work, plan)
    about = {item.name for item in plan.services if plan.adopt or item.state is not State.UNKNOWN}
    with work.writing("release", about | {name for name, _ in plan.failures}) as writer:
        written = writer.write_back(plan.source_sha, releases, adopt=plan.adopt, by_hand=plan.by_hand)
        if writer.delivery and plan.obsoletes:
            closed = writer.delivery.withdraw(work.mirror)
            if closed:
                logger.info("nothing is left to release: closed %s", closed)
    for change in written.changes:
        logger.info("%s: %s: %s -> %s", change.file, change.path, change.old or "(blank)", change.new)
    return written


def _release(item: ServicePlan, result: BuildResult) -> Release:
    return Release(item.service, item.current, result.reference, result.content, result.manifest_digest)


def _adopted(work: Workspace, plan: Plan) -> list[Release]:
    """The services whose reference is right already: adoption records them as they are."""
    right = plan.with_state(State.UNCHANGED, State.UNVERIFIED)
    return [_as_it_is(work, item) for item in right]


def _as_it_is(work: Workspace, item: ServicePlan) -> Release:
    with work.client(item.wanted.host) as registry:
        manifest = registry.find(item.wanted.name, item.wanted.tag)
    if manifest is None:
        raise Terminal(f"the registry has no {item.wanted}", service=item.name, remedy="run the release again")
    return Release(item.service, item.current, item.wanted, item.content, manifest.digest)
