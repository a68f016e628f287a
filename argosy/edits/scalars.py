"""How a string is written as a YAML scalar on one line: bare, in single or in double quotes."""

from __future__ import annotations

import json
import re

from ruamel.yaml.nodes import MappingNode, ScalarNode

from argosy.errors import Terminal
from argosy.yaml_files.text import compose

# Helm reads YAML 1.1 and others 1.2: what either takes for a number, date or truth value is quoted.
_NUMBER_LIKE = re.compile(r"[-+.]?[0-9][0-9_.:eE+-]*|[-+]?0[xXoObB][0-9a-fA-F_]+")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"})
_ESCAPED = re.compile("[\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
# What every reader of YAML takes for a string, spared the trial: names, hosts, commits.
_PLAINLY = re.compile(r"[A-Za-z][A-Za-z0-9_/.-]*|[0-9a-f]{40}(?:-[0-9a-f]{12})?")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/.:@-]*")


def render(value: str, style: str | None, *, in_flow: bool) -> str:
    """`value` in the quotes of `style` (none for bare), or in double quotes where it would not read back as itself.

    `in_flow` says that it is to stand between brackets or braces, where fewer values are bare.
    """
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if not style and is_bare(value, in_flow=in_flow):
        return value
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))


def is_bare(value: str, *, in_flow: bool) -> bool:
    """Whether `value` without quotes is that very string to every reader."""
    if not value.isprintable() or value.lower() in _WORDS or _NUMBER_LIKE.fullmatch(value):
        return False
    if _PLAINLY.fullmatch(value):
        return True
    # What needs quotes between braces gets them everywhere, but for `host:5000/name:tag` where a file has that bare.
    both = in_flow or not _REFERENCE.fullmatch(value)
    return _reads(f"k: {value}", value) and (not both or _reads(f"{{k: {value}}}", value))


def _reads(text: str, value: str) -> bool:
    try:
        root = compose(text, "")
    except Terminal:
        return False
    if not isinstance(root, MappingNode) or len(root.value) != 1:
        return False
    node = root.value[0][1]
    plain = isinstance(node, ScalarNode) and not node.style and not node.anchor
    return plain and node.tag == "tag:yaml.org,2002:str" and node.value == value
