"""The images that an ECR repository has, as a lifecycle policy sees them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from argosy.ecr.expiry import StoredImage

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

_INDEXES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
_PAGE, _BATCH = 1000, 100


def stored_images(client: ECRClient, name: str) -> list[StoredImage]:
    """Every image of the repository called `name`, page by page; raises botocore's errors, for `translate`."""
    pages = client.get_paginator("describe_images").paginate(repositoryName=name, PaginationConfig={"PageSize": _PAGE})
    details = [detail for page in pages for detail in page["imageDetails"]]
    indexes = [each["imageDigest"] for each in details if each.get("imageManifestMediaType") in _INDEXES]
    holders = _holders(client, name, indexes)
    return [
        StoredImage(
            each["imageDigest"],
            tuple(each.get("imageTags", ())),
            each["imagePushedAt"],
            tuple(holders[each["imageDigest"]]),
        )
        for each in details
    ]


def _holders(client: ECRClient, name: str, indexes: Sequence[str]) -> defaultdict[str, list[str]]:
    """Which of `indexes` name an image, by its digest; a hundred are read at once."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for start in range(0, len(indexes), _BATCH):
        ids = indexes[start : start + _BATCH]
        answer = client.batch_get_image(
            repositoryName=name, imageIds=[{"imageDigest": digest} for digest in ids], acceptedMediaTypes=list(_INDEXES)
        )
        for image in answer["images"]:
            for child in json.loads(image["imageManifest"]).get("manifests", []):
                found[child["digest"]].append(image["imageId"]["imageDigest"])
    return found
