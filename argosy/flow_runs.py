"""A run on a Prefect server, followed to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from argosy.errors import Transient
from argosy.prefect_api import PrefectApi

REFUSED = "Refused"
"""The name of the state of a run that failed for nothing but a policy's refusal."""

WRONG_USE = "Wrong use"
"""The name of the state of a run that was asked for what makes no sense, and changed nothing."""

AWAITING_MERGE = "AwaitingMerge"
"""The name of the state of a run that did all it can until people, or GitHub, merge its pull request."""

_FINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
_PATIENCE = 30
"""How many times in a row the server may not answer before its run is given up on; it may be restarted meanwhile."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: `state` is a type such as `COMPLETED`, `name` and `message` are for people."""

    id: str
    state: str
    name: str
    message: str

    @property
    def completed(self) -> bool:
        """Whether it did all that it should."""
        return self.state == "COMPLETED"

    @property
    def refused(self) -> bool:
        """Whether all that failed was refused by a policy."""
        return self.state == "FAILED" and self.name == REFUSED

    @property
    def wrong(self) -> bool:
        """Whether it was asked for what makes no sense."""
        return self.state == "FAILED" and self.name == WRONG_USE

    @property
    def nothing_to_do(self) -> bool:
        """Whether there was nothing to release."""
        return self.completed and self.message == "nothing to do"


@dataclass(slots=True)
class Follower:
    """Follows the run called `run`: each line of its log goes to `tell`, and `sleep` waits between two looks."""

    api: PrefectApi
    run: str
    tell: Callable[[dict[str, Any]], None]
    sleep: Callable[[float], None]
    interval: float = 1.0
    _told: int = 0

    def follow(self) -> Ended:
        """How the run ended. Raises Transient when the server stays away, Terminal when it refuses."""
        silent = 0
        while True:
            try:
                found = self.api.flow_run(self.run)
                self._tell_new_lines()
            except Transient:
                silent += 1
                if silent > _PATIENCE:
                    raise
            else:
                silent, state = 0, found.get("state") or {}
                if state.get("type") in _FINAL:
                    return Ended(self.run, state["type"], state.get("name", ""), state.get("message") or "")
            self.sleep(self.interval)

    def _tell_new_lines(self) -> None:
        while page := self.api.logs(self.run, self._told):
            for line in page:
                self.tell(line)
            self._told += len(page)
