"""A registry that dies: another one stands in for it, the chart says so, and the image comes home afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from argosy.home import home
from argosy.registries.registry import Registry as Client
from argosy.registries.registry import RegistryCredentials
from deployments.local.argocd.repository import Login
from deployments.local.registry import USER, Registry, binary
from tests.chaos.parts import absent
from tests.e2e.store import ENVIRONMENT, SERVICES, Store
from tests.e2e.test_further_inputs import configured

PASSWORD = SecretStr("of the spare registry alone")


@pytest.fixture
def spare(adopted: Store, tmp_path: Path) -> Iterator[Registry]:
    """A second registry, which the cluster may pull from, and the block that opens it."""
    with Registry(binary(home() / "packages"), PASSWORD, state=tmp_path) as registry:
        adopted.stack.argocd.reach(registry.host, Login(USER, PASSWORD))
        with block(adopted, f"argosy-{ENVIRONMENT}-registry-spare"):
            yield registry


@contextmanager
def block(store: Store, name: str) -> Iterator[None]:
    call, kind = store.api._call, "container-registry"
    like = call("GET", f"/block_types/slug/{kind}/block_documents/name/argosy-{ENVIRONMENT}-registry")
    asked = {"name": name, "data": {"username": USER, "token": PASSWORD.get_secret_value()}}
    made = call("POST", "/block_documents/", asked | {key: like[key] for key in ("block_type_id", "block_schema_id")})
    try:
        yield
    finally:
        call("DELETE", f"/block_documents/{made['id']}")


def details(store: Store, run: Any) -> dict[str, str]:
    """What the run's report says of each service in words."""
    return store._table(run, f"release-{ENVIRONMENT}", "detail")


def test_an_image_goes_to_the_spare_registry_while_its_own_is_away_and_is_brought_home_unbuilt(
    adopted: Store, spare: Registry
) -> None:
    def change(document: dict[str, Any]) -> None:
        document["registry"]["fallback"] = "spare"
        document["registries"] = {"spare": {"type": "oci", "endpoint": spare.host, "repository": "copies/{service}"}}

    stack = adopted.stack
    # Its base must not come from the registry that is away.
    with configured(adopted, change, **{"src/ui/Dockerfile": "FROM scratch\nCOPY serve /serve\n"}) as source:
        with absent(stack.registry, f"http://{stack.registry_host}"):
            away = adopted.release()
            assert away.state == "COMPLETED", away.message
            assert adopted.results(away) == dict.fromkeys(SERVICES, "untouched") | {"ui": "healthy"}
            there = adopted.references()["ui"]
            assert (there.repository, there.tag) == (f"{spare.host}/copies/ui", source)
            assert f"{spare.host} stands in for {stack.registry_host}" in details(adopted, away)["ui"]
            still = adopted.release()
            assert (still.state, still.message) == ("COMPLETED", "nothing to do")
        with Client(spare.host, RegistryCredentials(USER, PASSWORD)) as client:
            digest = client.digest_of("copies/ui", source)
            assert client.digest_of("copies/ui", f"deployed-{ENVIRONMENT}") == digest
        back = adopted.release()
        assert back.state == "COMPLETED", back.message
        assert adopted.results(back) == dict.fromkeys(SERVICES, "untouched") | {"ui": "healthy"}
        assert adopted.builds(back) == set()
        at_home = adopted.references()["ui"]
        assert at_home.host == stack.registry_host
        assert adopted.digest("ui", at_home.tag) == digest
