"""Policy documents that say the same are the same, however AWS gives them back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from argosy.ecr.documents import policy_flaw, same_lifecycle, same_policy


def policy(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"} | changes


def text(*statements: dict[str, Any], **document: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)} | document)


ROOT = "arn:aws:iam::123456789012:root"
OTHER = "arn:aws:iam::210987654321:role/reader"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (text(policy()), json.dumps(json.loads(text(policy())), indent=4, sort_keys=True)),
        (text(policy()), text(Statement=policy())),
        (text(policy()), text(policy(Action=["ecr:BatchGetImage"]))),
        (text(policy()), text(policy(Action="ECR:batchgetimage"))),
        (text(policy()), text(policy(Principal={"AWS": ["*"]}))),
        (text(policy(Action=["a:b", "a:c"])), text(policy(Action=["a:c", "a:b", "a:b"]))),
        (text(policy(Principal={"AWS": "123456789012"})), text(policy(Principal={"AWS": [ROOT]}))),
        (text(policy(Principal={"AWS": [ROOT, OTHER]})), text(policy(Principal={"AWS": [OTHER, ROOT]}))),
        (text(policy(Sid="a"), policy(Sid="b")), text(policy(Sid="b"), policy(Sid="a"))),
        (json.dumps({"Statement": [policy()]}), text(policy(), Version="2008-10-17")),
        (
            text(policy(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
            text(policy(Condition={"StringEquals": {"aws:PrincipalOrgID": ["o-1"]}})),
        ),
    ],
)
def test_order_spacing_and_shorthand_make_no_difference(one: str, other: str) -> None:
    assert same_policy(one, other)
    assert same_policy(other, one)


@pytest.mark.parametrize(
    "changed",
    [
        text(policy(Effect="Deny")),
        text(policy(Principal={"AWS": OTHER})),
        text(policy(Principal={"Service": "*"})),
        text(policy(Action=["ecr:BatchGetImage", "ecr:PutImage"])),
        text(policy(Sid="named")),
        text(policy(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
        text(policy(), policy(Effect="Deny")),
        text(policy(), Version="2008-10-17"),
        text({"Effect": "Allow", "NotPrincipal": "*", "Action": "ecr:BatchGetImage"}),
        text({"Effect": "Allow", "Principal": "*", "NotAction": "ecr:BatchGetImage"}),
    ],
)
def test_whatever_changes_who_may_do_what_is_a_difference(changed: str) -> None:
    assert not same_policy(text(policy()), changed)


def test_a_condition_with_another_operator_or_key_is_a_difference() -> None:
    def under(test: str, key: str) -> str:
        return text(policy(Condition={test: {key: "x"}}))

    assert not same_policy(under("StringEquals", "aws:PrincipalOrgID"), under("StringLike", "aws:PrincipalOrgID"))
    assert not same_policy(under("StringEquals", "aws:PrincipalOrgID"), under("StringEquals", "aws:SourceArn"))


def test_the_same_rules_in_another_order_are_the_same_lifecycle_policy() -> None:
    rules = [{"rulePriority": 1, "selection": {"tagPatternList": ["a", "b"]}}, {"rulePriority": 2}]
    again = [{"rulePriority": 2}, {"selection": {"tagPatternList": ["b", "a"]}, "rulePriority": 1}]
    assert same_lifecycle(json.dumps({"rules": rules}), json.dumps({"rules": again}, indent=2))
    assert not same_lifecycle(json.dumps({"rules": rules}), json.dumps({"rules": rules[:1]}))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("{", "it is no JSON"),
        ("[]", "has a Statement"),
        ("{}", "has a Statement"),
        (text(), "has a Statement"),
        (text(policy(Effect="allow")), "has a Statement"),
        (text({"Effect": "Allow", "Principal": "*"}), "has a Statement"),
        (text({"Effect": "Allow", "Action": "ecr:*"}), "has a Statement"),
        (text(policy(Sid="x" * 10_240)), "more than 10240 characters"),
    ],
)
def test_what_can_be_no_repository_policy_is_told(wrong: str, words: str) -> None:
    assert words in (policy_flaw(wrong) or "")
    assert policy_flaw(text(policy())) is policy_flaw(text(Statement=policy())) is None
