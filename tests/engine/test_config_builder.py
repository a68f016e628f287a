"""`argosy.yaml` on builders and how images are built: what it comes to, and what is refused."""

import pytest

from argosy.builds.options import HERE, Builder, BuildOptions, Limits
from argosy.config import load
from argosy.environment import resolve
from argosy.errors import ConfigurationError
from argosy.inputs.comparison import Compared, compare
from tests.engine.shop import CONFIGURATION, Shop

DEV = "    target: {branch: main, values: values-dev.yaml}\n"


def built(settings: str, defaults: str = "{}") -> BuildOptions:
    text = CONFIGURATION.replace("  ui: {}", f"  ui: {{build: {settings}}}")
    text = text.replace("services:", f"defaults: {{build: {defaults}}}\nservices:", 1)
    return resolve(load(text.encode()), "dev").service("ui").build


def builder(settings: str) -> Builder:
    return resolve(load(CONFIGURATION.replace(DEV, f"{DEV}    builder: {settings}\n").encode()), "dev").builder


def test_without_a_word_the_engine_builds_and_the_registry_keeps_a_cache() -> None:
    assert built("{}") == BuildOptions(cache=True)
    assert builder("{}") == HERE


def test_a_services_own_options_lie_over_the_defaults() -> None:
    defaults = "{secrets: {a: one, b: two}, ssh: k, cache: none, provenance: max, sbom: true, limits: {shm_size: 1GB}}"
    assert built("{secrets: {b: other}}", defaults) == BuildOptions(
        secrets=(("a", "one"), ("b", "other")), ssh="k", cache=False, provenance="max", sbom="true",
        limits=Limits(shm_size=10**9),
    )  # fmt: skip
    own = built("{cache: registry, sbom: false, limits: {cgroup_parent: a.slice, ulimits: {nofile: 9}}}", defaults)
    assert (own.cache, own.sbom, own.limits) == (True, None, Limits("a.slice", None, (("nofile", 9),)))


def test_a_builder_is_named_or_has_an_address() -> None:
    assert builder("{name: fleet, concurrency: 4, cache_size: 20GB}") == Builder("fleet", None, None, 4, 20 * 10**9)
    found = builder("{address: 'tcp://build.example:1234', tls: fleet, cache_branches: [main]}")
    assert found == Builder(None, "tcp://build.example:1234", "fleet", cache_branches=("main",))
    assert builder("{address: 'tcp://127.0.0.1:1234'}").address == "tcp://127.0.0.1:1234"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{name: a, address: 'tcp://127.0.0.1:1'}", "leave one of them out"),
        ("{address: 'tcp://build.example:1234'}", "would cross the network in clear"),
        ("{address: 'http://build.example'}", "must be tcp://HOST:PORT or unix:///PATH"),
        ("{tls: fleet}", "has tls without a tcp:// address"),
        ("{name: '--all'}", "builder.name is wrong"),
        ("{concurrency: 0}", "greater than or equal to 1"),
        ("{cache_size: 20}", "builder.cache_size is wrong"),
        ("{cache_size: 20 gigs}", "such as 20GB"),
        ("{adress: x}", "did you mean address?"),
    ],
)
def test_a_wrong_builder_is_named_with_its_place_and_remedy(settings: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        builder(settings)
    assert said in str(caught.value)
    assert "argosy.yaml:11:" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{limits: {memory: 2GB}}", "build.limits.cgroup_parent"),
        ("{limits: {cpus: 2}}", "--driver-opt memory=..."),
        ("{limits: {cgroup_parent: '--x'}}", "cgroup_parent is wrong"),
        ("{limits: {ulimits: {nofile: many}}}", "nofile is wrong"),
        ("{secrets: {'a,src=/etc/passwd': block}}", "secrets"),
        ("{secrets: {a: 'Not a block'}}", "secrets.a is wrong"),
        ("{ssh: [a]}", "build.ssh is wrong"),
        ("{cache: local}", "build.cache is wrong"),
        ("{provenance: full}", "build.provenance is wrong"),
        ("{sbom: 'an image, perhaps'}", "the reference of an image"),
    ],
)
def test_wrong_options_are_named_with_their_place_and_remedy(settings: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        built(settings)
    assert said in str(caught.value)
    assert "argosy.yaml:5:" in str(caught.value)


def test_how_an_image_is_built_changes_no_content(shop: Shop) -> None:
    before = shop.head
    digest = shop.digests().desired(before)["ui"]
    shop.configure("  ui: {}", "  ui: {build: {secrets: {a: b}, ssh: c, cache: none, sbom: true, provenance: max}}")
    assert shop.digests().desired(shop.head)["ui"] == digest
    assert compare(shop.digests(), shop.head, {"ui": before})["ui"] == Compared(True)
