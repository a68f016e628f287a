"""The scan gate as a stage: the environment's rules, the registry's index, and ECR's scans of what it names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from pydantic import SecretStr

from argosy.errors import ConfigurationError, Terminal
from argosy.models import BuildResult, BuildStatus
from argosy.redact import remember
from argosy.scans.gate import Ruling, ScanVerdict
from deployments.local.aws import PIPELINE_ACTIONS
from tasks.scan_gate import scan_gate, show_findings
from tests.deployments import images
from tests.engine.scans import basic
from tests.gated import find, gate, scanned_image
from tests.hosted import HostedShop
from tests.tasks.stages import ENVIRONMENT, planned


def judged(shop: HostedShop, digest: str) -> ScanVerdict:
    """The verdict of the stage on an image of ui."""
    [item] = planned(shop, ["ui"], adopt=True).services
    built = BuildResult("ui", BuildStatus.REUSED, item.wanted, digest, item.content)
    return scan_gate.fn(shop.name, ENVIRONMENT, shop.head, item, built)


def shown(key: str) -> Any:
    """The newest artifact under `key`."""
    with get_client(sync_client=True) as client:
        wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        return client.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.CREATED_DESC)[0]


@pytest.mark.parametrize(
    ("scan", "ruling"),
    [
        ("warn", Ruling.WARNS),
        ("{block: [CRITICAL]}", Ruling.BLOCKS),
        ("{block: [CRITICAL], allow: [{id: CVE-1, reason: a, until: 9999-12-31}]}", Ruling.ALLOWED),
        ("{block: [CRITICAL], allow: [{id: CVE-1, reason: a, until: 2020-01-01}]}", Ruling.BLOCKS),
    ],
)
def test_an_image_is_judged_by_the_rules_of_its_environment(hosted: HostedShop, scan: str, ruling: Ruling) -> None:
    gate(hosted, scan)
    digest = scanned_image(hosted, "ui", basic("CVE-1", "CRITICAL"))
    assert judged(hosted, digest).ruling is ruling


def test_of_an_index_each_platforms_image_is_judged_and_not_the_index(hosted: HostedShop) -> None:
    gate(hosted, "{block: [CRITICAL]}")
    name = f"{hosted.name}-ui"
    with images.client(hosted.cloud.registry) as http:
        good, bad = (images.manifest(http, name, text) for text in ("good", "bad"))
        for each in (good, bad):
            images.put(http, name, each, images.digest(each))
        index = images.put(http, name, images.index(good, bad), "several", media_type=images.INDEX)
    find(hosted, "ui", images.digest(good), basic("CVE-2", "LOW"))
    find(hosted, "ui", images.digest(bad), basic("CVE-3", "CRITICAL"))
    verdict = judged(hosted, index)
    assert [(each.finding.id, each.ruling) for each in verdict.judged] == [
        ("CVE-3", Ruling.BLOCKS),
        ("CVE-2", Ruling.PASSES),
    ]


def test_an_image_without_a_scan_is_blocked_where_anything_is_and_says_why(hosted: HostedShop) -> None:
    gate(hosted, "{block: [CRITICAL]}")
    digest = scanned_image(hosted, "ui", status="UNSUPPORTED_IMAGE")
    verdict = judged(hosted, digest)
    assert verdict.blocked
    assert "UNSUPPORTED_IMAGE" in verdict.sentence()


def test_a_scan_that_does_not_come_in_time_lets_an_image_pass_where_that_is_configured(hosted: HostedShop) -> None:
    gate(hosted, "{block: [CRITICAL], on_missing: warn, timeout: 0.5}")
    digest = scanned_image(hosted, "ui", status="IN_PROGRESS")
    verdict = judged(hosted, digest)
    assert (verdict.ruling, "after 0.5 s" in verdict.sentence()) == (Ruling.WARNS, True)


@pytest.mark.parametrize("action", ["DescribeImageScanFindings", "StartImageScan"])
def test_a_refusal_of_aws_is_a_terminal_trouble_that_names_the_action(hosted: HostedShop, action: str) -> None:
    gate(hosted, "warn")
    digest = scanned_image(hosted, "ui")
    actions = [each for each in PIPELINE_ACTIONS if each != f"ecr:{action}"]
    hosted.use(hosted.cloud.aws.create_user(f"{hosted.name}-{action.lower()}", actions))
    with pytest.raises(Terminal) as refused:
        judged(hosted, digest)
    assert (refused.value.remedy or "").startswith(f"allow ecr:{action} ")


def test_an_environment_without_a_gate_judges_nothing(hosted: HostedShop) -> None:
    with pytest.raises(ConfigurationError, match=r"ui: .* no scan"):
        judged(hosted, f"sha256:{'0' * 64}")


def test_the_findings_are_shown_without_secrets(hosted: HostedShop) -> None:
    remember(SecretStr("hunter2-of-the-gate"))
    gate(hosted, "{block: [CRITICAL], allow: [{id: CVE-1, reason: see hunter2-of-the-gate, until: 9999-12-31}]}")
    digest = scanned_image(hosted, "ui", basic("CVE-1", "CRITICAL"), basic("CVE-2", "LOW", "curl", "8.0"))
    show_findings.fn(ENVIRONMENT, [judged(hosted, digest)])
    found = shown(f"scan-{ENVIRONMENT}")
    rows = [(r["service"], r["id"], r["package"], r["verdict"], r["reason"]) for r in json.loads(str(found.data))]
    assert rows == [
        ("ui", "CVE-1", "openssl 1.1.1", "allowed", "until 9999-12-31: see ***"),
        ("ui", "CVE-2", "curl 8.0", "passes", ""),
    ]
    assert found.description == f"Scans for **{ENVIRONMENT}**: 1 allowed, 1 pass"
