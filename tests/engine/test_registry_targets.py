"""Services that live in several registries: which is whose, what opens each, and what stands in for it."""

from __future__ import annotations

from argosy.config import load
from argosy.environment import Environment, resolve
from argosy.settings.effective import Origin
from argosy.settings.text import settings
from argosy.yaml_files.positions import Document
from tests.engine.shop import CONFIGURATION
from tests.engine.test_config import edited, refusal

REGISTRIES = """\
registries:
  eu:
    {type: ecr, account_id: "210987654321", region: eu-west-1, repository: "shop-{service}"}
  spare:
    {type: oci, endpoint: "spare.example", repository: "copies/{service}"}
services:
"""
OWN = """\
environments:
  dev:
    registries:
      eu: {repository: "dev-{service}", blocks: {registry: the-login, aws: the-account}}
"""


def described(**edits: str) -> Environment:
    text = CONFIGURATION.replace("services:\n", REGISTRIES)
    for old, new in edits.items():
        text = text.replace(f"  {old}: {{}}", f"  {old}: {new}")
    return resolve(load(text.encode()), "dev")


def test_a_service_lives_in_the_registry_that_it_names_and_the_others_in_the_default_one() -> None:
    environment = described(cart="{registry: eu}")
    ui, cart = environment.service("ui"), environment.service("cart")
    assert str(environment.image(ui, "1")) == "registry.example:5000/shop-ui:1"
    assert str(environment.image(cart, "1")) == "210987654321.dkr.ecr.eu-west-1.amazonaws.com/shop-cart:1"
    assert [target.name for target in environment.used_registries] == [None, "eu"]


def test_all_services_may_live_in_another_registry_than_the_default_one() -> None:
    text = edited("services:\n", f"defaults: {{registry: eu}}\n{REGISTRIES}").replace(
        b"cart: {}", b"cart: {registry: spare}"
    )
    environment = resolve(load(text), "dev")
    assert [environment.registry(service).name for service in environment.services] == ["eu", "spare"]
    assert [target.name for target in environment.used_registries] == ["eu", "spare"]


def test_each_registry_is_opened_by_blocks_of_its_own() -> None:
    environment = described(cart="{registry: eu}")
    assert (environment.registries[None].login, environment.registries[None].aws) == (
        "argosy-dev-registry",
        "argosy-dev-aws",
    )
    assert (environment.registries["eu"].login, environment.registries["eu"].aws) == (
        "argosy-dev-registry-eu",
        "argosy-dev-aws-eu",
    )


def test_an_environment_has_names_and_blocks_of_its_own_in_a_further_registry() -> None:
    text = CONFIGURATION.replace("services:\n", REGISTRIES).replace("cart: {}", "cart: {registry: eu}")
    text = text.replace("environments:\n  dev:\n", OWN)
    environment = resolve(load(text.encode()), "dev")
    assert environment.service("cart").ecr_repository == "dev-cart"
    assert (environment.registries["eu"].login, environment.registries["eu"].aws) == ("the-login", "the-account")
    assert resolve(load(text.encode()), "prod").service("cart").ecr_repository == "shop-cart"


def test_a_registry_that_stands_in_for_another_is_in_use_and_has_its_own_names() -> None:
    text = edited('repository: "shop-{service}"}\n', 'repository: "shop-{service}", fallback: spare}\n')
    environment = resolve(load(text.replace(b"services:\n", REGISTRIES.encode())), "dev")
    assert [target.name for target in environment.used_registries] == [None, "spare"]
    stand_in = environment.registry_at("spare.example")
    assert stand_in is not None
    assert stand_in.repository_of("ui") == "copies/ui"
    assert environment.registry_at("210987654321.dkr.ecr.eu-west-1.amazonaws.com") is None


def test_two_services_may_have_repositories_of_one_name_in_two_registries() -> None:
    same = REGISTRIES.replace('"shop-{service}"', "shop")
    text = edited('repository: "shop-{service}"}\nservices:\n', f"repository: shop}}\n{same}")
    environment = resolve(load(text.replace(b"cart: {}", b"cart: {registry: eu}")), "dev")
    assert {service.ecr_repository for service in environment.services} == {"shop"}
    assert "share the image repository shop" in refusal(text)


def test_a_registry_that_is_not_there_is_named_with_those_that_are() -> None:
    text = CONFIGURATION.replace("services:\n", REGISTRIES)
    for old, new in (
        ("cart: {}", "cart: {registry: us}"),
        ('"shop-{service}"}\n', '"shop-{service}", fallback: us}\n'),
        ("environments:\n  dev:\n", "environments:\n  dev:\n    registries: {us: {repository: x}}\n"),
    ):
        assert "us is no registry of registries (there are: eu, spare)" in refusal(text.replace(old, new, 1).encode())
    assert "spare is its own fallback" in refusal(
        text.replace('"copies/{service}"', '"copies/{service}", fallback: spare').encode()
    )


def test_every_registry_in_use_is_shown_with_where_it_is_said() -> None:
    text = CONFIGURATION.replace("services:\n", REGISTRIES).replace("cart: {}", "cart: {registry: eu}")
    document = Document(text.encode(), "argosy.yaml")
    found = {each.key: each for each in settings(document, load(text.encode()), "dev")}
    assert (found["registries.eu.region"].value, found["registries.eu.region"].line) == ("eu-west-1", 5)
    assert (found["services.cart.registry"].value, found["services.cart.registry"].origin) == ("eu", Origin.OWN)
    assert (found["services.cart.repository"].value, found["services.cart.repository"].line) == ("shop-cart", 5)
    assert found["registries.eu.blocks.aws"].value == "argosy-dev-aws-eu"
    assert "registries.spare.type" not in found
