"""A registry that breaks off while an image is pushed to it: BuildKit tries again, or the build says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.builds.category import Category
from argosy.errors import Transient
from tests.engine.yard import DOCKERFILE, REPOSITORY, Yard
from tests.fault_proxy import Fault, FaultProxy, faulty

pytestmark = pytest.mark.e2e

UPLOADS = "/blobs/uploads/"


@pytest.fixture
def proxy(yard: Yard) -> Iterator[FaultProxy]:
    with faulty(lambda: yard.registry) as proxy:
        yield proxy


def build(yard: Yard, proxy: FaultProxy, scratch: Path, tag: str) -> str:
    """Build what no registry has, and push it through the proxy."""
    behind = replace(yard, registry=proxy.host)
    return behind.build(behind.request(scratch, f"{DOCKERFILE}RUN echo {tag} >/new\n", tag))


@pytest.mark.parametrize(
    "fault", [Fault(cut="before", method="PUT|PATCH"), Fault(cut="inside", method="PUT|PATCH|POST"), Fault(status=503)]
)
def test_an_upload_that_is_broken_off_is_made_again(
    yard: Yard, proxy: FaultProxy, tmp_path: Path, fault: Fault
) -> None:
    proxy.add(replace(fault, path=UPLOADS))
    tag = f"broken-{fault.status}-{fault.cut}"
    digest = build(yard, proxy, tmp_path, tag)
    with yard.client() as registry:
        assert registry.digest_of(REPOSITORY, tag) == digest
    assert any(UPLOADS in asked.path and asked.status in {None, 503} for asked in proxy.asked)


def test_a_registry_that_breaks_every_upload_off_is_a_fault_of_the_network(
    yard: Yard, proxy: FaultProxy, tmp_path: Path
) -> None:
    proxy.add(Fault(cut="before", method="PUT|PATCH|POST", path=UPLOADS, times=10_000))
    with pytest.raises(Transient, match="failed to push") as failed:
        build(yard, proxy, tmp_path, "never")
    assert failed.value.category == Category.NETWORK
    with yard.client() as registry:
        assert registry.digest_of(REPOSITORY, "never") is None
