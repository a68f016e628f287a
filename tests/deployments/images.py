"""Images pushed by hand, over the registry's own API."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx

from deployments.local.registry import USER, Registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def client(registry: Registry) -> httpx.Client:
    """A client that is logged in; the caller closes it."""
    login = (USER, registry.password.get_secret_value())
    return httpx.Client(base_url=f"http://{registry.host}", auth=login, trust_env=False)


def manifest(http: httpx.Client, repository: str, text: str) -> bytes:
    """Push the blobs of an image that differs by `text`, and return the manifest that names them."""
    config = _blob(http, repository, b"{}", "application/vnd.oci.image.config.v1+json")
    layer = _blob(http, repository, text.encode(), "application/vnd.oci.image.layer.v1.tar")
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}).encode()


def index(*manifests: bytes) -> bytes:
    """An index of `manifests`, as a build for several platforms has it."""
    entries = [{"mediaType": MANIFEST, "size": len(one), "digest": digest(one)} for one in manifests]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()


def put(http: httpx.Client, repository: str, document: bytes, *references: str, media_type: str = MANIFEST) -> str:
    """Push `document` under each reference (tags, or its digest) and return its digest."""
    for reference in references:
        path = f"/v2/{repository}/manifests/{reference}"
        http.put(path, content=document, headers={"Content-Type": media_type}).raise_for_status()
    return digest(document)


def digest(content: bytes) -> str:
    """`sha256:…` of `content`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _blob(http: httpx.Client, repository: str, content: bytes, media_type: str) -> dict[str, Any]:
    upload = http.post(f"/v2/{repository}/blobs/uploads/").raise_for_status()
    location = httpx.URL(upload.headers["Location"]).copy_merge_params({"digest": digest(content)})
    http.put(location, content=content).raise_for_status()
    return {"mediaType": media_type, "size": len(content), "digest": digest(content)}
