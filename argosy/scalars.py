"""How a string is written as a YAML scalar on one line: bare, in single or in double quotes."""

from __future__ import annotations

import json
import re

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode

# Helm reads YAML 1.1 and others 1.2: what either takes for a number, date or truth value is quoted.
_NUMBER_LIKE = re.compile(r"[-+.]?[0-9][0-9_.:eE+-]*|[-+]?0[xXoObB][0-9a-fA-F_]+")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"})
_ESCAPED = re.compile("[\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def render(value: str, style: str | None) -> str:
    """`value` in the quotes of `style` (none for bare), or in double quotes where it would not read back as itself."""
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if not style and _reads_back(value):
        return value
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))


def _reads_back(value: str) -> bool:
    if not value.isprintable() or value.lower() in _WORDS or _NUMBER_LIKE.fullmatch(value):
        return False
    return all(_is_string(text, value) for text in (f"k: {value}", f"{{k: {value}}}"))


def _is_string(text: str, value: str) -> bool:
    try:
        root = YAML(typ="safe", pure=False).compose(text)
    except YAMLError:
        return False
    if len(root.value) != 1:
        return False
    node = root.value[0][1]
    plain = isinstance(node, ScalarNode) and not node.style and not node.anchor
    return plain and node.tag == "tag:yaml.org,2002:str" and node.value == value
