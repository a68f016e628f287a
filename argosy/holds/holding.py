"""Putting holds and lifting them: each a commit on the target that changes the file of holds alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from argosy import trailers
from argosy.gitops.proposals import Proposal
from argosy.gitops.writer import Writer
from argosy.holds import holds
from argosy.holds.file import added, missing, without
from argosy.models import Hold


@dataclass(frozen=True, slots=True)
class Holding:
    """What became of holds: the target's `commit` (None where nothing had to change), and who was held or lifted.

    Where they wait for the merge of a `pull_request`, that is its address; `declined` says why they do not even that.
    """

    commit: str | None
    services: tuple[str, ...]
    pull_request: str | None = None
    declined: str | None = None


def put(writer: Writer, wanted: Sequence[Hold]) -> Holding:
    """Write each hold that the file does not have yet, however often it is asked for."""

    def propose(head: str) -> tuple[Proposal | None, Sequence[Hold]]:
        text = writer.mirror.git.file(head, holds.FILE)
        new = missing(text, wanted)
        return (Proposal({holds.FILE: added(text, new)}, _message(writer, "Hold", new)) if new else None), new

    made, new, _ = writer.land(propose)
    return Holding(made.commit, _names(new), made.pull_request, made.declined)


def lift(writer: Writer, services: Sequence[str], by_hand: Sequence[Hold], at: datetime) -> Holding:
    """End every hold on `services`: entries go, but those of hands stay, expired, so that no run writes them anew.

    `by_hand` are the holds of hands that are in force and may not be on file yet.
    """
    name = writer.environment.name

    def goes(hold: Hold) -> bool:
        return hold.environment == name and hold.service in services

    def propose(head: str) -> tuple[Proposal | None, Sequence[Hold]]:
        text = writer.mirror.git.file(head, holds.FILE) or b""
        every = holds.parse(text) if text else ()
        ending = [hold for hold in (*every, *missing(text, by_hand)) if goes(hold) and _lasts(hold, at)]
        if not ending:
            return None, ending
        kept = [replace(hold, until=at) for hold in ending if hold.hand]
        edited = added(without(text, lambda hold: hold in ending), kept)
        return Proposal({holds.FILE: edited}, _message(writer, "Lift the hold on", ending)), ending

    made, ended, _ = writer.land(propose)
    return Holding(made.commit, _names(ended), made.pull_request, made.declined)


def _lasts(hold: Hold, at: datetime) -> bool:
    """Whether lifting it changes anything: a hand's entry that has expired is how it was lifted."""
    return not hold.hand or hold.until is None or hold.until > at


def _names(found: Sequence[Hold]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(hold.service for hold in found))


def _message(writer: Writer, verb: str, found: Sequence[Hold]) -> str:
    return trailers.hold_message(writer.environment.name, verb, found, writer.run)
