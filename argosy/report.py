"""How a run ended, service by service: what the flow, the dashboard and the next reader are told. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from argosy.execution import ExecutionStatus, PipelineExecution, ServiceBuild, TriggerEvent
from argosy.models import Awaited, BuildResult, BuildStatus, Health, Plan, ServicePlan, State, Verdict, WriteBack

_BAD_HEALTH = {Health.DEGRADED, Health.FAILED}
_STOPPED = ("held", "blocked")
_IDLE = ("untouched", *_STOPPED)
_AWAITING = "awaiting merge"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One service at the end of a run; `detail` says what happened. One that could not be planned has no state.

    `cached` says what the cache spared its build, `category` which kind of failure ended it, where those are known.
    """

    service: str
    state: State | None
    result: str
    detail: str
    failed: bool = False
    cached: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run; `commit` is the release commit, where one was written.

    `problems` are what went wrong beside the services: tags that did not move, verdicts that are not on record.
    `builds` is what programs are told of the services that were planned. `pull_request` is the address of the one that
    has to be merged for what was written to be released.
    """

    environment: str
    source_sha: str
    outcomes: tuple[Outcome, ...]
    commit: str | None = None
    problems: tuple[str, ...] = ()
    builds: tuple[ServiceBuild, ...] = ()
    pull_request: str | None = None

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The services that the run failed for."""
        return tuple(outcome for outcome in self.outcomes if outcome.failed)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The services that wait for adoption."""
        return tuple(outcome.service for outcome in self.outcomes if outcome.state is State.UNKNOWN)

    def sentence(self) -> str:
        """The run in one sentence."""
        if self.failed or self.problems:
            return "; ".join([*(_named(outcome) for outcome in self.failed), *self.problems])
        if self.unknown:
            return f"{', '.join(self.unknown)} unknown: nothing explains what is released; run once with adopt"
        planned = [outcome.service for outcome in self.outcomes if outcome.result == "planned"]
        if planned:
            return f"{', '.join(planned)} would be released to {self.environment}"
        done = [outcome.service for outcome in self.outcomes if outcome.result not in {*_IDLE, _AWAITING}]
        said = [f"{', '.join(done)} released to {self.environment}"] if done else []
        if self.pull_request:
            waiting = ", ".join(outcome.service for outcome in self.outcomes if outcome.result == _AWAITING)
            said.append(f"{waiting or 'adoption'} awaits the merge of {self.pull_request} in {self.environment}")
        stopped = (f"{each.service} {each.result}" for each in self.outcomes if each.result in _STOPPED)
        return "; ".join([*(said or ["nothing to do"]), *stopped])

    def rows(self) -> list[dict[str, str]]:
        """The outcomes as rows of a table."""
        return [
            {
                "service": each.service,
                "state": each.state or "",
                "result": each.result,
                "detail": each.detail,
                "cached": each.cached,
                "category": each.category,
            }
            for each in self.outcomes
        ]


@dataclass(frozen=True, slots=True)
class Findings:
    """What the stages of a run came to; each mapping is by service, and holds those that got that far.

    `failures` are the sentences of the errors that ended a service's way, `problems` those of no one service;
    `categories` has the kinds of those failures that are of a known one.
    """

    built: Mapping[str, BuildResult]
    failures: Mapping[str, str]
    written: WriteBack | None
    verdicts: Mapping[str, Verdict]
    problems: tuple[str, ...] = ()
    categories: Mapping[str, str] = field(default_factory=dict)


_NOTHING = Findings({}, {}, None, {})


def summarise(plan: Plan, findings: Findings) -> Report:
    """The report of a run that planned `plan` and found `findings`."""
    written = findings.written
    commit, pull_request = (written.commit, written.pull_request) if written else (None, None)
    outcomes = (*(_measured(_outcome(item, findings), findings) for item in plan.services), *_unplanned(plan))
    builds = tuple(_build(item, findings) for item in plan.services)
    return Report(plan.environment, plan.source_sha, outcomes, commit, findings.problems, builds, pull_request)


def _unplanned(plan: Plan) -> Iterator[Outcome]:
    return (Outcome(name, None, "failed", why, failed=True) for name, why in plan.failures)


def _build(item: ServicePlan, findings: Findings) -> ServiceBuild:
    result = findings.built.get(item.name)
    if result:
        place, digest = result.reference.repository, result.manifest_digest
        spared = result.steps, result.cached
        return ServiceBuild(item.service, item.writes, result.status, digest, place, *spared)
    status = BuildStatus.FAILED if item.name in findings.failures else BuildStatus.SKIPPED
    kind = findings.categories.get(item.name)
    return ServiceBuild(item.service, item.writes, status, item.manifest_digest, item.wanted.repository, category=kind)


def execution(report: Report, run: str, trigger: TriggerEvent, begun: datetime, ended: datetime) -> PipelineExecution:
    """The run called `run` as programs read it."""
    bad = report.failed or report.problems
    status = ExecutionStatus.FAILED if bad else ExecutionStatus.COMPLETED
    return PipelineExecution(run, trigger, report.builds, status, begun, ended)


def _named(outcome: Outcome) -> str:
    """The failure with its service, which many an error names itself."""
    own = outcome.detail.startswith(f"{outcome.service}: ")
    return outcome.detail if own else f"{outcome.service}: {outcome.detail}"


def planned(plan: Plan) -> Report:
    """The report of a run that only planned."""
    outcomes = (
        *(Outcome(item.name, item.state, _planned_result(item), item.reason) for item in plan.services),
        *_unplanned(plan),
    )
    builds = tuple(_build(item, _NOTHING) for item in plan.services)
    return Report(plan.environment, plan.source_sha, outcomes, builds=builds)


def _planned_result(item: ServicePlan) -> str:
    return "planned" if item.writes or item.state is State.UNVERIFIED else _idle(item)


def _idle(item: ServicePlan) -> str:
    return item.state.value if item.state.value in _STOPPED else "untouched"


def _outcome(item: ServicePlan, findings: Findings) -> Outcome:
    failure = findings.failures.get(item.name) or _left_out(item, findings.written)
    if failure:
        return Outcome(item.name, item.state, "failed", failure, failed=True)
    if findings.written and item.name in findings.written.superseded:
        return Outcome(item.name, item.state, "superseded", findings.written.superseded[item.name])
    if findings.written and item.name in findings.written.held:
        return Outcome(item.name, item.state, State.HELD.value, findings.written.held[item.name])
    verdict, result = findings.verdicts.get(item.name), findings.built.get(item.name)
    if verdict:
        reason = _noted(verdict.reason, result)
        return Outcome(item.name, item.state, verdict.health.value, reason, verdict.health in _BAD_HEALTH)
    if result and findings.written and findings.written.pull_request:
        detail = f"{result.reference}; {findings.written.pull_request}"
        return Outcome(item.name, item.state, _AWAITING, _noted(detail, result))
    if result:
        return Outcome(item.name, item.state, result.status.value, _noted(str(result.reference), result))
    return Outcome(item.name, item.state, _idle(item), item.reason)


def _noted(detail: str, result: BuildResult | None) -> str:
    return f"{detail}; {result.note}" if result and result.note else detail


def _measured(outcome: Outcome, findings: Findings) -> Outcome:
    """The outcome with what the cache saved, and the kind of its failure."""
    built = findings.built.get(outcome.service)
    cached = f"{built.cached} of {built.steps} steps" if built and built.steps else ""
    return replace(outcome, cached=cached, category=findings.categories.get(outcome.service, ""))


def _left_out(item: ServicePlan, written: WriteBack | None) -> str | None:
    return written.left_out.get(item.name) if written else None


def awaiting(plan: Plan, written: WriteBack | None, built: Mapping[str, BuildResult]) -> list[Awaited]:
    """What Argo CD is to bring up now: the references just written, and those that were never seen healthy."""
    if not plan.watched:
        return []
    commit = written.commit if written else None
    fresh = [built[item.name] for item in plan.to_write if written and item.name in written.released]
    services = {item.name: item.service for item in plan.services}
    awaited = [Awaited(services[b.service], b.reference, commit, b.manifest_digest) for b in fresh if commit]
    for item in plan.with_state(State.UNVERIFIED):
        since = item.release_commit or plan.target_sha
        awaited.append(Awaited(item.service, item.wanted, since, item.manifest_digest))
    return awaited
