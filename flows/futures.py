"""Waiting for work that runs side by side, where one failure must not hide what the others came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture

from argosy.errors import ArgosyError

R = TypeVar("R")


@dataclass(frozen=True)
class Settled(Generic[R]):
    """What each of several named pieces of work came to: its value, or the sentence of its failure.

    `categories` has the kinds of the failures that are of a known one.
    """

    values: dict[str, R]
    failures: dict[str, str]
    categories: dict[str, str] = field(default_factory=dict)

    def joined(self, other: Settled[R], stopped: Mapping[str, str] | None = None) -> Settled[R]:
        """The same with what `other` came to, and with what was `stopped` before it began."""
        failures = {**self.failures, **other.failures, **(stopped or {})}
        return Settled({**self.values, **other.values}, failures, {**self.categories, **other.categories})


def settle(names: Sequence[str], futures: Iterable[PrefectFuture[R]]) -> Settled[R]:
    """Wait for every future; the names are theirs, in the same order."""
    values: dict[str, R] = {}
    failures: dict[str, str] = {}
    categories: dict[str, str] = {}
    for name, future in zip(names, futures, strict=True):
        future.wait()
        if future.state.is_completed():
            values[name] = future.result()
        else:
            failures[name] = sentence(future.state)
            if isinstance(error := _raised(future.state), ArgosyError) and error.category:
                categories[name] = error.category
    return Settled(values, failures, categories)


def sentence(state: State[R]) -> str:
    """What went wrong in a run that ended in `state`, in words."""
    found = _raised(state)
    return str(found) if isinstance(found, BaseException) else f"{state.name}: {state.message}"


def _raised(state: State[R]) -> object:
    return state.result(raise_on_failure=False) if state.is_failed() or state.is_crashed() else None
