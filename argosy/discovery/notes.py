"""What a discovery could not decide, or decided on little."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """`key` is the part of `argosy.yaml` it is about; `why` says what was found and what to do."""

    key: str
    why: str
