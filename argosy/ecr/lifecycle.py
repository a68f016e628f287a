"""Lifecycle policies: Argosy's own, what ECR takes, and whether one could expire what is deployed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from argosy.ecr.expiry import matches
from argosy.errors import ConfigurationError
from argosy.infrastructure import LifecyclePolicy, PolicyRule, SelectionCriteria

KEEP_RELEASES, UNTAGGED_DAYS, CACHE_DAYS = 100, 14, 14

PROTECTED = ("deployed-", "previous-")
"""How the tags begin of which no image may expire: what an environment runs, and what it would go back to."""

_FOR_EVER = 9999
_NEVER_REACHED = 1000  # one image an environment has such a tag
_TEXT = range(100, 30_721)
_WILDCARDS = 4
_TAG = re.compile(r"[A-Za-z0-9_.*-]{1,128}")


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a policy will not do; `index` is the place of the rule concerned, None where it is the whole."""

    index: int | None
    message: str
    remedy: str


def default_policy(
    keep_releases: int = KEEP_RELEASES, untagged_days: int = UNTAGGED_DAYS, cache_days: int = CACHE_DAYS
) -> LifecyclePolicy:
    """Keep what is deployed and the newest releases; expire what lost its tags, and caches. Other tags stay."""
    return LifecyclePolicy(
        (
            _keep(1, "deployed-*"),
            _keep(2, "previous-*"),
            PolicyRule(10, "expire untagged images", _older(untagged_days, "untagged")),
            PolicyRule(20, "expire build caches", _older(cache_days, "tagged", "cache-*")),
            PolicyRule(30, f"keep the last {keep_releases} releases", _beyond(keep_releases, "content-*")),
        )
    )


def check(policy: LifecyclePolicy) -> None:
    """Raise ConfigurationError for the first thing about `policy` that ECR refuses, or that endangers a release."""
    for flaw in flaws(policy):
        raise ConfigurationError(f"the lifecycle policy: {flaw.message}", remedy=flaw.remedy)


def flaws(policy: LifecyclePolicy) -> Iterator[Flaw]:
    """Everything that is wrong with `policy`, by ECR's rules first. Source: AWS's lifecycle policy properties."""
    for index, rule in enumerate(policy.rules):
        for message, remedy in _of_rule(rule):
            yield Flaw(index, f"rule {rule.priority} {message}", remedy)
    yield from _among(policy.rules)
    if len(policy.to_json()) not in _TEXT:
        size = f"its text has {len(policy.to_json())} characters; ECR takes {_TEXT.start} to {_TEXT.stop - 1}"
        yield Flaw(None, size, "describe its rules at more length" if policy.rules else "give it a rule")
    yield from _dangers(policy.rules)


def _keep(priority: int, pattern: str) -> PolicyRule:
    """Keep the images tagged so, one pattern a rule: of several patterns ECR wants every one on the same image."""
    return PolicyRule(priority, f"keep {pattern} for ever", _beyond(_FOR_EVER, pattern))


def _beyond(count: int, pattern: str) -> SelectionCriteria:
    return SelectionCriteria("tagged", "imageCountMoreThan", count, tag_patterns=(pattern,))


def _older(days: int, status: str, *patterns: str) -> SelectionCriteria:
    kind: Literal["tagged", "untagged"] = "untagged" if status == "untagged" else "tagged"
    return SelectionCriteria(kind, "sinceImagePushed", days, "days", patterns)


def _of_rule(rule: PolicyRule) -> Iterator[tuple[str, str]]:
    """What ECR would say of one rule alone, each with its remedy."""
    selection = rule.selection
    if rule.priority < 1:
        yield "has a priority below 1", "count priorities from 1"
    if selection.count_number < 1:
        yield "has a count_number below 1", "let it be 1 or more"
    if (selection.count_type == "sinceImagePushed") is not (selection.count_unit == "days"):
        yield (
            f"counts {selection.count_type} in {selection.count_unit or 'no unit'}",
            ("give count_unit: days with sinceImagePushed, and with nothing else"),
        )
    tagged, given = selection.tag_status == "tagged", bool(selection.patterns)
    if tagged is not given:
        yield (
            f"has tag_status {selection.tag_status} and {'' if given else 'no '}tags",
            ("give tag_patterns or tag_prefixes with tag_status: tagged, and with nothing else"),
        )
    if selection.tag_patterns and selection.tag_prefixes:
        yield "has both tag_patterns and tag_prefixes", "write each prefix as a pattern that ends in *"
    yield from _of_patterns(selection)


