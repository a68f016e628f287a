"""Which images of a manifest are judged."""

from __future__ import annotations

import json
from typing import Any

from argosy.registries.registry import Manifest
from argosy.scans.images import ScannedImage, scanned_images


def manifest(document: dict[str, Any]) -> Manifest:
    return Manifest("application/json", "sha256:0", json.dumps(document).encode())


def entry(digest: str, *platform: str, **more: Any) -> dict[str, Any]:
    return {"digest": digest, "platform": dict(zip(("os", "architecture", "variant"), platform, strict=False)), **more}


def test_an_image_is_judged_itself() -> None:
    assert scanned_images(manifest({"config": {}, "layers": []})) == (ScannedImage("sha256:0"),)


def test_of_an_index_each_platforms_image_is_judged() -> None:
    index = {"manifests": [entry("sha256:1", "linux", "amd64"), entry("sha256:2", "linux", "arm", "v7")]}
    assert scanned_images(manifest(index)) == (
        ScannedImage("sha256:1", "linux/amd64"),
        ScannedImage("sha256:2", "linux/arm/v7"),
    )


def test_what_describes_another_image_is_none() -> None:
    attests = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": "sha256:1"}
    index = {"manifests": [entry("sha256:1", "linux", "amd64"), entry("sha256:9", "unknown", annotations=attests)]}
    assert scanned_images(manifest(index)) == (ScannedImage("sha256:1", "linux/amd64"),)


def test_an_entry_without_a_platform_is_judged() -> None:
    index = {"manifests": [{"digest": "sha256:1"}, {"digest": "sha256:2", "platform": None, "annotations": None}]}
    assert scanned_images(manifest(index)) == (ScannedImage("sha256:1"), ScannedImage("sha256:2"))


def test_an_index_may_have_no_image_at_all() -> None:
    assert scanned_images(manifest({"manifests": []})) == ()
