"""Image scans of moto's ECR as the real one has them: by digest, one status after the other, page by page.

Nothing here looks for vulnerabilities: an image has the findings that were posted to
`/moto-api/static/ecr/scan-finding-results` for its digest, and none without.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ecr.exceptions import ScanNotFoundException, ValidationException
from moto.ecr.models import ECRBackend, Image, Repository
from moto.ecr.responses import ECRResponse

_moto_start: Callable[..., dict[str, Any]] = ECRBackend.start_image_scan
_UNDER_WAY = ("IN_PROGRESS", "PENDING")
_CLEAN: dict[str, Any] = {
    "imageScanStatus": {"status": "COMPLETE", "description": "The scan was completed successfully."},
    "imageScanFindings": {"findings": [], "findingSeverityCounts": {}},
}


class UnsupportedImageTypeException(ServiceException):
    """What ECR says of an index, and of other manifests that are no image."""

    code = "UnsupportedImageTypeException"
    message = "The image manifest is of a type that basic scanning does not support."


def scan_findings(response: ECRResponse) -> ActionResult:
    """`DescribeImageScanFindings`: a page of the first answer that was posted for the image.

    An answer that is not final gives way, once told, to the next. Basic scanning has scanned an image if its
    repository scans on push, or somebody asked; enhanced scanning once there is an answer.
    """
    get = response._get_param  # noqa: SLF001  # moto offers no other way to a parameter
    backend, name = response.ecr_backend, get("repositoryName")
    repository = backend._get_repository(name, get("registryId"))  # noqa: SLF001
    wanted = get("imageId")
    image = repository._get_image(wanted.get("imageTag"), wanted.get("imageDigest"))  # noqa: SLF001
    posted = [each for each in backend.scan_finding_results if _is_of(each, repository, image)]
    if _is_index(image) or not _is_scanned(backend, repository, image, posted):
        raise ScanNotFoundException(image.image_digest, name, repository.registry_id)
    if len(posted) > 1 and posted[0]["imageScanStatus"]["status"] in _UNDER_WAY:
        backend.scan_finding_results.remove(posted[0])
    answer = posted[0] if posted else _CLEAN
    return ActionResult(_page(answer, int(get("nextToken") or 0), int(get("maxResults") or 100)))


def start_scan(backend: ECRBackend, registry_id: str, repository_name: str, image_id: dict[str, str]) -> dict[str, Any]:
    """`StartImageScan`, which is of basic scanning alone and knows images alone."""
    if _enhanced(backend):
        raise ValidationException("This feature is disabled")
    repository = backend._get_repository(repository_name, registry_id)  # noqa: SLF001
    if _is_index(repository._get_image(image_id.get("imageTag"), image_id.get("imageDigest"))):  # noqa: SLF001
        raise UnsupportedImageTypeException
    return _moto_start(backend, registry_id, repository_name, image_id)


def _is_index(image: Image) -> bool:
    return "manifests" in json.loads(image.image_manifest)


def _is_scanned(backend: ECRBackend, repository: Repository, image: Image, posted: list[dict[str, Any]]) -> bool:
    if _enhanced(backend):
        return bool(posted)
    configuration: Any = repository.image_scanning_configuration
    return bool(image.last_scan or configuration.get("scanOnPush"))


def _enhanced(backend: ECRBackend) -> bool:
    return bool(backend.registry_scanning_configuration["scanType"] == "ENHANCED")


def _is_of(answer: dict[str, Any], repository: Repository, image: Image) -> bool:
    return bool(answer["repositoryName"] == repository.name and answer["imageId"]["imageDigest"] == image.image_digest)


def _page(answer: dict[str, Any], begin: int, size: int) -> dict[str, Any]:
    found, end, kinds = answer.get("imageScanFindings", {}), begin + size, ("findings", "enhancedFindings")
    cut = {kind: found[kind][begin:end] for kind in kinds if kind in found}
    more = {"nextToken": str(end)} if any(len(found.get(kind, ())) > end for kind in kinds) else {}
    return answer | {"imageScanFindings": found | cut} | more
