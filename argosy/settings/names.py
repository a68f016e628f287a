"""The kinds of words that `argosy.yaml` is written in: each says what it takes, and tells editors the same."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, Field

_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
_BRANCH = r"(?!.*(\.\.|//|@\{|\.lock(/|$)))[A-Za-z0-9_][A-Za-z0-9._/@+-]*(?<![./])"
_PATH = r"(?![/-])(?!(.*/)?\.\.(/|$)).+"


def _confined(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or value.startswith("-") or not value.isprintable():
        raise ValueError("must be a path inside the repository, relative to its root")
    return value


def _branch(value: str) -> str:
    if not re.fullmatch(_BRANCH, value):
        raise ValueError("must be the name of a branch, without refs/heads/")
    return value


def _told(pattern: str) -> Any:
    # Checked by a function that says it in words; an editor knows patterns alone.
    return Field(json_schema_extra={"pattern": f"^{pattern}$"})


Name = Annotated[str, Field(pattern=_NAME)]
RelativePath = Annotated[str, Field(min_length=1), AfterValidator(_confined), _told(_PATH)]
Branch = Annotated[str, AfterValidator(_branch), _told(_BRANCH)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$")]
AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
RepositoryName = Annotated[str, Field(pattern=r"^[a-z0-9{][a-z0-9._/{}-]*$", max_length=256)]
ApplicationName = Annotated[str, Field(pattern=r"^[a-z0-9{][a-z0-9.{}-]*$")]
Stage = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Platform = Annotated[str, Field(pattern=r"^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$")]
ArgumentName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
LabelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")]
ContextName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Argument = Annotated[str, Field(pattern=r"^[^\x00]*$")]
Filter = Annotated[str, Field(min_length=1)] | dict[str, Any]
BlockName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Seconds = Annotated[float, Field(gt=0, strict=False)]
