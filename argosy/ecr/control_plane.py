"""The control plane of Amazon ECR: repositories as they should be, and the token that opens the registry."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import SecretStr

from argosy.ecr import lifecycle as ecr_lifecycle
from argosy.ecr.errors import translate
from argosy.ecr.lifecycle import DEFAULT_LIFECYCLE_POLICY
from argosy.ecr.mending import MOVING_TAGS, Clock, Mending, encryption, mutability, resource_tags, settled
from argosy.errors import Terminal
from argosy.infrastructure import ECRRepository
from argosy.registries.auth import RegistryCredentials

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_ecr.type_defs import RepositoryTypeDef

__all__ = ["DEFAULT_LIFECYCLE_POLICY", "MOVING_TAGS", "authorization", "ensure_repository", "translate"]

BATCH = 100
"""How many repositories AWS describes at once."""


@dataclass(frozen=True, slots=True)
class Ensured:
    """A repository with its URL; in words what was mended, and what still differs and cannot be mended."""

    repository: ECRRepository
    mended: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()


def _utc() -> datetime:
    return datetime.now(UTC)


def ensure_repository(
    client: ECRClient, wanted: ECRRepository, standing: RepositoryTypeDef | None = None, *, clock: Clock = _utc
) -> Ensured:
    """Create or mend the repository; `standing` is what `described` said of it, else AWS is asked.

    An immutable one keeps `MOVING_TAGS` movable. Encryption is settled at creation: another one is told, not mended.
    Raises ConfigurationError for a lifecycle policy that will not do, before anything is asked; and botocore's errors,
    for `translate`.
    """
    if wanted.lifecycle_policy is not None:
        ecr_lifecycle.check(wanted.lifecycle_policy)
    found = standing or _describe(client, wanted.name)
    created = _create(client, wanted) if found is None else None
    # Another run may have created it in between, and then with other settings.
    repository = created or found or _describe(client, wanted.name)
    if repository is None:
        raise Terminal(f"ECR repository {wanted.name} was deleted while it was created", remedy="release again")
    mending = Mending(client, wanted, repository, created is not None, clock)
    done = (*(["created the repository"] if created else []), *mending.mended())
    return Ensured(replace(wanted, url=repository["repositoryUri"]), done, tuple(settled(wanted, repository)))


def described(client: ECRClient, names: Sequence[str]) -> dict[str, RepositoryTypeDef]:
    """What AWS says of the repositories called `names`, a hundred at once.

    Of a hundred of which it refuses one, such as one that is missing, it says nothing: each is then to be asked for by
    itself. Raises BotoCoreError, for `translate`.
    """
    found: dict[str, RepositoryTypeDef] = {}
    for batch in _batches(names):
        try:
            for each in client.describe_repositories(repositoryNames=batch)["repositories"]:
                found[each["repositoryName"]] = each
        except ClientError:
            continue
    return found


def _batches(names: Sequence[str]) -> Iterator[list[str]]:
    return (list(names[start : start + BATCH]) for start in range(0, len(names), BATCH))


def authorization(client: ECRClient) -> tuple[str, RegistryCredentials]:
    """The registry's host, and credentials for it, which last 12 hours; raises botocore's errors, for `translate`."""
    granted = client.get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(granted["authorizationToken"]).decode().partition(":")
    host = granted["proxyEndpoint"].partition("://")[2].rstrip("/")
    return host, RegistryCredentials(user, SecretStr(password), granted.get("expiresAt"))


def _describe(client: ECRClient, name: str) -> RepositoryTypeDef | None:
    try:
        return client.describe_repositories(repositoryNames=[name])["repositories"][0]
    except client.exceptions.RepositoryNotFoundException:
        return None


def _create(client: ECRClient, wanted: ECRRepository) -> RepositoryTypeDef | None:
    """The new repository; None where another run was faster."""
    scans = wanted.scan_configuration is not None and wanted.scan_configuration.scan_on_push
    try:
        return client.create_repository(
            repositoryName=wanted.name,
            imageScanningConfiguration={"scanOnPush": scans},
            encryptionConfiguration=encryption(wanted.encryption),
            tags=resource_tags(wanted.tags),
            **mutability(wanted),
        )["repository"]
    except client.exceptions.RepositoryAlreadyExistsException:
        return None
