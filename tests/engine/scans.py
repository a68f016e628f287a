"""Images in moto's ECR, and what its scans are to find in them."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from argosy.scans.findings import EcrScans
from deployments.local.aws import PIPELINE_ACTIONS, REGION, Aws, session

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def basic(identity: str, severity: str = "HIGH", package: str = "openssl", version: str = "1.1.1") -> dict[str, Any]:
    """A finding as basic scanning tells it."""
    attributes = [{"key": "package_version", "value": version}, {"key": "package_name", "value": package}]
    uri = f"https://cve.example/{identity}"
    return {"name": identity, "severity": severity, "uri": uri, "description": "bad", "attributes": attributes}


def enhanced(identity: str, severity: str = "HIGH", status: str = "ACTIVE", **packages: str) -> dict[str, Any]:
    """A finding as enhanced scanning tells it, of `packages` with the versions that mend them."""
    vulnerable = [{"name": name, "version": "1.0", "fixedInVersion": mended} for name, mended in packages.items()]
    return {
        "type": "PACKAGE_VULNERABILITY",
        "title": f"{identity} - {', '.join(packages)}",
        "severity": severity,
        "status": status,
        "packageVulnerabilityDetails": {
            "vulnerabilityId": identity,
            "sourceUrl": f"https://cve.example/{identity}",
            "vulnerablePackages": vulnerable,
        },
    }


def post(
    aws: Aws,
    repository: str,
    digest: str,
    *findings: dict[str, Any],
    status: str = "COMPLETE",
    kind: str = "findings",
    region: str = REGION,
) -> None:
    """Let the image's scan say `status` with `findings`, once earlier answers that are not final were told."""
    answer = {
        "repositoryName": repository,
        "imageId": {"imageDigest": digest},
        "imageScanStatus": {"status": status, "description": f"the scan is {status}"},
        "imageScanFindings": {kind: list(findings)},
    }
    url = f"{aws.endpoint_url}/moto-api/static/ecr/scan-finding-results"
    httpx.post(url, json={"results": [answer], "region": region}, trust_env=False).raise_for_status()


def digest_of(document: dict[str, Any]) -> str:
    """The digest of a manifest."""
    return f"sha256:{hashlib.sha256(json.dumps(document).encode()).hexdigest()}"


@dataclass(frozen=True)
class ScannedRepository:
    """A repository of moto's ECR, and a client for it."""

    aws: Aws
    client: ECRClient
    region: str
    name: str

    @property
    def scans(self) -> EcrScans:
        """What is under test."""
        return EcrScans(self.client, self.name)

    def image(self) -> str:
        """Push an image, and return its digest."""
        return self.put({"schemaVersion": 2, "mediaType": MANIFEST, "annotations": {"is": uuid.uuid4().hex}}, MANIFEST)

    def index(self, *digests: str) -> str:
        """Push an index of images, and return its digest."""
        entries = [{"mediaType": MANIFEST, "size": 1, "digest": digest} for digest in digests]
        return self.put({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, INDEX)

    def put(self, document: dict[str, Any], media_type: str) -> str:
        """Push a manifest, and return its digest."""
        text, digest = json.dumps(document), digest_of(document)
        self.client.put_image(
            repositoryName=self.name, imageManifest=text, imageManifestMediaType=media_type, imageDigest=digest
        )
        return digest

    def post(self, digest: str, *findings: dict[str, Any], status: str = "COMPLETE", kind: str = "findings") -> None:
        """Let the image's scan say so."""
        post(self.aws, self.name, digest, *findings, status=status, kind=kind, region=self.region)


class Moto:
    """AWS with policies enforced, and clients for it, which take long to make."""

    def __init__(self, aws: Aws, open_clients: ExitStack) -> None:
        self.aws, self._open = aws, open_clients
        self._clients: dict[tuple[str, Sequence[str]], ECRClient] = {}

    @classmethod
    @contextmanager
    def started(cls, folder: Path) -> Iterator[Moto]:
        """A new one for the length of a `with`."""
        with Aws(state=folder) as aws, ExitStack() as open_clients:
            yield cls(aws, open_clients)

    def repository(
        self, *, on_push: bool = False, region: str = REGION, actions: Sequence[str] = PIPELINE_ACTIONS
    ) -> ScannedRepository:
        """A repository whose images are scanned on push or on demand, with a client that may do `actions`."""
        made = ScannedRepository(self.aws, self._client(region, actions), region, f"shop-{uuid.uuid4().hex[:8]}")
        made.client.create_repository(repositoryName=made.name, imageScanningConfiguration={"scanOnPush": on_push})
        return made

    def inspect(self, region: str) -> None:
        """Have the images of a region scanned by Amazon Inspector."""
        self._client(region, ("ecr:*",)).put_registry_scanning_configuration(scanType="ENHANCED", rules=[])

    def _client(self, region: str, actions: Sequence[str]) -> ECRClient:
        if (region, actions) not in self._clients:
            key = self.aws.create_user(f"tester-{uuid.uuid4().hex[:8]}", actions)
            client = session(key).client("ecr", region, endpoint_url=self.aws.endpoint_url)
            self._clients[region, actions] = self._open.enter_context(closing(client))
        return self._clients[region, actions]
