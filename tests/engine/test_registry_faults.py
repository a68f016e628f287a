"""The client of a real registry, on a way on which faults happen."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from pydantic import SecretStr

from argosy.breaker import Breaker
from argosy.errors import CircuitOpen, Terminal, Transient, Unwell
from argosy.home import home
from argosy.models import ImageReference
from argosy.processes import cancellation
from argosy.registries import publishing
from argosy.registries import retries as registry_retries
from argosy.registries.login import Login
from argosy.registries.registry import Manifest, Registry, TagTaken
from argosy.resilience import ONCE, BreakerPolicy, Retry
from deployments.local.registry import Registry as Distribution
from deployments.local.registry import binary
from tests.engine.test_registry import CREDENTIALS, PASSWORD, image
from tests.fault_proxy import Fault, FaultProxy, faulty

AT_ONCE = Retry(max_attempts=3, initial_delay=0)
PATIENT = Retry(max_attempts=2, initial_delay=600)
"""Its own delay would end no test: what comes back sooner did as it was told."""
SHA = "1" * 40


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distribution]:
    state = tmp_path_factory.mktemp("registry")
    with Distribution(binary(home() / "packages"), PASSWORD, state=state) as running:
        yield running


@pytest.fixture
def proxy(distribution: Distribution) -> Iterator[FaultProxy]:
    with faulty(lambda: distribution.host) as proxy:
        yield proxy


@pytest.fixture
def name() -> str:
    return f"shop/ui-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def manifest(distribution: Distribution, name: str) -> Manifest:
    pushed = image(distribution.host, name)
    with Registry(distribution.host, CREDENTIALS) as straight:
        straight.tag(name, pushed, "one")
    return pushed


def client(proxy: FaultProxy, retry: Retry = AT_ONCE, breaker: Breaker | None = None) -> Registry:
    return Registry(proxy.host, CREDENTIALS, retry=retry, breaker=breaker)


def statuses(proxy: FaultProxy) -> list[int | None]:
    """What came of the requests that were let in."""
    return [each.status for each in proxy.asked if each.status != httpx.codes.UNAUTHORIZED]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429),
        Fault(500),
        Fault(502),
        Fault(503),
        Fault(408),
        Fault(cut="before"),
        Fault(cut="inside", method="GET"),
    ],
    ids=["429", "500", "502", "503", "408", "reset", "truncated"],
)
def test_what_passes_is_borne_whatever_is_asked(proxy: FaultProxy, name: str, manifest: Manifest, fault: Fault) -> None:
    with client(proxy) as registry:
        registry.digest_of(name, "one")  # it knows from here on how to log in
        for method in {"GET": ("GET",)}.get(fault.method, ("HEAD", "GET", "PUT")):
            proxy.add(replace(fault, method=method, times=2))
        assert registry.digest_of(name, "one") == manifest.digest
        assert registry.find(name, "one") == manifest
        registry.tag(name, manifest, "two")
        assert registry.digest_of(name, "two") == manifest.digest
    assert proxy.next_fault("GET", f"/v2/{name}/manifests/one") is None, "every fault has happened"


def test_what_does_not_pass_is_an_error_after_the_last_attempt(proxy: FaultProxy, name: str) -> None:
    with client(proxy) as registry:
        proxy.add(Fault(503, times=9))
        with pytest.raises(Unwell, match=r"503 .*a fault of the test's"):
            registry.manifest(name, "one")
    assert statuses(proxy) == [503] * 3


@pytest.mark.parametrize(
    "wait", ["1", format_datetime(datetime.now(UTC) - timedelta(minutes=5), usegmt=True)], ids=["seconds", "date"]
)
def test_the_registry_says_how_long_to_wait(proxy: FaultProxy, name: str, manifest: Manifest, wait: str) -> None:
    with client(proxy, PATIENT) as registry:
        proxy.add(Fault(429, headers={"Retry-After": wait}))
        began = time.monotonic()
        assert registry.digest_of(name, "one") == manifest.digest
    assert time.monotonic() - began >= (1 if wait == "1" else 0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("Wed, 21 Oct 2026 07:28:10 GMT", 10),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("-1", None),
        ("٣", None),
        ("9" * 400, 999999999),
    ],
)
def test_both_forms_of_retry_after_are_read_and_nonsense_is_not(text: str, seconds: float | None) -> None:
    now = datetime(2026, 10, 21, 7, 28, tzinfo=UTC).timestamp()
    assert registry_retries.said(httpx.Headers([(b"Retry-After", text.encode())]), now) == seconds


def test_a_registry_that_wants_days_of_peace_is_asked_again_sooner(
    proxy: FaultProxy, name: str, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_retries, "LONGEST", 0.1)
    with client(proxy, PATIENT) as registry:
        proxy.add(Fault(503, headers={"Retry-After": "86400"}))
        assert registry.digest_of(name, "one") == manifest.digest


def test_a_run_that_is_to_end_waits_for_no_registry(proxy: FaultProxy, name: str) -> None:
    proxy.add(Fault(503, times=9))
    with client(proxy, PATIENT) as registry, ThreadPoolExecutor(1) as pool:
        with suppress(KeyboardInterrupt), cancellation.scope():
            asking = pool.submit(copy_context().run, registry.digest_of, name, "one")
            while not statuses(proxy):
                time.sleep(0.01)
            raise KeyboardInterrupt
        with pytest.raises(cancellation.Cancelled):
            asking.result(timeout=60)
    assert statuses(proxy) == [503]


def test_a_wrong_password_is_no_matter_of_trying_again(proxy: FaultProxy, name: str) -> None:
    wrong = replace(CREDENTIALS, password=SecretStr("wrong-word"))
    with Registry(proxy.host, wrong, retry=AT_ONCE) as registry, pytest.raises(Terminal, match=r"401 .*credentials"):
        registry.digest_of(name, "one")
    assert [each.status for each in proxy.asked] == [401, 401]


def test_a_token_that_expires_between_two_requests_is_replaced(
    distribution: Distribution, proxy: FaultProxy, name: str, manifest: Manifest
) -> None:
    passwords = [PASSWORD]
    login = Login(lambda: replace(CREDENTIALS, password=passwords[-1]))
    with Registry(proxy.host, login, retry=ONCE) as registry:
        assert registry.digest_of(name, "one") == manifest.digest
        passwords.append(SecretStr("a newer password"))
        distribution.admit(passwords[-1])
        try:
            assert registry.digest_of(name, "one") == manifest.digest
            proxy.clear()
            registry.tag(name, manifest, "two")
        finally:
            distribution.admit(PASSWORD)
    assert [each.status for each in proxy.asked] == [201], "the new one is kept"


def test_threads_that_begin_together_are_refused_once(proxy: FaultProxy, name: str, manifest: Manifest) -> None:
    together = threading.Barrier(8, timeout=60)

    def ask(_: int) -> str | None:
        together.wait()
        return registry.digest_of(name, "one")

    with client(proxy) as registry, ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {manifest.digest}
    assert sorted(each.status or 0 for each in proxy.asked) == [200] * 8 + [401]


def test_an_immutable_tag_that_names_another_image_stays_and_the_long_form_is_used(
    distribution: Distribution, proxy: FaultProxy, name: str, manifest: Manifest
) -> None:
    other = image(distribution.host, name, text="other")
    refusal = b'{"errors": [{"code": "TAG_INVALID", "message": "the tag is immutable"}]}'
    wanted = ImageReference(f"{proxy.host}/{name}", SHA)
    with client(proxy) as registry:
        assert publishing.tag_release(registry, wanted, manifest) == wanted
        # As a repository of ECR does it whose tags are immutable: whatever is put there, the same or not.
        proxy.add(Fault(400, method="PUT", path=f"/manifests/{SHA}$", times=9, body=refusal))
        registry.tag(name, manifest, SHA)
        with pytest.raises(TagTaken, match="the tag is immutable"):
            registry.tag(name, other, SHA)
        proxy.add(Fault(404, method="HEAD", path=f"/manifests/{SHA}$"))  # another run was faster by a moment
        long = publishing.tag_release(registry, wanted, other)
        assert long.tag == f"{SHA}-{other.digest[7:19]}"
        assert [registry.digest_of(name, tag) for tag in (SHA, long.tag)] == [manifest.digest, other.digest]


def test_a_registry_that_dies_is_left_alone_and_found_well_when_it_is_back(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    now = [0.0]
    state = tmp_path_factory.mktemp("mortal")
    with Distribution(binary(home() / "packages"), PASSWORD, state=state) as mortal:
        pushed = image(mortal.host, name)
        breaker = Breaker(mortal.host, BreakerPolicy(failures=3, delay=30), lambda: now[0])
        with faulty(lambda: mortal.host) as proxy, client(proxy, ONCE, breaker) as registry:
            registry.tag(name, pushed, "one")
            mortal.stop()
            for _ in range(3):
                with pytest.raises(Unwell):
                    registry.digest_of(name, "one")
            asked = len(proxy.asked)
            with ThreadPoolExecutor(8) as pool:
                services = [pool.submit(registry.digest_of, name, "one") for _ in range(8)]
            assert all(isinstance(each.exception(), CircuitOpen) for each in services)
            now[0] += 31
            with pytest.raises(Unwell):  # it is asked once, and still away
                registry.digest_of(name, "one")
            with pytest.raises(CircuitOpen, match="left alone"):
                registry.digest_of(name, "one")
            assert len(proxy.asked) == asked + 1
            mortal.start()
            now[0] += 31
            assert registry.digest_of(name, "one") == pushed.digest
            assert not breaker.open


def test_refusals_open_nothing(proxy: FaultProxy, name: str, manifest: Manifest) -> None:
    breaker = Breaker(proxy.host, BreakerPolicy(failures=1))
    with client(proxy, ONCE, breaker) as registry:
        proxy.add(Fault(429), Fault(403), Fault(400, method="PUT"))
        for kind in (Transient, Terminal):
            with pytest.raises(kind):
                registry.digest_of(name, "one")
        with pytest.raises(Terminal):
            registry.tag(name, manifest, "new")
        assert registry.digest_of(name, "gone") is None
        assert registry.digest_of(name, "one") == manifest.digest


@pytest.mark.parametrize("fault", [Fault(500), Fault(503), Fault(cut="before")], ids=["500", "503", "reset"])
def test_an_illness_opens_it_once_every_attempt_has_met_it(proxy: FaultProxy, name: str, fault: Fault) -> None:
    breaker = Breaker(proxy.host, BreakerPolicy(failures=2))
    proxy.add(replace(fault, times=10**6))
    with client(proxy, AT_ONCE, breaker) as registry:
        for still_closed in (True, False):
            with pytest.raises(Unwell):
                registry.digest_of(name, "one")
            assert breaker.open is not still_closed
    assert len(proxy.asked) == 2 * AT_ONCE.max_attempts


def test_an_opened_breaker_ends_the_attempts_of_the_others(proxy: FaultProxy, name: str) -> None:
    breaker = Breaker(proxy.host, BreakerPolicy(failures=1))
    proxy.add(Fault(503, times=10**6))
    for_ever = Retry(max_attempts=10**6, initial_delay=0.01, backoff_factor=1)
    with client(proxy, for_ever, breaker) as registry, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(registry.digest_of, name, "one")
        while not statuses(proxy):
            time.sleep(0.01)
        with pytest.raises(Unwell), breaker.guard():
            raise Unwell("another service found it ill")
        assert isinstance(slow.exception(timeout=120), Unwell)
