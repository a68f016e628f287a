from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from argosy.ecr.control_plane import (
    DEFAULT_LIFECYCLE_POLICY,
    MOVING_TAGS,
    Ensured,
    authorization,
    ensure_repository,
    translate,
)
from argosy.errors import Terminal, Transient
from argosy.infrastructure import ECRRepository, LifecyclePolicy, ScanConfig
from deployments.local.process import free_port
from tests.engine.web import Answer, served

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

REGION = "eu-west-1"
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}]}
)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def connect(endpoint: str, key: tuple[str, str] = ("id", "secret")) -> ECRClient:
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5, proxies={})
    return boto3.client(
        "ecr", REGION, endpoint_url=endpoint, config=once, aws_access_key_id=key[0], aws_secret_access_key=key[1]
    )


@pytest.fixture
def client(endpoint: str) -> Iterator[ECRClient]:
    made = connect(endpoint)
    yield made
    made.close()


@pytest.fixture
def wanted() -> ECRRepository:
    return ECRRepository(f"shop/ui-{uuid.uuid4().hex[:8]}", REGION, lifecycle_policy=DEFAULT_LIFECYCLE_POLICY)


def standing(client: ECRClient, name: str) -> Any:
    """What AWS says of a repository."""
    return client.describe_repositories(repositoryNames=[name])["repositories"][0]


def rules(client: ECRClient, name: str) -> list[dict[str, Any]]:
    document: dict[str, Any] = json.loads(client.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])
    return list(document["rules"])


def test_a_missing_repository_is_created_as_wanted(client: ECRClient, wanted: ECRRepository) -> None:
    ensured = ensure_repository(client, wanted)
    assert (ensured.mended, ensured.remaining) == (("created the repository", "set the lifecycle policy"), ())
    repository = ensured.repository
    there = standing(client, wanted.name)
    assert there["imageScanningConfiguration"] == {"scanOnPush": True}
    assert there["encryptionConfiguration"]["encryptionType"] == "AES256"
    assert there["imageTagMutability"] == "MUTABLE"
    assert repository.url == there["repositoryUri"]
    assert repository.url.endswith(wanted.name)
    assert len(rules(client, wanted.name)) == 5


@pytest.mark.parametrize("mutability", ["MUTABLE", "IMMUTABLE"])
def test_a_second_time_there_is_nothing_to_mend(client: ECRClient, wanted: ECRRepository, mutability: Any) -> None:
    wanted = replace(wanted, mutability=mutability, policy=POLICY, tags=(("team", "shop"),))
    first = ensure_repository(client, wanted).repository
    assert ensure_repository(client, wanted) == Ensured(first)


def test_each_difference_is_mended_and_said(client: ECRClient, wanted: ECRRepository) -> None:
    client.create_repository(repositoryName=wanted.name, imageTagMutability="IMMUTABLE")
    other = LifecyclePolicy(DEFAULT_LIFECYCLE_POLICY.rules[:1])
    client.put_lifecycle_policy(repositoryName=wanted.name, lifecyclePolicyText=other.to_json())
    done = ensure_repository(client, wanted).mended
    assert done == (
        "switched scanning on push on",
        "made tags mutable, which were immutable",
        "replaced another lifecycle policy",
    )
    there = standing(client, wanted.name)
    assert there["imageScanningConfiguration"] == {"scanOnPush": True}
    assert there["imageTagMutability"] == "MUTABLE"
    assert len(rules(client, wanted.name)) == 5


def test_a_repository_is_made_immutable_but_for_the_tags_that_move(client: ECRClient, wanted: ECRRepository) -> None:
    client.create_repository(repositoryName=wanted.name)
    done = ensure_repository(client, ECRRepository(wanted.name, REGION, mutability="IMMUTABLE")).mended
    assert "made tags immutable except cache-*, content-*, deployed-*, latest, previous-*, which were mutable" in done
    there = standing(client, wanted.name)
    assert there["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert {item["filter"] for item in there["imageTagMutabilityExclusionFilters"]} == set(MOVING_TAGS)


def test_scanning_is_switched_off_where_that_is_wanted(client: ECRClient, wanted: ECRRepository) -> None:
    ensure_repository(client, wanted)
    quiet = ECRRepository(wanted.name, REGION, scan_configuration=ScanConfig(scan_on_push=False))
    assert ensure_repository(client, quiet).mended == ("switched scanning on push off",)
    assert standing(client, wanted.name)["imageScanningConfiguration"] == {"scanOnPush": False}


def test_without_a_wanted_lifecycle_policy_the_standing_one_stays(client: ECRClient, wanted: ECRRepository) -> None:
    ensure_repository(client, wanted)
    assert ensure_repository(client, ECRRepository(wanted.name, REGION)).mended == ()
    assert len(rules(client, wanted.name)) == 5


def test_the_same_policy_written_otherwise_is_no_difference(client: ECRClient, wanted: ECRRepository) -> None:
    ensure_repository(client, wanted)
    text = json.dumps({"rules": rules(client, wanted.name)[::-1]}, indent=2, sort_keys=True)
    client.put_lifecycle_policy(repositoryName=wanted.name, lifecyclePolicyText=text)
    assert ensure_repository(client, wanted).mended == ()


def test_a_repository_that_another_run_creates_meanwhile_is_mended(
    client: ECRClient, endpoint: str, wanted: ECRRepository
) -> None:
    other = connect(endpoint)

    def overtake(**_: object) -> None:
        other.create_repository(repositoryName=wanted.name)

    client.meta.events.register("before-call.ecr.CreateRepository", overtake)
    done = ensure_repository(client, wanted).mended
    other.close()
    assert done == ("switched scanning on push on", "set the lifecycle policy")


def test_many_runs_at_once_create_one_repository(client: ECRClient, wanted: ECRRepository) -> None:
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: ensure_repository(client, wanted), range(6)))
    assert sum("created the repository" in each.mended for each in found) == 1
    assert len({each.repository for each in found}) == 1


