"""The stages of a rollback: which releases are restored, and the commit that restores them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from argosy.errors import Terminal
from argosy.gitops import restoring
from argosy.holds import holds
from argosy.inputs.base_images import looked_up
from argosy.inputs.digests import Digests, environment_at
from argosy.models import Hold, Resolved, ServicePlan, State, WriteBack
from argosy.resilience import Retry
from argosy.rollback import Chooser, Restoration, RollbackRequest
from argosy.rollback_report import RollbackReport
from argosy.standing import look
from argosy.state import Reader
from tasks.artifacts import show_table
from tasks.policy import stage
from tasks.workspace import Workspace, now

logger = logging.getLogger("argosy.tasks")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be restored, the holds of hands to be written down with it, and how the stages that follow go on.

    `failures` are the services that have no way back, where the others may go theirs.
    """

    restorations: tuple[Restoration, ...]
    by_hand: tuple[Hold, ...]
    watched: bool
    retry: Retry
    failures: dict[str, str]


@stage("choose", run_name="choose {environment}", timeout=900)
def choose(
    repository: str, environment: str, resolved: Resolved, request: RollbackRequest, automatic: bool = False
) -> Chosen:
    """The release that each service goes back to, and whether its image is still there.

    An `automatic` one leaves alone what a hand wrote, and lets no service without a way back keep the others.
    """
    work, at = Workspace.open(repository, environment, resolved.source_sha), now()
    git, described, target = work.mirror.git, work.environment, resolved.target_sha
    digests = looked_up(Digests(git, described), resolved.source_sha, work.client)
    situation = look(digests, resolved.source_sha, target, at, work.source_tip)
    reader = Reader.open(git, described, target, work.source_tip)
    in_force = holds.in_force(holds.read(git, target), described.name, at)
    chooser = Chooser(git, described, reader, resolved.source_sha, situation.desired, in_force)
    by_hand = tuple(hold for hold in situation.held.values() if hold.by_hand)
    failures: dict[str, Terminal] = {}
    if automatic:
        ours = tuple(n for n in request.services if n not in {hold.service for hold in by_hand})
        found, failures = chooser.each(replace(request, services=ours), at)
    else:
        found = chooser.choose(request, at)
    ready = tuple(_ready(work, each) for each in found)
    said = {name: str(error) for name, error in failures.items()}
    return Chosen(ready, by_hand, described.watch is not None, described.retry, said)


def _ready(work: Workspace, each: Restoration) -> Restoration:
    """The same with what builds its image anew, where the registry does not have it any more."""
    with work.client(each.reference.host) as registry:
        if registry.digest_of(each.reference.name, each.reference.tag) == each.record.manifest_digest:
            return each
    return replace(each, rebuild=_rebuild(work, each))


def _rebuild(work: Workspace, each: Restoration) -> ServicePlan:
    git, record, gone = work.mirror.git, each.record, f"the registry has {each.reference} no more"
    if not git.is_commit(record.source_sha):
        raise Terminal(
            f"{gone}, and commit {record.source_sha[:12]}, which it was built from, is gone",
            service=each.name,
            remedy="name another release with --to",
        )
    then = environment_at(git, record.source_sha, work.environment.name)
    service = then.service(each.name)
    wanted = then.image(service, record.source_sha)
    return ServicePlan(service, State.BUILD, gone, record.content, wanted, current=each.current)


@stage("restore", run_name="restore {environment}", timeout=1800)
def restore(
    repository: str,
    environment: str,
    source_sha: str,
    restorations: Sequence[Restoration],
    chosen: Chosen,
    because: str,
) -> WriteBack:
    """Put the earlier references back in one commit, with the holds that keep them there."""
    work = Workspace.open(repository, environment, source_sha)
    with work.writing("rollback", [each.name for each in restorations]) as writer:
        written = restoring.restore(writer, source_sha, restorations, because, chosen.by_hand)
    for change in written.changes:
        logger.info("%s: %s: %s -> %s", change.file, change.path, change.old or "(blank)", change.new)
    return written


@stage("report rollback", run_name="report {report.environment}", timeout=120)
def show_rollback(report: RollbackReport) -> None:
    """Show what became of every service as a table."""
    commit = f", commit `{report.commit[:12]}`" if report.commit else ""
    show_table(
        f"rollback-{report.environment}", report.rows(), f"**{report.environment}**{commit}: {report.sentence()}"
    )
