"""Waiting for work that runs side by side, where one failure must not hide what the others came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture

R = TypeVar("R")


@dataclass(frozen=True)
class Settled(Generic[R]):
    """What each of several named pieces of work came to: its value, or the sentence of its failure."""

    values: dict[str, R]
    failures: dict[str, str]

    def joined(self, other: Settled[R], stopped: Mapping[str, str] | None = None) -> Settled[R]:
        """The same with what `other` came to, and with what was `stopped` before it began."""
        return Settled({**self.values, **other.values}, {**self.failures, **other.failures, **(stopped or {})})


def settle(names: Sequence[str], futures: Iterable[PrefectFuture[R]]) -> Settled[R]:
    """Wait for every future; the names are theirs, in the same order."""
    values: dict[str, R] = {}
    failures: dict[str, str] = {}
    for name, future in zip(names, futures, strict=True):
        future.wait()
        if future.state.is_completed():
            values[name] = future.result()
        else:
            failures[name] = sentence(future.state)
    return Settled(values, failures)


def sentence(state: State[R]) -> str:
    """What went wrong in a run that ended in `state`, in words."""
    found = state.result(raise_on_failure=False) if state.is_failed() or state.is_crashed() else None
    return str(found) if isinstance(found, BaseException) else f"{state.name}: {state.message}"
