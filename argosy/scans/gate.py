"""Whether an image may be released, by what its scan found and what its environment allows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from argosy.errors import PolicyRefused
from argosy.scans.findings import Finding, Scan
from argosy.scans.images import ScannedImage
from argosy.scans.rules import Allowance, ScanRules, Severity

_NAMED = 5


class Ruling(StrEnum):
    """What the rules make of one finding, or of a scan that is missing; the worst first."""

    BLOCKS = "blocks"
    WARNS = "warns"
    ALLOWED = "allowed"
    PASSES = "passes"


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding, the platforms that have it, and its ruling with the reason where there is more to say."""

    finding: Finding
    platforms: tuple[str, ...]
    ruling: Ruling
    note: str = ""


@dataclass(frozen=True, slots=True)
class ScanVerdict:
    """What the gate makes of a service's image: its findings, the worst first, and the scans that were not had."""

    service: str
    judged: tuple[Judged, ...] = ()
    missing: tuple[str, ...] = ()
    missing_ruling: Ruling = Ruling.BLOCKS

    @property
    def ruling(self) -> Ruling:
        """The worst of all rulings."""
        found = {*(each.ruling for each in self.judged), *([self.missing_ruling] if self.missing else [])}
        return next((each for each in Ruling if each in found), Ruling.PASSES)

    @property
    def blocked(self) -> bool:
        """Whether the service must not be written."""
        return self.ruling is Ruling.BLOCKS

    def sentence(self) -> str:
        """The worst that was found, in words: how many of which severity, and which; and the scans that are missing."""
        told = [each for each in self.judged if each.ruling is self.ruling]
        counted = [_counted(severity, told) for severity in Severity]
        return "; ".join([*filter(None, counted), *self.missing]) or "no findings"


def judge(service: str, scans: Sequence[tuple[ScannedImage, Scan]], rules: ScanRules, now: datetime) -> ScanVerdict:
    """The verdict on the service's image, whose `scans` are one for each platform; `now` carries a zone.

    Of what is allowed, only an entry that has not run out counts; one that has is named. An image without any scan is
    as one whose scan is missing.
    """
    platforms: dict[Finding, list[str]] = {}
    for image, scan in scans:
        for finding in scan.findings if scan.done else ():
            platforms.setdefault(finding, []).append(image.platform)
    judged = [
        Judged(finding, tuple(filter(None, where)), *_ruling(service, finding, rules, now))
        for finding, where in platforms.items()
    ]
    missing = tuple(_missing(image, scan) for image, scan in scans if not scan.done)
    if not scans:
        missing = ("its index has no image that could be scanned",)
    without = Ruling.BLOCKS if rules.on_missing == "block" else Ruling.WARNS
    return ScanVerdict(service, tuple(sorted(judged, key=_badness)), missing, without)


def refusal(verdict: ScanVerdict, environment: str) -> PolicyRefused:
    """The error of a service that the gate of `environment` blocks."""
    allow = f"environments.{environment}.scan.allow"
    blocking = any(each.ruling is Ruling.BLOCKS for each in verdict.judged)
    remedy = (
        f"release it with the packages mended, or allow a finding for a while in {allow}, with a reason"
        if blocking
        else "see to it that ECR scans this repository, and that the IAM policy allows ecr:StartImageScan; "
        f"environments.{environment}.scan.on_missing: warn lets such images pass"
    )
    return PolicyRefused(
        f"the scan gate of {environment} blocks it: {verdict.sentence()}", service=verdict.service, remedy=remedy
    )


def _ruling(service: str, finding: Finding, rules: ScanRules, now: datetime) -> tuple[Ruling, str]:
    if finding.severity in rules.block:
        ruling = Ruling.BLOCKS
    elif finding.severity in rules.warn:
        ruling = Ruling.WARNS
    else:
        return Ruling.PASSES, ""
    entries = [entry for entry in rules.allow if _covers(entry, service, finding)]
    if not entries:
        return ruling, ""
    last = max(entries, key=lambda entry: entry.until)
    if last.over(now):
        return ruling, f"was allowed until {last.until}, which is over: {last.reason}"
    return Ruling.ALLOWED, f"until {last.until}: {last.reason}"


def _covers(entry: Allowance, service: str, finding: Finding) -> bool:
    return (
        entry.id.casefold() == finding.id.casefold()
        and entry.package in {None, finding.package}
        and entry.service in {None, service}
    )


def _missing(image: ScannedImage, scan: Scan) -> str:
    of = f" of {image.platform}" if image.platform else ""
    said = f": {scan.description}" if scan.description else ""
    return f"there is no scan{of} to judge by, {scan.status}{said}"


def _badness(judged: Judged) -> tuple[int, int, str, str, str]:
    finding = judged.finding
    return list(Ruling).index(judged.ruling), finding.severity.rank, finding.id, finding.package, finding.version


def _counted(severity: Severity, judged: Iterable[Judged]) -> str:
    """How many findings of a severity there are, and which, the first few by name."""
    found = [each for each in judged if each.finding.severity is severity]
    names = list(dict.fromkeys(each.finding.id for each in found))
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return f"{len(found)} {severity} ({', '.join([*names[:_NAMED], *more])})" if found else ""
