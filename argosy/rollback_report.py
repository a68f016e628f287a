"""How a rollback ended, service by service. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from argosy.models import Health, Verdict, WriteBack
from argosy.rollback import Restoration

_BAD = {Health.DEGRADED, Health.FAILED}


@dataclass(frozen=True, slots=True)
class Returned:
    """What became of one service; `detail` says why it `failed`, or what Argo CD made of it.

    `awaits` is the address of the pull request that takes it back once it is merged.
    """

    service: str
    old: str
    new: str
    detail: str
    failed: bool = False
    awaits: str | None = None


@dataclass(frozen=True, slots=True)
class RollbackReport:
    """A whole rollback; `commit` is the one that restored the references, None where none was written."""

    environment: str
    returned: tuple[Returned, ...]
    commit: str | None = None
    problems: tuple[str, ...] = ()

    @property
    def pull_request(self) -> str | None:
        """The address of the pull request that has to be merged for it to happen."""
        return next((each.awaits for each in self.returned if each.awaits), None)

    @property
    def failed(self) -> bool:
        """Whether anything went wrong."""
        return bool(self.problems) or any(each.failed for each in self.returned)

    def sentence(self) -> str:
        """The rollback in one sentence, what went wrong first."""
        bad = [f"{each.service}: {each.detail}" for each in self.returned if each.failed]
        good = [each.service for each in self.returned if not each.failed]
        once = f" once {self.pull_request} is merged" if self.pull_request else ""
        said = [f"{', '.join(good)} rolled back in {self.environment}{once}"] if good else []
        return "; ".join([*bad, *self.problems, *said])

    def rows(self) -> list[dict[str, str]]:
        """The same as rows of a table."""
        return [
            {"service": each.service, "from": each.old, "to": each.new, "result": _result(each), "detail": each.detail}
            for each in self.returned
        ]


def _result(each: Returned) -> str:
    return "failed" if each.failed else "awaiting merge" if each.awaits else "rolled back"


def told(verdict: Verdict, returned: Returned) -> Verdict:
    """The verdict that a service was taken back for, with what became of that."""
    once = f" once {returned.awaits} is merged" if returned.awaits else ""
    became = f"not rolled back: {returned.detail}" if returned.failed else f"rolled back to {returned.new}{once}"
    return replace(verdict, reason=f"{verdict.reason}; {became}")


def report(
    environment: str,
    restorations: Sequence[Restoration],
    failures: Mapping[str, str],
    written: WriteBack | None,
    verdicts: Mapping[str, Verdict],
    problems: tuple[str, ...] = (),
) -> RollbackReport:
    """The report of a rollback; `failures` are those of its stages, by service."""
    stopped = {**written.left_out, **written.held} if written else {}
    awaits = written.pull_request if written else None
    returned = [
        _returned(each, {**stopped, **failures}.get(each.name), verdicts.get(each.name), awaits)
        for each in restorations
    ]
    return RollbackReport(environment, tuple(returned), written.commit if written else None, problems)


def _returned(each: Restoration, failure: str | None, verdict: Verdict | None, awaits: str | None) -> Returned:
    old, new = each.current.tag, each.reference.tag
    if failure:
        return Returned(each.name, old, new, failure, failed=True)
    if verdict:
        return Returned(each.name, old, new, f"{verdict.health}: {verdict.reason}", verdict.health in _BAD)
    return Returned(each.name, old, new, awaits or "written", awaits=awaits)
