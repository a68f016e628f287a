"""A hosted shop whose releases are judged by scans, and what those find."""

from __future__ import annotations

from typing import Any

from tests.deployments.waiting import soon
from tests.engine import scans
from tests.hosted import SERVICES, HostedShop

_MARK = "    scan: "


def gate(shop: HostedShop, scan: str) -> str:
    """Commit `scan` as that key of the shop's environment, with ECR repositories for its images; return the SHA."""
    text = (shop.path / "argosy.yaml").read_text().partition(_MARK)[0]
    with shop.ecr() as ecr:
        for service in SERVICES:
            try:
                ecr.create_repository(repositoryName=f"{shop.name}-{service}")
            except ecr.exceptions.RepositoryAlreadyExistsException:
                continue
    return shop.commit("Gate", {"argosy.yaml": f"{text}{_MARK}{scan}\n"})


def scanned_image(shop: HostedShop, service: str, *findings: dict[str, Any], status: str = "COMPLETE") -> str:
    """Push an image of the service's content in which a scan has `findings`, and return its digest."""
    digest = shop.image(service)
    find(shop, service, digest, *findings, status=status)
    return digest


def find(shop: HostedShop, service: str, digest: str, *findings: dict[str, Any], status: str = "COMPLETE") -> None:
    """Let the scan of an image that was pushed say so, once ECR has heard of the image."""
    scans.post(shop.cloud.aws, f"{shop.name}-{service}", digest, *findings, status=status)
    with shop.ecr() as ecr:
        soon(lambda: digest in _known(ecr, f"{shop.name}-{service}"), True, seconds=60)


def _known(ecr: Any, repository: str) -> set[str]:
    return {image["imageDigest"] for image in ecr.describe_images(repositoryName=repository)["imageDetails"]}
