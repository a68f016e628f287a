"""The registry that images are pushed to: how its credentials are had, and its client."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import BotoCoreError, ClientError
from prefect.blocks.core import Block
from prefect_aws import AwsCredentials
from pydantic import Field, SecretStr

from argosy.ecr import control_plane as ecr
from argosy.redact import remember
from argosy.registries.login import Login, RegistryCredentials
from argosy.registries.registry import Registry

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

_ATTEMPTS = 5


class ContainerRegistry(Block):
    """Credentials for an OCI registry: from ECR by an AWS credentials block, or a user and a token of its own."""

    _block_type_name = "Container Registry"
    _block_type_slug = "container-registry"
    _description = "The registry that Argosy pushes images to: Amazon ECR, or any other OCI registry."

    aws_credentials: AwsCredentials | None = Field(
        default=None, description="For Amazon ECR: the AWS credentials that an authorization token is asked with."
    )
    username: str = Field(default="", description="For another registry: the user.")
    token: SecretStr | None = Field(default=None, description="For another registry: the user's token or password.")

    def credentials(self) -> RegistryCredentials | None:
        """What opens the registry from now on, asked for anew; None for one that is open to all.

        Raises Transient when AWS cannot be reached, Terminal when it refuses.
        """
        if self.aws_credentials is not None:
            return authorization(self.aws_credentials)
        remember(self.token)
        return RegistryCredentials(self.username, self.token) if self.token else None

    def client(self, host: str) -> Registry:
        """A client for the registry at `host`; close it with `with`."""
        return Registry(host, Login(self.credentials))


def ecr_client(aws: AwsCredentials) -> ECRClient:
    """boto3's ECR client with the credentials, region and endpoint of an AWS credentials block.

    It slows down when AWS throttles, unless the block says how to retry: one client serves all of a run's threads.
    """
    remember(aws.aws_secret_access_key, aws.aws_session_token)
    client = cast("ECRClient", _patient(aws).get_client("ecr"))
    # Temporary keys are had from STS or from the machine, and renewed: the request shows the session token of now.
    client.meta.events.register("before-send.ecr", _remember_session, unique_id="argosy")
    return client


def _patient(aws: AwsCredentials) -> AwsCredentials:
    given = aws.aws_client_parameters
    config = given.config or {}
    retries = {"mode": "adaptive", **(config.get("retries") or {"total_max_attempts": _ATTEMPTS})}
    patient = given.model_copy(update={"config": {**config, "retries": retries}})
    return aws.model_copy(update={"aws_client_parameters": patient})


def _remember_session(request: AWSPreparedRequest, **_: object) -> None:
    remember(request.headers.get("X-Amz-Security-Token"))


def authorization(aws: AwsCredentials) -> RegistryCredentials:
    """ECR's authorization token, as a user and a password."""
    try:
        found = ecr.authorization(ecr_client(aws))[1]
    except (ClientError, BotoCoreError) as error:
        raise ecr.translate(error, "asking for an authorization token") from error
    remember(found.password)
    return found
