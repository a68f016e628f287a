"""What ECR takes as a lifecycle policy, and which policies Argosy does not take though ECR would."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.ecr.expiry import StoredImage, expired
from argosy.ecr.lifecycle import DEFAULT_LIFECYCLE_POLICY, check, default_policy, flaws
from argosy.errors import ConfigurationError
from argosy.infrastructure import LifecyclePolicy, PolicyRule, SelectionCriteria

KEEP = DEFAULT_LIFECYCLE_POLICY.rules[:2]


def rule(priority: int = 50, count: int = 5, **selection: Any) -> PolicyRule:
    given = {"tag_status": "tagged", "count_type": "imageCountMoreThan", "tag_patterns": ("v*",)} | selection
    return PolicyRule(priority, "for the tests", SelectionCriteria(count_number=count, **given))


def policy(*rules: PolicyRule) -> LifecyclePolicy:
    return LifecyclePolicy((*KEEP, *rules))


def said(wrong: LifecyclePolicy) -> str:
    with pytest.raises(ConfigurationError) as refused:
        check(wrong)
    assert refused.value.remedy
    return str(refused.value)


def test_argosys_own_policy_has_no_flaw_whatever_its_numbers() -> None:
    assert not list(flaws(DEFAULT_LIFECYCLE_POLICY))
    assert not list(flaws(default_policy(1, 1, 1)))


def test_its_document_is_as_ecr_takes_it() -> None:
    document = json.loads(DEFAULT_LIFECYCLE_POLICY.to_json())["rules"]
    assert [each["rulePriority"] for each in document] == [1, 2, 10, 20, 30]
    assert document[0]["selection"] == {
        "tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": 9999, "tagPatternList": ["deployed-*"],
    }  # fmt: skip
    assert document[2]["selection"] == {
        "tagStatus": "untagged", "countType": "sinceImagePushed", "countNumber": 14, "countUnit": "days",
    }  # fmt: skip
    prefixed = rule(tag_patterns=(), tag_prefixes=("v",))
    assert json.loads(policy(prefixed).to_json())["rules"][2]["selection"]["tagPrefixList"] == ["v"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (rule(0), "rule 0 has a priority below 1"),
        (rule(count=0), "rule 50 has a count_number below 1"),
        (rule(count_type="sinceImagePushed"), "counts sinceImagePushed in no unit"),
        (rule(count_unit="days"), "counts imageCountMoreThan in days"),
        (rule(tag_patterns=()), "has tag_status tagged and no tags"),
        (rule(tag_status="untagged"), "has tag_status untagged and tags"),
        (rule(tag_status="any"), "has tag_status any and tags"),
        (rule(tag_prefixes=("v",)), "both tag_patterns and tag_prefixes"),
        (rule(tag_patterns=("a*b*c*d*e*",)), "more than 4 wildcards"),
        (rule(tag_patterns=("v 1",)), "which no image can have"),
        (rule(tag_patterns=("v" * 129,)), "which no image can have"),
        (rule(tag_patterns=("v", "v")), "names a tag twice"),
        (rule(tag_patterns=(), tag_prefixes=("v*",)), "a wildcard in tag_prefixes"),
        (rule(1, tag_patterns=("w*",)), "rule 1 has the priority of another rule"),
        (rule(tag_patterns=("deployed-*",)), "rule 50 has the same tags as another rule"),
        (rule(tag_patterns=(), tag_prefixes=("previous-",)), "rule 50 has the same tags as another rule"),
    ],
)  # fmt: skip
def test_what_ecr_refuses_is_refused_before_any_call_with_the_rules_number(wrong: PolicyRule, words: str) -> None:
    assert words in said(policy(wrong))


def test_a_rule_for_any_image_is_the_last_and_one_for_untagged_images_the_only() -> None:
    whole = rule(40, tag_status="any", tag_patterns=())
    assert "rule 40 is for any image and not the last" in said(policy(whole, rule(50)))
    check(policy(replace(whole, priority=60), rule(50)))
    bare = rule(40, tag_status="untagged", tag_patterns=())
    assert "rule 41 is a second one for untagged images" in said(policy(bare, replace(bare, priority=41)))


def test_a_text_that_is_too_long_or_too_short_is_refused() -> None:
    long = [replace(rule(50 + number, tag_patterns=(f"v{number}",)), description="x" * 900) for number in range(40)]
    assert "ECR takes 100 to 30720" in said(policy(*long))
    assert "ECR takes 100 to 30720" in said(LifecyclePolicy(()))


AGE: dict[str, Any] = {"count_type": "sinceImagePushed", "count_unit": "days"}


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ((rule(1, tag_status="any", tag_patterns=()),), "rule 1 could expire an image with a tag deployed-*"),
        ((rule(7, tag_patterns=("content-*",), **AGE),), "rule 7 could expire an image with a tag deployed-*"),
        # An image has other tags besides the one that tells that it is deployed.
        ((KEEP[0], rule(7, tag_patterns=("v*",))), "rule 7 could expire an image with a tag previous-*"),
        # The keeping rule comes too late.
        ((rule(1, tag_patterns=("v*",)), replace(KEEP[0], priority=2), replace(KEEP[1], priority=3)), "rule 1 could"),
        # It keeps some of them only.
        ((rule(1, 5, tag_patterns=("deployed-*",)), KEEP[1], rule(9)), "rule 1 could"),
        ((rule(1, 9999, tag_patterns=("deployed-p*",)), KEEP[1], rule(9)), "rule 1 could"),
        ((rule(1, 9999, tag_patterns=("deployed-*", "v*")), KEEP[1], rule(9)), "rule 1 could"),
        ((rule(1, 9999, tag_patterns=("deployed-*-x",)), KEEP[1], rule(9)), "rule 1 could"),
        # Everything is counted by it, and so what is deployed may be the oldest of more.
        ((rule(1, 9999, tag_patterns=("*",)), rule(9)), "rule 1 could"),
        ((rule(1, 9999, tag_patterns=("deployed-*",), **AGE), KEEP[1], rule(9)), "rule 1 could"),
    ],
)  # fmt: skip
def test_a_policy_that_could_expire_what_is_deployed_is_refused(rules: tuple[PolicyRule, ...], words: str) -> None:
    message = said(LifecyclePolicy(rules))
    assert words in message
    assert "counts" in message or "count from its push" in message
    assert "put a rule before it with tag_status: tagged, tag_patterns: ['" in message


def test_what_only_touches_untagged_images_needs_no_rule_that_keeps() -> None:
    check(LifecyclePolicy((rule(1, tag_status="untagged", tag_patterns=()),)))


def test_prefixes_keep_as_patterns_do() -> None:
    keep = [
        rule(1 + n, 9999, tag_patterns=(), tag_prefixes=(kind,)) for n, kind in enumerate(("deployed-", "previous-"))
    ]
    check(LifecyclePolicy((*keep, rule())))


PATTERNS = st.sampled_from(["deployed-*", "previous-*", "content-*", "*", "v*", "deployed-dev", "d*", "*-dev"])
RULES = st.lists(
    st.builds(
        lambda patterns, count, by_age: (patterns, count, by_age),
        st.lists(PATTERNS, min_size=1, max_size=2, unique=True),
        st.sampled_from([1, 2, 5, 9999]),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)
TAGS = st.sets(st.sampled_from(["deployed-dev", "deployed-prod", "previous-dev", "content-1", "v1"]), max_size=3)
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(st.booleans(), RULES, st.lists(st.tuples(TAGS, st.integers(0, 20_000)), max_size=8))
def test_what_is_let_pass_expires_nothing_that_is_deployed(
    kept: bool, drawn: list[tuple[list[str], int, bool]], stored: list[tuple[set[str], int]]
) -> None:
    rules = [
        rule(number, count, tag_patterns=tuple(patterns), **(AGE if by_age else {}))
        for number, (patterns, count, by_age) in enumerate(drawn, 10)
    ]
    candidate = LifecyclePolicy((*(KEEP if kept else ()), *rules))
    if any(flaws(candidate)):
        return
    images = [
        StoredImage(str(number), tuple(sorted(tags)), NOW - timedelta(days=age))
        for number, (tags, age) in enumerate(stored)
    ]
    gone = expired(candidate, images, NOW)
    assert not [each for each in images if each.digest in gone and any("-dev" in t or "-prod" in t for t in each.tags)]
