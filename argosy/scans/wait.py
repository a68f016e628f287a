"""Waiting for scans: every image of a release's manifest at once, up to a limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from argosy.scans.findings import NOT_FOUND, Scan
from argosy.scans.images import ScannedImage

TIMED_OUT = "TIMED_OUT"


class Scanner(Protocol):
    """What the waiting needs of ECR."""

    def read(self, digest: str) -> Scan:
        """The scan of an image as it stands."""

    def start(self, digest: str) -> Scan:
        """Have an image scanned that nobody has scanned."""


def scans(
    scanner: Scanner,
    images: Sequence[ScannedImage],
    *,
    timeout: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    interval: float = 1.0,
    longest: float = 10.0,
) -> tuple[tuple[ScannedImage, Scan], ...]:
    """The scan of each image, in order: done, or in a state that waiting does not change.

    Looks again after `interval` seconds, then after twice as long each time, up to `longest`, for at most `timeout`
    seconds in all; what is still coming then is TIMED_OUT and says what it was. A scan that ECR does not have is
    started once. Raises what `scanner` and `sleep` raise.
    """
    deadline = clock() + timeout
    found: dict[ScannedImage, Scan] = {}
    started: dict[ScannedImage, Scan] = {}
    while True:
        for image in images:
            if image not in found or found[image].coming:
                found[image] = _look(scanner, image, started)
        left = deadline - clock()
        if not any(scan.coming for scan in found.values()) or left <= 0:
            return tuple((image, _late(found[image], timeout)) for image in images)
        sleep(min(interval, left))
        interval = min(2 * interval, longest)


def _look(scanner: Scanner, image: ScannedImage, started: dict[ScannedImage, Scan]) -> Scan:
    scan = scanner.read(image.digest)
    if scan.status != NOT_FOUND:
        return scan
    if image not in started:
        begun = scanner.start(image.digest)
        if begun.status == NOT_FOUND:  # ECR does not know the image yet, and is asked again
            return begun
        started[image] = begun
    return started[image]


def _late(scan: Scan, timeout: float) -> Scan:
    if not scan.coming:
        return scan
    said = f": {scan.description}" if scan.description else ""
    return replace(scan, status=TIMED_OUT, description=f"after {timeout:g} s it was still {scan.status}{said}")
