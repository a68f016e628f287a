"""What `argosy.yaml` says of Amazon ECR: how repositories are kept, and what the whole registry is told."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from argosy.ecr.lifecycle import CACHE_DAYS, KEEP_RELEASES, UNTAGGED_DAYS
from argosy.infrastructure import ScanFrequency
from argosy.settings.names import AccountId, Name, Region, RelativePath
from argosy.settings.section import Section

_TAGS = 50
_TEXT = r"[\w\s+=.:/@-]"


def _no_alias(value: str) -> str:
    if value.startswith("alias/") or ":alias/" in value:
        raise ValueError(
            "must be the key's id or ARN: AWS answers with the ARN, which an alias cannot be compared with"
        )
    return value


def _tag_key(value: str) -> str:
    if not re.fullmatch(rf"{_TEXT}{{1,128}}", value) or value.lower().startswith("aws:"):
        raise ValueError("must be a tag's key: at most 128 letters, digits, spaces and + - = . _ : / @, not aws:")
    return value


def _tag_value(value: str) -> str:
    if not re.fullmatch(rf"({_TEXT}|[{{}}]){{0,256}}", value):
        raise ValueError("must be a tag's value: at most 256 letters, digits, spaces and + - = . _ : / @")
    return value


KmsKey = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(_no_alias)]
TagKey = Annotated[str, AfterValidator(_tag_key)]
TagValue = Annotated[str, AfterValidator(_tag_value)]
Days = Annotated[int, Field(ge=1)]
Prefix = Annotated[str, Field(min_length=2, max_length=256, pattern=r"^[a-z0-9][a-z0-9._/-]*$")]
ScanFilter = Annotated[str, Field(max_length=255, pattern=r"^[a-z0-9*]([a-z0-9*._/-]*[a-z0-9*])?$")]
Principal = Annotated[
    str, Field(max_length=200, pattern=r"^arn:aws(-[a-z]+)*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9_+=,.@/-]+$")
]


class EncryptionConfig(Section):
    """How images are encrypted; settled when a repository is created, and only told when it is another later."""

    type: Literal["AES256", "KMS", "KMS_DSSE"] = Field("AES256", description="As ECR names them.")
    key: KmsKey | None = Field(None, description="Of KMS: the key's id or ARN; AWS's own key unless given.")

    @model_validator(mode="after")
    def _complete(self) -> EncryptionConfig:
        if self.key and self.type == "AES256":
            raise ValueError("a key goes with type: KMS or KMS_DSSE")
        return self


class LifecycleRuleConfig(Section):
    """One rule of a lifecycle policy; its keys are ECR's own, in snake case."""

    priority: int = Field(description="The lower is applied first.")
    description: str = Field("", description="What it is for.")
    tag_status: Literal["tagged", "untagged", "any"] = Field(description="Which images it counts.")
    tag_patterns: tuple[str, ...] = Field((), strict=False, description="Of tagged: an image must match every one.")
    tag_prefixes: tuple[str, ...] = Field((), strict=False, description="The same, for how tags begin.")
    count_type: Literal["imageCountMoreThan", "sinceImagePushed"] = Field(description="What it counts by.")
    count_number: int = Field(description="How many images, or days, may be.")
    count_unit: Literal["days"] | None = Field(None, description="With sinceImagePushed.")


class LifecycleConfig(Section):
    """Which images are kept; or, in `rules`, a policy that takes the place of Argosy's own."""

    keep_releases: Annotated[int, Field(ge=1)] = Field(KEEP_RELEASES, description="How many releases stay.")
    untagged_days: Days = Field(UNTAGGED_DAYS, description="Days from its push until an image without tags goes.")
    cache_days: Days = Field(CACHE_DAYS, description="Days from its push until a build cache goes.")
    rules: tuple[LifecycleRuleConfig, ...] = Field(
        (), strict=False, description="The whole policy; none of its rules may reach what is deployed."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> LifecycleConfig:
        if self.rules and len(self.model_fields_set) > 1:
            raise ValueError("rules are the whole policy: leave out keep_releases, untagged_days and cache_days")
        return self


class DestinationConfig(Section):
    """A registry that images are copied to."""

    region: Region = Field(description="Its region.")
    account_id: AccountId | None = Field(None, description="Its account; registry.account_id unless given.")


class ReplicationRuleConfig(Section):
    """Where repositories are copied to."""

    prefixes: Annotated[tuple[Prefix, ...], Field(max_length=100)] = Field(
        (), strict=False, description="How the names of the repositories begin; every repository unless given."
    )
    destinations: Annotated[tuple[DestinationConfig, ...], Field(min_length=1, max_length=100)] = Field(
        strict=False, description="The registries that they are copied to."
    )


class ScanningRuleConfig(Section):
    """How often repositories are scanned."""

    frequency: ScanFrequency = Field(description="As ECR names them.")
    filters: Annotated[tuple[ScanFilter, ...], Field(min_length=1, max_length=100)] = Field(
        strict=False, description="The names of the repositories, in which * stands for anything."
    )


class ScanningConfig(Section):
    """What scans the whole registry; repositories' own switch, scan_on_push, is then left alone."""

    type: Literal["BASIC", "ENHANCED"] = Field(description="BASIC is ECR's own scanner, ENHANCED is Amazon Inspector.")
    rules: Annotated[tuple[ScanningRuleConfig, ...], Field(max_length=2)] = Field(
        (), strict=False, description="One a frequency."
    )

    @model_validator(mode="after")
    def _possible(self) -> ScanningConfig:
        frequencies = [rule.frequency for rule in self.rules]
        if len(set(frequencies)) < len(frequencies):
            raise ValueError("two rules have the same frequency: put their filters into one")
        wrong = {"BASIC": "CONTINUOUS_SCAN", "ENHANCED": "MANUAL"}[self.type]
        if wrong in frequencies:
            raise ValueError(f"scanning of type {self.type} has no frequency {wrong}")
        return self


class EcrConfig(Section):
    """How ECR repositories are kept; what an environment says takes the place of the same key, tags are added."""

    scan_on_push: bool = Field(True, description="Whether what is pushed is scanned.")
    encryption: EncryptionConfig = Field(EncryptionConfig(), description="How new repositories are encrypted.")
    immutable: bool = Field(False, description="Whether tags stay where they are, but for those that a release moves.")
    lifecycle: LifecycleConfig = Field(LifecycleConfig(), description="Which images are kept.")
    policy: RelativePath | dict[str, Any] | None = Field(
        None, description="The repository policy: a JSON file from the repository's root, or the document itself."
    )
    team: TagValue | None = Field(None, description="The tag team of every repository.")
    teams: dict[Name, TagValue] = Field({}, description="The tag team of a service's repository.")
    tags: Annotated[dict[TagKey, TagValue], Field(max_length=_TAGS - 3)] = Field(
        {}, description="Further tags of repositories; {service} is filled in. Tags of others are left alone."
    )
    replication: Annotated[tuple[ReplicationRuleConfig, ...], Field(max_length=25)] = Field(
        (), strict=False, description="Where the registry copies repositories to; rules of others stay."
    )
    scanning: ScanningConfig | None = Field(None, description="What scans the whole registry.")
    pull_time_exclusions: Annotated[tuple[Principal, ...], Field(max_length=100)] = Field(
        (), strict=False, description="ARNs of roles and users whose pulls do not count as use of an image."
    )
