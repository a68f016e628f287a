"""The registry, AWS and the bridge between them, through the doors that Argosy uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from botocore.exceptions import ClientError

from deployments.local.aws import ACCOUNT, REGION, AccessKey, session
from tests.cloud import Cloud
from tests.deployments.images import INDEX, client, digest, index, manifest, put
from tests.deployments.waiting import soon

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

pytestmark = pytest.mark.e2e  # the registry's package is downloaded once


@pytest.fixture
def http(cloud: Cloud) -> Iterator[httpx.Client]:
    with client(cloud.registry) as http:
        yield http


@pytest.fixture
def ecr(cloud: Cloud) -> Iterator[ECRClient]:
    with closing(_ecr(cloud, cloud.aws.key)) as ecr:
        yield ecr


def _ecr(cloud: Cloud, key: AccessKey) -> ECRClient:
    return session(key).client("ecr", endpoint_url=cloud.aws.endpoint_url)


def _tags(ecr: ECRClient, repository: str) -> dict[str, set[str]]:
    images = ecr.describe_images(repositoryName=repository)["imageDetails"]
    return {image["imageDigest"]: set(image.get("imageTags", [])) for image in images}


def test_the_tags_of_one_manifest_are_listed_on_one_digest(cloud: Cloud, ecr: ECRClient, http: httpx.Client) -> None:
    ecr.create_repository(repositoryName="shop-ui")
    pushed = put(http, "shop-ui", manifest(http, "shop-ui", "one"), "a" * 40, "latest", "content-1")
    soon(lambda: _tags(ecr, "shop-ui"), {pushed: {"a" * 40, "latest", "content-1"}})


def test_a_tag_that_moves_leaves_the_old_image_with_its_other_tags(ecr: ECRClient, http: httpx.Client) -> None:
    ecr.create_repository(repositoryName="shop-cart")
    old = put(http, "shop-cart", manifest(http, "shop-cart", "old"), "v1", "latest")
    new = put(http, "shop-cart", manifest(http, "shop-cart", "new"), "v2", "latest")
    soon(lambda: _tags(ecr, "shop-cart"), {old: {"v1"}, new: {"v2", "latest"}})


def test_an_image_whose_only_tag_moved_stays_without_tags(ecr: ECRClient, http: httpx.Client) -> None:
    ecr.create_repository(repositoryName="shop-orders")
    old = put(http, "shop-orders", manifest(http, "shop-orders", "old"), "latest")
    new = put(http, "shop-orders", manifest(http, "shop-orders", "new"), "latest")
    soon(lambda: _tags(ecr, "shop-orders"), {old: set(), new: {"latest"}})


def test_the_same_push_again_changes_nothing(ecr: ECRClient, http: httpx.Client) -> None:
    ecr.create_repository(repositoryName="shop-again")
    document = manifest(http, "shop-again", "one")
    put(http, "shop-again", document, "v1", "v1")
    last = put(http, "shop-again", document, "v2")
    soon(lambda: _tags(ecr, "shop-again"), {last: {"v1", "v2"}})


def test_manifests_pushed_by_digest_are_listed_without_tags(ecr: ECRClient, http: httpx.Client) -> None:
    ecr.create_repository(repositoryName="shop-platforms")
    one, two = (manifest(http, "shop-platforms", text) for text in ("amd64", "arm64"))
    children = [put(http, "shop-platforms", child, digest(child)) for child in (one, two)]
    whole = put(http, "shop-platforms", index(one, two), "v1", media_type=INDEX)
    soon(lambda: _tags(ecr, "shop-platforms"), {children[0]: set(), children[1]: set(), whole: {"v1"}})


def test_a_manifest_deleted_in_the_registry_is_gone_from_ecr(ecr: ECRClient, http: httpx.Client) -> None:
    ecr.create_repository(repositoryName="shop-gone")
    pushed = put(http, "shop-gone", manifest(http, "shop-gone", "one"), "v1")
    soon(lambda: _tags(ecr, "shop-gone"), {pushed: {"v1"}})
    http.delete(f"/v2/shop-gone/manifests/{pushed}").raise_for_status()
    soon(lambda: _tags(ecr, "shop-gone"), {})


def test_a_push_to_a_repository_that_ecr_lacks_does_not_hold_up_the_next(ecr: ECRClient, http: httpx.Client) -> None:
    put(http, "nowhere", manifest(http, "nowhere", "one"), "v1")
    ecr.create_repository(repositoryName="somewhere")
    pushed = put(http, "somewhere", manifest(http, "somewhere", "one"), "v1")
    soon(lambda: _tags(ecr, "somewhere"), {pushed: {"v1"}})


def test_the_authorization_token_opens_the_registry_for_half_a_day(cloud: Cloud, ecr: ECRClient) -> None:
    [data] = ecr.get_authorization_token()["authorizationData"]
    url = f"http://{cloud.registry.host}/v2/"
    opened = httpx.get(url, headers={"Authorization": f"Basic {data['authorizationToken']}"}, trust_env=False)
    assert opened.status_code == httpx.codes.OK
    assert data["expiresAt"] > datetime.now(UTC) + timedelta(hours=11)
    assert httpx.get(url, auth=("AWS", "another"), trust_env=False).status_code == httpx.codes.UNAUTHORIZED


@pytest.mark.parametrize("action", ["delete_repository", "delete_lifecycle_policy"])
def test_the_pipeline_may_do_what_its_policy_says_and_nothing_else(ecr: ECRClient, action: str) -> None:
    name = f"shop-{action.replace('_', '-')}"
    ecr.create_repository(repositoryName=name)
    with pytest.raises(ClientError) as refused:
        getattr(ecr, action)(repositoryName=name)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == httpx.codes.FORBIDDEN


def test_a_key_with_a_wrong_secret_is_refused(cloud: Cloud) -> None:
    forged = AccessKey("argosy", cloud.aws.key.id, cloud.aws.bridge_key.secret)
    with closing(_ecr(cloud, forged)) as ecr, pytest.raises(ClientError):
        ecr.describe_repositories()


def test_a_user_confined_to_some_repositories_is_refused_at_others(cloud: Cloud) -> None:
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/mine-*"
    with closing(_ecr(cloud, cloud.aws.create_user("confined", ["ecr:CreateRepository"], arn))) as ecr:
        ecr.create_repository(repositoryName="mine-ui")
        with pytest.raises(ClientError):
            ecr.create_repository(repositoryName="other-ui")


def test_no_secret_is_seen_in_arguments_environments_or_logs(cloud: Cloud) -> None:
    secrets = [cloud.registry.password, cloud.aws.key.secret, cloud.aws.bridge_key.secret]
    for process in (part._process for part in (cloud.aws, cloud.bridge, cloud.registry)):
        shown = process.log.read_bytes()
        for place in ("cmdline", "environ"):
            shown += (Path("/proc") / str(process.pid) / place).read_bytes()
        assert not [secret for secret in secrets if secret.get_secret_value().encode() in shown]
