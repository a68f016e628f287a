"""The IAM policies that are handed out: they suffice for all that Argosy asks of ECR, and every action is needed.

What a push and a pull ask through the registry's own protocol, the stack's registry does not check against IAM: for
these actions the calls are made that ECR makes of them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from argosy.ecr import control_plane as ecr
from argosy.ecr.lifecycle import default_policy
from argosy.ecr.registry import ensure_registry
from argosy.infrastructure import (
    ECRRegistry,
    ECRRepository,
    ReplicationDestination,
    ReplicationRule,
    ScanConfig,
    Scanning,
)
from deployments.local.aws import ACCOUNT, PIPELINE_POLICIES, REGION, Aws, policy_document, session
from tests.aws_account import administrated, connected, forget_registry
from tests.deployments.images import MANIFEST, digest

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

PREFIX = "granted-"
POLICY = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}]})
LAYER = b"a layer"
DIGEST = f"sha256:{sha256(LAYER).hexdigest()}"


def name() -> str:
    return f"{PREFIX}{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def administrator(account: Aws) -> Iterator[ECRClient]:
    with administrated(account) as administrator:
        yield administrator
        forget_registry(administrator)


@dataclass(frozen=True)
class Granted:
    """A user's client, and what the user may do."""

    client: ECRClient
    iam: Any
    user: str

    def grant(self, documents: Sequence[Mapping[str, object]]) -> ECRClient:
        """Let the user do what `documents` allow, and nothing else."""
        statements = [each for document in documents for each in cast("list[object]", document["Statement"])]
        text = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.iam.put_user_policy(UserName=self.user, PolicyName=f"{self.user}-0", PolicyDocument=text)
        return self.client


@pytest.fixture(scope="module")
def granted(account: Aws) -> Iterator[Granted]:
    user = name()
    key = account.create_user_with(user, policy_document("release"))
    iam = session(account._administrator).client("iam", endpoint_url=account.endpoint_url)
    with closing(iam), connected(account, key) as client:
        yield Granted(client, iam, user)


def actions() -> list[tuple[str, str]]:
    """Every action of ECR's that is allowed, with what needs it."""
    statements = [each for policy in PIPELINE_POLICIES for each in policy_document(policy)["Statement"]]
    return [(each["Sid"], action) for each in statements for action in each["Action"] if action.startswith("ecr:")]


def without(action: str) -> list[Mapping[str, object]]:
    """Every policy that is handed out, with `action` taken away."""
    documents = [deepcopy(policy_document(policy, PREFIX)) for policy in PIPELINE_POLICIES]
    for statement in (each for document in documents for each in document["Statement"]):
        statement["Action"] = [each for each in statement["Action"] if each != action] or ["none:Nothing"]
    return list(documents)


def ensure(client: ECRClient, administrator: ECRClient) -> None:
    """All that is done to a repository: one is created, and another mended in everything."""
    wanted = ECRRepository(
        name(),
        REGION,
        lifecycle_policy=default_policy(),
        policy=POLICY,
        tags=(("service", "ui"),),
        mutability="IMMUTABLE",
    )
    ecr.ensure_repository(client, wanted)
    other = replace(wanted, name=name(), scan_configuration=ScanConfig(True))
    administrator.create_repository(repositoryName=other.name)
    administrator.put_lifecycle_policy(
        repositoryName=other.name, lifecyclePolicyText=default_policy(keep_releases=3).to_json()
    )
    assert len(ecr.ensure_repository(client, other).mended) == 5


def tell(client: ECRClient, administrator: ECRClient) -> None:
    """All that is told to a registry."""
    rule = ReplicationRule((ReplicationDestination("eu-west-3", ACCOUNT),))
    role = f"arn:aws:iam::{ACCOUNT}:role/{name()}"
    before = administrator.get_registry_scanning_configuration()["scanningConfiguration"].get("scanType")
    kind: Any = "BASIC" if before == "ENHANCED" else "ENHANCED"
    administrator.put_replication_configuration(replicationConfiguration={"rules": []})
    assert len(ensure_registry(client, ECRRegistry(ACCOUNT, REGION, (rule,), Scanning(kind), (role,)))) == 3


