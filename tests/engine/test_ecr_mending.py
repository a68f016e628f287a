"""What an ECR repository differs in: mended where that can be, told where it cannot, left alone elsewhere."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from argosy.ecr.control_plane import BATCH, described, ensure_repository
from argosy.ecr.images import stored_images
from argosy.ecr.lifecycle import DEFAULT_LIFECYCLE_POLICY, default_policy
from argosy.ecr.mending import MOVING_TAGS
from argosy.errors import ConfigurationError
from argosy.infrastructure import ECRRepository, Encryption, LifecyclePolicy, PolicyRule, SelectionCriteria
from deployments.local.aws import REGION, Aws
from tests.aws_account import connected
from tests.deployments.images import INDEX, digest

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

KEY = f"arn:aws:kms:{REGION}:123456789012:key/11111111-2222-3333-4444-555555555555"
ALLOW: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}],
}
DENY: dict[str, Any] = ALLOW | {"Statement": [ALLOW["Statement"][0] | {"Effect": "Deny"}]}


@pytest.fixture
def client(account: Aws) -> Iterator[ECRClient]:
    with connected(account, account.key) as client:
        yield client


@pytest.fixture
def wanted() -> ECRRepository:
    return ECRRepository(f"mended-{uuid.uuid4().hex[:8]}", REGION)


def standing(client: ECRClient, wanted: ECRRepository) -> Any:
    return client.describe_repositories(repositoryNames=[wanted.name])["repositories"][0]


def tags(client: ECRClient, wanted: ECRRepository) -> dict[str, str]:
    arn = standing(client, wanted)["repositoryArn"]
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(resourceArn=arn)["tags"]}


def push(client: ECRClient, wanted: ECRRepository, *tags: str) -> str:
    """Tell ECR of an image, as a push would; returns its digest."""
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "m", "config": {}, "layers": [], "x": uuid.uuid4().hex})
    for tag in tags:
        client.put_image(
            repositoryName=wanted.name, imageManifest=manifest, imageTag=tag, imageDigest=digest(manifest.encode())
        )
    return digest(manifest.encode())


# encryption


def test_a_repository_is_created_with_the_key_that_is_wanted(client: ECRClient, wanted: ECRRepository) -> None:
    wanted = replace(wanted, encryption=Encryption("KMS", KEY))
    assert ensure_repository(client, wanted).mended == ("created the repository",)
    assert standing(client, wanted)["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": KEY}


@pytest.mark.parametrize("key", [KEY, KEY.rpartition("/")[2], None])
def test_the_same_key_by_its_arn_or_id_is_no_difference(
    client: ECRClient, wanted: ECRRepository, key: str | None
) -> None:
    ensure_repository(client, replace(wanted, encryption=Encryption("KMS", KEY)))
    assert ensure_repository(client, replace(wanted, encryption=Encryption("KMS", key))).remaining == ()


def test_another_encryption_is_told_with_the_remedy_and_left_as_it_is(client: ECRClient, wanted: ECRRepository) -> None:
    ensure_repository(client, wanted)
    other = ensure_repository(client, replace(wanted, encryption=Encryption("KMS", KEY)))
    assert other.mended == ()
    assert len(other.remaining) == 1
    assert f"is encrypted with AES256, not with KMS and the key {KEY}" in other.remaining[0]
    assert "name another repository" in other.remaining[0]
    assert standing(client, wanted)["encryptionConfiguration"] == {"encryptionType": "AES256"}


# tags that move


def test_in_an_immutable_repository_the_moving_tags_move_and_no_others(
    client: ECRClient, wanted: ECRRepository
) -> None:
    ensure_repository(client, replace(wanted, mutability="IMMUTABLE"))
    moving = [pattern.replace("*", "x") for pattern in MOVING_TAGS]
    first = push(client, wanted, "a" * 40, *moving)
    with pytest.raises(client.exceptions.ClientError):
        push(client, wanted, "a" * 40)
    second = push(client, wanted, "b" * 40, *moving)
    there = {each.digest: set(each.tags) for each in stored_images(client, wanted.name)}
    assert there == {first: {"a" * 40}, second: {"b" * 40, *moving}}


def test_ecr_takes_as_many_exclusions_as_there_are_moving_tags(client: ECRClient) -> None:
    filters = client.meta.service_model.shape_for("ImageTagMutabilityExclusionFilters").metadata
    assert len(MOVING_TAGS) <= filters["max"]


# lifecycle


def test_a_policy_that_will_not_do_is_refused_before_anything_is_asked(
    client: ECRClient, wanted: ECRRepository
) -> None:
    whole = PolicyRule(1, "keep five images of whatever kind", SelectionCriteria("any", "imageCountMoreThan", 5))
    with pytest.raises(ConfigurationError, match="rule 1 could expire"):
        ensure_repository(client, replace(wanted, lifecycle_policy=LifecyclePolicy((whole,))))
    with pytest.raises(client.exceptions.RepositoryNotFoundException):
        standing(client, wanted)


def test_it_is_told_how_many_images_a_new_policy_expires(client: ECRClient, wanted: ECRRepository) -> None:
    ensure_repository(client, replace(wanted, lifecycle_policy=DEFAULT_LIFECYCLE_POLICY))
    for number in range(4):
        push(client, wanted, f"content-{number}")
    push(client, wanted, "cache-main")
    fewer = replace(wanted, lifecycle_policy=default_policy(keep_releases=3))
    later = datetime.now(UTC) + timedelta(days=20)
    done = ensure_repository(client, fewer, clock=lambda: later).mended
    assert done == ("replaced another lifecycle policy, by which 2 of 5 images expire now",)


def test_images_are_counted_beyond_the_first_page(client: ECRClient, wanted: ECRRepository) -> None:
    ensure_repository(client, wanted)
    digests = {push(client, wanted, f"content-{number}") for number in range(7)}
    client.meta.events.register("provide-client-params.ecr.DescribeImages", _pages_of_three)
    assert {each.digest for each in stored_images(client, wanted.name)} == digests


def test_the_platforms_of_an_index_are_known_as_its_own(client: ECRClient, wanted: ECRRepository) -> None:
    ensure_repository(client, wanted)
    platform, other = push(client, wanted, "to-be-untagged"), push(client, wanted, "other")
    manifest = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"digest": platform}]})
    index = digest(manifest.encode())
    client.put_image(
        repositoryName=wanted.name,
        imageManifest=manifest,
        imageManifestMediaType=INDEX,
        imageTag="v1",
        imageDigest=index,
    )
    assert {each.digest: each.held_by for each in stored_images(client, wanted.name)} == {
        platform: (index,),
        other: (),
        index: (),
    }


def _pages_of_three(params: dict[str, Any], **_: object) -> None:
    params["maxResults"] = 3


# repository policy


def test_a_repository_policy_is_set_replaced_and_left_where_it_says_the_same(
    client: ECRClient, wanted: ECRRepository
) -> None:
    wanted = replace(wanted, policy=json.dumps(ALLOW))
    assert "set the repository policy" in ensure_repository(client, wanted).mended
    said_otherwise = json.dumps(
        ALLOW | {"Statement": ALLOW["Statement"][0] | {"Action": "ecr:BatchGetImage"}}, indent=1
    )
    assert ensure_repository(client, replace(wanted, policy=said_otherwise)).mended == ()
    assert ensure_repository(client, replace(wanted, policy=json.dumps(DENY))).mended == (
        "replaced another repository policy",
    )
    assert json.loads(client.get_repository_policy(repositoryName=wanted.name)["policyText"]) == DENY


def test_without_a_wanted_policy_the_standing_one_stays(client: ECRClient, wanted: ECRRepository) -> None:
    ensure_repository(client, replace(wanted, policy=json.dumps(ALLOW)))
    assert ensure_repository(client, wanted).mended == ()
    assert json.loads(client.get_repository_policy(repositoryName=wanted.name)["policyText"]) == ALLOW


# resource tags


def test_a_new_repository_has_its_tags(client: ECRClient, wanted: ECRRepository) -> None:
    wanted = replace(wanted, tags=(("managed-by", "argosy"), ("service", "ui")))
    assert ensure_repository(client, wanted).mended == ("created the repository",)
    assert tags(client, wanted) == {"managed-by": "argosy", "service": "ui"}
    assert ensure_repository(client, wanted).mended == ()


def test_tags_are_mended_and_those_of_others_left_alone(client: ECRClient, wanted: ECRRepository) -> None:
    client.create_repository(
        repositoryName=wanted.name, tags=[{"Key": "team", "Value": "old"}, {"Key": "cost-centre", "Value": "7"}]
    )
    wanted = replace(wanted, scan_configuration=None, tags=(("service", "ui"), ("team", "new")))
    done = ensure_repository(client, wanted).mended
    assert done == ("tagged it service: ui", "tagged it team: new, which was old")
    assert tags(client, wanted) == {"service": "ui", "team": "new", "cost-centre": "7"}


# scanning


def test_a_repositorys_own_scanning_is_left_alone_where_nothing_is_said_of_it(
    client: ECRClient, wanted: ECRRepository
) -> None:
    silent = replace(wanted, scan_configuration=None)
    client.create_repository(repositoryName=wanted.name, imageScanningConfiguration={"scanOnPush": True})
    assert ensure_repository(client, silent).mended == ()
    assert standing(client, wanted)["imageScanningConfiguration"] == {"scanOnPush": True}


# batches


def asked(client: ECRClient) -> list[list[str]]:
    """What `DescribeRepositories` is asked from now on."""
    found: list[list[str]] = []

    def note(params: dict[str, Any], **_: object) -> None:
        found.append(list(params["repositoryNames"]))

    client.meta.events.register("provide-client-params.ecr.DescribeRepositories", note)
    return found


def test_a_hundred_repositories_are_described_at_once(client: ECRClient, wanted: ECRRepository) -> None:
    names = [f"{wanted.name}-{number}" for number in range(BATCH + 1)]
    for name in names:
        client.create_repository(repositoryName=name)
    questions = asked(client)
    assert set(described(client, names)) == set(names)
    assert [len(question) for question in questions] == [100, 1]


def test_what_was_described_is_not_asked_for_again(client: ECRClient, wanted: ECRRepository) -> None:
    ensure_repository(client, wanted)
    known, questions = standing(client, wanted), asked(client)
    assert ensure_repository(client, wanted, known).mended == ()
    assert questions == []


def test_a_missing_repository_leaves_the_others_of_its_hundred_to_be_asked_for(
    client: ECRClient, wanted: ECRRepository
) -> None:
    ensure_repository(client, wanted)
    assert described(client, [wanted.name, f"{wanted.name}-missing"]) == {}
    assert described(client, [wanted.name]).keys() == {wanted.name}


def test_what_one_may_not_see_leaves_each_to_be_asked_for(account: Aws, wanted: ECRRepository) -> None:
    with connected(account, account.bridge_key) as stranger:
        assert described(stranger, [wanted.name]) == {}
