from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.edits.charts import edit
from argosy.edits.references import read_reference
from argosy.errors import Terminal
from argosy.models import Change, ImageReference
from argosy.yaml_files.text import compose

SHA = "3f2a" + "0" * 36
VALUES = b"""\
# The ui.
replicas: 2
image:
  # who builds it
  repository: public.ecr.aws/shop/ui   # mirrored
  pullPolicy: IfNotPresent
  tag: 'old'  # released by hand

redis: {image: {repository: redis, tag: "7"}}
"""


def line_of(text: bytes, number: int) -> bytes:
    return text.splitlines(keepends=True)[number - 1]


def tag_edit(text: bytes, tag: str = SHA) -> bytes:
    return edit(text, {"image.tag": tag}, "values.yaml")[0]


def test_only_the_characters_of_the_scalars_change() -> None:
    wanted = {"image.repository": "1234.dkr.ecr/ui", "image.tag": SHA}
    edited, changes = edit(VALUES, wanted, "values.yaml")
    expected = VALUES.replace(b"public.ecr.aws/shop/ui", b"1234.dkr.ecr/ui").replace(b"'old'", f"'{SHA}'".encode())
    assert edited == expected
    assert changes == (
        Change("values.yaml", "image.repository", "public.ecr.aws/shop/ui", "1234.dkr.ecr/ui"),
        Change("values.yaml", "image.tag", "old", SHA),
    )
    assert read_reference(edited, "values.yaml") == ImageReference("1234.dkr.ecr/ui", SHA)


def test_a_file_that_reads_so_already_comes_back_as_the_same_object() -> None:
    edited, changes = edit(VALUES, {"image.tag": "old", "replicas": "2"}, "f")
    assert changes == (Change("f", "replicas", "2", "2"),), "a bare 2 is a number and no string"
    again, changes = edit(edited, {"image.tag": "old", "replicas": "2"}, "f")
    assert again is edited
    assert changes == ()


@pytest.mark.parametrize(
    "tag",
    ["1.10", "true", "Yes", "off", "n", "0123", "1" * 40, "12e45" + "0" * 35, "1_000", "0x1f", "0X1F", "1:30",
     "2024-01-01", "null", "~", "", "-", "a: b", "a #b", "#a", "*a", "&a", "!a", "{a", "a]", ".inf", "=", "<<", "a, b",
     "é\t\x7f", "…\n"],
)  # fmt: skip
def test_a_bare_value_that_would_read_as_something_else_gets_quotes(tag: str) -> None:
    for text in (b"image: {repository: x, tag: y, z: 1}\n", b"image:\n  repository: x\n  tag: y # c\n"):
        edited = tag_edit(text, tag)
        assert b'tag: "' in edited
        assert read_reference(edited, "f").tag == tag
        assert tag_edit(edited, tag) is edited


@pytest.mark.parametrize("tag", [SHA, "v1.10.2", "abc", "main-12", f"{SHA}-0123456789ab", "12ab", "latest"])
def test_a_bare_value_that_reads_as_itself_stays_bare(tag: str) -> None:
    assert tag_edit(b"image:\n  repository: x\n  tag: y\n", tag) == f"image:\n  repository: x\n  tag: {tag}\n".encode()


def test_a_bare_number_that_is_already_there_is_put_in_quotes() -> None:
    digits = "1" * 40
    text = f"image:\n  repository: x\n  tag: {digits}\n".encode()
    edited, changes = edit(text, {"image.tag": digits}, "f")
    assert edited == text.replace(digits.encode(), f'"{digits}"'.encode())
    assert changes == (Change("f", "image.tag", digits, digits),)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"image:\n  repository: x\n  tag:\n", b"image:\n  repository: x\n  tag: NEW\n"),
        (b"image:\n  repository: x\n  tag:", b"image:\n  repository: x\n  tag: NEW"),
        (b"image:\n  tag:   # none yet\n  repository: x\n", b"image:\n  tag: NEW   # none yet\n  repository: x\n"),
        (b"image: {tag: , repository: x}\n", b"image: {tag: NEW , repository: x}\n"),
        (b'{"image": {"repository": "x", "tag":}}', b'{"image": {"repository": "x", "tag": NEW}}'),
        (b'image:\n  repository: x\n  tag: ""\n', b'image:\n  repository: x\n  tag: "NEW"\n'),
        (b"image:\n  repository: x\n  tag: null\n", b"image:\n  repository: x\n  tag: NEW\n"),
        (b"image:\n  repository: x\n  tag: ~ # c\n", b"image:\n  repository: x\n  tag: NEW # c\n"),
    ],
)
def test_a_blank_tag_is_filled_in_after_its_colon(before: bytes, after: bytes) -> None:
    assert read_reference(before, "f").tag == ""
    assert tag_edit(before, "NEW") == after


