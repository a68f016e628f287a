"""What is held, as `.argosy/holds.yaml` of the target branch says: read here, written by `argosy hold`.

version: 1
holds:
  - service: ui
    environment: prod
    digest: <64 hex>        # with commit, the source commit, this content alone; all of it without them
    recipe: "1"
    commit: <40 hex>
    hand: <40 hex>          # the commit by which somebody changed the reference, where that is what holds it
    reason: it loses baskets
    who: Ada Lovelace
    since: 2026-11-24T10:00:00+00:00
    until: 2026-12-01T00:00:00+00:00
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from argosy.environment import STATE_FOLDER
from argosy.git import Git
from argosy.models import RECIPE, Hold
from argosy.yaml_files.positions import Document

FILE = f"{STATE_FOLDER}/holds.yaml"
_Name = Annotated[str, Field(min_length=1)]
_Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    service: _Name
    environment: _Name
    reason: _Name
    who: _Name
    since: AwareDatetime
    until: AwareDatetime | None = None
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    recipe: str = RECIPE
    commit: _Sha | None = None
    hand: _Sha | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    holds: tuple[_Entry, ...] = ()


def read(git: Git, target_sha: str) -> tuple[Hold, ...]:
    """Every hold on the target's commit `target_sha`, expired ones too.

    Raises ConfigurationError with line and remedy where the file is wrong: what it was to hold is not known then.
    """
    text = git.file(target_sha, FILE)
    return parse(text) if text and text.strip() else ()


def parse(text: bytes, file: str = FILE) -> tuple[Hold, ...]:
    """The holds that `text` lists; raises as `read` does."""
    document = Document(text, file)
    data: Any = document.data()
    if data is None or data == []:
        return ()
    if not isinstance(data, dict):
        raise document.error((), "must be a mapping", "begin with version and holds")
    try:
        entries = _File.model_validate(data).holds
    except ValidationError as error:
        raise document.refusals(error, _File)[0] from error
    return tuple(Hold(**entry.model_dump(), by_hand=entry.hand is not None) for entry in entries)


def in_force(holds: Iterable[Hold], environment: str, at: datetime) -> tuple[Hold, ...]:
    """The holds of `environment` that have not expired `at` that time, the newest first."""
    valid = (hold for hold in holds if hold.environment == environment and (hold.until is None or hold.until > at))
    return tuple(sorted(valid, key=lambda hold: hold.since, reverse=True))


def words(hold: Hold) -> str:
    """What the hold says for people, without the way to lift it."""
    until = f" until {_time(hold.until)}" if hold.until else ""
    return f"{hold.reason} ({hold.who}, {_time(hold.since)}); held{until}"


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M %Z")


def hands(holds: Iterable[Hold], environment: str) -> frozenset[tuple[str, str]]:
    """The services of `environment` with the commits by which a hand changed them, as far as they are written down.

    The file decides of these, also where the entry has expired: that is how such a hold is lifted.
    """
    return frozenset((hold.service, hold.hand) for hold in holds if hold.environment == environment and hold.hand)
