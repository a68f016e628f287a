"""The judgement on what scans found: by severity, by what is allowed and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import ExitCode
from argosy.scans.findings import Finding, Scan
from argosy.scans.gate import Ruling, ScanVerdict, judge, refusal
from argosy.scans.images import ScannedImage
from argosy.scans.rules import Allowance, ScanRules, Severity

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
RULES = ScanRules((Severity.CRITICAL,), (Severity.HIGH,), 300, "block")
IMAGE = ScannedImage("sha256:0")


def finding(identity: str, severity: Severity, package: str = "openssl") -> Finding:
    return Finding(identity, severity, package, "1.0")


BAD, ODD, MILD = (
    finding("CVE-1", Severity.CRITICAL),
    finding("CVE-2", Severity.HIGH),
    finding("CVE-3", Severity.LOW),
)


def judged(*findings: Finding, rules: ScanRules = RULES, now: datetime = NOW, service: str = "ui") -> ScanVerdict:
    return judge(service, [(IMAGE, Scan("COMPLETE", "", findings))], rules, now)


def allowing(until: date = date(2026, 7, 1), **limits: str) -> ScanRules:
    return replace(RULES, allow=(Allowance("CVE-1", "not reachable", until, **limits),))


@pytest.mark.parametrize(
    ("findings", "ruling"),
    [
        ([], Ruling.PASSES),
        ([MILD], Ruling.PASSES),
        ([ODD], Ruling.WARNS),
        ([BAD], Ruling.BLOCKS),
        ([MILD, ODD], Ruling.WARNS),
        ([MILD, ODD, BAD], Ruling.BLOCKS),
    ],
)
def test_the_worst_finding_decides(findings: Sequence[Finding], ruling: Ruling) -> None:
    verdict = judged(*findings)
    assert (verdict.ruling, verdict.blocked) == (ruling, ruling is Ruling.BLOCKS)
    assert {each.finding for each in verdict.judged} == set(findings)


@pytest.mark.parametrize(
    ("rules", "ruling"),
    [
        (allowing(), Ruling.ALLOWED),
        (allowing(package="openssl"), Ruling.ALLOWED),
        (allowing(package="curl"), Ruling.BLOCKS),
        (allowing(service="ui"), Ruling.ALLOWED),
        (allowing(service="cart"), Ruling.BLOCKS),
        (allowing(service="ui", package="curl"), Ruling.BLOCKS),
        (replace(RULES, allow=(Allowance("cve-1", "the same", date(2026, 7, 1)),)), Ruling.ALLOWED),
        (replace(RULES, allow=(Allowance("CVE-11", "another", date(2026, 7, 1)),)), Ruling.BLOCKS),
    ],
)
def test_an_entry_allows_what_it_names_and_no_more(rules: ScanRules, ruling: Ruling) -> None:
    assert judged(BAD, rules=rules).ruling is ruling


def test_an_allowed_finding_has_its_reason_and_day() -> None:
    [only] = judged(BAD, rules=allowing()).judged
    assert only.note == "until 2026-07-01: not reachable"


@pytest.mark.parametrize(
    ("now", "ruling"),
    [
        (datetime(2026, 7, 1, 23, 59, 59, tzinfo=UTC), Ruling.ALLOWED),
        (datetime(2026, 7, 2, tzinfo=UTC), Ruling.BLOCKS),
        (datetime(2026, 7, 2, 1, tzinfo=timezone(timedelta(hours=2))), Ruling.ALLOWED),  # still the first in UTC
        (datetime(2026, 7, 1, 23, tzinfo=timezone(timedelta(hours=-2))), Ruling.BLOCKS),  # the second already
    ],
)
def test_an_entry_holds_through_its_last_day_in_utc(now: datetime, ruling: Ruling) -> None:
    assert judged(BAD, rules=allowing(), now=now).ruling is ruling


def test_an_entry_that_ran_out_says_so() -> None:
    [only] = judged(BAD, rules=allowing(date(2026, 6, 14))).judged
    assert (only.ruling, only.note) == (Ruling.BLOCKS, "was allowed until 2026-06-14, which is over: not reachable")


def test_of_several_entries_the_one_that_lasts_longest_counts() -> None:
    ended, lasting = Allowance("CVE-1", "z", date(2026, 6, 1)), Allowance("CVE-1", "a", date(2026, 6, 30))
    for entries in ((ended, lasting), (lasting, ended)):
        [only] = judged(BAD, rules=replace(RULES, allow=entries)).judged
        assert (only.ruling, only.note) == (Ruling.ALLOWED, "until 2026-06-30: a")


def test_the_same_finding_on_two_platforms_is_one_with_both() -> None:
    arm, amd = ScannedImage("sha256:1", "linux/arm64"), ScannedImage("sha256:2", "linux/amd64")
    verdict = judge("ui", [(arm, Scan("COMPLETE", "", (BAD, MILD))), (amd, Scan("ACTIVE", "", (BAD,)))], RULES, NOW)
    assert [(each.finding, each.platforms) for each in verdict.judged] == [
        (BAD, ("linux/arm64", "linux/amd64")),
        (MILD, ("linux/arm64",)),
    ]


def test_one_bad_platform_blocks_the_whole_image() -> None:
    scans = [(ScannedImage("sha256:1", "linux/arm64"), Scan("COMPLETE", "", (BAD,))), (IMAGE, Scan("COMPLETE"))]
    assert judge("ui", scans, RULES, NOW).blocked


@pytest.mark.parametrize(("on_missing", "ruling"), [("block", Ruling.BLOCKS), ("warn", Ruling.WARNS)])
def test_a_missing_scan_is_what_the_rules_say(on_missing: Literal["block", "warn"], ruling: Ruling) -> None:
    rules = replace(RULES, on_missing=on_missing)
    scans = [(IMAGE, Scan("COMPLETE")), (ScannedImage("sha256:1", "linux/arm64"), Scan("FAILED", "it broke"))]
    verdict = judge("ui", scans, rules, NOW)
    assert verdict.ruling is ruling
    assert verdict.missing == ("there is no scan of linux/arm64 to judge by, FAILED: it broke",)


def test_an_index_without_images_has_no_scan() -> None:
    assert judge("ui", [], RULES, NOW).blocked


def test_a_scan_that_is_not_done_has_no_findings_yet() -> None:
    verdict = judge("ui", [(IMAGE, Scan("IN_PROGRESS", "", (BAD,)))], replace(RULES, on_missing="warn"), NOW)
    assert (verdict.judged, verdict.ruling) == ((), Ruling.WARNS)


def test_a_refusal_says_how_many_of_which_severity_and_which() -> None:
    rules = replace(RULES, block=(Severity.CRITICAL, Severity.HIGH), warn=())
    many = [finding(f"CVE-{number}", Severity.HIGH) for number in range(10, 18)]
    error = refusal(judged(BAD, MILD, *many, rules=rules), "prod")
    assert error.message == (
        "the scan gate of prod blocks it: 1 CRITICAL (CVE-1); 8 HIGH (CVE-10, CVE-11, CVE-12, CVE-13, CVE-14, 3 more)"
    )
    assert (error.service, error.exit_code) == ("ui", ExitCode.REFUSED)
    assert "environments.prod.scan.allow" in (error.remedy or "")


def test_a_refusal_for_want_of_a_scan_says_what_to_do_about_that() -> None:
    error = refusal(judge("ui", [(IMAGE, Scan("UNSUPPORTED_IMAGE", "scratch"))], RULES, NOW), "prod")
    assert "no scan to judge by, UNSUPPORTED_IMAGE: scratch" in error.message
    assert "environments.prod.scan.on_missing: warn" in (error.remedy or "")


UNHURRIED = settings(deadline=None)
IDS = st.sampled_from([f"CVE-{number}" for number in range(6)])
FINDINGS = st.lists(st.builds(finding, IDS, st.sampled_from(Severity), st.sampled_from(["openssl", "curl"])))
DAYS = st.dates(date(2026, 6, 1), date(2026, 6, 30))
ENTRIES = st.lists(
    st.builds(
        Allowance, IDS, st.just("why"), DAYS, st.sampled_from([None, "curl"]), st.sampled_from([None, "ui", "cart"])
    )
)


@st.composite
def rule_sets(draw: st.DrawFn) -> ScanRules:
    """Any rules: each severity blocks, warns or neither."""
    said = [(severity, draw(st.sampled_from(["block", "warn", ""]))) for severity in Severity]
    block, warn = (tuple(each for each, word in said if word == which) for which in ("block", "warn"))
    return ScanRules(block, warn, 1, draw(st.sampled_from(["block", "warn"])), tuple(draw(ENTRIES)))


@UNHURRIED
@given(FINDINGS, rule_sets())
def test_a_service_is_blocked_exactly_by_findings_that_block_and_nothing_allows(
    findings: list[Finding], rules: ScanRules
) -> None:
    def allowed(each: Finding) -> bool:
        return any(
            entry.id == each.id
            and entry.until >= NOW.date()
            and entry.package in {None, each.package}
            and entry.service in {None, "ui"}
            for entry in rules.allow
        )

    stopping = [each for each in findings if each.severity in rules.block and not allowed(each)]
    assert judged(*findings, rules=rules).blocked is bool(stopping)


@UNHURRIED
@given(FINDINGS, rule_sets(), st.integers(0, 60))
def test_time_only_ever_takes_allowances_away(findings: list[Finding], rules: ScanRules, days: int) -> None:
    def blocking(now: datetime) -> set[Finding]:
        verdict = judged(*findings, rules=rules, now=now)
        return {each.finding for each in verdict.judged if each.ruling is Ruling.BLOCKS}

    assert blocking(NOW) <= blocking(NOW + timedelta(days=days))


@UNHURRIED
@given(st.permutations([BAD, ODD, MILD]), rule_sets())
def test_the_order_of_findings_changes_nothing(findings: list[Finding], rules: ScanRules) -> None:
    assert judged(*findings, rules=rules) == judged(BAD, ODD, MILD, rules=rules)
