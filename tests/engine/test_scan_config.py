"""`scan` of `argosy.yaml`: what it comes to, and how it says what is wrong."""

from __future__ import annotations

from datetime import date

import pytest
from jsonschema import Draft202012Validator

from argosy.config import loaded
from argosy.errors import ConfigurationError
from argosy.scans.rules import Allowance, ScanRules, Severity
from argosy.settings.schema import schema
from argosy.settings.text import read, settings
from argosy.yaml_files.positions import Document

C, H, M, U = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.UNDEFINED
ECR = '{type: ecr, account_id: "123456789012", region: eu-west-1, repository: "shop-{service}"}'
OCI = '{type: oci, endpoint: "registry.example:5000", repository: "shop-{service}"}'
TEXT = """\
version: 1
registry: REGISTRY
services: {ui: {}, cart: {}}
environments:
  prod:
    source: {branch: main}
    target: {branch: main}
    scan: SCAN
"""
ALLOW = "{id: CVE-2026-1, reason: not reachable, until: 2026-12-31}"


def text(scan: str, registry: str = ECR) -> bytes:
    return TEXT.replace("REGISTRY", registry).replace("SCAN", scan).encode()


def rules(scan: str, registry: str = ECR) -> ScanRules | None:
    return read(text(scan, registry), "prod").scan


def valid(scan: str) -> bool:
    data = Document(text(scan), "argosy.yaml").data()
    return not list(Draft202012Validator(schema()).iter_errors(data))


@pytest.mark.parametrize(
    ("scan", "expected"),
    [
        ("off", None),
        ("warn", ScanRules((), (C, H), 300, "warn")),
        ("", ScanRules((), (C, H), 300, "warn")),
        ("{block: [CRITICAL]}", ScanRules((C,), (H,), 300, "block")),
        ("{block: [HIGH, CRITICAL]}", ScanRules((H, C), (), 300, "block")),
        ("{block: [CRITICAL, UNDEFINED], warn: []}", ScanRules((C, U), (), 300, "block")),
        ("{block: [CRITICAL], warn: [HIGH, MEDIUM]}", ScanRules((C,), (H, M), 300, "block")),
        ("{warn: [CRITICAL], timeout: 60}", ScanRules((), (C,), 60, "warn")),
        ("{block: [CRITICAL], on_missing: warn}", ScanRules((C,), (H,), 300, "warn")),
        ("{on_missing: block}", ScanRules((), (C, H), 300, "block")),
        (
            f"{{block: [CRITICAL], allow: [{ALLOW}]}}",
            ScanRules((C,), (H,), 300, "block", (Allowance("CVE-2026-1", "not reachable", date(2026, 12, 31)),)),
        ),
        (
            "{allow: [{id: A, reason: b, until: '2028-02-29', package: curl, service: ui}]}",
            ScanRules((), (C, H), 300, "warn", (Allowance("A", "b", date(2028, 2, 29), "curl", "ui"),)),
        ),
    ],
)
def test_what_is_written_is_what_the_gate_applies(scan: str, expected: ScanRules | None) -> None:
    assert rules(scan) == expected
    assert valid(scan)


def test_without_the_key_nothing_is_scanned() -> None:
    assert read(text("").replace(b"    scan: \n", b""), "prod").scan is None


@pytest.mark.parametrize(
    ("scan", "place", "words"),
    [
        ("block", "8:5", r"environments\.prod\.scan is wrong: must be off, warn, or a mapping"),
        ("false", "8:5", "must be off, warn, or a mapping"),
        ("[CRITICAL]", "8:5", "must be off, warn, or a mapping"),
        ("{blok: [CRITICAL]}", "8:12", r"did you mean block\?"),
        ("{block: [SEVERE]}", "8:20", "must be one of CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL, UNDEFINED"),
        ("{block: [critical]}", "8:20", "must be one of CRITICAL"),
        ("{block: [HIGH]}", "8:12", "must have CRITICAL too: HIGH is less severe, and blocks"),
        ("{block: [CRITICAL, LOW]}", "8:12", "must have HIGH, MEDIUM too"),
        ("{block: [CRITICAL], warn: [CRITICAL]}", "8:5", "CRITICAL both in block and in warn"),
        ("{block: CRITICAL}", "8:12", "block is wrong"),
        ("{timeout: 0}", "8:12", "greater than 0"),
        ("{timeout: .inf}", "8:12", "timeout is wrong"),
        ("{on_missing: pass}", "8:12", "'block' or 'warn'"),
        ("{allow: [{id: A, until: 2026-12-31}]}", "8:20", r"allow\.0\.reason is missing"),
        ("{allow: [{id: A, reason: '  ', until: 2026-12-31}]}", "8:28", r"allow\.0\.reason is wrong"),
        ("{allow: [{id: A, reason: b}]}", "8:20", r"allow\.0\.until is missing"),
        ("{allow: [{id: A, reason: b, until: never}]}", "8:39", "until is wrong: must be a day that there is"),
        ("{allow: [{id: A, reason: b, until: 2026-02-30}]}", "8:39", "must be a day that there is"),
        ("{allow: [{id: A, reason: b, until: 20261231}]}", "8:39", "must be a day that there is"),
        ("{allow: [{id: A, reason: b, until: 2026-12-31 12h}]}", "8:39", "must be a day that there is"),
        ("{allow: [{id: A, reasn: b, until: 2026-12-31}]}", "8:28", r"did you mean reason\?"),
        ("{allow: [{reason: b, until: 2026-12-31}]}", "8:20", r"allow\.0\.id is missing"),
        (f"{{allow: [{ALLOW[:-1]}, service: crt}}]}}", "8:", "for crt, which is no service .there are ui, cart"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_remedy(scan: str, place: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        rules(scan)
    assert caught.value.message.startswith(f"argosy.yaml:{place}")
    assert caught.value.remedy


def test_a_registry_that_scans_nothing_refuses_the_gate() -> None:
    with pytest.raises(ConfigurationError, match="type oci, as that of ui, has no scans that prod could") as caught:
        rules("warn", OCI)
    assert caught.value.message.startswith("argosy.yaml:8:5: environments.prod.scan")
    assert "scan: off" in (caught.value.remedy or "")
    assert rules("off", OCI) is None


def test_the_settings_are_told_with_their_lines() -> None:
    document = Document(text(f"{{block: [CRITICAL], allow: [{ALLOW}]}}"), "argosy.yaml")
    found = {each.key: each for each in settings(document, loaded(document), "prod")}
    assert (found["scan"].value, found["scan"].line) == ("block", 8)
    assert (found["scan.warn"].value, found["scan.warn"].line) == (["HIGH"], None)
    assert (found["scan.allow"].value, found["scan.allow"].line) == (["CVE-2026-1 until 2026-12-31"], 8)
