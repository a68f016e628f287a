"""Which images a lifecycle policy expires: ECR's own evaluation, done locally and without asking anybody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from argosy.infrastructure import LifecyclePolicy, PolicyRule, SelectionCriteria


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image of a repository; `pushed_at` has a zone. A tag that is added later does not make it any younger.

    `held_by` has the digests of the indexes that name it, such as an image of several platforms.
    """

    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime
    held_by: tuple[str, ...] = ()


def expired(policy: LifecyclePolicy, images: Sequence[StoredImage], now: datetime) -> dict[str, int]:
    """The digests that `policy` expires, each with the priority of the rule that does, by ECR's rules.

    An image that matches a rule's tags is out of reach of every later rule, whether it was expired or not; yet a later
    rule counts it. Images that an index names stay as long as the index does. Source: AWS's user guide, "How lifecycle
    policies work".
    """
    found: dict[str, int] = {}
    settled: set[str] = set()
    newest_first = sorted(images, key=lambda image: image.pushed_at, reverse=True)
    for rule in sorted(policy.rules, key=lambda rule: rule.priority):
        counted = [image for image in newest_first if selects(rule.selection, image.tags)]
        found |= {image.digest: rule.priority for image in _over(rule, counted, now) if image.digest not in settled}
        settled |= {image.digest for image in counted}
    return _without_held(found, {image.digest: image.held_by for image in images})


def selects(selection: SelectionCriteria, tags: Iterable[str]) -> bool:
    """Whether a rule counts an image with `tags`; of several patterns each must match one of them."""
    given = tuple(tags)
    if selection.tag_status == "any":
        return True
    if selection.tag_status == "untagged":
        return not given
    return all(any(matches(pattern, tag) for tag in given) for pattern in selection.patterns)


def matches(pattern: str, tag: str) -> bool:
    """Whether `tag` matches `pattern`, in which `*` stands for anything, nothing included."""
    return _compiled(pattern).fullmatch(tag) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))))


def _over(rule: PolicyRule, newest_first: Sequence[StoredImage], now: datetime) -> Sequence[StoredImage]:
    """The images beyond what the rule lets stay, among those that it counts."""
    if rule.selection.count_type == "imageCountMoreThan":
        return newest_first[rule.selection.count_number :]
    oldest = now - timedelta(days=rule.selection.count_number)
    return [image for image in newest_first if image.pushed_at < oldest]


def _without_held(found: Mapping[str, int], held_by: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    there = held_by.keys() - found.keys()
    return {digest: rule for digest, rule in found.items() if not there.intersection(held_by[digest])}
