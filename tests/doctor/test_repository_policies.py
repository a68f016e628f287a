"""The doctor sees before a run whether the file is there that `ecr.policy` names, and is a policy."""

from __future__ import annotations

import json

import pytest

from argosy.doctor import inputs
from argosy.doctor.findings import Finding, Level
from argosy.doctor.tracked import Checkout
from tests.doctor.described import on_amazon
from tests.engine.shop import Shop

POLICY = json.dumps({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}})


def faults(shop: Shop) -> list[Finding]:
    environment = on_amazon('    registry: {repository: "dev-{service}"}\n    ecr: {policy: policies/ecr.json}')
    return [finding for finding in inputs.check(Checkout.read(shop.path), (environment,)) if finding.level != "good"]


def test_a_policy_that_is_committed_is_nothing(shop: Shop) -> None:
    shop.commit("Add a policy", {"policies/ecr.json": POLICY})
    assert faults(shop) == []


@pytest.mark.parametrize("target", [None, "../src/ui/main.txt"])
def test_one_that_is_missing_or_a_link_is_named(shop: Shop, target: str | None) -> None:
    if target:
        (shop.path / "policies").mkdir()
        (shop.path / "policies/ecr.json").symlink_to(target)
        shop.commit("Link", {})
    [finding] = faults(shop)
    assert (finding.level, finding.where) == (Level.WRONG, "policies/ecr.json")
    assert "it is no file on main" in finding.why
    assert "commit the file there" in finding.remedy


@pytest.mark.parametrize(("text", "why"), [("{", "it is no JSON"), ("{}", "has a Statement")])
def test_one_that_is_no_policy_is_told(shop: Shop, text: str, why: str) -> None:
    shop.commit("Add a policy", {"policies/ecr.json": text})
    [finding] = faults(shop)
    assert why in finding.why
