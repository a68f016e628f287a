"""A manifest as a registry holds it, and the ones that a client has read."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index as the registry holds it, byte for byte; `digest` is that of `content`."""

    media_type: str
    digest: str
    content: bytes


class SeenManifests:
    """The manifests that were read, by repository and the tag or digest that was asked for; the oldest are forgotten.

    For all threads of a client. What a digest names never changes; what a tag named may.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Manifest] = OrderedDict()

    def get(self, name: str, reference: str) -> Manifest | None:
        """What `reference` of repository `name` named when it was read last; None where that is not known."""
        with self._lock:
            return self._kept.get((name, reference))

    def put(self, name: str, manifest: Manifest, *references: str) -> None:
        """Keep what `references` name, and the manifest's digest with them."""
        with self._lock:
            for reference in (*references, manifest.digest):
                self._kept[name, reference] = manifest
                self._kept.move_to_end((name, reference))
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
