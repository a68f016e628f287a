"""What the services of a run share of the registry, counted on the way to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prefect_aws import AwsCredentials

from blocks.container_registry import ContainerRegistry
from deployments.local.aws import REGION
from tasks import connections
from tests.fault_proxy import Fault, FaultProxy, faulty
from tests.flows.test_release import released, results
from tests.hosted import SERVICES, HostedShop

MOVING = re.compile(r"/(latest|deployed-dev|previous-dev)$")


@pytest.fixture
def registry(hosted: HostedShop) -> Iterator[FaultProxy]:
    """The way to the registry of the shop, whose configuration names it."""
    host = hosted.cloud.registry.host
    with faulty(lambda: host) as proxy:
        file = "argosy.yaml"
        hosted.commit("Move", {file: (Path(hosted.path) / file).read_text().replace(host, proxy.host)})
        yield proxy


@pytest.fixture
def aws(hosted: HostedShop) -> Iterator[FaultProxy]:
    """The way to AWS of the block that the registry's token is had with."""
    with faulty(lambda: urlsplit(hosted.cloud.aws.endpoint_url).netloc) as proxy:
        key = hosted.cloud.aws.key
        credentials = AwsCredentials(
            aws_access_key_id=key.id,
            aws_secret_access_key=key.secret,
            region_name=REGION,
            aws_client_parameters={"endpoint_url": f"http://{proxy.host}"},
        )
        hosted.keep(ContainerRegistry(aws_credentials=credentials))
        yield proxy


def of_service(proxy: FaultProxy, shop: HostedShop, service: str, *moving: str) -> list[tuple[str, str]]:
    """Method and reference of each request for an image of `service`, those for `moving` and the moving tags apart."""
    asked = [each for each in proxy.asked if f"/{shop.name}-{service}/" in each.path and each.status != 401]
    found = [(each.method, each.path.rpartition("/")[2]) for each in asked if not MOVING.search(each.path)]
    return [each for each in found if each[1] not in moving]


def test_a_reused_service_costs_three_requests_and_all_of_them_one_login(
    hosted: HostedShop, registry: FaultProxy, aws: FaultProxy
) -> None:
    first = hosted.head
    for name in SERVICES:
        hosted.image(name)
    assert results(released(hosted, adopt=True)) == dict.fromkeys(SERVICES, "reused")
    second = hosted.change(*SERVICES)
    for name in SERVICES:
        hosted.image(name)
    registry.clear()
    aws.clear()
    assert results(released(hosted)) == dict.fromkeys(SERVICES, "reused")
    desired = hosted.digests().desired(second)
    for name in SERVICES:
        content = desired[name].tag
        assert of_service(registry, hosted, name, first) == [("GET", content), ("HEAD", second), ("PUT", second)]
    assert [each.status for each in registry.asked].count(401) == 1, "one client has asked how to log in, and once"
    assert [each.action for each in aws.asked] == ["GetAuthorizationToken"]
    assert not connections._RUNS


def test_an_untouched_service_costs_one_request(hosted: HostedShop, registry: FaultProxy) -> None:
    for name in SERVICES:
        hosted.image(name)
    source = hosted.head
    released(hosted, adopt=True)
    hosted.change("ui")
    hosted.image("ui")
    registry.clear()
    assert results(released(hosted)) == {"ui": "reused", "cart": "untouched"}
    assert of_service(registry, hosted, "cart")[:1] == [("HEAD", source)]
    assert not [each for each in of_service(registry, hosted, "cart") if each[0] != "HEAD"]


def test_a_registry_that_is_ill_is_left_alone_for_the_rest_of_the_run_and_asked_again_by_the_next(
    hosted: HostedShop, registry: FaultProxy
) -> None:
    described = (Path(hosted.path) / "argosy.yaml").read_text()
    policy = "    retry: {max_attempts: 1}\n    breaker: {failures: 1, delay: 3600}\n"
    hosted.commit("Hurry", {"argosy.yaml": described + policy})
    for name in SERVICES:
        hosted.image(name)
    released(hosted, adopt=True)
    source = hosted.change(*SERVICES)
    for name in SERVICES:
        hosted.image(name)
    registry.clear()
    registry.add(Fault(503, method="HEAD", path=f"/{source}$", times=10**6))
    state = released(hosted)
    assert results(state) == dict.fromkeys(SERVICES, "failed")
    message = state.message or ""
    assert "503" in message
    assert f"{registry.host} is left alone; failures in a row: 1, the last: " in message, "the tags are not moved"
    assert not [each for each in registry.asked if MOVING.search(each.path)]
    registry.clear()
    assert results(released(hosted)) == dict.fromkeys(SERVICES, "reused")
