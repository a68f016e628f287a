from __future__ import annotations

import subprocess
import sys
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.globs import QUANTIFIERS, folder, glob, matches
from tests.engine.picomatch_cases import MATCHES, PATHS

AWKWARD = st.text(alphabet='ab/.*?!+@()[]{}|,\\"-^$\n\0ü\udcff', max_size=12)


@pytest.mark.parametrize("pattern", MATCHES)
def test_a_pattern_matches_what_it_matches_in_picomatch(pattern: str) -> None:
    assert [path for path in PATHS if matches([pattern], path)] == [PATHS[place] for place in MATCHES[pattern]]


@pytest.mark.parametrize(
    "path", ["src/ui", "src/ui/new\nline", "src/ui/\n", "src/ui/not\udcffutf-8", "src/ui/.hidden/x"]
)
@pytest.mark.parametrize("pattern", ["src/ui/**", "src/u[i]/**", "{src,docs}/ui/**"])
def test_a_folder_matches_itself_and_all_that_lies_in_it(pattern: str, path: str) -> None:
    assert matches([pattern], path)
    assert not matches([pattern], path.replace("ui", "uix"))


def test_a_newline_at_the_end_of_a_name_is_part_of_it() -> None:
    assert not matches(["src/*.j[s]"], "src/a.js\n")
    assert not matches(["src/a.js"], "src/a.js\n")


@pytest.mark.parametrize("quantifier", QUANTIFIERS)
def test_no_patterns_match_nothing(quantifier: str) -> None:
    assert not matches([], "a", quantifier)


@pytest.mark.parametrize(
    ("path", "some", "every", "excludes"),
    [
        ("src/ui/a.js", True, True, True),
        ("src/ui/a.md", True, False, False),
        ("docs/a.js", True, False, False),
        ("docs/a.md", False, False, False),
    ],
)
def test_quantifiers_put_patterns_together_as_paths_filter_does(
    path: str, some: bool, every: bool, excludes: bool
) -> None:
    patterns = ["src/**", "!**/*.md"]
    assert [matches(patterns, path, each) for each in QUANTIFIERS] == [some, every, excludes]


def test_an_exclusion_is_final_and_alone_includes_nothing() -> None:
    assert not matches(["!**/*.md", "src/a.md"], "src/a.md", "some-with-excludes")
    assert not matches(["!**/*.md"], "src/a.js", "some-with-excludes")
    assert matches(["!(*.md)"], "a.js", "some-with-excludes")


def test_a_folder_is_taken_literally_whatever_it_is_called() -> None:
    odd = folder("src/[ui]*")
    assert odd.matches("src/[ui]*/a")
    assert odd.matches("src/[ui]*")
    assert not odd.matches("src/u")
    assert folder(".").matches("anything/at/all")


@pytest.mark.parametrize(
    ("pattern", "below"),
    [
        ("src/ui/**", "src/ui"),
        ("./src/ui/*.js", "src/ui"),
        ("src/ui", "src/ui"),
        ("src/ui*/**", "src"),
        ("src/+(ui|cart)/**", "src"),
        ("**/*.md", ""),
        ("!src/ui/**", ""),
        ("src/a|docs/b", ""),
        ("\\src/ui", ""),
    ],
)
def test_a_pattern_is_about_its_literal_leading_folders(pattern: str, below: str) -> None:
    assert glob(pattern).below == below


@given(st.lists(AWKWARD, max_size=3), AWKWARD, st.sampled_from(QUANTIFIERS))
def test_nothing_ever_raises(patterns: list[str], path: str, quantifier: str) -> None:
    assert matches(patterns, path, quantifier) in {True, False}


@given(st.sampled_from([*MATCHES]), st.sampled_from(PATHS))
def test_whatever_matches_lies_where_the_pattern_says(pattern: str, path: str) -> None:
    below = glob(pattern).below
    if matches([pattern], path):
        assert not below or path == below or path.startswith(f"{below}/")


@given(st.lists(st.sampled_from(["a", "b", "c*", "?", "*"]), min_size=1, max_size=4), st.text("abc/", max_size=7))
def test_simple_patterns_match_segment_by_segment(segments: list[str], path: str) -> None:
    parts = path.split("/")
    wanted = len(parts) == len(segments) and all(map(fnmatchcase, parts, segments)) and "" not in parts
    if "" not in parts:
        assert matches(["/".join(segments)], path) is wanted


def test_more_braces_than_anybody_means_match_nothing_and_take_no_time() -> None:
    assert not matches(["{a,b}" * 40], "a" * 40)


def test_folders_and_plain_names_need_no_library() -> None:
    program = "import sys\nfrom argosy.globs import matches\nassert matches(['src/ui/**', 'README.md'], 'README.md')\n"
    program += "sys.exit('wcmatch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
