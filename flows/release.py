"""The release of one environment: from a commit to containers that Argo CD reports healthy."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any

from prefect import flow, unmapped
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, wait
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from argosy.errors import PolicyRefused, ReleaseFailed
from argosy.execution import TriggerEvent
from argosy.flow_runs import AWAITING_MERGE, REFUSED
from argosy.models import BuildResult, BuildStatus, Plan, Verdict, WriteBack
from argosy.plan import based_on, blocked, waves
from argosy.redact import redact
from argosy.report import Findings, Report, awaiting, planned, summarise
from argosy.scans.gate import refusal
from flows.ending import prompt_end
from flows.futures import Settled, sentence, settle
from flows.returning import take_back
from flows.verifying import verified
from tasks.ahead import look_ahead
from tasks.build import build
from tasks.builder_cache import cut_builder_cache
from tasks.edge import guarded
from tasks.ensure_registry import ensure_registry
from tasks.plan import make_plan
from tasks.policy import patient
from tasks.progress import progress_of
from tasks.report import publish
from tasks.resolve import resolve
from tasks.scan_gate import scan_gate, show_findings
from tasks.write_back import write_back

CONCURRENT_SERVICES = 16
COMMIT = "commit"


@flow(
    name="release",
    flow_run_name="release to {environment}",
    task_runner=ThreadPoolTaskRunner(max_workers=CONCURRENT_SERVICES),  # type: ignore[arg-type] # Prefect's own types
)
@guarded()
@prompt_end()
def release(
    repository: str,
    environment: str,
    source_sha: str | None = None,
    services: list[str] | None = None,
    trigger: TriggerEvent | None = None,
    adopt: bool = False,
    dry_run: bool = False,
    force: list[str] | None = None,
) -> State[Any]:
    """Release what changed to `environment`, and fail when any service could not be released.

    Args:
        repository: the name of the GitOps Repository block to release from.
        environment: the environment of `argosy.yaml` to release to.
        source_sha: the full SHA of the commit to release; the tip of the source branch unless given.
        services: only these services; all of them unless given.
        trigger: what started the run, for its readers.
        adopt: take over services whose current reference nothing explains.
        dry_run: plan, and stop there.
        force: build these services anew, from no cache, whatever the registry has.
    """
    resolved = resolve(repository, environment, source_sha)
    if not dry_run:
        look_ahead(repository, environment, resolved.source_sha)
    plan = make_plan(repository, environment, resolved, tuple(services or ()), adopt, tuple(force or ()), dry_run)
    if dry_run or plan.nothing_to_do:
        return _end(_idle(repository, plan, dry_run=dry_run), trigger)
    with progress_of(plan).shown() as progress:
        untold = _tell_registry(repository, plan)
        built = _build(repository, plan)
        cutting = _cut_builder_cache(repository, plan, built.values)
        passed, refused = _scan(repository, plan, built)
        written = _write_back(repository, plan, passed.values)
        verdicts, unrecorded = _verify(repository, plan, written.values.get(COMMIT), passed.values)
        verdicts, unrecorded = take_back(repository, plan, verdicts, unrecorded)
        wait(cutting)
        failures = {**passed.failures, **_unwritten(plan, passed.values, written), **verdicts.failures}
        commit, problems = written.values.get(COMMIT), (*untold, *unrecorded)
        report = summarise(plan, Findings(built.values, failures, commit, verdicts.values, problems, built.categories))
        progress.ended(well=not report.failed and not problems)
    return _end(report, trigger, refused)


def _tell_registry(repository: str, plan: Plan) -> tuple[str, ...]:
    """Tell the registry what is configured for all of it; what goes wrong there keeps nothing from being released."""
    if not plan.tells_registry:
        return ()
    where = (repository, plan.environment, plan.source_sha)
    state = patient(ensure_registry, plan.retry)(*where, return_state=True)
    return () if state.is_completed() else (sentence(state),)


def _idle(repository: str, plan: Plan, *, dry_run: bool) -> Report:
    """The report of a run that releases nothing; what a hand holds is written down all the same.

    Where releases are merged at any time, by anybody, the tags follow what was.
    """
    if dry_run:
        return planned(plan)
    written = _write_back(repository, plan, {})
    tags = _verify(repository, plan, None, {})[1] if plan.proposes else ()
    return replace(planned(plan), problems=(*written.failures.values(), *tags))


def _build(repository: str, plan: Plan) -> Settled[BuildResult]:
    """Every image, concurrently but after those that it is built from; one that fails stops no other."""
    started: dict[str, PrefectFuture[BuildResult]] = {}
    for item in chain(*waves(plan)):
        bases = [started[base] for base in based_on(item) if base in started]
        started[item.name] = patient(build, plan.retry).submit(
            repository, plan.environment, plan.source_sha, item, wait_for=bases, return_state=False
        )
    images = Settled[BuildResult]({}, dict(plan.failures)).joined(settle(list(started), started.values()))
    stopped = blocked(plan.to_write, images.failures)
    return images.joined(Settled({}, stopped))


def _cut_builder_cache(repository: str, plan: Plan, built: dict[str, BuildResult]) -> list[PrefectFuture[None]]:
    """Beside what follows: no release waits for it before its end, or fails of it."""
    if not plan.cuts_cache or all(each.status is not BuildStatus.BUILT for each in built.values()):
        return []
    return [cut_builder_cache.submit(repository, plan.environment, plan.source_sha)]


def _scan(repository: str, plan: Plan, built: Settled[BuildResult]) -> tuple[Settled[BuildResult], frozenset[str]]:
    """What may be written, where the environment's gate judges images by their scans, and whom the gate refused."""
    items = [item for item in plan.to_write if item.name in built.values]
    if not plan.scanned or not items:
        return built, frozenset()
    images = [built.values[item.name] for item in items]
    judged = settle(
        [item.name for item in items], patient(scan_gate, plan.retry).map(*_where(repository, plan), items, images)
    )
    show_findings(plan.environment, list(judged.values.values()))
    refused = {n: str(refusal(each, plan.environment)) for n, each in judged.values.items() if each.blocked}
    passed = {name: built.values[name] for name in judged.values if name not in refused}
    return Settled(passed, {**built.failures, **judged.failures, **refused}), frozenset(refused)


