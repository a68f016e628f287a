"""`chart` of a service: its folder, or its folder and the keys that carry the image's reference."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from argosy.config import load
from argosy.errors import ConfigurationError
from argosy.models import ImageKeys, Service
from argosy.settings.effective import Origin
from argosy.settings.schema import schema
from argosy.settings.text import read, settings
from argosy.yaml_files.positions import Document
from tests.engine.shop import CONFIGURATION


def configured(ui: str = "{}", defaults: str = "{}") -> bytes:
    text = CONFIGURATION.replace("ui: {}", f"ui: {ui}")
    return text.replace("services:", f"defaults: {defaults}\nservices:").encode()


def service(ui: str = "{}", defaults: str = "{}") -> Service:
    return read(configured(ui, defaults), "dev").service("ui")


@pytest.mark.parametrize(
    ("ui", "defaults", "path"),
    [
        ("{}", "{}", "src/ui/chart"),
        ("{chart: deploy/ui}", "{}", "deploy/ui"),
        ("{chart: {path: deploy/ui}}", "{}", "deploy/ui"),
        ("{chart: }", "{}", "src/ui/chart"),
        ("{}", '{chart: "charts/{service}"}', "charts/ui"),
        ("{chart: {keys: {image: app.image}}}", '{chart: {path: "{path}/helm"}}', "src/ui/helm"),
        ("{}", "{chart: {keys: {image: app.image}}}", "src/ui/chart"),
    ],
)
def test_a_chart_is_named_by_its_folder_alone_or_in_a_section(ui: str, defaults: str, path: str) -> None:
    found = service(ui, defaults)
    assert (found.chart_path, found.values_path) == (path, f"{path}/values-dev.yaml")
    assert not list(Draft202012Validator(schema()).iter_errors(Document(configured(ui, defaults), "f").data()))


@pytest.mark.parametrize(
    ("ui", "defaults", "keys"),
    [
        ("{}", "{}", ImageKeys()),
        ("{chart: deploy/ui}", "{}", ImageKeys()),
        ("{chart: {keys: {tag: app.version}}}", "{}", ImageKeys(tag="app.version")),
        ("{chart: {keys: {digest: image.digest}}}", "{}", ImageKeys(digest="image.digest")),
        ("{}", '{chart: {keys: {image: "{service}.image"}}}', ImageKeys(image="ui.image")),
        ("{chart: deploy}", "{chart: {keys: {image: app.image}}}", ImageKeys(image="app.image")),
        ("{chart: {keys: {tag: t}}}", "{chart: {keys: {digest: d}}}", ImageKeys(tag="t")),
        ('{chart: {keys: {image: "pods[name=ui].image"}}}', "{}", ImageKeys(image="pods[name=ui].image")),
    ],
)
def test_a_services_own_keys_take_the_place_of_those_of_all(ui: str, defaults: str, keys: ImageKeys) -> None:
    assert service(ui, defaults).keys == keys


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("{image: a, tag: b}", "services.ui.chart.keys is wrong: image carries the whole reference: leave out tag"),
        ("{image: a, repository: image.repository}", "leave out repository"),
        ("{tag: image.repository}", "each part of the reference needs a key of its own"),
        ("{digest: image.tag}", "each part of the reference needs a key of its own"),
        ("{image: a..b}", "services.ui.chart.keys.image is wrong: 'a..b' is no path"),
        ('{image: ""}', "services.ui.chart.keys.image is wrong"),
        ("{tag: 1}", "services.ui.chart.keys.tag is wrong"),
        ("{tags: a}", "services.ui.chart.keys.tags is not a known key"),
        ('{image: "{name}.image"}', "the placeholder {name}, which stands for nothing there"),
    ],
)
def test_keys_that_make_no_sense_are_refused_with_their_line_and_a_remedy(keys: str, said: str) -> None:
    text = configured(f"\n    chart:\n      keys: {keys}")
    with pytest.raises(ConfigurationError, match=r"^argosy.yaml:7:") as refusal:
        read(text, "dev")
    assert said in refusal.value.message
    assert refusal.value.remedy


@pytest.mark.parametrize("chart", ["1", "[a]", "../out", "{path: ../out}", "{folder: a}", '""'])
def test_what_is_no_chart_is_refused_with_its_line(chart: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^argosy.yaml:5:\d+: services.ui.chart") as refusal:
        load(configured(f"{{chart: {chart}}}"))
    assert refusal.value.remedy


def test_services_may_share_a_values_file_but_no_key_of_it() -> None:
    shared = configured(defaults='{chart: {path: shop, keys: {image: "{service}.image"}}}')
    assert {each.values_path for each in read(shared, "dev").services} == {"shop/values-dev.yaml"}
    with pytest.raises(ConfigurationError, match=r"both write shop/values-dev.yaml on main") as refusal:
        read(shared.replace(b"{service}.image", b"app.image"), "dev")
    assert "chart.keys" in str(refusal.value.remedy)


def test_the_effective_configuration_names_the_keys_and_where_they_come_from() -> None:
    text = configured("\n    chart: {keys: {image: app.image}}", "{chart: {keys: {digest: image.digest}}}")
    document = Document(text, "argosy.yaml")
    found = {each.key: (each.value, each.origin, each.line) for each in settings(document, load(text), "dev")}
    assert found["services.ui.chart.keys.image"] == ("app.image", Origin.OWN, 6)
    assert "services.ui.chart.keys.digest" not in found
    assert found["services.cart.chart.keys.digest"] == ("image.digest", Origin.DEFAULTS, 3)
    assert found["services.cart.chart.keys.tag"] == ("image.tag", Origin.BUILT_IN, None)
