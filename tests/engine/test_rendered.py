"""Whether what a chart renders to runs an image."""

from __future__ import annotations

import pytest

from argosy.edits.rendered import Image, runs
from argosy.errors import Terminal
from argosy.models import ImageKeys

DIGEST = f"sha256:{'a' * 64}"
PLAIN = Image.written(ImageKeys(), {"image.repository": "host:5000/shop/ui", "image.tag": "1.0"})
PINNED = Image.written(
    ImageKeys(digest="image.digest"),
    {"image.repository": "host:5000/shop/ui", "image.tag": "1.0", "image.digest": DIGEST},
)
WHOLE = Image.written(ImageKeys(image="ui"), {"ui": "host:5000/shop/ui:1.0"})


@pytest.mark.parametrize(
    ("text", "image", "expected"),
    [
        ("image: host:5000/shop/ui:1.0\n", PLAIN, True),
        ("image: host:5000/shop/ui:1.0\n", WHOLE, True),
        ("a: [{image: 'host:5000/shop/ui:1.0'}]\n", PLAIN, True),
        ("kind: A\n---\nkind: B\nspec:\n- image: host:5000/shop/ui:1.0\n", PLAIN, True),
        ("args: [--sidecar=host:5000/shop/ui:1.0]\n", PLAIN, True),
        ("data: |\n  image: host:5000/shop/ui:1.0\n", PLAIN, True),
        ("spec: {name: 'host:5000/shop/ui', version: '1.0'}\n", PLAIN, True),
        ("image: host:5000/shop/ui:1.0.1\n", PLAIN, False),
        ("image: host:5000/shop/ui:1.0-rc1\n", PLAIN, False),
        ("image: my.host:5000/shop/ui:1.0\n", PLAIN, False),
        ("image: mirror.example/host:5000/shop/ui:1.0\n", PLAIN, False),
        ("image: host:5000/shop/ui:1.0 is no image of its own\n", PLAIN, True),
        (f"image: host:5000/shop/ui:1.0@{DIGEST}\n", PLAIN, False),
        ("image: host:5000/shop/ui:0.9 # host:5000/shop/ui:1.0\n", PLAIN, False),
        ("# image: host:5000/shop/ui:1.0\nkind: A\n", PLAIN, False),
        ("data: |\n  # host:5000/shop/ui:1.0\n  image: host:5000/shop/ui:0.9\n", PLAIN, False),
        ("host:5000/shop/ui:1.0: a key\n", PLAIN, False),
        ("name: host:5000/shop/ui\nspec: {tag: '1.0'}\n", PLAIN, False),
        ("image: host:5000/shop/ui:1.0\n", PINNED, False),
        (f"image: host:5000/shop/ui:1.0@{DIGEST}\n", PINNED, True),
        (f"image: host:5000/shop/ui@{DIGEST}\n", PINNED, True),
        (f"image: host:5000/shop/ui@{DIGEST[:-1]}b\n", PINNED, False),
        (f"{{name: 'host:5000/shop/ui', digest: '{DIGEST}'}}\n", PINNED, True),
        ("", PLAIN, False),
    ],
)
def test_an_image_is_there_when_it_is_a_value_as_it_stands(text: str, image: Image, expected: bool) -> None:
    assert runs(text, image, "a chart") is expected


def test_what_is_no_yaml_is_refused_only_where_it_may_have_the_image() -> None:
    assert runs("a: {\n---\nimage: host:5000/shop/ui:1.0\n", PLAIN, "a chart")
    with pytest.raises(Terminal, match="a chart"):
        runs("a: {host:5000/shop/ui\n", PLAIN, "a chart")
