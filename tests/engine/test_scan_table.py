"""The table of findings that people see."""

from __future__ import annotations

from argosy.scans.findings import Finding
from argosy.scans.gate import Judged, Ruling, ScanVerdict
from argosy.scans.rules import Severity
from argosy.scans.table import described, rows


def judged(identity: str, severity: Severity, ruling: Ruling, note: str = "") -> Judged:
    finding = Finding(identity, severity, "openssl", "1.0", "1.1", "https://cve.example")
    return Judged(finding, ("linux/amd64",), ruling, note)


BLOCKED = ScanVerdict("ui", (judged("CVE-1", Severity.CRITICAL, Ruling.BLOCKS),))
MIXED = ScanVerdict(
    "cart",
    (judged("CVE-2", Severity.HIGH, Ruling.WARNS), judged("CVE-3", Severity.HIGH, Ruling.ALLOWED, "until then: why")),
)


def test_a_finding_is_a_row_with_all_that_people_ask() -> None:
    assert rows([BLOCKED]) == [
        {
            "service": "ui", "id": "CVE-1", "severity": "CRITICAL", "package": "openssl 1.0", "fixed in": "1.1",
            "verdict": "blocks", "reason": "", "platforms": "linux/amd64", "see": "https://cve.example",
        }
    ]  # fmt: skip


def test_what_blocks_stands_first_whatever_service_it_is_of() -> None:
    found = [(row["service"], row["verdict"], row["reason"]) for row in rows([MIXED, BLOCKED])]
    assert found == [("ui", "blocks", ""), ("cart", "warns", ""), ("cart", "allowed", "until then: why")]


def test_a_service_without_findings_and_one_without_a_scan_have_a_row() -> None:
    without = ScanVerdict("cart", missing=("there is no scan",), missing_ruling=Ruling.WARNS)
    assert [(row["service"], row["verdict"], row["reason"]) for row in rows([ScanVerdict("ui"), without])] == [
        ("cart", "warns", "there is no scan"),
        ("ui", "passes", "no findings"),
    ]


def test_the_description_counts_and_names_who_is_blocked() -> None:
    assert described([MIXED, BLOCKED], "dev") == "Scans for **dev**: 1 block, 1 warn, 1 allowed; blocked: ui"
    assert described([ScanVerdict("ui")], "dev") == "Scans for **dev**: no findings"


def test_a_long_table_keeps_its_worst_rows_and_says_how_many_it_leaves_out() -> None:
    many = ScanVerdict("cart", tuple(judged(f"CVE-{n}", Severity.LOW, Ruling.PASSES) for n in range(700)))
    shown = rows([many, BLOCKED])
    assert (len(shown), shown[0]["service"]) == (500, "ui")
    assert described([many, BLOCKED], "dev").endswith("; 201 more are not shown")
