"""moto's server with ECR brought closer to the real one: ARNs, tokens, and what becomes of a tag that moves.

Its scans are in `moto_scans`. Run as `python -m deployments.local.moto_server PORT`.
"""

from __future__ import annotations

import secrets
import sys
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from moto.core.responses import ActionResult
from moto.ecr.exceptions import RepositoryNotFoundException
from moto.ecr.models import ECRBackend, Image
from moto.ecr.responses import ECRResponse
from moto.server import main

from deployments.local.moto_scans import scan_findings, start_scan

PASSWORD = secrets.token_urlsafe(32)
"""What every authorization token holds: one password, since the registry behind it checks one."""

_TOKEN_LIFE = timedelta(hours=12)
_moto_put_image: Callable[..., Image] = ECRBackend.put_image


def resource_of(response: ECRResponse) -> str:
    """The ARN that a policy's `Resource` is matched with: the repository's, or `*` for actions that have none."""
    name = response._get_param("repositoryName")  # noqa: SLF001  # moto offers no other way to a parameter
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


_REPLACEMENTS = (
    (ECRResponse, "_determine_resource", resource_of),  # moto's other services define this hook, its ECR does not
    (ECRResponse, "get_authorization_token", authorization_token),
    (ECRResponse, "describe_image_scan_findings", scan_findings),
    (ECRBackend, "put_image", put_image),
    (ECRBackend, "start_image_scan", start_scan),
)

if __name__ == "__main__":
    for owner, name, function in _REPLACEMENTS:
        setattr(owner, name, function)
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
