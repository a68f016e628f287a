"""The way back to an earlier release, whoever asked for it: choose, build what is gone, write once, verify."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from prefect import unmapped

from argosy.errors import ArgosyError
from argosy.models import Awaited, BuildResult, Health, Plan, Resolved, Verdict, WriteBack
from argosy.rollback import Restoration, RollbackRequest
from argosy.rollback_report import RollbackReport, report, told
from flows.futures import Settled, sentence, settle
from flows.verifying import verified
from tasks.build import build
from tasks.policy import patient
from tasks.resolve import resolve
from tasks.rollback import Chosen, choose, restore

_COMMIT = "commit"


def rolled_back(
    repository: str, environment: str, resolved: Resolved, request: RollbackRequest, *, automatic: bool = False
) -> RollbackReport:
    """Restore earlier releases of the services that `request` names, and see Argo CD bring them up.

    Raises what choosing raises; nothing is changed then.
    """
    where = (repository, environment, resolved.source_sha)
    chosen = choose(repository, environment, resolved, request, automatic)
    built = _build(repository, environment, chosen)
    ready = [_with(each, built) for each in chosen.restorations if each.name not in built.failures]
    written = _restore(where, ready, chosen, request) if ready else Settled[WriteBack]({}, {})
    done = written.values.get(_COMMIT)
    awaited = _awaited(ready, done) if chosen.watched else []
    landed = done.released if done and not done.pull_request else ()
    verdicts, problems = verified(where, chosen.retry, awaited, landed)
    unwritten = dict.fromkeys((each.name for each in ready), written.failures.get(_COMMIT, ""))
    failures = {**built.failures, **{name: why for name, why in unwritten.items() if why}, **verdicts.failures}
    restorations = [_with(each, built) for each in chosen.restorations]
    ended = report(environment, restorations, failures, done, verdicts.values, problems)
    return replace(ended, problems=(*ended.problems, *chosen.failures.values()))


def take_back(
    repository: str, plan: Plan, verdicts: Settled[Verdict], problems: tuple[str, ...]
) -> tuple[Settled[Verdict], tuple[str, ...]]:
    """The verdicts and problems of a release, with what became of the services that degraded.

    Where the environment is rolled back by itself, each of those goes back to its last verified release.
    """
    bad = {name: each for name, each in verdicts.values.items() if each.health is Health.DEGRADED}
    if not plan.automatic_rollback or not bad:
        return verdicts, problems
    reason = "; ".join(f"{name} degraded: {each.reason}" for name, each in bad.items())
    request = RollbackRequest(tuple(bad), reason, "Argosy")
    try:
        resolved = resolve(repository, plan.environment, None)
        ended = rolled_back(repository, plan.environment, resolved, request, automatic=True)
    except ArgosyError as error:
        return verdicts, (*problems, f"not rolled back: {error}")
    said = {each.service: told(bad[each.service], each) for each in ended.returned}
    return Settled({**verdicts.values, **said}, verdicts.failures), (*problems, *ended.problems)


def _build(repository: str, environment: str, chosen: Chosen) -> Settled[BuildResult]:
    """The images that the registry has no more, each at the commit that it was built from."""
    items = [(each.rebuild, each.record.source_sha) for each in chosen.restorations if each.rebuild]
    if not items:
        return Settled({}, {})
    plans, commits = [plan for plan, _ in items], [sha for _, sha in items]
    names, where = [plan.name for plan in plans], (unmapped(repository), unmapped(environment))
    return settle(names, patient(build, chosen.retry).map(*where, commits, plans))


def _with(each: Restoration, built: Settled[BuildResult]) -> Restoration:
    """The restoration with the image that was built for it, where one was."""
    image: Mapping[str, BuildResult] = built.values
    if each.name not in image:
        return each
    return replace(each, reference=image[each.name].reference, manifest_digest=image[each.name].manifest_digest)


def _restore(
    where: tuple[str, str, str], ready: list[Restoration], chosen: Chosen, request: RollbackRequest
) -> Settled[WriteBack]:
    because = f"{request.reason} ({request.who})"
    state = patient(restore, chosen.retry)(*where, ready, chosen, because, return_state=True)
    return Settled({_COMMIT: state.result()}, {}) if state.is_completed() else Settled({}, {_COMMIT: sentence(state)})


def _awaited(ready: list[Restoration], written: WriteBack | None) -> list[Awaited]:
    if written is None or written.commit is None:
        return []
    released = (each for each in ready if each.name in written.released)
    return [Awaited(each.service, each.reference, written.commit, each.manifest_digest) for each in released]