def test_byte_order_mark_document_start_and_windows_line_ends_stay() -> None:
    text = "\ufeff---\r\n# é 😀\r\nimage:\r\n  repository: x\r\n  tag: 'a' \r\n...\r\n".encode()
    assert tag_edit(text) == text.replace(b"'a'", f"'{SHA}'".encode())


def test_of_duplicate_keys_the_last_is_meant_as_in_helm() -> None:
    text = b"image:\n  tag: a\nimage:\n  repository: x\n  tag: b\n  tag: c\n"
    assert read_reference(text, "f") == ImageReference("x", "c")
    assert tag_edit(text, "d") == text.replace(b"tag: c", b"tag: d")


def test_lists_and_keys_with_dots_have_their_paths() -> None:
    text = b"sources:\n- ref: a\n- ref: b\nmetadata:\n  argocd.io/x: y\n"
    edited, _ = edit(text, {"sources.1.ref": "c", r"metadata.argocd\.io/x": "z"}, "f")
    assert edited == text.replace(b"ref: b", b"ref: c").replace(b": y", b": z")


def test_a_bare_host_with_a_port_is_read_between_braces_and_written_there_in_quotes() -> None:
    text = b"# c\nimage: {repository: host:5000/x, tag: old }\n"
    assert read_reference(text, "f") == ImageReference("host:5000/x", "old")
    assert tag_edit(text) == text.replace(b"old", SHA.encode())
    edited, _ = edit(text, {"image.repository": "host:5000/y"}, "f")
    assert edited == text.replace(b"host:5000/x", b'"host:5000/y"')
    block = b"image: host:5000/x:1.0\n"
    assert edit(block, {"image": "host:5000/y:2.0"}, "f")[0] == b"image: host:5000/y:2.0\n"


def test_a_single_quote_in_single_quotes_is_doubled() -> None:
    assert tag_edit(b"image: {repository: x, tag: 'a'}", "it's") == b"image: {repository: x, tag: 'it''s'}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"x: 1\nimage:\n  repository: x\n  tag: &t a\nother: *t\n", "f:4:"),
        (b"t: &t a\nimage:\n  repository: x\n  tag: *t\n", "f:4:"),
        (b"image: &i\n  repository: x\n  tag: a\nother: *i\n", "f:1:"),
        (b"i: !!map &i {repository: x, tag: a}\nimage: *i\n", "f:2:"),
        (b"d: &d {tag: a}\nimage:\n  <<: *d\n  repository: x\n", "f:3:"),
        (b"image:\n  repository: x\n  tag: |\n    a\n", "f:3:"),
        (b"image:\n  repository: x\n  tag: a\n    b\n", "f:3:"),
        (b"image:\n  repository: x\n  tag: !!str 12\n", "f:3:"),
        (b"image:\n  repository: x\n  tag: [a]\n", "f:3:"),
        (b"image: {repository: x, tag}\n", "f:1:"),
        (b"# nothing\n", "no document"),
        (b"a: 1\nimage: [1\nb: 2\n", "f:3:2: malformed"),
        (b"a: 1\nimage:\n\ttag: x\n", "f:3:1: malformed"),
        (b"a: \x01", "f:1:4: malformed"),
        (b"a: *nope", "f:1:4: malformed"),
        (b"a: 1\nb: \xff\n", "f:2: not UTF-8"),
        ("a: 1\n".encode("utf-16"), "not UTF-8"),
        (b"image: x:1\n", "no scalar|not there|no image"),
    ],
)
def test_what_cannot_be_edited_alone_is_refused_with_place_and_remedy(text: bytes, said: str) -> None:
    for action in (lambda: tag_edit(text), lambda: read_reference(text, "values.yaml")):
        with pytest.raises(Terminal, match=said.replace("f:", "values.yaml:")) as refusal:
            action()
        assert refusal.value.remedy


def test_a_missing_key_is_added_only_where_that_is_asked_for() -> None:
    with pytest.raises(Terminal, match=r"values.yaml:2: image.tag is not there") as refusal:
        tag_edit(b"\nimage: {repository: x}\n")
    assert "`tag`" in str(refusal.value)
    assert read_reference(b"image: {repository: x}\n", "f") == ImageReference("x", "")


def test_a_values_file_of_several_documents_is_refused_since_helm_reads_the_first_alone() -> None:
    with pytest.raises(Terminal, match=r"^f:3: several documents"):
        read_reference(b"a: 1\n---\nimage: {repository: x, tag: a}\n", "f")


