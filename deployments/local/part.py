"""What every part of the embedded stack is to the code that runs it: something with a start and an end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Part(ABC):
    """Runs from `start` to `stop`, or for the length of a `with`."""

    @abstractmethod
    def start(self) -> None:
        """Start it and return when it answers; raises as `Process.start` does, and leaves nothing behind then."""

    @abstractmethod
    def stop(self) -> None:
        """End it; nothing happens when it does not run."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
