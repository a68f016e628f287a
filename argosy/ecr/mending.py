"""The settings of an ECR repository, each brought to what is wanted and told in words where it was another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

from argosy.ecr.documents import same_lifecycle, same_policy
from argosy.ecr.expiry import expired
from argosy.ecr.images import stored_images
from argosy.infrastructure import ECRRepository, Encryption, LifecyclePolicy

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_ecr.type_defs import EncryptionConfigurationTypeDef, RepositoryTypeDef, TagTypeDef

MOVING_TAGS = ("latest", "content-*", "deployed-*", "previous-*", "cache-*")
"""The tags that a release moves, and that stay movable in an immutable repository; ECR takes five filters at most."""

Clock = Callable[[], datetime]


class Mutability(TypedDict):
    """Whether tags move, as ECR's calls take it."""

    imageTagMutability: Literal["MUTABLE", "IMMUTABLE_WITH_EXCLUSION"]
    imageTagMutabilityExclusionFilters: NotRequired[list[_Filter]]


class _Filter(TypedDict):
    filterType: Literal["WILDCARD"]
    filter: str


@dataclass(frozen=True, slots=True)
class Mending:
    """One repository that is mended: what is wanted, and what AWS described it as; `fresh` if it was just created."""

    client: ECRClient
    wanted: ECRRepository
    standing: RepositoryTypeDef
    fresh: bool
    clock: Clock

    def mended(self) -> Iterator[str]:
        """Mend each difference that can be, and say which it was."""
        yield from self._scanning()
        yield from self._mutability()
        yield from self._lifecycle()
        yield from self._policy()
        yield from self._tags()

    def _scanning(self) -> Iterator[str]:
        if self.wanted.scan_configuration is None:
            return
        scans = self.wanted.scan_configuration.scan_on_push
        if self.standing.get("imageScanningConfiguration", {}).get("scanOnPush", False) is not scans:
            self.client.put_image_scanning_configuration(
                repositoryName=self.wanted.name, imageScanningConfiguration={"scanOnPush": scans}
            )
            yield f"switched scanning on push {'on' if scans else 'off'}"

    def _mutability(self) -> Iterator[str]:
        setting = mutability(self.wanted)
        was = self.standing.get("imageTagMutability", "MUTABLE")
        except_for = {item["filter"] for item in self.standing.get("imageTagMutabilityExclusionFilters", [])}
        excluded = {item["filter"] for item in setting.get("imageTagMutabilityExclusionFilters", [])}
        if (was, except_for) != (setting["imageTagMutability"], excluded):
            self.client.put_image_tag_mutability(repositoryName=self.wanted.name, **setting)
            yield f"made tags {_tags(setting['imageTagMutability'], excluded)}, which were {_tags(was, except_for)}"

    def _lifecycle(self) -> Iterator[str]:
        if self.wanted.lifecycle_policy is None:
            return
        text, standing = self.wanted.lifecycle_policy.to_json(), self._standing_lifecycle()
        if standing is None or not same_lifecycle(standing, text):
            told = "" if self.fresh else self._consequence(self.wanted.lifecycle_policy)
            self.client.put_lifecycle_policy(repositoryName=self.wanted.name, lifecyclePolicyText=text)
            yield f"{'set the' if standing is None else 'replaced another'} lifecycle policy{told}"

    def _standing_lifecycle(self) -> str | None:
        try:
            return self.client.get_lifecycle_policy(repositoryName=self.wanted.name)["lifecyclePolicyText"]
        except self.client.exceptions.LifecyclePolicyNotFoundException:
            return None

    def _consequence(self, policy: LifecyclePolicy) -> str:
        """What the policy does to the images that are there: ECR acts on it within a day."""
        images = stored_images(self.client, self.wanted.name)
        gone = len(expired(policy, images, self.clock()))
        return f", by which {gone} of {len(images)} images expire now" if gone else ""

    def _policy(self) -> Iterator[str]:
        if self.wanted.policy is None:
            return
        standing = self._standing_policy()
        if standing is None or not same_policy(standing, self.wanted.policy):
            self.client.set_repository_policy(repositoryName=self.wanted.name, policyText=self.wanted.policy)
            yield "set the repository policy" if standing is None else "replaced another repository policy"

    def _standing_policy(self) -> str | None:
        try:
            return self.client.get_repository_policy(repositoryName=self.wanted.name)["policyText"]
        except self.client.exceptions.RepositoryPolicyNotFoundException:
            return None

    def _tags(self) -> Iterator[str]:
        if not self.wanted.tags or self.fresh:
            return
        arn = self.standing["repositoryArn"]
        there = {tag["Key"]: tag["Value"] for tag in self.client.list_tags_for_resource(resourceArn=arn)["tags"]}
        differing = {key: value for key, value in self.wanted.tags if there.get(key) != value}
        if differing:
            self.client.tag_resource(resourceArn=arn, tags=resource_tags(tuple(differing.items())))
        for key, value in differing.items():
            was = f", which was {there[key]}" if key in there else ""
            yield f"tagged it {key}: {value}{was}"


def mutability(wanted: ECRRepository) -> Mutability:
    """Whether tags move: of an immutable repository those of `MOVING_TAGS` alone."""
    if wanted.mutability == "MUTABLE":
        return {"imageTagMutability": "MUTABLE"}  # ECR takes no empty list of filters
    filters: list[_Filter] = [{"filterType": "WILDCARD", "filter": tag} for tag in MOVING_TAGS]
    return {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": filters}


def encryption(wanted: Encryption) -> EncryptionConfigurationTypeDef:
    """The encryption as ECR's calls take it."""
    key: EncryptionConfigurationTypeDef = {"encryptionType": wanted.type}
    return {**key, "kmsKey": wanted.key} if wanted.key else key


def resource_tags(tags: tuple[tuple[str, str], ...]) -> list[TagTypeDef]:
    """Tags of a repository as ECR's calls take them."""
    return [{"Key": key, "Value": value} for key, value in tags]


def settled(wanted: ECRRepository, standing: RepositoryTypeDef) -> Iterator[str]:
    """What differs and cannot be mended, with the remedy: encryption is settled when a repository is created."""
    there = standing.get("encryptionConfiguration", {"encryptionType": "AES256"})
    kind, key = there["encryptionType"], there.get("kmsKey", "")
    other_key = wanted.encryption.key and wanted.encryption.key not in {key, key.rpartition("/")[2]}
    if kind != wanted.encryption.type or other_key:
        yield (
            f"it is encrypted with {_encrypted(kind, key)}, not with "
            f"{_encrypted(wanted.encryption.type, wanted.encryption.key)}, and that was settled when it was created: "
            "name another repository and release there, or write the encryption that it has into argosy.yaml"
        )


def _tags(mutability: str, excluded: set[str]) -> str:
    words = mutability.partition("_")[0].lower()
    return f"{words} except {', '.join(sorted(excluded))}" if excluded else words


def _encrypted(kind: str, key: str | None) -> str:
    return f"{kind} and the key {key}" if key else kind