@pytest.mark.parametrize("text", [b"image: {tag: a}\n", b"a: 1\n", b"image:\n", b"image: {repository: }\n", b"- a\n"])
def test_a_values_file_without_a_repository_is_refused_by_name(text: bytes) -> None:
    with pytest.raises(Terminal, match=r"^deploy/values.yaml has no image.repository") as refusal:
        read_reference(text, "deploy/values.yaml")
    assert "argosy.yaml" in str(refusal.value)


def test_nesting_too_deep_for_the_parser_ends_in_an_error_and_not_the_process() -> None:
    program = (
        "from argosy.yaml_files.stream import Stream\n"
        "from argosy.yaml_files.text import compose\n"
        "from argosy.errors import Terminal\n"
        "for read in (compose, Stream.read):\n"
        "    for text in ('[' * 200000, '- ' * 200000, '? ' * 200000, '-\\t' * 200000):\n"
        "        try: read(text, 'f')\n"
        "        except Terminal as error: print(error.remedy)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) == 8


def test_a_long_ordinary_file_is_read() -> None:
    lines = [f"key{number}: [{{a: -1}}, b]" for number in range(3000)]
    assert compose("\n".join(lines), "f").tag == "tag:yaml.org,2002:map"


@dataclass(frozen=True)
class Values:
    """A values file in pieces: `lines`, of which number `tag_line` holds the tag `tag`."""

    lines: tuple[str, ...]
    tag_line: int
    newline: str
    mark: str

    @property
    def text(self) -> bytes:
        return (self.mark + self.newline.join(self.lines)).encode()


WORD = st.text("abcxyz09./_éß😀 #:'\"-,", min_size=0, max_size=12)
TAG = st.one_of(
    st.text("0123456789abcdef", min_size=40, max_size=40),
    st.text("0123456789e", min_size=40, max_size=40),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,30}", fullmatch=True),
    st.text(max_size=20).filter(lambda text: not any("\ud800" <= letter <= "\udfff" for letter in text)),
)


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


@st.composite
def other_lines(draw: st.DrawFn, indent: str) -> list[str]:
    kinds = {
        "comment": lambda: [f"{indent}# {draw(WORD)}"],
        "blank": lambda: [draw(st.sampled_from(["", "  "]))],
        "scalar": lambda: [f"{indent}{draw(st.sampled_from('pqrs'))}: {quoted(draw(WORD))}"],
        "block": lambda: [f"{indent}text: |", f"{indent}  tag: {draw(WORD)}", f"{indent}  x"],
        "other image": lambda: [f"{indent}redis:", f"{indent}  image: {{repository: redis, tag: 7}}"],
        "list": lambda: [f"{indent}list:", f"{indent}- tag: {quoted(draw(WORD))}", f"{indent}- 1"],
    }
    chosen = draw(st.lists(st.sampled_from(sorted(kinds)), max_size=4))
    return [line for kind in chosen for line in kinds[kind]()]


@st.composite
def values_files(draw: st.DrawFn) -> Values:
    old = draw(st.sampled_from(["", " old", " '1'", ' "x"', " 1.10", " ~", " 'it''s'", ' "\\u00e9"']))
    tag = [f"  tag:{old}{draw(st.sampled_from(['', ' ', ' # é note', '   #x']))}"]
    before = [*draw(other_lines("")), "image:", *draw(other_lines("  ")), "  repository: host/name"]
    start = draw(st.sampled_from([[], ["---"], ["# c", "---"]]))
    lines = [*start, *before, *tag, *draw(other_lines("  ")), *draw(other_lines("")), ""]
    newline, mark = draw(st.sampled_from(["\n", "\r\n"])), draw(st.sampled_from(["", "\ufeff"]))
    return Values(tuple(lines), len(start) + len(before), newline, mark)


@settings(max_examples=300, deadline=None)
@given(values_files(), TAG)
def test_any_edit_reads_back_and_leaves_every_other_line_as_it_was(values: Values, tag: str) -> None:
    edited, changes = edit(values.text, {"image.tag": tag}, "f")
    assert read_reference(edited, "f") == ImageReference("host/name", tag)
    assert len(changes) <= 1
    assert bool(changes) == (edited != values.text)
    before, after = values.text.split(values.newline.encode()), edited.split(values.newline.encode())
    assert len(before) == len(after)
    assert [number for number, line in enumerate(after) if line != before[number]] in ([], [values.tag_line])
    again, changes = edit(edited, {"image.tag": tag}, "f")
    assert again is edited
    assert changes == ()
