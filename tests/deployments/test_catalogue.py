"""The catalogue of errors: read from the code, whole, and as it was committed."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.errors import ExitCode
from deployments.catalogue import ROOMS, Entry, codes, entries, page

ROOT = Path(__file__).parents[2]
MODULE = '''\
"""Boats."""
REMEDY = "bail {it} out" if LATE else "plug the hole"
REMEDIES = {1: "row", 2: "sail"}

class Sunk(Transient):
    """Gone."""

class Wrong(ConfigurationError):
    """No boat."""

def sink(boat, depth):
    said = f"{boat.name} lies {depth:.0f} m deep" + (" already" if depth else "")
    raise Sunk(said[:20], remedy=REMEDY)

def made(message: str, remedy: str) -> Wrong:
    return Wrong(f"{place}: {message}", remedy=remedy)

def launch(code):
    if code:
        raise made("no keel", "lay one")
    raise Terminal("no crew", remedy=REMEDIES.get(code, advice(code)))

def advice(code):
    return "wait" if code else "hire"
'''


@pytest.fixture
def written(tmp_path: Path) -> Path:
    for room in ROOMS:
        (tmp_path / room).mkdir()
    (tmp_path / "argosy/boats.py").write_text(MODULE)
    (tmp_path / "argosy/errors.py").write_text((ROOT / "argosy/errors.py").read_text())
    return tmp_path


def test_every_error_is_read_with_its_class_message_and_remedy(written: Path) -> None:
    found = [entry for entry in entries(written) if entry.module == "argosy/boats.py"]
    assert found == [
        Entry("argosy/boats.py", "Sunk", "{boat.name} lies {depth} m deep already", "bail {it} out / plug the hole"),
        Entry("argosy/boats.py", "Terminal", "no crew", "row / sail / wait / hire"),
        Entry("argosy/boats.py", "Wrong", "no keel", "lay one"),
    ]


def test_a_class_ends_as_the_one_that_it_is_derived_from(written: Path) -> None:
    text = page(written)
    assert "| no keel | lay one | `Wrong` | 2 |" in text
    assert "| no crew | row / sail / wait / hire | `Terminal` | 1 |" in text
    assert codes([]) == {"ArgosyError": ExitCode.FAILED}


def test_every_error_says_what_to_do() -> None:
    assert [entry for entry in entries() if not entry.remedy] == []


def test_the_committed_catalogue_is_what_the_code_says() -> None:
    assert (ROOT / "docs/errors.md").read_text() == page(), "run make docs"
