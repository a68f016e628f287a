"""The findings of a run as rows of a table, the worst first. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from argosy.scans.gate import Judged, Ruling, ScanVerdict
from argosy.scans.rules import Severity

_MOST = 500
"""How many rows a table has at most: an old base image alone may bring hundreds that pass."""


def rows(verdicts: Sequence[ScanVerdict]) -> list[dict[str, str]]:
    """A row for each finding and each scan that is missing; one for a service that has neither."""
    found = [each for verdict in verdicts for each in _rows(verdict)]
    return sorted(found, key=_badness)[:_MOST]


def described(verdicts: Sequence[ScanVerdict], environment: str) -> str:
    """What all findings come to, in words, and how many of them the table leaves out."""
    rulings = Counter(each.ruling for verdict in verdicts for each in verdict.judged)
    counted = ", ".join(f"{rulings[each]} {_WORDS[each]}" for each in Ruling if rulings[each]) or "no findings"
    blocked = ", ".join(verdict.service for verdict in verdicts if verdict.blocked)
    left_out = sum(len(list(_rows(verdict))) for verdict in verdicts) - _MOST
    more = f"; {left_out} more are not shown" if left_out > 0 else ""
    return f"Scans for **{environment}**: {counted}{f'; blocked: {blocked}' if blocked else ''}{more}"


_WORDS = {Ruling.BLOCKS: "block", Ruling.WARNS: "warn", Ruling.ALLOWED: "allowed", Ruling.PASSES: "pass"}


def _rows(verdict: ScanVerdict) -> Iterator[dict[str, str]]:
    for each in verdict.judged:
        yield _row(verdict.service, each)
    for missing in verdict.missing:
        yield _blank(verdict.service) | {"verdict": verdict.missing_ruling.value, "reason": missing}
    if not verdict.judged and not verdict.missing:
        yield _blank(verdict.service) | {"verdict": verdict.ruling.value, "reason": "no findings"}


def _row(service: str, judged: Judged) -> dict[str, str]:
    finding = judged.finding
    return {
        "service": service,
        "id": finding.id,
        "severity": finding.severity.value,
        "package": f"{finding.package} {finding.version}".strip(),
        "fixed in": finding.fixed_in,
        "verdict": judged.ruling.value,
        "reason": judged.note,
        "platforms": ", ".join(judged.platforms),
        "see": finding.uri,
    }


def _blank(service: str) -> dict[str, str]:
    columns = ("id", "severity", "package", "fixed in", "verdict", "reason", "platforms", "see")
    return {"service": service, **dict.fromkeys(columns, "")}


def _badness(row: dict[str, str]) -> tuple[int, int]:
    ruling, severity = Ruling(row["verdict"]), row["severity"]
    return list(Ruling).index(ruling), Severity(severity).rank if severity else -1
