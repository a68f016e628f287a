"""The control plane of Amazon ECR: repositories as they should be, and the token that opens the registry."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

from pydantic import SecretStr

from argosy.ecr_errors import translate
from argosy.errors import Terminal
from argosy.infrastructure import ECRRepository, LifecyclePolicy, PolicyRule, SelectionCriteria
from argosy.registry_auth import RegistryCredentials

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_ecr.type_defs import RepositoryTypeDef

__all__ = ["DEFAULT_LIFECYCLE_POLICY", "MOVING_TAGS", "authorization", "ensure_repository", "translate"]

_MORE_THAN_ANY_HAVE = 9999


def _keep(priority: int, pattern: str) -> PolicyRule:
    """Keep the images tagged so, one pattern a rule: of several patterns ECR wants every one on the same image."""
    selection = SelectionCriteria("tagged", "imageCountMoreThan", _MORE_THAN_ANY_HAVE, tag_patterns=(pattern,))
    return PolicyRule(priority, f"keep {pattern} for ever", selection)


DEFAULT_LIFECYCLE_POLICY = LifecyclePolicy(
    (
        _keep(1, "deployed-*"),
        _keep(2, "previous-*"),
        PolicyRule(10, "expire untagged images", SelectionCriteria("untagged", "sinceImagePushed", 14, "days")),
        PolicyRule(20, "keep the last 100 images", SelectionCriteria("any", "imageCountMoreThan", 100)),
    )
)
"""What is deployed stays, however old; ECR only ever expires, and never by a later rule what an earlier one matched."""

MOVING_TAGS = ("latest", "content-*", "deployed-*", "previous-*")
"""The tags that a release moves, and that stay movable in an immutable repository."""


class _Mutability(TypedDict):
    imageTagMutability: Literal["MUTABLE", "IMMUTABLE_WITH_EXCLUSION"]
    imageTagMutabilityExclusionFilters: NotRequired[list[_Filter]]


class _Filter(TypedDict):
    filterType: Literal["WILDCARD"]
    filter: str


def ensure_repository(client: ECRClient, wanted: ECRRepository) -> tuple[ECRRepository, tuple[str, ...]]:
    """Create or mend the repository; returns it with its URL, and in words each thing that was done.

    An immutable one keeps `MOVING_TAGS` movable. Encryption is settled at creation (AES256) and later left alone; so
    is the lifecycle policy where none is wanted. Raises botocore's errors, for `translate`.
    """
    found = _describe(client, wanted.name)
    created = _create(client, wanted) if found is None else None
    # Another run may have created it in between, and then with other settings.
    repository = created or found or _describe(client, wanted.name)
    if repository is None:
        raise Terminal(f"ECR repository {wanted.name} was deleted while it was created", remedy="release again")
    done = ["created the repository"] if created else []
    done += [*_mend_scanning(client, wanted, repository), *_mend_mutability(client, wanted, repository)]
    done += _mend_lifecycle(client, wanted)
    return replace(wanted, url=repository["repositoryUri"]), tuple(done)


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
    try:
        return client.create_repository(
            repositoryName=wanted.name,
            imageScanningConfiguration={"scanOnPush": wanted.scan_configuration.scan_on_push},
            encryptionConfiguration={"encryptionType": "AES256"},
            **_mutability(wanted),
        )["repository"]
    except client.exceptions.RepositoryAlreadyExistsException:
        return None


def _mutability(wanted: ECRRepository) -> _Mutability:
    if wanted.mutability == "MUTABLE":
        return {"imageTagMutability": "MUTABLE"}  # ECR takes no empty list of filters
    filters: list[_Filter] = [{"filterType": "WILDCARD", "filter": tag} for tag in MOVING_TAGS]
    return {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": filters}


def _mend_scanning(client: ECRClient, wanted: ECRRepository, standing: RepositoryTypeDef) -> Iterator[str]:
    scans = wanted.scan_configuration.scan_on_push
    if standing.get("imageScanningConfiguration", {}).get("scanOnPush", False) is not scans:
        client.put_image_scanning_configuration(
            repositoryName=wanted.name, imageScanningConfiguration={"scanOnPush": scans}
        )
        yield f"switched scanning on push {'on' if scans else 'off'}"


def _mend_mutability(client: ECRClient, wanted: ECRRepository, standing: RepositoryTypeDef) -> Iterator[str]:
    setting = _mutability(wanted)
    was = standing.get("imageTagMutability", "MUTABLE")
    except_for = {item["filter"] for item in standing.get("imageTagMutabilityExclusionFilters", [])}
    excluded = {item["filter"] for item in setting.get("imageTagMutabilityExclusionFilters", [])}
    if (was, except_for) != (setting["imageTagMutability"], excluded):
        client.put_image_tag_mutability(repositoryName=wanted.name, **setting)
        yield f"made tags {_tags(setting['imageTagMutability'], excluded)}, which were {_tags(was, except_for)}"


def _tags(mutability: str, excluded: set[str]) -> str:
    words = mutability.partition("_")[0].lower()
    return f"{words} except {', '.join(sorted(excluded))}" if excluded else words


def _mend_lifecycle(client: ECRClient, wanted: ECRRepository) -> Iterator[str]:
    if wanted.lifecycle_policy is None:
        return
    text = wanted.lifecycle_policy.to_json()
    standing = _lifecycle(client, wanted.name)
    if standing is None or _rules(standing) != _rules(text):
        client.put_lifecycle_policy(repositoryName=wanted.name, lifecyclePolicyText=text)
        yield "set the lifecycle policy" if standing is None else "replaced another lifecycle policy"


def _lifecycle(client: ECRClient, name: str) -> str | None:
    try:
        return client.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
    except client.exceptions.LifecyclePolicyNotFoundException:
        return None


def _rules(text: str) -> list[dict[str, object]]:
    # ECR may give the same rules back in another order and spacing.
    rules: list[dict[str, object]] = json.loads(text)["rules"]
    return sorted(rules, key=lambda rule: str(rule["rulePriority"]))
