"""The second stage: what the release would do, service by service, shown as an artifact."""

from __future__ import annotations

from argosy import plan as planning
from argosy.inputs import build_context
from argosy.inputs.base_images import looked_up
from argosy.inputs.digests import Digests
from argosy.models import Plan, Resolved, State
from argosy.registries import publishing
from argosy.standing import look
from tasks.artifacts import show_table
from tasks.policy import stage
from tasks.workspace import Workspace, now


@stage("plan", run_name="plan {environment}", timeout=900, persist=True)
def make_plan(
    repository: str,
    environment: str,
    resolved: Resolved,
    services: tuple[str, ...] = (),
    adopt: bool = False,
    force: tuple[str, ...] = (),
    dry_run: bool = False,
) -> Plan:
    """Compare what the commit desires with what is released, and with what the registry has.

    Unless it is a `dry_run`, what the builds will read is brought to the mirror, in one request for all of them.
    """
    work = Workspace.open(repository, environment, resolved.source_sha)
    digests = looked_up(Digests(work.mirror.git, work.environment), resolved.source_sha, work.client)
    situation = look(digests, resolved.source_sha, resolved.target_sha, now(), work.source_tip)
    presence = publishing.presence(work.client, work.environment, situation)
    plan = planning.make(work.environment, situation.asked(presence), adopt=adopt, services=services, force=force)
    _show(plan)
    if any(item.writes for item in plan.services):
        work.render_check().demand()  # sooner than when all is built
    if not dry_run:
        _bring(digests, plan)
    return plan


def _bring(digests: Digests, plan: Plan) -> None:
    built = (each.service for each in plan.services if each.state is State.BUILD)
    build_context.bring(digests.git, map(digests.snapshot(plan.source_sha).inputs, built))


def _show(plan: Plan) -> None:
    rows = [
        {"service": item.name, "state": item.state.value, "reason": item.reason, "content": item.content.hex[:12]}
        for item in plan.services
    ]
    rows += [{"service": name, "state": "failed", "reason": why, "content": ""} for name, why in plan.failures]
    described = f"A release of `{plan.source_sha[:12]}` to **{plan.environment}**. Plan `{plan.hash[:12]}`."
    show_table(f"plan-{plan.environment}", rows, described)
