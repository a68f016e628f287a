"""`python -m deployments.catalogue`: write docs/errors.md, every error that the code can raise, read from the code.

An error is found where its class, or a function that makes one of a message, is called; what is known only at run time
stands in `{}`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from argosy.errors import ArgosyError, ExitCode
from deployments.templates import Scope, template

ROOMS = ("argosy", "blocks", "tasks", "flows", "deployments")
_ROOT = Path(__file__).parents[1]
_PAGE = _ROOT / "docs/errors.md"
_HEAD = """\
# Errors

Generated from the code by `make docs`; do not edit it. Each error names what is wrong, where and why, and what to do
about it. What stands in `{}` is known only when it happens. A run tries a `Transient` error again, and no other.

"""
_ENDINGS = {
    ExitCode.FAILED: "failed for good",
    ExitCode.WRONG: "wrong use, or wrong configuration",
    ExitCode.REFUSED: "refused by a policy",
    ExitCode.DOWN: "an outside service is down, or something else that may pass",
}


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """An error that `module` raises: its class, and its message and remedy as templates; no remedy is ""."""

    module: str
    kind: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Maker:
    """A function or class that makes an error: its class, and its parameters by position."""

    kind: str
    parameters: tuple[str, ...]


def entries(root: Path = _ROOT) -> list[Entry]:
    """Every error that the modules of the rooms make, sorted."""
    trees = _trees(root)
    known = codes(trees.values())
    shared = _makers(trees.values(), known)
    found: set[Entry] = set()
    for module, tree in trees.items():
        found |= {*_of_module(module, tree, shared | _makers([tree], known, private=True))}
    return sorted(found)


def page(root: Path = _ROOT) -> str:
    """The catalogue as Markdown."""
    trees = _trees(root)
    known = codes(trees.values())
    return _HEAD + "".join([*_classes(trees, known), *_tables(trees, known, entries(root))])


def codes(trees: Iterable[ast.Module]) -> dict[str, ExitCode]:
    """The exit code of each class of error by its name: its own, or that of the class it is derived from."""
    classes = {node.name: node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    known = {ArgosyError.__name__: ArgosyError.exit_code}
    while found := {name: _code(node, known) for name, node in classes.items() if name not in known}:
        fresh = {name: code for name, code in found.items() if code is not None}
        if not fresh:
            break
        known |= fresh
    return known


def _code(node: ast.ClassDef, known: Mapping[str, ExitCode]) -> ExitCode | None:
    base = next((each.id for each in node.bases if isinstance(each, ast.Name) and each.id in known), None)
    assigned = [each for each in node.body if isinstance(each, ast.Assign)]
    own = [each.value for each in assigned if ast.unparse(each.targets[0]) == "exit_code"]
    if base and own and isinstance(own[0], ast.Attribute):
        return ExitCode[own[0].attr]
    return known[base] if base else None


def _trees(root: Path) -> dict[str, ast.Module]:
    files = [file for room in ROOMS for file in sorted((root / room).rglob("*.py"))]
    return {str(file.relative_to(root)): ast.parse(file.read_text()) for file in files}


def _makers(trees: Iterable[ast.Module], known: Mapping[str, ExitCode], *, private: bool = False) -> dict[str, Maker]:
    """The classes, and the functions that make one of a parameter `message`; `private` ones are of one module."""
    found = {name: Maker(name, ("message",)) for name in known}
    functions = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    for node in functions:
        parameters = tuple(each.arg for each in node.args.args if each.arg != "self")
        made = node.returns.id if isinstance(node.returns, ast.Name) else ""
        if made in known and "message" in parameters and (private or not node.name.startswith("_")):
            found[node.name] = Maker(made, parameters)
    return found


def _of_module(module: str, tree: ast.Module, makers: Mapping[str, Maker]) -> Iterator[Entry]:
    for scope in Scope.all_of(tree):
        maker = makers.get(scope.name)
        for call in scope.calls():
            found = makers.get(_called(call))
            # What a maker makes of its own parameters is told where it is called.
            if found and not (maker and maker.kind == found.kind):
                given = dict(zip(found.parameters, call.args, strict=False)) | {
                    each.arg: each.value for each in call.keywords if each.arg
                }
                # Without words of its own it only passes on another's, such as a redacted one.
                if "remedy" in given or isinstance(given.get("message"), ast.Constant | ast.JoinedStr):
                    yield Entry(module, found.kind, *(_words(given.get(name), scope) for name in ("message", "remedy")))


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _words(node: ast.expr | None, scope: Scope) -> str:
    return " ".join(template(node, scope).split()) if node is not None else ""


def _classes(trees: Mapping[str, ast.Module], known: Mapping[str, ExitCode]) -> Iterator[str]:
    yield "| exit code | means | classes |\n| --- | --- | --- |\n"
    for code, means in _ENDINGS.items():
        names = ", ".join(f"`{name}`" for name in sorted(known) if known[name] is code and not name.startswith("_"))
        yield f"| {int(code)} | {means} | {names} |\n"


def _tables(trees: Mapping[str, ast.Module], known: Mapping[str, ExitCode], found: Iterable[Entry]) -> Iterator[str]:
    for module, group in groupby(found, key=lambda entry: entry.module):
        about = (ast.get_docstring(trees[module]) or "").splitlines()[0]
        yield f"\n## {module}\n{about}\n\n| message | what to do | class | exit |\n| --- | --- | --- | --- |\n"
        for entry in group:
            cells = (entry.message, entry.remedy, f"`{entry.kind.lstrip('_')}`", str(int(known[entry.kind])))
            yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def main() -> int:
    """Write the page."""
    _PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
