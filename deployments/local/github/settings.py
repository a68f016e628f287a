"""What the stand-in's process is told on its standard input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import SecretStr, TypeAdapter

OWNER = "acme"
"""Whose every repository is."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with a token: `repositories` maps the names of those that they see to `push` or `pull`."""

    login: str
    token: SecretStr
    repositories: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Settings:
    """`folder` holds the bare repositories; `key` signs what the stand-in commits, `orders` is the token of tests."""

    port: int
    folder: str
    key: SecretStr
    orders: SecretStr

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
