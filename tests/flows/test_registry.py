"""What a whole run asks of ECR, and tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prefect_aws import AwsCredentials

from argosy.errors import ReleaseFailed
from blocks.container_registry import ecr_client
from deployments.local.aws import ACCOUNT, policy_document
from flows.release import release
from tests.aws_account import administrated, forget_registry
from tests.hosted import SERVICES, HostedShop

ROLE = f"arn:aws:iam::{ACCOUNT}:role/puller"


@pytest.fixture
def telling(hosted: HostedShop) -> Iterator[HostedShop]:
    """A shop with an image of each service, and something to tell its registry."""
    text = (hosted.path / "argosy.yaml").read_text()
    hosted.commit("Configure ECR", {"argosy.yaml": f"{text}ecr: {{pull_time_exclusions: ['{ROLE}']}}\n"})
    for name in SERVICES:
        hosted.image(name)
    with administrated(hosted.cloud.aws) as administrator:
        forget_registry(administrator)
        yield hosted
        forget_registry(administrator)


def excluded(shop: HostedShop) -> list[str]:
    with shop.ecr() as ecr:
        return ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"]


def test_a_run_tells_the_registry_and_releases(telling: HostedShop) -> None:
    state = release(telling.name, "dev", adopt=True, return_state=True)
    assert (state.type.value, state.message) == ("COMPLETED", "ui, cart released to dev")
    assert excluded(telling) == [ROLE]


def test_a_registry_that_may_not_be_told_keeps_nothing_from_being_released_and_the_run_says_so(
    telling: HostedShop,
) -> None:
    telling.use(telling.cloud.aws.create_user_with(f"{telling.name}-release", policy_document("release")))
    before = telling.head
    state = release(telling.name, "dev", adopt=True, return_state=True)
    with pytest.raises(ReleaseFailed, match="configuring the registry in us-east-1"):
        state.result()
    assert all(before in telling.values(name) for name in SERVICES)
    assert excluded(telling) == []


def test_a_run_asks_for_all_repositories_at_once(telling: HostedShop) -> None:
    names = {f"{telling.name}-{service}" for service in SERVICES}
    with telling.ecr() as ecr:
        for name in names:
            ecr.create_repository(repositoryName=name)
    asked: list[set[str]] = []

    def note(params: dict[str, Any], **_: object) -> None:
        asked.append(set(params["repositoryNames"]))

    block = AwsCredentials.load(telling.name)
    assert isinstance(block, AwsCredentials)
    client = ecr_client(block)  # the one that the stages get
    client.meta.events.register("provide-client-params.ecr.DescribeRepositories", note)
    state = release(telling.name, "dev", adopt=True, return_state=True)
    assert state.type.value == "COMPLETED"
    assert asked == [names]
