"""moto's server with ECR brought closer to the real one: ARNs, tokens, pages, registries, and a tag that moves.

Its scans are in `moto_scans`. Run as `python -m deployments.local.moto_server PORT`.
"""

from __future__ import annotations

import secrets
import sys
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ecr.exceptions import RepositoryNotFoundException
from moto.ecr.models import ECRBackend, Image
from moto.ecr.responses import ECRResponse
from moto.server import main

from deployments.local.moto_scans import scan_findings, start_scan

PASSWORD = secrets.token_urlsafe(32)
"""What every authorization token holds: one password, since the registry behind it checks one."""

_TOKEN_LIFE = timedelta(hours=12)
_EXCLUSIONS: dict[tuple[str, str], set[str]] = {}
_moto_put_image: Callable[..., Image] = ECRBackend.put_image
_moto_put_replication: Callable[..., object] = ECRBackend.put_replication_configuration
_moto_describe_images: Callable[..., ActionResult] = ECRResponse.describe_images


def resource_of(response: ECRResponse) -> str:
    """The ARN that a policy's `Resource` is matched with: the repository's, or `*` for actions that have none."""
    arn = response._get_param("resourceArn")  # noqa: SLF001  # moto offers no other way to a parameter
    if arn:
        return str(arn)
    name = response._get_param("repositoryName")  # noqa: SLF001
    names = [name] if name else response._get_param("repositoryNames") or []  # noqa: SLF001
    # moto's IAM checks one resource a request; real ECR checks each.
    account, region = response.current_account, response.region
    return f"arn:aws:ecr:{region}:{account}:repository/{names[0]}" if names else "*"


def authorization_token(response: ECRResponse) -> ActionResult:
    """`GetAuthorizationToken` with a password that is no constant and an expiry that lies ahead."""
    account = response.current_account
    data = {
        "authorizationToken": b64encode(f"AWS:{PASSWORD}".encode()).decode(),
        "expiresAt": datetime.now(UTC) + _TOKEN_LIFE,
        "proxyEndpoint": f"https://{account}.dkr.ecr.{response.region}.amazonaws.com",
    }
    return ActionResult({"authorizationData": [data]})


def put_image(
    backend: ECRBackend,
    repository_name: str,
    image_manifest: str,
    image_tag: str | None,
    image_manifest_mediatype: str | None = None,
    digest: str | None = None,
) -> Image:
    """`PutImage` that leaves an image without tags where a tag moved away, and takes manifests without a tag."""
    if repository_name not in backend.repositories:
        raise RepositoryNotFoundException(repository_name, backend.account_id)
    repository = backend.repositories[repository_name]
    if image_tag is None:
        for known in repository.images:
            if known.image_manifest == image_manifest:
                return known
    else:
        backend._resolve_image_tag_mutability(repository, image_tag)  # noqa: SLF001  # raises for an immutable tag
        for other in repository.images:
            if image_tag in other.image_tags and other.image_manifest != image_manifest:
                other.remove_tag(image_tag)
    return _moto_put_image(backend, repository_name, image_manifest, image_tag, image_manifest_mediatype, digest)


def put_replication_configuration(backend: ECRBackend, replication_config: dict[str, Any]) -> dict[str, Any]:
    """`PutReplicationConfiguration` that takes as many rules as ECR does."""
    for rule in replication_config["rules"]:
        _moto_put_replication(backend, {"rules": [rule]})  # moto checks one rule, and refuses several
    backend.replication_config = replication_config
    return {"replicationConfiguration": replication_config}


def describe_images(response: ECRResponse) -> ActionResult:
    """`DescribeImages` page by page."""
    found: list[object] = _moto_describe_images(response).result["imageDetails"]  # type: ignore[index]
    size = int(response._get_param("maxResults") or 100)  # noqa: SLF001
    start = int(response._get_param("nextToken") or 0)  # noqa: SLF001
    more = {"nextToken": str(start + size)} if start + size < len(found) else {}
    return ActionResult({"imageDetails": found[start : start + size], **more})


class ExclusionAlreadyExistsException(ServiceException):
    """ECR's error for a principal that is excluded already."""

    __module__ = "moto.ecr.exceptions"  # moto finds the service of an error by it
    code = "ExclusionAlreadyExistsException"


def list_pull_time_update_exclusions(response: ECRResponse) -> ActionResult:
    """`ListPullTimeUpdateExclusions`, which moto lacks."""
    return ActionResult({"pullTimeUpdateExclusions": sorted(_excluded(response))})


def register_pull_time_update_exclusion(response: ECRResponse) -> ActionResult:
    """`RegisterPullTimeUpdateExclusion`, which moto lacks."""
    arn = str(response._get_param("principalArn"))  # noqa: SLF001
    if arn in _excluded(response):
        raise ExclusionAlreadyExistsException(f"{arn} is excluded already")
    _excluded(response).add(arn)
    return ActionResult({"principalArn": arn, "createdAt": datetime.now(UTC)})


def deregister_pull_time_update_exclusion(response: ECRResponse) -> ActionResult:
    """`DeregisterPullTimeUpdateExclusion`, which moto lacks."""
    arn = str(response._get_param("principalArn"))  # noqa: SLF001
    _excluded(response).discard(arn)
    return ActionResult({"principalArn": arn})


def _excluded(response: ECRResponse) -> set[str]:
    return _EXCLUSIONS.setdefault((response.current_account, response.region), set())


_REPLACEMENTS = (
    (ECRResponse, "_determine_resource", resource_of),  # moto's other services define this hook, its ECR does not
    (ECRResponse, "get_authorization_token", authorization_token),
    (ECRResponse, "describe_image_scan_findings", scan_findings),
    (ECRBackend, "put_image", put_image),
    (ECRBackend, "start_image_scan", start_scan),
    (ECRBackend, "put_replication_configuration", put_replication_configuration),
    (ECRResponse, "describe_images", describe_images),
    (ECRResponse, "list_pull_time_update_exclusions", list_pull_time_update_exclusions),
    (ECRResponse, "register_pull_time_update_exclusion", register_pull_time_update_exclusion),
    (ECRResponse, "deregister_pull_time_update_exclusion", deregister_pull_time_update_exclusion),
)

if __name__ == "__main__":
    for owner, name, function in _REPLACEMENTS:
        setattr(owner, name, function)
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
