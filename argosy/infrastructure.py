"""The data models of the registry's control plane: repositories, their lifecycle policies, and the registry itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

ScanFrequency = Literal["SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"]


@dataclass(frozen=True, slots=True)
class SelectionCriteria:
    """Which images a lifecycle rule counts; field names are those of ECR's policy document, in snake case."""

    tag_status: Literal["tagged", "untagged", "any"]
    count_type: Literal["imageCountMoreThan", "sinceImagePushed"]
    count_number: int
    count_unit: Literal["days"] | None = None
    tag_patterns: tuple[str, ...] = ()
    tag_prefixes: tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """What an image's tags must match: every pattern, and every prefix as a pattern."""
        return self.tag_patterns or tuple(f"{prefix}*" for prefix in self.tag_prefixes)


@dataclass(frozen=True, slots=True)
class PolicyAction:
    """What happens to the images that a rule selects; of ECR's actions only `expire` is used."""

    type: Literal["expire"] = "expire"


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One rule; the lower priority is applied first, and an image that it matched no later rule touches."""

    priority: int
    description: str
    selection: SelectionCriteria
    action: PolicyAction = PolicyAction()


@dataclass(frozen=True, slots=True)
class LifecyclePolicy:
    """The rules of a repository; `argosy.ecr.lifecycle` says whether ECR takes them."""

    rules: tuple[PolicyRule, ...]

    def to_json(self) -> str:
        """The policy text as ECR takes it."""
        return json.dumps({"rules": [_document(rule) for rule in self.rules]})


def _document(rule: PolicyRule) -> dict[str, object]:
    selection: dict[str, object] = {
        "tagStatus": rule.selection.tag_status,
        "countType": rule.selection.count_type,
        "countNumber": rule.selection.count_number,
    }
    if rule.selection.count_unit:
        selection["countUnit"] = rule.selection.count_unit
    if rule.selection.tag_patterns:
        selection["tagPatternList"] = list(rule.selection.tag_patterns)
    if rule.selection.tag_prefixes:
        selection["tagPrefixList"] = list(rule.selection.tag_prefixes)
    described = {"description": rule.description} if rule.description else {}
    return {
        "rulePriority": rule.priority,
        **described,
        "selection": selection,
        "action": {"type": rule.action.type},
    }


@dataclass(frozen=True, slots=True)
class ScanConfig:
    """Whether the registry scans what is pushed."""

    scan_on_push: bool = True


@dataclass(frozen=True, slots=True)
class Encryption:
    """How images are encrypted at rest; `key` is a KMS key's id or ARN, AWS's own key unless given."""

    type: Literal["AES256", "KMS", "KMS_DSSE"] = "AES256"
    key: str | None = None


AES256 = Encryption()


@dataclass(frozen=True, slots=True)
class ECRRepository:
    """A repository as it should be; `url` is its host and name, without a scheme.

    What is None, and tags that are not named, are left as they are. `policy` is the text of a JSON document.
    """

    name: str
    region: str
    url: str = ""
    lifecycle_policy: LifecyclePolicy | None = None
    scan_configuration: ScanConfig | None = ScanConfig()
    mutability: Literal["MUTABLE", "IMMUTABLE"] = "MUTABLE"
    encryption: Encryption = AES256
    policy: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class ReplicationDestination:
    """A registry that images are copied to."""

    region: str
    account_id: str


@dataclass(frozen=True, slots=True)
class ReplicationRule:
    """Where the repositories whose names begin with any of `prefixes` are copied to; all of them without prefixes."""

    destinations: tuple[ReplicationDestination, ...]
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScanningRule:
    """How often the repositories that match any of `filters` are scanned."""

    frequency: ScanFrequency
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scanning:
    """What scans the registry: ECR itself (BASIC), or Amazon Inspector (ENHANCED)."""

    type: Literal["BASIC", "ENHANCED"]
    rules: tuple[ScanningRule, ...] = ()


@dataclass(frozen=True, slots=True)
class ECRRegistry:
    """What a registry, one account's in one region, should have; what is empty or None is left as it is.

    `pull_time_exclusions` has the ARNs of roles and users whose pulls do not count as use of an image.
    """

    account_id: str
    region: str
    replication: tuple[ReplicationRule, ...] = ()
    scanning: Scanning | None = None
    pull_time_exclusions: tuple[str, ...] = ()
