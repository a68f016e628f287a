"""Where paths lead: lists, names, several documents, Argo CD Applications, kustomizations; and what is no path."""

from __future__ import annotations

import pytest

from argosy.edits.charts import edit
from argosy.edits.paths import Index, Key, Named, assignment, parse
from argosy.errors import Terminal, WrongUse

APPLICATION = b"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
spec:
  source:
    repoURL: https://charts.example/shop
    targetRevision: 1.2.3   # the chart
    helm:
      parameters:
      - name: image.tag
        value: "old"
      - {name: image.repository, value: shop/ui}
      valuesObject:
        image: {tag: old}
"""
SOURCES = b"""\
spec:
  sources:
    - repoURL: https://charts.example/shop
      chart: ui
      targetRevision: 1.0.0
      helm:
        valueFiles: [$values/ui.yaml]
    - repoURL: https://git.example/shop.git
      targetRevision: main
      ref: values
"""
KUSTOMIZATION = b"""\
resources: [deployment.yaml]
images:
- name: registry.example:5000/shop/ui
  newName: registry.example:5000/shop/ui
  newTag: 'old'
- name: shop/cart
  digest: sha256:aaaa
"""


@pytest.mark.parametrize(
    ("text", "path", "old", "new", "value"),
    [
        (APPLICATION, "spec.source.helm.parameters[name=image.tag].value", b'"old"', b'"v1"', "v1"),
        (APPLICATION, "spec.source.helm.parameters[name=image.repository].value", b": shop/ui}", b": x/ui}", "x/ui"),
        (APPLICATION, "spec.source.helm.valuesObject.image.tag", b"tag: old", b"tag: v1", "v1"),
        (APPLICATION, "spec.source.targetRevision", b"1.2.3 ", b"v2.0.0 ", "v2.0.0"),
        (SOURCES, "spec.sources[chart=ui].targetRevision", b"1.0.0", b"v1.1.0", "v1.1.0"),
        (SOURCES, "spec.sources[repoURL=https://git.example/shop.git].targetRevision", b"main", b"dev", "dev"),
        (SOURCES, "spec.sources[1].ref", b"ref: values", b"ref: config", "config"),
        (SOURCES, "spec.sources.0.helm.valueFiles.0", b"$values/ui.yaml", b"$values/prod.yaml", "$values/prod.yaml"),
        (KUSTOMIZATION, "images[name=registry.example:5000/shop/ui].newTag", b"'old'", b"'1.0'", "1.0"),
        (KUSTOMIZATION, "images[name=shop/cart].digest", b"sha256:aaaa", b"sha256:bbbb", "sha256:bbbb"),
    ],
)
def test_a_path_leads_through_lists_by_index_and_by_name(
    text: bytes, path: str, old: bytes, new: bytes, value: str
) -> None:
    edited, (change,) = edit(text, {path: value}, "f")
    assert edited == text.replace(old, new)
    assert (change.path, change.new) == (path, value)


def test_the_last_of_duplicate_names_in_an_element_counts_and_two_such_elements_are_refused() -> None:
    assert edit(b"- {name: a, name: b, x: 1}\n", {"[name=b].x": "v"}, "f")[0] == b"- {name: a, name: b, x: v}\n"
    with pytest.raises(Terminal, match=r"f:2: \[name=a\].x has several such elements") as refusal:
        edit(b"- {name: a, x: 1}\n- {name: a, x: 2}\n", {"[name=a].x": "v"}, "f")
    assert "index" in str(refusal.value.remedy)


DOCUMENTS = b"a: 1\n---\nimage: {tag: x}\n...\n# c\n---\nimage:\n  tag: y\n  other: z\n"


def test_of_several_documents_the_only_one_that_has_the_path_is_meant_or_the_one_asked_for() -> None:
    assert edit(DOCUMENTS, {"a": "b", "image.other": "o"}, "f")[0] == DOCUMENTS.replace(b"a: 1", b"a: b").replace(
        b": z", b": o"
    )
    assert edit(DOCUMENTS, {"image.tag": "v"}, "f", document=3)[0] == DOCUMENTS.replace(b"tag: y", b"tag: v")
    with pytest.raises(Terminal, match=r"f: image.tag is in the documents 2, 3"):
        edit(DOCUMENTS, {"image.tag": "v"}, "f")
    with pytest.raises(Terminal, match=r"f: image.digest is in none of the 3 documents"):
        edit(DOCUMENTS, {"image.digest": "v"}, "f", create=True)
    with pytest.raises(Terminal, match=r"f has no document 4"):
        edit(DOCUMENTS, {"image.tag": "v"}, "f", document=4)
    added = edit(DOCUMENTS, {"image.digest": "v"}, "f", create=True, document=2)[0]
    assert added == DOCUMENTS.replace(b"tag: x}", b"tag: x, digest: v}")


def test_an_anchor_of_one_document_is_none_of_the_next() -> None:
    text = b"a: &x 1\n---\nb: *x\n"
    with pytest.raises(Terminal, match=r"f:3:4: malformed YAML: found undefined alias"):
        edit(text, {"a": "v"}, "f")
    assert edit(b"a: &x old\n---\nb: &x 1\nc: *x\n", {"a": "v"}, "f")[0] == b"a: &x v\n---\nb: &x 1\nc: *x\n"


@pytest.mark.parametrize(
    ("text", "path", "edited"),
    [
        (b"a: &x old # c\n", "a", b"a: &x v # c\n"),
        (b"a: &x 'old'\n", "a", b"a: &x 'v'\n"),
        (b"a: &x\nb: 1\n", "a", b"a: &x v\nb: 1\n"),
        (b"a: &x {b: old}\n", "a.b", b"a: &x {b: v}\n"),
        (b"d: &d {x: y}\na:\n  <<: *d\n  b: old\n", "a.b", b"d: &d {x: y}\na:\n  <<: *d\n  b: v\n"),
        (b"d: &d {b: y}\na:\n  <<: *d\n  b: old\n", "a.b", b"d: &d {b: y}\na:\n  <<: *d\n  b: v\n"),
    ],
)
def test_what_nothing_else_refers_to_is_changed_beside_its_anchor(text: bytes, path: str, edited: bytes) -> None:
    assert edit(text, {path: "v"}, "f")[0] == edited


def test_a_merge_behind_a_key_may_override_it_and_is_refused() -> None:
    with pytest.raises(Terminal, match=r"f:4: a.b lies in a mapping with a `<<` merge"):
        edit(b"d: &d {b: y}\na:\n  b: old\n  <<: *d\n", {"a.b": "v"}, "f")


def test_a_key_that_is_an_alias_or_a_mapping_is_no_name() -> None:
    text = b"x: &x name\n? *x\n: 1\n? {a: b}\n: 2\ny: old\n"
    assert edit(text, {"y": "v"}, "f")[0] == text.replace(b"old", b"v")


def test_one_scalar_by_two_paths_is_refused() -> None:
    with pytest.raises(Terminal, match=r"a\[0\] and a.0 are the same"):
        edit(b"a: [x]\n", {"a[0]": "v", "a.0": "w"}, "f")


def test_a_path_is_read_step_by_step() -> None:
    assert parse("a.b[2][name=x.y[1]].c") == (Key("a"), Key("b"), Index(2), Named("name", "x.y[1]"), Key("c"))
    assert parse(r"a\.b\[c\\d.e") == (Key(r"a.b[c\d"), Key("e"))
    assert parse("[0]") == (Index(0),)


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a[", "a[]", "a[x]", "a]", "a[1]b", "a[=x]", "a.[1]"])
def test_what_is_no_path_is_wrong_use(path: str) -> None:
    with pytest.raises(WrongUse, match="is no path"):
        parse(path)


def test_an_assignment_is_split_at_its_first_equals_sign_outside_of_brackets() -> None:
    assert assignment("a[name=x].b=c=d") == ("a[name=x].b", "c=d")
    assert assignment(r"a\=b=") == (r"a\=b", "")
    for text in ("image.tag", "a[name=x]", "=x", r"a\="):
        with pytest.raises(WrongUse):
            assignment(text)
