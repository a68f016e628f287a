"""What a commit would change upon one head of the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a commit would change upon one head of the target: whole files by their paths, and its message."""

    files: Mapping[str, bytes]
    message: str