def test_the_token_is_a_user_and_a_password_for_the_registry_of_the_account(client: ECRClient) -> None:
    host, credentials = authorization(client)
    assert host == f"123456789012.dkr.ecr.{REGION}.amazonaws.com"
    assert credentials.username == "AWS"
    assert credentials.password == SecretStr("123456789012-auth-token")
    assert "auth-token" not in repr(credentials)


def failure(action: Callable[[], object]) -> ClientError | BotoCoreError:
    try:
        action()
    except (ClientError, BotoCoreError) as error:
        return error
    pytest.fail("AWS refused nothing")


@pytest.mark.parametrize(
    ("status", "code", "kind", "remedy"),
    [
        (400, "ThrottlingException", Transient, "later"),
        (400, "RequestLimitExceeded", Transient, "later"),
        (429, "", Transient, "later"),
        (500, "ServerException", Transient, "later"),
        (503, "ServiceUnavailable", Transient, "later"),
        (400, "AccessDeniedException", Terminal, "ecr:DescribeRepositories"),
        (403, "", Terminal, "ecr:DescribeRepositories"),
        (400, "UnrecognizedClientException", Terminal, "access key"),
        (403, "ExpiredTokenException", Terminal, "access key"),
        (400, "InvalidParameterException", Terminal, "ecr:DescribeRepositories"),
    ],
)
def test_answers_of_aws_say_whether_trying_again_helps(
    status: int, code: str, kind: type[Exception], remedy: str
) -> None:
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    answer = Answer(status, headers, json.dumps({"__type": code, "message": "because"}).encode())
    with served(lambda request: answer) as host:
        refused = connect(f"http://{host}")
        error = translate(failure(lambda: ensure_repository(refused, ECRRepository("ui", REGION))), "asking for ui")
        refused.close()
    assert type(error) is kind
    assert error.message.startswith("asking for ui: ")
    assert remedy in (error.remedy or "")


def test_what_iam_refuses_names_the_action_to_allow(endpoint: str, wanted: ECRRepository) -> None:
    iam = boto3.client("iam", REGION, endpoint_url=endpoint, aws_access_key_id="id", aws_secret_access_key="secret")
    iam.create_user(UserName=wanted.name.replace("/", "-"))
    key = iam.create_access_key(UserName=wanted.name.replace("/", "-"))["AccessKey"]
    stranger = connect(endpoint, (key["AccessKeyId"], key["SecretAccessKey"]))
    enforce = f"{endpoint}/moto-api/reset-auth"
    httpx.post(enforce, content="0", trust_env=False).raise_for_status()
    try:
        error = translate(failure(lambda: ensure_repository(stranger, wanted)), "asking")
    finally:
        httpx.post(enforce, content="inf", trust_env=False).raise_for_status()
        stranger.close()
        iam.close()
    assert isinstance(error, Terminal)
    assert "is not authorized to perform" in error.message
    assert error.remedy == "allow ecr:DescribeRepositories in the IAM policy of these credentials"


@pytest.mark.parametrize("answer", [None, Answer(None)])
def test_an_endpoint_that_does_not_answer_may_do_so_later(answer: Answer | None) -> None:
    with served(lambda request: answer or Answer(None)) as host:
        silent = connect(f"http://{host}" if answer else f"http://127.0.0.1:{free_port()}")
        error = translate(failure(silent.describe_repositories), "asking")
        silent.close()
    assert isinstance(error, Transient)
    assert error.remedy == "check the network, the region and the endpoint"


def test_missing_credentials_are_no_matter_of_trying_again() -> None:
    for missing in (NoCredentialsError(), PartialCredentialsError(provider="env", cred_var="secret"), NoRegionError()):
        error = translate(missing, "asking")
        assert isinstance(error, Terminal)
        assert "credentials" in (error.remedy or "")
