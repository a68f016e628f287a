"""Path filters: which changed files count for whom, as paths-filter documents write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ruamel.yaml.nodes import MappingNode, Node

from argosy.globs import Glob, Quantifier, glob
from argosy.yaml_files.checked import Nodes

STATUSES = ("added", "copied", "deleted", "modified", "renamed", "unmerged")
"""What a filter may ask of a file. A rename is a file deleted and one added; copies are files added."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One item of a filter: it takes files that any of `globs` matches, and where given of one of `statuses`."""

    globs: tuple[Glob, ...]
    statuses: frozenset[str] | None = None

    def asks(self, status: str) -> bool:
        """Whether the rule is about files of this status."""
        return self.statuses is None or status in self.statuses

    def takes(self, status: str, path: str) -> bool:
        """Whether the rule takes the file at `path`."""
        return self.asks(status) and any(each.matches(path) for each in self.globs)


Filter = tuple[Rule, ...]
"""The rules of one filter, in their order; one without any takes nothing."""


def takes(rules: Filter, status: str, path: str, quantifier: Quantifier) -> bool:
    """Whether the filter takes the file at `path`, whose status is one of STATUSES."""
    if quantifier == "some":
        return any(rule.takes(status, path) for rule in rules)
    if quantifier == "every":
        return bool(rules) and all(rule.takes(status, path) for rule in rules)
    asked = [each for rule in rules if rule.asks(status) for each in rule.globs]
    included = any(each.matches(path) for each in asked if not each.negated)
    return included and not any(each.excludes(path) for each in asked)


def read(text: bytes, file: str) -> dict[str, Filter]:
    """The filters of a paths-filter document, by name and in its order.

    Raises ConfigurationError with file, line and remedy for the first thing that is wrong.
    """
    document = Nodes(text, file)
    named = document.pairs(document.root, "the document")
    return {name: tuple(rules(document, value, f"filter {name}")) for name, (_, value) in named.items()}


def rules(document: Nodes, node: Node, what: str, fill: Callable[[str], str] = str) -> Iterator[Rule]:
    """The rules that `node` writes: a glob, statuses with their globs, or a list of such, nested or not.

    `fill` puts values for placeholders. Raises ConfigurationError.
    """
    items = document.items(node)
    if items is not None:
        for item in items:
            yield from rules(document, item, what, fill)
    elif isinstance(node, MappingNode):
        for status, (key, value) in document.pairs(node, what).items():
            yield Rule(tuple(_globs(document, value, what, fill)), _statuses(document, key, status))
    else:
        yield Rule((_glob(document, node, what, fill),))


def _globs(document: Nodes, node: Node, what: str, fill: Callable[[str], str]) -> Iterator[Glob]:
    items = document.items(node)
    for item in [node] if items is None else items:
        if document.items(item) is None:
            yield _glob(document, item, what, fill)
        else:
            yield from _globs(document, item, what, fill)


def _glob(document: Nodes, node: Node, what: str, fill: Callable[[str], str]) -> Glob:
    pattern = document.text(node)
    if not pattern:
        raise document.error(
            node,
            f"{what} needs a glob here",
            "write a path pattern such as src/ui/**, in quotes where YAML asks for them",
        )
    return glob(fill(pattern))


def _statuses(document: Nodes, key: Node, text: str) -> frozenset[str]:
    names = [name.strip().lower() for name in text.split("|")]
    wrong = next((name for name in names if name not in STATUSES), None)
    if wrong is not None:
        import difflib  # late: only a mistake needs it

        near = difflib.get_close_matches(wrong, STATUSES, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"write {', '.join(STATUSES)}, with | between them"
        raise document.error(key, f"{wrong or 'nothing'} is no status of a changed file", remedy)
    return frozenset(names)
