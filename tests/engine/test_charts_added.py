"""Keys that are added: beside their siblings, in their style, and nothing else differs."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from argosy.edits.charts import edit
from argosy.errors import Terminal
from argosy.models import Change


def added(text: str, path: str = "image.tag", value: str = "v1") -> str:
    edited, changes = edit(text.encode(), {path: value}, "f", create=True)
    assert changes == (Change("f", path, "", value),)
    assert edit(edited, {path: value}, "f", create=True) == (edited, ())
    return edited.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("image:\n  repository: x # c\n\n# next\nb: 1\n", "image:\n  repository: x # c\n  tag: v1\n\n# next\nb: 1\n"),
        ("image:\n    repository: 'x'\n", "image:\n    repository: 'x'\n    tag: 'v1'\n"),
        ('image:\n  "repository": "x"', 'image:\n  "repository": "x"\n  "tag": "v1"'),
        ("image:\r\n  repository: x\r\nb: 1\r\n", "image:\r\n  repository: x\r\n  tag: v1\r\nb: 1\r\n"),
        ("image:\n  repository: x\n  pull: 1\n", "image:\n  repository: x\n  pull: 1\n  tag: v1\n"),
        ("image:\n  list:\n  - a: [1,\n    2]\n", "image:\n  list:\n  - a: [1,\n    2]\n  tag: v1\n"),
        ("image:\n  blank:\n\nb: 1\n", "image:\n  blank:\n  tag: v1\n\nb: 1\n"),
        ("image:\n  list:\n  - a\n  -\nb: 1\n", "image:\n  list:\n  - a\n  -\n  tag: v1\nb: 1\n"),
        ("image:\n  text: |\n    a\n\nb: 1\n", "image:\n  text: |\n    a\n  tag: v1\n\nb: 1\n"),
        ("image:\n  text: |+\n    a\n\nb: 1\n", "image:\n  text: |+\n    a\n\n  tag: v1\nb: 1\n"),
        ("image: {repository: x}\n", "image: {repository: x, tag: v1}\n"),
        ("image: {repository: x, }\n", "image: {repository: x, tag: v1, }\n"),
        ("image: {}\n", "image: {tag: v1}\n"),
        ("image: {repository: }\n", "image: {repository: , tag: v1 }\n"),
        ('{"image":{"repository":"x"}}', '{"image":{"repository":"x", "tag":"v1"}}'),
        ('{\n\t"image": {\n\t\t"a": "x"\n\t}\n}\n', '{\n\t"image": {\n\t\t"a": "x",\n\t\t"tag": "v1"\n\t}\n}\n'),
        ("image:\nb: 1\n", "image:\n  tag: v1\nb: 1\n"),
        ("a:\n   b: 1\nimage: ~ # c\n", "a:\n   b: 1\nimage: # c\n   tag: v1\n"),
        ("image: {a: b, # x\n  c: d # y\n}\n", "image: {a: b, # x\n  c: d,\n  tag: v1 # y\n}\n"),
        ("%YAML 1.1\n---\nimage: !!map\n  a: b\n...\n", "%YAML 1.1\n---\nimage: !!map\n  a: b\n  tag: v1\n...\n"),
        ("image:\n  a: 'x\n   y'\nb: 1\n", "image:\n  a: 'x\n   y'\n  tag: 'v1'\nb: 1\n"),
        ("{image: , b: 1}\n", "{image: {tag: v1} , b: 1}\n"),
        ("{image: }\n", "{image: {tag: v1} }\n"),
        ("b: 1\n# end\n", "b: 1\nimage:\n  tag: v1\n# end\n"),
        ("b: 1", "b: 1\nimage:\n  tag: v1"),
        ("a: {b: 1}\n---\nimage: {x: y}\n", None),
        ("d: &d {x: y}\nimage:\n  <<: *d\n", "d: &d {x: y}\nimage:\n  <<: *d\n  tag: v1\n"),
    ],
)  # fmt: skip
def test_a_missing_key_is_added_in_the_style_of_its_siblings(before: str, after: str | None) -> None:
    if after is None:
        with pytest.raises(Terminal, match=r"image.tag is in none of the 2 documents"):
            added(before)
    else:
        assert added(before) == after


def test_several_keys_share_the_mapping_that_the_first_of_them_made() -> None:
    values = {"a.b.c": "x", "a.b.d": "1.0", "a.e": "z"}
    assert edit(b"a:\n", values, "f", create=True)[0] == b'a:\n  b:\n    c: x\n    d: "1.0"\n  e: z\n'
    assert edit(b"{}\n", values, "f", create=True)[0] == b'{a: {b: {c: x, d: "1.0"}, e: z}}\n'


def test_an_element_of_a_list_takes_keys() -> None:
    text = "images:\n- name: shop/ui\n- name: shop/cart\n  newTag: a\n"
    assert added(text, "images[name=shop/ui].newTag") == text.replace("shop/ui\n", "shop/ui\n  newTag: v1\n")
    assert added("- image:\n", "0.image.tag") == "- image:\n    tag: v1\n"


def test_a_key_that_would_read_as_something_else_gets_quotes() -> None:
    assert added("image: {a: b}\n", "image.yes") == 'image: {a: b, "yes": v1}\n'
    assert added("a: b\n", r"x\.y: z") == 'a: b\n"x.y: z": v1\n'


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("a: 1\nimage: x\n", "image.tag", "f:2: image.tag is not there: what should have tag is no mapping"),
        ("a:\n- x\n", "a[1]", r"f:2: a\[1\] has no element \[1\]"),
        ("a:\n- x\n", "a.1", "has no element 1"),
        ("a:\n- {name: x}\n", "a[name=y].b", r"has no element \[name=y\]"),
        ("a: 1\n", "list[0].x", "needs a list that is not there"),
        ("a: 1\n", "list.0", "needs a list that is not there"),
        ("---\n", "a", "lies in an empty value"),
        ("- \n", "0.a", "lies in an empty value"),
        ("# c\n", "a", "holds no document"),
        ("d: &d {tag: x}\nimage:\n  <<: *d\n", "image.tag", "f:3: image.tag lies in a mapping with a `<<` merge"),
        ("d: &d {tag: x}\nimage:\n  <<: [{a: b}, *d]\n", "image.tag", "f:3: .* merge"),
        ("d: &d {x: y}\nimage: *d\n", "image.tag", "f:2: image.tag goes through an anchor or alias"),
        ("d: &d\nimage: *d\n", "d.tag", "f:1: d.tag goes through an anchor or alias"),
    ],
)
def test_what_has_no_place_for_a_key_is_refused_with_place_and_remedy(text: str, path: str, said: str) -> None:
    with pytest.raises(Terminal, match=said) as refusal:
        edit(text.encode(), {path: "v1"}, "f", create=True)
    assert refusal.value.remedy


@pytest.mark.parametrize("text", ["image:\n  a: x # c\u2028b: 1\n", "image:\n  ? a\n  : b\n"])
def test_an_addition_that_would_change_more_is_abandoned(text: str) -> None:
    with pytest.raises(Terminal, match=r"^f: setting image.tag would change more than that"):
        edit(text.encode(), {"image.tag": "v1"}, "f", create=True)


WORD = st.sampled_from(["a", "b-1", "x.y/z", "1.0", "true", "", "it's", 'say "hi"', "é", "- no", "# no", "host:5000/x"])
LEAF = st.one_of(WORD, st.integers(0, 99), st.booleans(), st.none())
TREE = st.recursive(
    LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("pqrs"), inner, max_size=3)),
    max_leaves=12,
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A generated file, written by another's hand: in block or flow style, indented and commented in some way."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = draw(st.sampled_from([True, False, None]))
    yaml.indent = draw(st.sampled_from([2, 4]))
    data: dict[str, object] = {"image": draw(st.none() | st.dictionaries(st.sampled_from("pqrs"), TREE, max_size=4))}
    data |= draw(st.dictionaries(st.sampled_from("tuvw"), TREE, max_size=3))
    stream = io.StringIO()
    yaml.dump(data, stream)
    text = stream.getvalue()
    if draw(st.booleans()):
        text = "\n".join(line + ("  # note" if line.endswith(":") else "") for line in text.split("\n"))
    text = draw(st.sampled_from(["", "# é\n", "---\n"])) + text
    return draw(st.sampled_from([text, text.rstrip("\n"), text.replace("\n", "\r\n"), text + "\n# end\n"]))


def loaded(text: str) -> object:
    return YAML(typ="safe", pure=True).load(text)


@settings(max_examples=400, deadline=None)
@given(files(), st.one_of(WORD, st.text("abc019.:-/@'\"#{}[], é", min_size=1, max_size=12)))
def test_any_key_that_is_added_is_all_that_differs(before: str, value: str) -> None:
    after = added(before, value=value)
    expected = loaded(before)
    assert isinstance(expected, dict)
    expected["image"] = (expected["image"] or {}) | {"tag": value}
    assert loaded(after) == expected
    new = len(after) - len(before)
    assert any(without(after, start, new + gone) == without(before, start, gone) for start, gone in cuts(before))


def without(text: str, start: int, count: int) -> str:
    return text[:start] + text[start + count :]


def cuts(text: str) -> list[tuple[int, int]]:
    """Where new characters may stand, and how many in their place are gone: none, or those of a null."""
    nulls = [(match.start(), match.end() - match.start()) for match in re.finditer(r" *(?:null|~)", text)]
    return [*((start, 0) for start in range(len(text) + 1)), *nulls]
