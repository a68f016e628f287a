"""Which images a lifecycle policy expires, by the rules of ECR's own evaluation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.ecr.expiry import StoredImage, expired, matches, selects
from argosy.ecr.lifecycle import default_policy
from argosy.infrastructure import LifecyclePolicy, PolicyRule, SelectionCriteria

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
Count = Literal["imageCountMoreThan", "sinceImagePushed"]


def image(name: str, age: float, *tags: str, held_by: tuple[str, ...] = ()) -> StoredImage:
    return StoredImage(name, tags, NOW - timedelta(days=age), held_by)


def tagged(priority: int, count: int, *patterns: str, by: Count = "imageCountMoreThan") -> PolicyRule:
    unit: Literal["days"] | None = "days" if by == "sinceImagePushed" else None
    return PolicyRule(priority, "", SelectionCriteria("tagged", by, count, unit, tag_patterns=patterns))


def untagged(priority: int, days: int) -> PolicyRule:
    return PolicyRule(priority, "", SelectionCriteria("untagged", "sinceImagePushed", days, "days"))


def whole(priority: int, count: int) -> PolicyRule:
    return PolicyRule(priority, "", SelectionCriteria("any", "imageCountMoreThan", count))


def gone(rules: list[PolicyRule], *images: StoredImage) -> dict[str, int]:
    return expired(LifecyclePolicy(tuple(rules)), images, NOW)


def test_a_count_keeps_the_newest_whatever_their_order() -> None:
    images = [image("old", 9, "v1"), image("new", 1, "v3"), image("middle", 5, "v2")]
    assert gone([tagged(1, 1, "v*")], *images) == {"old": 1, "middle": 1}
    assert gone([tagged(1, 3, "v*")], *images) == {}


def test_age_counts_from_the_push_and_the_limit_itself_stays() -> None:
    images = [image("older", 14.01, "v1"), image("exactly", 14, "v2"), image("younger", 13.9, "v3")]
    assert gone([tagged(1, 14, "v*", by="sinceImagePushed")], *images) == {"older": 1}


def test_of_several_patterns_every_one_must_match_the_same_image() -> None:
    images = [image("both", 9, "v1", "prod"), image("one", 9, "v2"), image("other", 9, "prod-2")]
    assert gone([tagged(1, 5, "v*", "prod", by="sinceImagePushed")], *images) == {"both": 1}


def test_what_an_earlier_rule_matched_no_later_one_expires_though_it_counts_it() -> None:
    kept = [image("deployed", 90, "deployed-prod", "v1"), image("a", 3, "v2"), image("b", 2, "v3"), image("c", 1, "v4")]
    assert gone([tagged(1, 9999, "deployed-*"), tagged(2, 3, "v*")], *kept) == {}
    assert gone([tagged(1, 9999, "deployed-*"), tagged(2, 2, "v*")], *kept) == {"a": 2}


def test_priority_decides_and_not_the_order_in_the_document() -> None:
    images = [image("a", 3, "beta-1", "prod-1"), image("b", 2, "beta-2", "prod-2"), image("c", 1, "beta-3")]
    prod_first = [tagged(2, 1, "beta*"), tagged(1, 1, "prod*")]
    assert gone(prod_first, *images) == {"a": 1}
    beta_first = [tagged(2, 1, "prod*"), tagged(1, 1, "beta*")]
    assert gone(beta_first, *images) == {"a": 1, "b": 1}


def test_a_rule_for_any_image_takes_what_the_others_left() -> None:
    images = [image("v", 9, "v1"), image("bare", 8), image("other", 7, "x"), image("new", 1, "y")]
    assert gone([tagged(1, 9, "v*"), untagged(2, 30), whole(3, 1)], *images) == {"other": 3}


def test_an_image_without_tags_is_matched_by_no_rule_for_tags() -> None:
    assert not selects(SelectionCriteria("tagged", "imageCountMoreThan", 1, tag_patterns=("*",)), ())
    assert selects(SelectionCriteria("untagged", "imageCountMoreThan", 1), ())


def test_a_platform_stays_as_long_as_the_index_that_names_it() -> None:
    platform = image("amd64", 90, held_by=("index",))
    rules = [untagged(1, 14), tagged(2, 30, "v*", by="sinceImagePushed")]
    assert gone(rules, image("index", 20, "v1"), platform) == {}
    assert gone(rules, image("index", 90, "v1"), platform) == {"amd64": 1, "index": 2}
    assert gone(rules, platform) == {"amd64": 1}


def test_a_prefix_is_a_pattern_that_ends_in_a_wildcard() -> None:
    selection = SelectionCriteria("tagged", "imageCountMoreThan", 1, tag_prefixes=("prod",))
    assert [selects(selection, (tag,)) for tag in ("prod", "prod-1", "preprod")] == [True, True, False]


@pytest.mark.parametrize(
    ("pattern", "tag", "is_match"),
    [
        ("*", "", True), ("v1", "v1", True), ("v1", "v10", False), ("v*", "v", True), ("*.x", "1.x", True),
        ("*.x", "1yx", False), ("a*c*e", "abcde", True), ("a*c*e", "abde", False), ("v.", "v1", False),
    ],
)  # fmt: skip
def test_a_wildcard_stands_for_anything_and_nothing_else_does(pattern: str, tag: str, is_match: bool) -> None:
    assert matches(pattern, tag) is is_match


def test_by_default_deployed_and_previous_images_stay_however_old() -> None:
    images = [
        image("deployed", 4000, "content-1", "deployed-prod", "a" * 40),
        image("previous", 5000, "content-2", "previous-prod"),
        image("both", 6000, "content-3", "deployed-dev", "previous-prod"),
        *(image(f"new-{number}", 1, f"content-new-{number}") for number in range(150)),
    ]
    assert not {"deployed", "previous", "both"} & expired(default_policy(), images, NOW).keys()


def test_by_default_the_last_releases_stay_and_caches_and_untagged_images_go_by_age() -> None:
    releases = [image(f"release-{age}", age, f"content-{age}", f"{age:040}") for age in range(1, 9)]
    others = [
        image("cache", 30, "cache-main"), image("fresh-cache", 2, "cache-feature"), image("bare", 30),
        image("fresh-bare", 2), image("somebody's", 4000, "1.2.2"),
    ]  # fmt: skip
    found = expired(default_policy(keep_releases=5, untagged_days=7, cache_days=10), [*releases, *others], NOW)
    assert found == {"release-6": 30, "release-7": 30, "release-8": 30, "cache": 20, "bare": 10}


TAGS = st.sampled_from(["deployed-dev", "previous-dev", "content-1", "content-2", "cache-main", "v1", "latest"])
IMAGES = st.lists(
    st.builds(lambda tags, age: (tuple(sorted(tags)), age), st.sets(TAGS, max_size=4), st.integers(0, 5000)),
    max_size=12,
).map(lambda given: [image(str(number), age, *tags) for number, (tags, age) in enumerate(given)])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(IMAGES, st.integers(1, 3), st.integers(1, 30), st.integers(1, 30))
def test_no_default_policy_ever_expires_what_is_deployed(
    images: list[StoredImage], releases: int, untagged_days: int, cache_days: int
) -> None:
    found = expired(default_policy(releases, untagged_days, cache_days), images, NOW)
    protected = {each.digest for each in images if any(tag.startswith(("deployed-", "previous-")) for tag in each.tags)}
    assert not protected & found.keys()
