"""How a rollback ended, service by service. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from argosy.models import Health, Verdict, WriteBack
from argosy.rollback import Restoration

_BAD = {Health.DEGRADED, Health.FAILED}


@dataclass(frozen=True, slots=True)
class Returned:
    """What became of one service; `detail` says why it `failed`, or what Argo CD made of it."""

    service: str
    old: str
    new: str
    detail: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class RollbackReport:
    """A whole rollback; `commit` is the one that restored the references, None where none was written."""

    environment: str
    returned: tuple[Returned, ...]
    commit: str | None = None
    problems: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether anything went wrong."""
        return bool(self.problems) or any(each.failed for each in self.returned)

    def sentence(self) -> str:
        """The rollback in one sentence, what went wrong first."""
        bad = [f"{each.service}: {each.detail}" for each in self.returned if each.failed]
        good = [each.service for each in self.returned if not each.failed]
        said = [f"{', '.join(good)} rolled back in {self.environment}"] if good else []
        return "; ".join([*bad, *self.problems, *said])

    def rows(self) -> list[dict[str, str]]:
        """The same as rows of a table."""
        return [
            {"service": each.service, "from": each.old, "to": each.new, "result": _result(each), "detail": each.detail}
            for each in self.returned
        ]


def _result(each: Returned) -> str:
    return "failed" if each.failed else "rolled back"


def told(verdict: Verdict, returned: Returned) -> Verdict:
    """The verdict that a service was taken back for, with what became of that."""
    became = f"not rolled back: {returned.detail}" if returned.failed else f"rolled back to {returned.new}"
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
    left_out = written.left_out if written else {}
    returned = [
        _returned(each, {**left_out, **failures}.get(each.name), verdicts.get(each.name)) for each in restorations
    ]
    return RollbackReport(environment, tuple(returned), written.commit if written else None, problems)


def _returned(each: Restoration, failure: str | None, verdict: Verdict | None) -> Returned:
    old, new = each.current.tag, each.reference.tag
    if failure:
        return Returned(each.name, old, new, failure, failed=True)
    if verdict:
        return Returned(each.name, old, new, f"{verdict.health}: {verdict.reason}", verdict.health in _BAD)
    return Returned(each.name, old, new, "written")
