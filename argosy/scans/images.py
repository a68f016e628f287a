"""Which images of a manifest a registry scans: those of an index, and never the index itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from argosy.registries.registry import Manifest

_ATTESTATION = "vnd.docker.reference.type"


@dataclass(frozen=True, slots=True)
class ScannedImage:
    """An image by its `digest`; `platform` as `linux/arm64`, empty where there is but one image."""

    digest: str
    platform: str = ""


def scanned_images(manifest: Manifest) -> tuple[ScannedImage, ...]:
    """The images to judge in the place of `manifest`, in its order: itself, or each platform's of an index.

    What only describes another image (a signature, a bill of materials) is none.
    """
    document: Mapping[str, Any] = json.loads(manifest.content)
    if "manifests" not in document:
        return (ScannedImage(manifest.digest),)
    return tuple(dict.fromkeys(_images(document)))


def _images(index: Mapping[str, Any]) -> Iterator[ScannedImage]:
    for entry in index["manifests"]:
        if _ATTESTATION in (entry.get("annotations") or {}):
            continue
        platform = entry.get("platform") or {}
        words = (platform.get("os"), platform.get("architecture"), platform.get("variant"))
        yield ScannedImage(entry["digest"], "/".join(word for word in words if word))
