"""The fifth stage: what the registry's scan found in an image decides whether it may be released."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from argosy.ecr import control_plane as ecr
from argosy.errors import ConfigurationError
from argosy.models import BuildResult, ServicePlan
from argosy.processes import cancellation
from argosy.scans import gate
from argosy.scans import table as scan_table
from argosy.scans.findings import NOT_FOUND, EcrScans, Scan
from argosy.scans.gate import Ruling, ScanVerdict
from argosy.scans.images import ScannedImage, scanned_images
from argosy.scans.wait import scans
from blocks.container_registry import ecr_client
from tasks.artifacts import show_table
from tasks.policy import stage
from tasks.workspace import Workspace, now

logger = logging.getLogger("argosy.tasks")


@stage("scan gate", run_name="scan gate {item.name}", service="item")
def scan_gate(repository: str, environment: str, source_sha: str, item: ServicePlan, built: BuildResult) -> ScanVerdict:
    """Wait for the scans of what was built or reused, and judge what they found."""
    work = Workspace.open(repository, environment, source_sha)
    rules = work.environment.scan
    if rules is None:
        raise ConfigurationError("argosy.yaml has no scan for it", service=item.name, remedy="add one")
    verdict = gate.judge(item.name, _found(work, built, rules.timeout), rules, now())
    logger.log(
        logging.INFO if verdict.ruling in {Ruling.PASSES, Ruling.ALLOWED} else logging.WARNING,
        "the scan gate %s: %s", verdict.ruling, verdict.sentence(),
    )  # fmt: skip
    return verdict


def _found(work: Workspace, built: BuildResult, timeout: float) -> tuple[tuple[ScannedImage, Scan], ...]:
    """The scans of the image, in whichever registry it is: one that stands in for ECR may have none."""
    name, target = built.reference.name, work.environment.registry_at(built.reference.host)
    with work.client(built.reference.host) as registry:
        images = scanned_images(registry.manifest(name, built.manifest_digest))
    if target is None or target.type != "ecr":
        return tuple((image, Scan(NOT_FOUND, f"{built.reference.host} scans nothing")) for image in images)
    scanner = EcrScans(ecr_client(work.aws(target)), name)
    try:
        return scans(scanner, images, timeout=timeout, clock=time.monotonic, sleep=cancellation.sleep)
    except (ClientError, BotoCoreError) as error:
        raise ecr.translate(error, f"asking for the scan of {name}@{built.manifest_digest}") from error


@stage("show findings", run_name="show findings {environment}", timeout=120)
def show_findings(environment: str, verdicts: Sequence[ScanVerdict]) -> None:
    """Show what the scans of all services found as one table."""
    show_table(f"scan-{environment}", scan_table.rows(verdicts), scan_table.described(verdicts, environment))
