"""The text of a YAML file as positions: decoded, bounded and composed into nodes, errors with line and column."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined] # it is there, and says nothing of its types
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import Node
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import VersionedResolver

from argosy.errors import Terminal

LARGEST = 1024 * 1024
"""The longest file that is read, in bytes: Kubernetes takes no release as large."""
DEEPEST = 200
"""The deepest nesting that is read: the parser written in C ends the whole process when it goes much too deep."""

VALID = "make it valid YAML (`helm lint` shows the same)"
"""What to do about malformed YAML."""


class _Composer(CParser, VersionedResolver):  # type: ignore[misc] # as above
    """The parser written in C with ruamel's own resolver, without what `YAML` looks up and makes for each text.

    The resolver finds out by two exceptions a scalar which version it is in; here it does so once.
    """

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        VersionedResolver.__init__(self, loadumper=self)

    @cached_property
    def versioned_resolver(self) -> Any:
        """The patterns of plain scalars."""
        return super().versioned_resolver

    def documents(self) -> Iterator[Node]:
        """The root node of each document."""
        try:
            while self.check_node():
                yield self.get_node()
        finally:
            self.dispose()


def decode(data: bytes, file: str) -> tuple[bytes, str]:
    """The byte order mark (mostly none) and the text after it; raises Terminal for what is not UTF-8, or too long."""
    if len(data) > LARGEST:
        raise Terminal(f"{file} has {len(data)} bytes", remedy=f"keep it under {LARGEST}: Kubernetes takes no more")
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    try:
        return mark, data[len(mark) :].decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, len(mark) + error.start) + 1
        raise Terminal(f"{file}:{line}: not UTF-8: {error.reason}", remedy="save the file as UTF-8") from error


def compose(text: str, file: str) -> Node:
    """The root node of the one document in `text`, marks counted in characters.

    Raises Terminal with file, line and column for malformed YAML, and for no document or several.
    """
    try:
        _bound(text, file)
        documents = list(islice(_Composer(text).documents(), 2))
    except ReaderError as error:
        raise malformed(file, text, error.position, error.reason) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise malformed(file, text, mark.index if mark else 0, error.problem or str(error)) from error
    except YAMLError as error:
        raise Terminal(f"{file}: malformed YAML: {error}", remedy=VALID) from error
    if len(documents) != 1:
        count = "several documents" if documents else "no document"
        raise Terminal(f"{file} holds {count}", remedy="keep one YAML document a file, without a `---` in between")
    root: Node = documents[0]
    return root


def line_of(text: str, index: int) -> int:
    """The line, from 1, of the character at `index`."""
    return text.count("\n", 0, index) + 1


def malformed(file: str, text: str, index: int, problem: str) -> Terminal:
    """The Terminal about what is no YAML at the character `index`."""
    column = index - (text.rfind("\n", 0, index) + 1) + 1
    return Terminal(f"{file}:{line_of(text, index)}:{column}: malformed YAML: {problem}", remedy=VALID)


def _bound(text: str, file: str) -> None:
    # Nesting by indentation alone needs ever longer lines: within LARGEST it cannot go too deep.
    if sum(text.count(opener) for opener in "[{-?") < DEEPEST:
        return
    depth = 0
    for event in YAML(typ="safe", pure=False).parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEEPEST:
            line = event.start_mark.line + 1
            raise Terminal(f"{file}:{line}: nested more than {DEEPEST} deep", remedy="flatten it")