def _write_back(repository: str, plan: Plan, built: dict[str, BuildResult]) -> Settled[WriteBack]:
    """One commit for all that was built; adoption, and what a hand holds, are written whatever was.

    A pull request that says what is not to be released any more is closed there too.
    """
    if not built and not plan.adopt and not plan.by_hand and not plan.obsoletes:
        return Settled({}, {})
    state = patient(write_back, plan.retry)(repository, plan, list(built.values()), return_state=True)
    return Settled({COMMIT: state.result()}, {}) if state.is_completed() else Settled({}, {COMMIT: sentence(state)})


def _unwritten(plan: Plan, built: dict[str, BuildResult], written: Settled[WriteBack]) -> dict[str, str]:
    """What could not be written is not released, and each service that it should have been says so."""
    concerned = [item.name for item in plan.services] if plan.adopt else [hold.service for hold in plan.by_hand]
    names = list(built) or concerned
    return dict.fromkeys(names, written.failures[COMMIT]) if written.failures else {}


def _verify(
    repository: str, plan: Plan, written: WriteBack | None, built: dict[str, BuildResult]
) -> tuple[Settled[Verdict], tuple[str, ...]]:
    """Every application at once, while the tags move; then what was seen is put on record."""
    where = (repository, plan.environment, plan.source_sha)
    landed = written.released if written and not written.pull_request else ()
    return verified(where, plan.retry, awaiting(plan, written, built), landed)


def _where(repository: str, plan: Plan) -> tuple[unmapped, unmapped, unmapped]:
    return unmapped(repository), unmapped(plan.environment), unmapped(plan.source_sha)


def _end(report: Report, trigger: TriggerEvent | None, refused: frozenset[str] = frozenset()) -> State[Any]:
    publish(report, trigger)
    if refused and not report.problems and refused.issuperset(each.service for each in report.failed):
        error = PolicyRefused(redact(report.sentence()), remedy="what passed stays released")
        return Failed(message=str(error), name=REFUSED, data=error)
    if report.failed or report.problems:
        raise ReleaseFailed(report.sentence(), remedy="what succeeded stays released; run again once it is mended")
    name = "Adoption needed" if report.unknown else "Completed"
    return Completed(message=redact(report.sentence()), name=AWAITING_MERGE if report.pull_request else name)
