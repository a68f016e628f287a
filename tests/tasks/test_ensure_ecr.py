"""The stages that configure ECR, upon the shop's own `argosy.yaml`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from argosy.errors import ConfigurationError, Terminal
from deployments.local.aws import ACCOUNT, policy_document
from tasks.ensure_registry import ensure_registry
from tests.aws_account import administrated, forget_registry
from tests.hosted import HostedShop
from tests.tasks.stages import ENVIRONMENT, ensure, planned

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}]}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/scanner"


def configure(shop: HostedShop, ecr: str, **files: str) -> None:
    """Commit `ecr` as that section of the shop's argosy.yaml."""
    text = (shop.path / "argosy.yaml").read_text()
    shop.commit("Configure ECR", {"argosy.yaml": f"{text}ecr: {ecr}\n", **files})


@pytest.fixture
def untold(hosted: HostedShop) -> Iterator[HostedShop]:
    """A shop whose registry was told nothing yet."""
    with administrated(hosted.cloud.aws) as administrator:
        forget_registry(administrator)
        yield hosted
        forget_registry(administrator)


def test_a_repository_is_kept_as_the_commit_says(hosted: HostedShop) -> None:
    configure(
        hosted,
        "{immutable: true, team: shop, policy: ecr.json, lifecycle: {keep_releases: 7}}",
        **{"ecr.json": json.dumps(POLICY)},
    )
    item = planned(hosted, adopt=True).services[0]
    ensure(hosted, item)
    name = f"{hosted.name}-ui"
    with hosted.ecr() as ecr:
        [found] = ecr.describe_repositories(repositoryNames=[name])["repositories"]
        tags = ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
        policy = json.loads(ecr.get_repository_policy(repositoryName=name)["policyText"])
        lifecycle = json.loads(ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])
    assert found["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"managed-by": "argosy", "service": "ui", "team": "shop"}
    assert policy == POLICY
    assert lifecycle["rules"][-1]["selection"]["countNumber"] == 7


def test_a_policy_file_that_the_commit_lacks_is_named(hosted: HostedShop) -> None:
    configure(hosted, "{policy: ecr.json}")
    item = planned(hosted, adopt=True).services[0]
    with pytest.raises(ConfigurationError, match=r"has no ecr\.json, which ecr\.policy names \(commit it"):
        ensure(hosted, item)


def test_a_registry_is_told_what_the_commit_says_of_it(untold: HostedShop) -> None:
    configure(untold, f"{{pull_time_exclusions: ['{ROLE}'], replication: [{{destinations: [{{region: eu-west-3}}]}}]}}")
    assert planned(untold, adopt=True).tells_registry
    done = ensure_registry.fn(untold.name, ENVIRONMENT, untold.head)
    assert done == (
        f"replicates every repository to eu-west-3 of account {ACCOUNT}",
        f"pulls by {ROLE} no longer count as use",
    )
    assert ensure_registry.fn(untold.name, ENVIRONMENT, untold.head) == ()


def test_nothing_is_told_to_a_registry_of_which_nothing_is_said(untold: HostedShop) -> None:
    untold.use(untold.cloud.aws.create_user(f"{untold.name}-nobody", ["ecr:GetAuthorizationToken"]))
    assert not planned(untold, adopt=True).tells_registry
    assert ensure_registry.fn(untold.name, ENVIRONMENT, untold.head) == ()


def test_a_registry_that_one_may_not_tell_is_a_terminal_trouble_that_names_the_action(untold: HostedShop) -> None:
    configure(untold, f"{{pull_time_exclusions: ['{ROLE}']}}")
    untold.use(untold.cloud.aws.create_user_with(f"{untold.name}-release", policy_document("release")))
    with pytest.raises(Terminal, match="configuring the registry in us-east-1") as refused:
        ensure_registry.fn(untold.name, ENVIRONMENT, untold.head)
    assert refused.value.remedy == "allow ecr:ListPullTimeUpdateExclusions in the IAM policy of these credentials"
