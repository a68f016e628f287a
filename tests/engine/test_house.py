"""The rules of the house: which room may import which, and that the engine never imports Prefect."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import argosy

ROOT = Path(__file__).parents[2]
ROOMS = ("argosy", "blocks", "tasks", "flows", "deployments", "benchmarks", "tests")
MAY_USE = {
    "argosy": {"argosy"},
    "blocks": {"argosy", "blocks"},
    "tasks": {"argosy", "blocks", "tasks"},
    "flows": {"argosy", "blocks", "tasks", "flows"},
    "deployments": {"argosy", "blocks", "tasks", "flows", "deployments"},
    "benchmarks": {*ROOMS} - {"tests"},
}


def imports(path: Path) -> set[str]:
    """The top-level packages that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("room", sorted(MAY_USE))
def test_imports_flow_one_way(room: str) -> None:
    strays = {
        str(path.relative_to(ROOT)): sorted(stray)
        for path in (ROOT / room).rglob("*.py")
        if (stray := (imports(path) & {*ROOMS}) - MAY_USE[room])
    }
    assert strays == {}


def test_no_module_of_the_engine_imports_prefect() -> None:
    modules = [name for _, name, _ in pkgutil.walk_packages(argosy.__path__, "argosy.")]
    program = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)\n"
    program += "sys.exit('prefect' in sys.modules)"
    assert modules
    done = subprocess.run([sys.executable, "-c", program, *modules], check=False, cwd=ROOT)
    assert done.returncode == 0


def test_no_module_beside_an_entrypoint_shadows_a_top_level_package() -> None:
    names = {path.stem for room in ("flows", "tasks", "blocks") for path in (ROOT / room).glob("*.py")}
    assert names.isdisjoint({*ROOMS, "prefect", "docker", "git"})


def test_artifacts_are_made_in_one_place_which_cleans_them() -> None:
    files = (path for room in ("flows", "tasks") for path in (ROOT / room).glob("*.py"))
    assert {path.name for path in files if "prefect.artifacts" in path.read_text()} == {"artifacts.py"}


def test_every_task_and_flow_is_guarded_at_its_edge() -> None:
    for path in [path for room in ("flows", "tasks") for path in (ROOT / room).glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                names = [ast.unparse(each).partition("(")[0] for each in node.decorator_list]
                assert "task" not in names, f"{path}: {node.name} is no stage"
                below = names[names.index("flow") + 1 :][:1] if "flow" in names else ["guarded"]
                assert below == ["guarded"], f"{path}: {node.name} is not guarded"