def _of_patterns(selection: SelectionCriteria) -> Iterator[tuple[str, str]]:
    for pattern in selection.patterns:
        if not _TAG.fullmatch(pattern):
            yield f"has the tag {pattern!r}, which no image can have", "use letters, digits, ., _ and -"
        if pattern.count("*") > _WILDCARDS:
            yield f"has the pattern {pattern} with more than {_WILDCARDS} wildcards", "use fewer"
    if any("*" in prefix for prefix in selection.tag_prefixes):
        yield "has a wildcard in tag_prefixes", "name it in tag_patterns"
    if len(set(selection.patterns)) < len(selection.patterns):
        yield "names a tag twice", "name it once"


def _among(rules: tuple[PolicyRule, ...]) -> Iterator[Flaw]:
    """What ECR would say of the rules together."""
    yield from _twice(rules, lambda rule: rule.priority, "has the priority of another rule", "give it one of its own")
    yield from _twice(
        rules,
        lambda rule: "untagged" if rule.selection.tag_status == "untagged" else None,
        "is a second one for untagged images",
        "keep one of them",
    )
    yield from _twice(
        rules,
        lambda rule: frozenset(rule.selection.patterns) or None,
        "has the same tags as another rule",
        "make one rule of them",
    )
    last = max((rule.priority for rule in rules), default=0)
    for index, rule in enumerate(rules):
        if rule.selection.tag_status == "any" and rule.priority < last:
            yield Flaw(index, f"rule {rule.priority} is for any image and not the last", "give it the highest priority")


def _twice(
    rules: tuple[PolicyRule, ...], key: Callable[[PolicyRule], object], message: str, remedy: str
) -> Iterator[Flaw]:
    seen: Counter[object] = Counter()
    for index, rule in enumerate(rules):
        if (kind := key(rule)) is None:
            continue
        seen[kind] += 1
        if seen[kind] > 1:
            yield Flaw(index, f"rule {rule.priority} {message}", remedy)


def _dangers(rules: tuple[PolicyRule, ...]) -> Iterator[Flaw]:
    """The first rule that could expire an image that is deployed, or the one before it.

    Age and order count from an image's push, and what is released again after a revert was pushed long ago: only a
    rule of higher precedence that keeps images by those very tags puts them out of reach of one that expires.
    """
    kept: set[str] = set()
    for index, rule in sorted(enumerate(rules), key=lambda each: each[1].priority):
        keeps = {kind for kind in PROTECTED if _keeps(rule.selection, kind)}
        kept |= keeps
        left = [kind for kind in PROTECTED if kind not in kept]
        if rule.selection.tag_status == "untagged" or keeps or not left:
            continue  # what is deployed has a tag
        remedy = (
            f"put a rule before it with tag_status: tagged, tag_patterns: ['{left[0]}*'], "
            f"count_type: imageCountMoreThan, count_number: {_FOR_EVER}"
        )
        yield Flaw(
            index,
            f"rule {rule.priority} could expire an image with a tag {left[0]}*, for age and order count from its push",
            remedy,
        )
        return


def _keeps(selection: SelectionCriteria, kind: str) -> bool:
    """Whether a rule counts every image with a tag that begins with `kind`, only such, and more than there can be."""
    lasting = selection.count_type == "imageCountMoreThan" and selection.count_number >= _NEVER_REACHED
    return lasting and bool(selection.patterns) and all(_is_all_of(each, kind) for each in selection.patterns)


def _is_all_of(pattern: str, kind: str) -> bool:
    return pattern.startswith(kind) and pattern.endswith("*") and matches(pattern, kind)


DEFAULT_LIFECYCLE_POLICY = default_policy()
"""What is deployed stays, however old; ECR only ever expires, and never by a later rule what an earlier one matched."""
