"""The services of the example, each a program that runs: its image, pulled by digest, answers with its own text."""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest

from deployments.local.demo.containers import container
from tests.deployments.waiting import soon
from tests.e2e.store import SERVICES, Store

ANSWERS = {
    "ui": ("/", "<h1>The Argosy Store</h1>"),
    "cart": ("/cgi-bin/index.cgi", "The cart service."),
    "catalog": ("/", "<p>The catalog:"),
    "checkout": ("/cgi-bin/index.cgi", "The checkout service totals baskets; tax is 20 percent."),
    "orders": ("/cgi-bin/index.cgi", "The orders service."),
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_released_service_answers_in_its_container(adopted: Store, service: str) -> None:
    reference = adopted.references()[service]
    path, text = ANSWERS[service]
    with container(adopted.stack, f"{reference.repository}@{adopted.digest(service, reference.tag)}") as url:

        def answer() -> str:
            with suppress(httpx.TransportError):  # it takes a moment to listen
                return httpx.get(url + path, trust_env=False, timeout=5).text
            return ""

        soon(lambda: text in answer(), expected=True)
        assert [each for each, (_, words) in ANSWERS.items() if words in answer()] == [service]
