"""References at keys of the configuration's choice: read, planned and written back there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from argosy.edits.references import read_reference, shown, values
from argosy.errors import Terminal
from argosy.models import ImageKeys, ImageReference
from argosy.state import read
from tests.engine.shop import Shop, image
from tests.engine.target import Target

WHOLE = ImageKeys(image="app.image")
APART = ImageKeys("app.image.name", "app.version", "app.image.digest")
DIGEST = "sha256:" + "b" * 64
VALUES = "src/ui/chart/values-dev.yaml"


@pytest.mark.parametrize(
    ("written", "reference"),
    [
        ("host:5000/a/b:1.0", ImageReference("host:5000/a/b", "1.0")),
        ("host:5000/a/b", ImageReference("host:5000/a/b", "")),
        ("a", ImageReference("a", "")),
        ("a:t", ImageReference("a", "t")),
        (f"host/a:t@{DIGEST}", ImageReference("host/a", "t")),
        (f"host:5000/a@{DIGEST}", ImageReference("host:5000/a", "")),
    ],
)
def test_a_whole_reference_is_taken_apart(written: str, reference: ImageReference) -> None:
    assert read_reference(f"app: {{image: '{written}'}}\n".encode(), "f", WHOLE) == reference


def test_a_whole_reference_keeps_a_digest_only_where_it_had_one() -> None:
    new = ImageReference("host:5000/a", "2")
    for before, after in (("host:5000/a:1", str(new)), (f"host:5000/a:1@{DIGEST[:-1]}c", f"{new}@{DIGEST}")):
        text = f"app:\n  image: {before}\n".encode()
        assert values(WHOLE, new, DIGEST, text, "f") == {"app.image": after}
    assert shown(WHOLE, new) == {"app.image": "host:5000/a:2"}
    assert shown(WHOLE, None) == {"app.image": ""}


def test_a_file_without_the_configured_key_is_refused_by_the_keys_name() -> None:
    with pytest.raises(Terminal, match=r"^f has no app.image \(") as refusal:
        read_reference(b"app: {}\n", "f", WHOLE)
    assert "chart.keys" in str(refusal.value.remedy)
    with pytest.raises(Terminal, match=r"^f has no app.image.name \("):
        read_reference(b"app: {version: 1}\n", "f", APART)


def keyed(shop: Shop, keys: str, text: str) -> Target:
    """A target of which `ui` has its reference at `keys` in `text`."""
    shop.commit("Restructure", {VALUES: text})
    shop.configure("ui: {}", f"ui: {{chart: {{keys: {keys}}}}}")
    return Target(shop, shop.path.parent / "home")


@pytest.mark.parametrize(
    ("keys", "text", "after"),
    [
        (
            "{image: app.image}",
            f"app:\n  image: public.example/shop-ui:1.0@{DIGEST[:-1]}c  # pinned\n",
            f"app:\n  image: {{repository}}:{{tag}}@{DIGEST}  # pinned\n",
        ),
        (
            "{image: app.image}",
            "app:\n  image: public.example/shop-ui:1.0\n",
            "app:\n  image: {repository}:{tag}\n",
        ),
        (
            "{repository: app.name, tag: app.version, digest: app.digest}",
            "app:\n  name: public.example/shop-ui\n  version: '1.0'\n",
            f"app:\n  name: {{repository}}\n  version: '{{tag}}'\n  digest: '{DIGEST}'\n",
        ),
        (
            '{image: "pods[name=ui].image"}',
            "pods:\n- {name: proxy, image: envoy}\n- name: ui\n  image: public.example/shop-ui:1.0\n",
            "pods:\n- {{name: proxy, image: envoy}}\n- name: ui\n  image: {repository}:{tag}\n",
        ),
    ],
)
def test_a_release_writes_its_reference_at_the_configured_keys_and_reads_it_back(
    shop: Shop, keys: str, text: str, after: str
) -> None:
    target = keyed(shop, keys, text)
    release = target.release()
    now = read(target.mirror.git, target.writer.environment, target.mirror.branch("main"))["ui"].reference
    assert now == ImageReference("public.example/shop-ui", "1.0")
    written = target.writer.write_back(shop.head, [release])
    assert (written.released, written.left_out) == (("ui",), {})
    reference = image("ui", release.reference.tag)
    expected = after.format(repository=reference.repository, tag=reference.tag)
    assert target.read(VALUES) == expected.strip()
    target.mirror.update()
    released = read(target.mirror.git, target.writer.environment, target.mirror.branch("main"))["ui"]
    assert (released.reference, released.known) == (reference, True)
    again = replace(target.writer, run="run-2").write_back(shop.head, [release])
    assert (again.commit, again.changes) == (None, ())


def test_services_that_share_a_values_file_are_released_in_one_commit_and_one_by_one(shop: Shop) -> None:
    text = "ui: {image: 'public.example/shop-ui:1.0'}\n# both\ncart: {image: 'public.example/shop-cart:1.0'}\n"
    shop.commit("Share", {"charts/values-dev.yaml": text})
    shop.configure("services:", 'defaults: {chart: {path: charts, keys: {image: "{service}.image"}}}\nservices:')
    target = Target(shop, shop.path.parent / "home")
    before = image("ui", shop.head)
    written = target.writer.write_back(shop.head, [target.release("ui"), target.release("cart")])
    assert (written.released, written.left_out) == (("ui", "cart"), {})
    first = text.replace("public.example/shop-ui:1.0", str(before))
    first = first.replace("public.example/shop-cart:1.0", str(image("cart", shop.head)))
    assert target.read("charts/values-dev.yaml") == first.strip()
    shop.run("pull", "-q", "origin", "main")
    newer = shop.commit("Edit", {"src/ui/main.txt": "two\n"})
    release = replace(target.release(sha=newer), expected=before)
    assert replace(target.writer, run="run-2").write_back(newer, [release]).released == ("ui",)
    assert target.read("charts/values-dev.yaml") == first.replace(str(before), str(image("ui", newer))).strip()


def test_a_hand_at_the_configured_key_is_not_overwritten(shop: Shop) -> None:
    target = keyed(shop, "{image: app.image}", "app:\n  image: public.example/shop-ui:1.0\n")
    source, release = shop.head, target.release()
    shop.commit("Type", {VALUES: "app:\n  image: public.example/shop-ui:hotfix\n"})
    written = target.writer.write_back(source, [release, target.release("cart", source)])
    assert written.released == ("cart",)
    assert "somebody set it to public.example/shop-ui:hotfix" in written.left_out["ui"]


def test_an_edit_that_fails_leaves_its_service_out_and_the_others_in_one_commit(shop: Shop) -> None:
    anchored = "app: &a\n  image: public.example/shop-ui:1.0\nother: *a\n"
    target = keyed(shop, "{image: app.image}", anchored)
    source = shop.head
    written = target.writer.write_back(source, [target.release(), target.release("cart")])
    assert (written.released, list(written.left_out)) == (("cart",), ["ui"])
    assert written.left_out["ui"].startswith(f"{VALUES}:1: app.image goes through an anchor or alias")
    assert target.read(VALUES) == anchored.strip()
    assert source in target.read("src/cart/chart/values-dev.yaml")
