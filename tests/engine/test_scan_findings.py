"""What ECR says of images, by boto3's own client against moto."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from argosy.ecr.errors import translate
from argosy.errors import Terminal
from argosy.scans.findings import NOT_FOUND, UNSUPPORTED, Finding
from argosy.scans.rules import Severity
from deployments.local.aws import PIPELINE_ACTIONS
from tests.engine.scans import Moto, ScannedRepository, basic, enhanced

INSPECTED = "eu-central-1"  # scanning is configured by region


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with Moto.started(tmp_path_factory.mktemp("aws")) as moto:
        moto.inspect(INSPECTED)
        yield moto


@pytest.fixture
def scanned(moto: Moto) -> ScannedRepository:
    """A repository that scans on push."""
    return moto.repository(on_push=True)


@pytest.fixture
def unscanned(moto: Moto) -> ScannedRepository:
    """A repository whose images are scanned on demand."""
    return moto.repository()


@pytest.fixture
def inspected(moto: Moto) -> ScannedRepository:
    """A repository of a registry with enhanced scanning."""
    return moto.repository(region=INSPECTED)


def test_a_basic_finding_has_its_package_and_severity(scanned: ScannedRepository) -> None:
    image = scanned.image()
    scanned.post(image, basic("CVE-2026-1", "CRITICAL", "openssl", "3.0.1"))
    scan = scanned.scans.read(image)
    assert (scan.done, scan.coming) == (True, False)
    uri = "https://cve.example/CVE-2026-1"
    assert scan.findings == (Finding("CVE-2026-1", Severity.CRITICAL, "openssl", "3.0.1", "", uri),)


def test_an_enhanced_finding_is_one_for_each_package_that_has_it(inspected: ScannedRepository) -> None:
    image = inspected.image()
    found = enhanced("CVE-2026-2", "HIGH", lodash="4.17.21", express="NotAvailable")
    inspected.post(image, found, status="ACTIVE", kind="enhancedFindings")
    scan = inspected.scans.read(image)
    assert scan.done
    uri = "https://cve.example/CVE-2026-2"
    assert scan.findings == (
        Finding("CVE-2026-2", Severity.HIGH, "lodash", "1.0", "4.17.21", uri),
        Finding("CVE-2026-2", Severity.HIGH, "express", "1.0", "", uri),
    )


def test_what_inspector_closed_is_no_finding_and_what_it_suppressed_is(inspected: ScannedRepository) -> None:
    image = inspected.image()
    closed, suppressed = enhanced("CVE-3", status="CLOSED", a="1"), enhanced("CVE-4", status="SUPPRESSED", a="1")
    inspected.post(image, closed, suppressed, status="ACTIVE", kind="enhancedFindings")
    assert [each.id for each in inspected.scans.read(image).findings] == ["CVE-4"]


def test_a_finding_without_packages_counts_all_the_same(inspected: ScannedRepository) -> None:
    image = inspected.image()
    inspected.post(image, {"title": "Odd", "severity": "CRITICAL"}, status="ACTIVE", kind="enhancedFindings")
    assert inspected.scans.read(image).findings == (Finding("Odd", Severity.CRITICAL),)


def test_a_severity_that_nobody_gave_is_undefined(scanned: ScannedRepository) -> None:
    image = scanned.image()
    scanned.post(image, basic("CVE-5", "UNDEFINED"), basic("CVE-6", "UNTRIAGED"), basic("CVE-7", "ODD"))
    assert {each.severity for each in scanned.scans.read(image).findings} == {Severity.UNDEFINED}


def test_every_page_of_findings_is_read(scanned: ScannedRepository) -> None:
    image = scanned.image()
    names = [f"CVE-2026-{number}" for number in range(2300)]
    scanned.post(image, *map(basic, names))
    first = scanned.client.describe_image_scan_findings(
        repositoryName=scanned.name, imageId={"imageDigest": image}, maxResults=1000
    )
    assert len(first["imageScanFindings"]["findings"]) == 1000
    assert [each.id for each in scanned.scans.read(image).findings] == names


def test_each_image_has_findings_of_its_own(scanned: ScannedRepository) -> None:
    bad, good = scanned.image(), scanned.image()
    scanned.post(bad, basic("CVE-8"))
    assert [each.id for each in scanned.scans.read(bad).findings] == ["CVE-8"]
    assert (scanned.scans.read(good).done, scanned.scans.read(good).findings) == (True, ())


@pytest.mark.parametrize(
    ("status", "done", "coming"),
    [
        ("COMPLETE", True, False),
        ("ACTIVE", True, False),
        ("IN_PROGRESS", False, True),
        ("PENDING", False, True),
        ("FINDINGS_UNAVAILABLE", False, True),
        ("FAILED", False, False),
        ("UNSUPPORTED_IMAGE", False, False),
        ("SCAN_ELIGIBILITY_EXPIRED", False, False),
        ("LIMIT_EXCEEDED", False, False),
        ("IMAGE_ARCHIVED", False, False),
        ("SOMETHING_NEW", False, False),
    ],
)
def test_a_status_says_whether_there_is_a_scan_and_whether_to_wait(
    scanned: ScannedRepository, status: str, done: bool, coming: bool
) -> None:
    image = scanned.image()
    scanned.post(image, status=status)
    scan = scanned.scans.read(image)
    assert (scan.status, scan.done, scan.coming) == (status, done, coming)
    assert scan.description == f"the scan is {status}"


def test_an_image_that_nobody_scanned_is_scanned_on_demand(unscanned: ScannedRepository) -> None:
    image = unscanned.image()
    assert unscanned.scans.read(image).status == NOT_FOUND
    assert unscanned.scans.start(image).status == "IN_PROGRESS"
    assert unscanned.scans.read(image).done


def test_a_second_scan_in_a_day_is_refused_and_the_first_is_on_its_way(unscanned: ScannedRepository) -> None:
    image = unscanned.image()
    unscanned.scans.start(image)
    again = unscanned.scans.start(image)
    assert again.coming
    assert "quota" in again.description


def test_enhanced_scanning_begins_by_itself(inspected: ScannedRepository) -> None:
    image = inspected.image()
    assert inspected.scans.read(image).status == NOT_FOUND
    begun = inspected.scans.start(image)
    assert (begun.coming, "disabled" in begun.description) == (True, True)
    inspected.post(image, status="ACTIVE", kind="enhancedFindings")
    assert inspected.scans.read(image).done


def test_an_index_has_no_scan_and_gets_none(scanned: ScannedRepository) -> None:
    index = scanned.index(scanned.image())
    assert scanned.scans.read(index).status == NOT_FOUND
    assert scanned.scans.start(index).status == UNSUPPORTED


def test_an_image_that_ecr_does_not_know_yet_may_come(scanned: ScannedRepository) -> None:
    missing = f"sha256:{'0' * 64}"
    assert scanned.scans.read(missing).coming
    assert scanned.scans.start(missing).status == NOT_FOUND


@pytest.mark.parametrize(("method", "action"), [("read", "DescribeImageScanFindings"), ("start", "StartImageScan")])
def test_a_refusal_of_aws_names_the_action_to_allow(moto: Moto, method: str, action: str) -> None:
    others = tuple(each for each in PIPELINE_ACTIONS if each != f"ecr:{action}")
    repository = moto.repository(actions=others)
    image = repository.image()
    with pytest.raises(ClientError) as caught:
        getattr(repository.scans, method)(image)
    error = translate(caught.value, "asking for the scan")
    assert isinstance(error, Terminal)
    assert error.remedy == f"allow ecr:{action} in the IAM policy of these credentials"
