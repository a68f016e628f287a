"""What the stand-in's process is told on its standard input."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import SecretStr, TypeAdapter

from deployments.local.argocd.controller import Following
from deployments.local.argocd.repository import Login


@dataclass(frozen=True, slots=True)
class Settings:
    """`repository` is the URL of the one repository that stands for every `repoURL`; `mirror` the folder to keep it in.

    `registry` is the host and port of the registry that images can be pulled from.
    """

    port: int
    token: SecretStr
    repository: str
    mirror: str
    registry: str
    following: Following
    git_login: Login | None = None
    registry_login: Login | None = None

    @classmethod
    def read(cls, text: str) -> Settings:
        """The settings that `write` wrote. Raises pydantic's ValidationError."""
        return TypeAdapter(cls).validate_json(text)

    def write(self) -> SecretStr:
        """The settings as one JSON object, secrets in the clear."""
        return SecretStr(json.dumps(asdict(self), default=_revealed))


def _revealed(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    raise TypeError(f"{type(value).__name__} has no place in settings")
