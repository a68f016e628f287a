"""Whether what others wrote may stand in `argosy.yaml`: what may not is not proposed."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from argosy.settings.names import ApplicationName, Branch, Host, Region, RelativePath, RepositoryName

_KINDS = {
    "application": ApplicationName,
    "branch": Branch,
    "host": Host,
    "path": RelativePath,
    "region": Region,
    "repository": RepositoryName,
}


def fits(kind: str, text: str) -> bool:
    """Whether `text` is a branch, a path or another `kind` of word that a configuration takes.

    Of placeholders only `{service}` is one.
    """
    if re.search(r"[{}]", text.replace("{service}", "")):
        return False
    try:
        _adapter(kind).validate_python(text, strict=True)
    except ValidationError:
        return False
    return True


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(_KINDS[kind])
