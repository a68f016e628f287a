"""A run that is killed around its push: the next one finishes what is left, and does nothing twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.models import State
from tests.engine import planning
from tests.engine.shop import Shop
from tests.engine.target import Target

ROOT = Path(__file__).parents[2]
SERVICES = ("ui", "cart")
PROGRAM = """
import os, signal, sys
from pathlib import Path
from tests.engine.shop import Shop
from tests.engine.target import Target
when, work, origin, home = sys.argv[1:]
target = Target(Shop.found(Path(work), Path(origin)), Path(home))
push = target.mirror.push
def killed(*what):
    if when == "after":
        push(*what)
    os.kill(os.getpid(), signal.SIGKILL)
target.mirror.push = killed
target.writer.write_back(target.shop.head, [target.release("ui"), target.release("cart")])
"""


def killed(target: Target, when: str, home: Path) -> None:
    """Write back in another process, which is killed right before or right after its push."""
    places = (str(target.shop.path), str(target.shop.origin), str(home))
    done = subprocess.run([sys.executable, "-c", PROGRAM, when, *places], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_run_that_is_killed_before_its_push_leaves_all_of_it_to_the_next(target: Target, home: Path) -> None:
    killed(target, "before", home)
    assert target.log() == ["Open the shop"]
    written = replace(target.writer, run="run-2").write_back(target.shop.head, [target.release(s) for s in SERVICES])
    assert (written.released, written.attempts) == (SERVICES, 1)
    assert target.log() == ["Release ui, cart to dev [skip ci]", "Open the shop"]


@pytest.mark.parametrize("run", ["run-1", "run-2"])
def test_a_run_that_is_killed_after_its_push_leaves_only_the_record_to_the_next(
    target: Target, home: Path, shop: Shop, run: str
) -> None:
    source, releases = shop.head, [target.release(service) for service in SERVICES]
    killed(target, "after", home)
    again = replace(target.writer, run=run).write_back(source, releases)
    assert (again.changes, again.released) == ((), SERVICES)
    assert target.log() == ["Release ui, cart to dev [skip ci]", "Open the shop"]
    shop.run("pull", "-q", "--rebase", "origin", "main")
    assert [planning.of(shop, service, source=source).state for service in SERVICES] == [State.UNVERIFIED] * 2
