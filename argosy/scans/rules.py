"""What an environment asks of image scans: which severities stop a release, and what is allowed for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Literal


class Severity(StrEnum):
    """How bad a finding is, the worst first; UNDEFINED is what nobody has rated yet."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFORMATIONAL = "INFORMATIONAL"
    UNDEFINED = "UNDEFINED"

    @classmethod
    def of(cls, word: str) -> Severity:
        """The severity that ECR or Amazon Inspector calls `word`; UNDEFINED for words that are not known."""
        return cls(word) if word in cls.__members__ else cls.UNDEFINED  # Inspector says UNTRIAGED

    @property
    def rank(self) -> int:
        """Its place among the severities, 0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Allowance:
    """A finding that is allowed through the day `until` (in UTC), of one `package` or `service` where those are named.

    `id` is a vulnerability's, such as CVE-2026-1234; upper and lower case are the same.
    """

    id: str
    reason: str
    until: date
    package: str | None = None
    service: str | None = None

    def over(self, now: datetime) -> bool:
        """Whether it has run out; `now` carries a zone."""
        return now.astimezone(UTC).date() > self.until


@dataclass(frozen=True, slots=True)
class ScanRules:
    """The scan gate of an environment; `timeout` is in seconds.

    A finding of a severity in `block` keeps its service from being written, one in `warn` is told. `on_missing` says
    what becomes of an image of which no scan can be had in that time.
    """

    block: tuple[Severity, ...]
    warn: tuple[Severity, ...]
    timeout: float
    on_missing: Literal["block", "warn"]
    allow: tuple[Allowance, ...] = ()
