"""An AWS account for tests: its clients, and its registry as it was when it was new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from deployments.local.aws import AccessKey, Aws, session

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient


@contextmanager
def connected(account: Aws, key: AccessKey) -> Iterator[ECRClient]:
    """A client of the account's ECR with `key`, for the length of a `with`."""
    with closing(session(key).client("ecr", endpoint_url=account.endpoint_url)) as client:
        yield client


@contextmanager
def administrated(account: Aws) -> Iterator[ECRClient]:
    """A client that may do everything."""
    with connected(account, account._administrator) as client:
        yield client


def forget_registry(administrator: ECRClient) -> None:
    """Take back all that the registry was told."""
    administrator.put_replication_configuration(replicationConfiguration={"rules": []})
    administrator.put_registry_scanning_configuration(scanType="BASIC", rules=[])
    for arn in administrator.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"]:
        administrator.deregister_pull_time_update_exclusion(principalArn=arn)
