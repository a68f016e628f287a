"""What a YAML document stands for, by the core schema of YAML 1.2, and what is refused of it."""

from __future__ import annotations

import subprocess
import sys
from math import inf
from typing import Any

import pytest

from argosy.errors import ConfigurationError
from argosy.yaml_files.positions import Document


def read(text: str) -> Any:
    return Document(text.encode(), "f.yaml").data()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("Null", None), ("a:", {"a": None}),
        ("true", True), ("False", False), ("yes", "yes"), ("on", "on"), ("TrUe", "TrUe"),
        ("012", 12), ("0o14", 12), ("0x1F", 31), ("-7", -7), ("+7", 7), ("1_000", "1_000"), ("0b11", "0b11"),
        ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0), ("-.inf", -inf), ("+.INF", inf), ("1.2.3", "1.2.3"), ("-", [None]),
        ("2024-01-01", "2024-01-01"), ("12:30", "12:30"), ("=", "="), ("9" * 5000, "9" * 5000),
        ("'12'", "12"), ('"~"', "~"), ("! 12", "12"), ("!!str 12", "12"), ("!!int 12", 12), ("!!float 1", 1),
        ("|\n  true\n", "true\n"), ("{a: 1, 'a b': [2, {c: }]}", {"a": 1, "a b": [2, {"c": None}]}),
        ("%YAML 1.1\n---\nyes", "yes"), ("\ufeffa: 1", {"a": 1}), ("{1: a, '1': b}", {1: "a", "1": "b"}),
    ],
)  # fmt: skip
def test_scalars_are_what_the_core_schema_says(text: str, value: object) -> None:
    found = read(text)
    assert (found, type(found)) == (value, type(value))


def test_what_is_no_number_is_not_equal_to_itself() -> None:
    assert read(".nan") != read(".nan")


def test_aliases_stand_for_what_they_name_the_latest_of_that_name() -> None:
    assert read("a: &x {b: 1}\nc: *x\nd: &x 2\ne: *x") == {"a": {"b": 1}, "c": {"b": 1}, "d": 2, "e": 2}


@pytest.mark.parametrize(
    ("merge", "value"),
    [
        ("{<<: *a, y: 3}", {"x": 1, "y": 3}),
        ("{y: 3, <<: *a}", {"x": 1, "y": 3}),
        ("{<<: [*a, *b]}", {"x": 1, "y": 2, "z": 5}),
        ("{<<: [*b, *a]}", {"x": 4, "y": 2, "z": 5}),
        ("{<<: {<<: *b, x: 7}}", {"x": 7, "z": 5}),
        ("{'<<': 1}", {"<<": 1}),
    ],
)
def test_merges_lie_below_what_stands_beside_them(merge: str, value: object) -> None:
    assert read(f"a: &a {{x: 1, y: 2}}\nb: &b {{x: 4, z: 5}}\nm: {merge}")["m"] == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", 'f.yaml:3:1: found duplicate key "a", which stands in line 1 too (leave one of the two'),
        ("a: {<<: {b: 1}, <<: {c: 1}}", 'f.yaml:1:17: found duplicate key "<<"'),
        ("a: &a {b: 1, b: 2}\nc: {<<: *a}", 'f.yaml:1:14: found duplicate key "b"'),
        ("a: {<<: 3}", "f.yaml:1:9: expected a mapping or list of mappings for merging"),
        ("a: {<<: [{b: 1}, 3]}", "f.yaml:1:18: expected a mapping or list of mappings for merging"),
        ("a: {? [b] : 1}", "f.yaml:1:7: found unhashable key"),
        ("a: {? {b: 1} : 1}", "f.yaml:1:7: found unhashable key"),
        ("a: !secret x", "f.yaml:1:4: could not determine a constructor for the tag '!secret' (leave the tag out)"),
        ("a: !!int x", "f.yaml:1:4: could not determine"),
        ("a: !!set {b}", "f.yaml:1:4: could not determine"),
        ("a: !!omap [b: 1]", "f.yaml:1:4: could not determine"),
        ("a: *b", "f.yaml:1:4: found undefined alias 'b'"),
        ("a: 1\n--- \nb: 2", "f.yaml:2:1: but found another document"),
        ("a: b: c", "f.yaml:1:5: mapping values are not allowed"),
        ("a: \x07", "f.yaml: is not YAML"),
        ("é: {a: &a [*a]}", "f.yaml:1:8: stands for too much"),
    ],
)
def test_what_plain_data_cannot_be_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert str(caught.value).startswith(said)


DEEP = "a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 20 + "*a" + "]" * 20


@pytest.mark.parametrize("nest", [DEEP, "[" * 52 + "]" * 52])
def test_what_is_nested_too_deep_is_refused_aliases_followed(nest: str) -> None:
    with pytest.raises(ConfigurationError, match="stands for too much"):
        read(nest)


def test_what_would_end_the_process_of_a_careless_parser_is_refused() -> None:
    program = "from argosy.yaml_files.positions import Document\n"
    program += "for one in (b'[', b'{a: ', b'- ', b'? '):\n    try:\n        Document(one * 200000, 'f')\n"
    program += "    except Exception as error:\n        print(type(error).__name__, 'too much' in str(error))\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ConfigurationError True\n" * 4)


def test_a_document_is_refused_when_it_has_too_many_nodes_not_when_it_is_read_whole() -> None:
    with pytest.raises(ConfigurationError, match=r"^f.yaml:100000:3: stands for too much"):
        read("- 1\n" * 300_000)


def test_what_is_too_much_only_together_is_refused_before_it_is_read_whole() -> None:
    with pytest.raises(ConfigurationError, match=r"^f.yaml:(99|100)\d{3}:3: stands for too much"):
        read("a:\n" + "- 1\n" * 60_000 + "b:\n" + "- 1\n" * 60_000)
