"""What a discovery could not decide, or decided on little."""

from __future__ import annotations

from dataclasses import dataclass

from argosy.printable import printable


@dataclass(frozen=True, slots=True)
class Note:
    """`key` is the part of `argosy.yaml` it is about; `why` says what was found and what to do, on one line."""

    key: str
    why: str

    def __post_init__(self) -> None:
        # It quotes what others wrote, stands in a comment, and is shown on terminals.
        object.__setattr__(self, "why", printable(self.why))
