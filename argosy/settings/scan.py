"""What `argosy.yaml` says of image scans: which findings stop a release, and which are allowed for a while."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from argosy.scans.rules import Allowance, ScanRules, Severity
from argosy.settings.names import Name, Seconds
from argosy.settings.section import Section

_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def _day(value: object) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "")
    except ValueError:
        raise ValueError("must be a day that there is, as 2026-12-31: until when it is allowed") from None


def _severity(value: object) -> Severity:
    try:
        return Severity(str(value))
    except ValueError:
        raise ValueError(f"must be one of {', '.join(Severity)}") from None


Day = Annotated[date, BeforeValidator(_day, json_schema_input_type=Annotated[str, Field(pattern=_DAY)])]
_Word = Annotated[str, Field(json_schema_extra={"enum": [each.value for each in Severity]})]
SeverityName = Annotated[Severity, BeforeValidator(_severity, json_schema_input_type=_Word)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"\S")]


class AllowConfig(Section):
    """A finding that is allowed for a while."""

    id: Words = Field(description="The vulnerability, such as CVE-2026-1234.")
    reason: Words = Field(description="Why it may be released all the same; shown with each release.")
    until: Day = Field(description="The last day, in UTC, on which it is allowed: 2026-12-31.")
    package: Words | None = Field(None, description="Of this package alone.")
    service: Name | None = Field(None, description="Of this service alone.")


class ScanConfig(Section):
    """The scan gate: what a release makes of the findings in its images."""

    block: tuple[SeverityName, ...] = Field(
        (), strict=False, description="Severities that keep a service from being released."
    )
    warn: tuple[SeverityName, ...] | None = Field(
        None, strict=False, description="Severities that are told; CRITICAL and HIGH, where not blocked, unless given."
    )
    timeout: Seconds = Field(300.0, description="Seconds until a scan that does not come is missing.")
    on_missing: Literal["block", "warn"] | None = Field(
        None, description="What becomes of an image without a scan: block where any severity is, else warn."
    )
    allow: tuple[AllowConfig, ...] = Field((), strict=False, description="Findings that are allowed for a while.")

    @field_validator("block")
    @classmethod
    def _whole(cls, block: tuple[Severity, ...]) -> tuple[Severity, ...]:
        rated = [each for each in Severity if each is not Severity.UNDEFINED]
        worst = max((each.rank for each in block if each in rated), default=-1)
        if gaps := [each for each in rated[: worst + 1] if each not in block]:
            raise ValueError(f"must have {', '.join(gaps)} too: {rated[worst]} is less severe, and blocks")
        return block

    @model_validator(mode="after")
    def _apart(self) -> ScanConfig:
        if both := [each for each in self.block if each in (self.warn or ())]:
            raise ValueError(f"has {', '.join(both)} both in block and in warn")
        return self

    def rules(self) -> ScanRules:
        """The same as a release applies it."""
        usual = tuple(each for each in (Severity.CRITICAL, Severity.HIGH) if each not in self.block)
        return ScanRules(
            block=self.block,
            warn=usual if self.warn is None else self.warn,
            timeout=self.timeout,
            on_missing=self.on_missing or ("block" if self.block else "warn"),
            allow=tuple(Allowance(e.id, e.reason, e.until, e.package, e.service) for e in self.allow),
        )


def _short(value: Any) -> Any:
    """`off` is no gate, `warn` one that blocks nothing."""
    if isinstance(value, dict | ScanConfig) or value is None:
        return value
    if value in ("off", "warn"):
        return None if value == "off" else {}
    raise ValueError("must be off, warn, or a mapping of block, warn, timeout, on_missing and allow")


Scan = Annotated[ScanConfig | None, BeforeValidator(_short, json_schema_input_type=Literal["off", "warn"] | ScanConfig)]
