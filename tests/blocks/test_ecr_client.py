"""The client that AWS's throttling does not break, and that shares what it learnt between the threads of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from prefect_aws import AwsCredentials
from prefect_aws.client_parameters import AwsClientParameters
from pydantic import SecretStr

from blocks.container_registry import ecr_client
from deployments.local.aws import REGION
from tests.engine.web import Answer, served

HEADERS = {"Content-Type": "application/x-amz-json-1.1"}
THROTTLED = Answer(400, HEADERS, json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode())
EMPTY = Answer(200, HEADERS, json.dumps({"repositories": []}).encode())


def credentials(host: str, **config: Any) -> AwsCredentials:
    return AwsCredentials(
        aws_access_key_id="id",
        aws_secret_access_key=SecretStr("of a key that opens nothing"),
        region_name=REGION,
        aws_client_parameters=AwsClientParameters(endpoint_url=f"http://{host}", config=config or None),
    )


@contextmanager
def throttling(times: int) -> Iterator[tuple[str, list[str]]]:
    """An AWS that throttles so many requests first, and what it was asked."""
    asked: list[str] = []

    def answer(request: object) -> Answer:
        asked.append("describe")
        return THROTTLED if len(asked) <= times else EMPTY

    with served(answer) as host:
        yield host, asked


def test_a_call_that_is_throttled_is_made_again() -> None:
    with throttling(2) as (host, asked):
        assert ecr_client(credentials(host)).describe_repositories()["repositories"] == []
        assert len(asked) == 3


def test_a_call_that_is_always_throttled_ends_in_the_end() -> None:
    with throttling(100) as (host, asked):
        with pytest.raises(ClientError, match="Rate exceeded"):
            ecr_client(credentials(host)).describe_repositories()
        assert len(asked) == 5


def test_what_a_block_says_of_retries_is_heeded_and_its_other_settings_stay() -> None:
    with throttling(100) as (host, asked):
        client = ecr_client(credentials(host, retries={"total_max_attempts": 2}, connect_timeout=7))
        with pytest.raises(ClientError):
            client.describe_repositories()
        config: Any = client.meta.config
        assert (len(asked), config.connect_timeout) == (2, 7)


def test_the_same_credentials_have_one_client_whose_pace_all_threads_share() -> None:
    with throttling(0) as (host, _):
        client = ecr_client(credentials(host))
        assert ecr_client(credentials(host)) is client
        config: Any = client.meta.config
        assert config.retries["mode"] == "adaptive"