def push_and_pull(client: ECRClient, administrator: ECRClient) -> None:
    """What ECR makes of a push and of a pull."""
    repository = name()
    administrator.create_repository(repositoryName=repository)
    upload = client.initiate_layer_upload(repositoryName=repository)["uploadId"]
    client.upload_layer_part(
        repositoryName=repository, uploadId=upload, partFirstByte=0, partLastByte=len(LAYER) - 1, layerPartBlob=LAYER
    )
    client.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[DIGEST])
    client.batch_check_layer_availability(repositoryName=repository, layerDigests=[DIGEST])
    put_image(client, repository)
    client.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "v1"}])
    try:
        client.get_download_url_for_layer(repositoryName=repository, layerDigest=DIGEST)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 403:
            raise  # moto has no layers to give away, but it asks first whether one may have them


def put_image(client: ECRClient, repository: str) -> None:
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": {}, "layers": []})
    client.put_image(
        repositoryName=repository, imageManifest=manifest, imageTag="v1", imageDigest=digest(manifest.encode())
    )


def log_in(client: ECRClient, administrator: ECRClient) -> None:
    ecr.authorization(client)


def scan(client: ECRClient, administrator: ECRClient) -> None:
    forget_registry(administrator)  # scans can be ordered of basic scanning alone
    repository = name()
    administrator.create_repository(repositoryName=repository)
    put_image(administrator, repository)
    client.start_image_scan(repositoryName=repository, imageId={"imageTag": "v1"})
    client.describe_image_scan_findings(repositoryName=repository, imageId={"imageTag": "v1"})


EVERYTHING: dict[str, Callable[[ECRClient, ECRClient], None]] = {
    "LogIn": log_in,
    "PushAndPull": push_and_pull,
    "EnsureRepositories": ensure,
    "ScanImages": scan,
    "EnsureRegistry": tell,
}


def test_the_policies_suffice_for_all_that_is_asked_of_ecr(granted: Granted, administrator: ECRClient) -> None:
    client = granted.grant([policy_document(policy, PREFIX) for policy in PIPELINE_POLICIES])
    for part in EVERYTHING.values():
        part(client, administrator)


@pytest.mark.parametrize(("needed_by", "action"), actions())
def test_without_any_one_action_something_is_refused_and_the_action_named(
    granted: Granted, administrator: ECRClient, needed_by: str, action: str
) -> None:
    client = granted.grant(without(action))
    with pytest.raises(ClientError) as refused:
        EVERYTHING[needed_by](client, administrator)
    assert ecr.translate(refused.value, "asking").remedy == f"allow {action} in the IAM policy of these credentials"


@pytest.mark.parametrize("policy", PIPELINE_POLICIES)
def test_only_what_has_no_repository_is_allowed_of_everything(policy: str) -> None:
    for statement in policy_document(policy, PREFIX)["Statement"]:
        if statement["Resource"] == "*":
            assert statement["Sid"] in {"LogIn", "EnsureRegistry"}
        elif statement["Sid"] != "LetECRReplicate":
            assert statement["Resource"] == f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{PREFIX}*"
        assert not [action for action in statement["Action"] if "*" in action]


def test_a_release_may_touch_neither_other_repositories_nor_the_registry(
    granted: Granted, administrator: ECRClient
) -> None:
    other = f"other-{uuid.uuid4().hex[:8]}"
    arn = administrator.create_repository(repositoryName=other)["repository"]["repositoryArn"]
    client = granted.grant([policy_document("release", PREFIX)])
    for attempt in (
        lambda: ecr.ensure_repository(client, ECRRepository(other, REGION)),
        lambda: client.create_repository(repositoryName=f"{other}-new"),
        lambda: client.tag_resource(resourceArn=arn, tags=[{"Key": "team", "Value": "x"}]),
        lambda: client.delete_repository(repositoryName=f"{PREFIX}x"),
        lambda: client.describe_repositories(),
        lambda: client.describe_registry(),
    ):
        assert forbidden(attempt)


def test_who_may_tell_the_registry_may_touch_no_repository(granted: Granted) -> None:
    client = granted.grant([policy_document("registry", PREFIX)])
    assert forbidden(lambda: client.describe_repositories(repositoryNames=[f"{PREFIX}x"]))


def forbidden(attempt: Callable[[], object]) -> bool:
    with pytest.raises(ClientError) as refused:
        attempt()
    return refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
