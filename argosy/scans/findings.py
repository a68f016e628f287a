"""What Amazon ECR found in an image: a scan as it stands, of basic and of enhanced scanning alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argosy.scans.rules import Severity

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

_PAGE = 1000  # the most that ECR gives at once

NOT_FOUND, PENDING, UNSUPPORTED = "NOT_FOUND", "PENDING", "UNSUPPORTED_IMAGE"
_DONE = frozenset({"COMPLETE", "ACTIVE"})
_COMING = frozenset({"IN_PROGRESS", PENDING, "FINDINGS_UNAVAILABLE", NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Finding:
    """One vulnerability of one package; `fixed_in` is empty where no version without it is known."""

    id: str
    severity: Severity
    package: str = ""
    version: str = ""
    fixed_in: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan of one image: `status` is ECR's own word for it, NOT_FOUND where ECR has none."""

    status: str
    description: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def done(self) -> bool:
        """Whether it has found what it finds; ACTIVE is that of continuous scanning."""
        return self.status in _DONE

    @property
    def coming(self) -> bool:
        """Whether waiting may bring it."""
        return self.status in _COMING


@dataclass(frozen=True, slots=True)
class EcrScans:
    """The scans of one repository's images; the methods raise botocore's errors, for `argosy.ecr.errors.translate`."""

    client: ECRClient
    repository: str

    def read(self, digest: str) -> Scan:
        """The scan of the image `digest`, with all of its findings."""
        pages = self.client.get_paginator("describe_image_scan_findings").paginate(
            repositoryName=self.repository, imageId={"imageDigest": digest}, PaginationConfig={"PageSize": _PAGE}
        )
        found: dict[Finding, None] = {}
        status: Mapping[str, Any] = {}
        try:
            for page in pages:
                status = page.get("imageScanStatus", {})
                found.update(dict.fromkeys(_findings(page.get("imageScanFindings", {}))))
        except self.client.exceptions.ScanNotFoundException:
            return Scan(NOT_FOUND, "ECR has no scan of it")
        except self.client.exceptions.ImageNotFoundException:
            return Scan(NOT_FOUND, "ECR does not know the image yet")
        return Scan(status.get("status", NOT_FOUND), status.get("description", ""), tuple(found))

    def start(self, digest: str) -> Scan:
        """Have the image `digest` scanned where nobody has; returns how the scan stands then.

        Enhanced scanning begins by itself and refuses to be asked. On demand an image is scanned once in 24 hours: of
        one that was, the scan is on its way.
        """
        refusals = self.client.exceptions
        try:
            answer = self.client.start_image_scan(repositoryName=self.repository, imageId={"imageDigest": digest})
        except refusals.UnsupportedImageTypeException as error:
            return Scan(UNSUPPORTED, error.response["Error"]["Message"])
        except refusals.ImageNotFoundException:
            return Scan(NOT_FOUND, "ECR does not know the image yet")
        except (refusals.ValidationException, refusals.LimitExceededException) as error:
            return Scan(PENDING, f"ECR would start none: {error.response['Error']['Message']}")
        status = answer.get("imageScanStatus", {})
        return Scan(status.get("status", PENDING), status.get("description", ""))


def _findings(document: Mapping[str, Any]) -> Iterator[Finding]:
    for basic in document.get("findings", ()):
        yield _basic(basic)
    for enhanced in document.get("enhancedFindings", ()):
        # What has been mended is still told for a while. What is suppressed in Inspector counts: it has no reason here.
        if enhanced.get("status") != "CLOSED":
            yield from _enhanced(enhanced)


def _basic(document: Mapping[str, Any]) -> Finding:
    attributes = {each["key"]: each.get("value", "") for each in document.get("attributes", ())}
    return Finding(
        id=document.get("name", ""),
        severity=Severity.of(document.get("severity", "")),
        package=attributes.get("package_name", ""),
        version=attributes.get("package_version", ""),
        uri=document.get("uri", ""),
    )


def _enhanced(document: Mapping[str, Any]) -> Iterator[Finding]:
    """One finding for each package that has the vulnerability."""
    details = document.get("packageVulnerabilityDetails", {})
    severity = Severity.of(document.get("severity", ""))
    identity = details.get("vulnerabilityId") or document.get("title") or document.get("findingArn", "")
    packages: Sequence[Mapping[str, Any]] = details.get("vulnerablePackages") or ({},)
    for package in packages:
        yield Finding(
            id=identity,
            severity=severity,
            package=package.get("name", ""),
            version=package.get("version", ""),
            fixed_in=_fixed(package.get("fixedInVersion", "")),
            uri=details.get("sourceUrl", ""),
        )


def _fixed(version: str) -> str:
    return "" if version == "NotAvailable" else version
