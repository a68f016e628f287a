"""Waiting for scans of moto's ECR, by a clock that moves when somebody sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from threading import Event

import pytest

from argosy.processes import cancellation
from argosy.processes.cancellation import Cancelled
from argosy.scans.findings import NOT_FOUND, Scan
from argosy.scans.images import ScannedImage
from argosy.scans.wait import TIMED_OUT, scans
from tests.engine.scans import MANIFEST, Moto, ScannedRepository, basic, digest_of

INSPECTED = "eu-central-1"  # scanning is configured by region
LATE = {"schemaVersion": 2, "mediaType": MANIFEST}


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with Moto.started(tmp_path_factory.mktemp("aws")) as moto:
        yield moto


@pytest.fixture
def scanned(moto: Moto) -> ScannedRepository:
    """A repository that scans on push."""
    return moto.repository(on_push=True)


@pytest.fixture
def unscanned(moto: Moto) -> ScannedRepository:
    """A repository whose images are scanned on demand."""
    return moto.repository()


@pytest.fixture
def inspected(moto: Moto) -> ScannedRepository:
    """A repository of a registry with enhanced scanning."""
    moto.inspect(INSPECTED)
    return moto.repository(region=INSPECTED)


@dataclass
class Clock:
    """Time that passes by sleeping alone; `meanwhile` is what happens in each sleep."""

    meanwhile: Callable[[], None] = lambda: None
    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.meanwhile()


def wait(repository: ScannedRepository, clock: Clock, *digests: str, timeout: float = 60) -> list[Scan]:
    images = [ScannedImage(digest) for digest in digests]
    found = scans(repository.scans, images, timeout=timeout, clock=clock.read, sleep=clock.sleep)
    assert [image for image, _ in found] == images
    return [scan for _, scan in found]


def test_a_scan_that_is_there_is_not_waited_for(scanned: ScannedRepository) -> None:
    image, clock = scanned.image(), Clock()
    scanned.post(image, basic("CVE-1"))
    [scan] = wait(scanned, clock, image)
    assert ([each.id for each in scan.findings], clock.slept) == (["CVE-1"], [])


def test_a_scan_in_progress_is_waited_for(scanned: ScannedRepository) -> None:
    image = scanned.image()
    scanned.post(image, status="IN_PROGRESS")
    clock = Clock(meanwhile=lambda: scanned.post(image, basic("CVE-2")))
    [scan] = wait(scanned, clock, image)
    assert (scan.done, [each.id for each in scan.findings]) == (True, ["CVE-2"])
    assert clock.slept


def test_every_image_is_scanned_and_waited_for_at_once(unscanned: ScannedRepository) -> None:
    digests = [unscanned.image(), unscanned.image()]
    for number, digest in enumerate(digests):
        unscanned.post(digest, status="IN_PROGRESS")
        unscanned.post(digest, basic(f"CVE-{number}"))
    clock, seen = Clock(), list[str]()

    def look() -> None:
        seen.extend(unscanned.scans.read(digest).status for digest in digests)
        clock.meanwhile = lambda: None

    clock.meanwhile = look
    found = wait(unscanned, clock, *digests)
    assert seen == ["IN_PROGRESS", "IN_PROGRESS"]
    assert [[each.id for each in scan.findings] for scan in found] == [["CVE-0"], ["CVE-1"]]


def test_what_does_not_come_in_time_is_given_up_and_says_what_it_was(scanned: ScannedRepository) -> None:
    image, clock = scanned.image(), Clock()
    scanned.post(image, status="IN_PROGRESS")
    [scan] = wait(scanned, clock, image, timeout=45)
    assert (scan.status, scan.done) == (TIMED_OUT, False)
    assert scan.description == "after 45 s it was still IN_PROGRESS: the scan is IN_PROGRESS"
    assert sum(clock.slept) == 45
    assert max(clock.slept) <= 10


def test_a_scan_that_failed_is_not_waited_for(scanned: ScannedRepository) -> None:
    image, clock = scanned.image(), Clock()
    scanned.post(image, status="FAILED")
    assert [scan.status for scan in wait(scanned, clock, image)] == ["FAILED"]
    assert clock.slept == []


def test_a_scan_is_started_where_pushing_started_none(unscanned: ScannedRepository) -> None:
    image = unscanned.image()
    unscanned.post(image, basic("CVE-5"))
    [scan] = wait(unscanned, Clock(), image)
    assert [each.id for each in scan.findings] == ["CVE-5"]


def test_a_scan_that_was_started_is_not_started_again_where_ecr_forgets_it(unscanned: ScannedRepository) -> None:
    class Forgetful:
        """ECR's scans, of which none is ever found: moto knows of each at once."""

        start = staticmethod(unscanned.scans.start)

        def read(self, digest: str) -> Scan:
            return Scan(NOT_FOUND)

    clock, images = Clock(), [ScannedImage(unscanned.image())]
    [(_, scan)] = scans(Forgetful(), images, timeout=20, clock=clock.read, sleep=clock.sleep)
    assert scan == Scan(TIMED_OUT, "after 20 s it was still IN_PROGRESS")  # and ECR did not refuse a second one


def test_enhanced_scanning_that_finds_nothing_in_time_says_why_it_was_not_asked(inspected: ScannedRepository) -> None:
    [scan] = wait(inspected, Clock(), inspected.image(), timeout=20)
    assert (scan.status, "This feature is disabled" in scan.description) == (TIMED_OUT, True)


def test_an_image_that_ecr_never_hears_of_has_no_scan(unscanned: ScannedRepository) -> None:
    [scan] = wait(unscanned, Clock(), f"sha256:{'0' * 64}", timeout=20)
    assert (scan.status, "does not know the image" in scan.description) == (TIMED_OUT, True)


def test_an_image_that_ecr_hears_of_late_is_scanned_then(unscanned: ScannedRepository) -> None:
    clock = Clock()

    def arrive() -> None:
        unscanned.put(LATE, MANIFEST)
        clock.meanwhile = lambda: None

    clock.meanwhile = arrive
    [scan] = wait(unscanned, clock, digest_of(LATE))
    assert scan.done


def test_a_run_that_is_told_to_end_waits_no_longer(scanned: ScannedRepository) -> None:
    image, waiting = scanned.image(), Event()
    scanned.post(image, status="IN_PROGRESS")

    def sleep(_: float) -> None:
        waiting.set()
        cancellation.sleep(300)

    with ThreadPoolExecutor(1) as pool:
        images = [ScannedImage(image)]
        work = partial(scans, scanned.scans, images, timeout=300, clock=time.monotonic, sleep=sleep)
        with suppress(KeyboardInterrupt), cancellation.scope():
            ended = pool.submit(copy_context().run, work)
            assert waiting.wait(60)
            raise KeyboardInterrupt
        with pytest.raises(Cancelled):
            ended.result(timeout=60)
