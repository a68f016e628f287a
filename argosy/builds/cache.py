"""Where the registry keeps a service's build cache: one tag for each branch, in the repository of its images."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable

from argosy.builds.request import Cache
from argosy.models import ImageReference

PREFIX = "cache-"
"""What the tags of caches begin with, so that a registry's rules can tell them from images."""
_OTHER = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST = 100


def tag(branch: str) -> str:
    """The tag of a branch's cache; two branches never share one."""
    plain = _OTHER.sub("-", branch)[:_LONGEST]
    if plain == branch:
        return f"{PREFIX}{branch}"
    return f"{PREFIX}{plain}-{hashlib.sha256(branch.encode()).hexdigest()[:8]}"


def of(image: ImageReference, source: str, others: Iterable[str], there: Callable[[str], bool]) -> Cache:
    """The cache of a build of the branch `source`: taken from there and from `others`, where the registry has one.

    `there` says whether the image's repository has a tag.
    """
    tags = dict.fromkeys([tag(source), *map(tag, others)])
    imports = tuple(str(image.tagged(each)) for each in tags if there(each))
    return Cache(imports, str(image.tagged(tag(source))))
