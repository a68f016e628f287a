"""The data models of the registry's control plane: repositories and their lifecycle policies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SelectionCriteria:
    """Which images a lifecycle rule counts; field names are those of ECR's policy document, in snake case."""

    tag_status: Literal["tagged", "untagged", "any"]
    count_type: Literal["imageCountMoreThan", "sinceImagePushed"]
    count_number: int
    count_unit: Literal["days"] | None = None
    tag_patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyAction:
    """What happens to the images that a rule selects; ECR knows `expire`."""

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
    """The rules of a repository."""

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
    return {
        "rulePriority": rule.priority,
        "description": rule.description,
        "selection": selection,
        "action": {"type": rule.action.type},
    }


@dataclass(frozen=True, slots=True)
class ScanConfig:
    """Whether the registry scans what is pushed."""

    scan_on_push: bool = True


@dataclass(frozen=True, slots=True)
class ECRRepository:
    """A repository as it should be; `url` is its host and name, without a scheme."""

    name: str
    region: str
    url: str = ""
    lifecycle_policy: LifecyclePolicy | None = None
    scan_configuration: ScanConfig = ScanConfig()
    mutability: Literal["MUTABLE", "IMMUTABLE"] = "MUTABLE"
