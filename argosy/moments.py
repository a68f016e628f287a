"""Times that people give: a moment with its zone, or a while from now."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from argosy.errors import WrongUse

_WHILE = re.compile(r"([1-9][0-9]{0,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_REMEDY = "write 2026-12-01T08:00:00+01:00, or a while from now: 90m, 12h, 3d, 2w"


def moment(text: str, now: datetime) -> datetime:
    """The time that `text` names, upon `now`: ISO 8601 with a zone, or `90m`, `12h`, `3d`, `2w`.

    Raises WrongUse for anything else, and for what is past.
    """
    found = _while(text, now) or _time(text)
    if found <= now:
        raise WrongUse(f"{text} is past", remedy="name a time to come")
    return found


def _while(text: str, now: datetime) -> datetime | None:
    match = _WHILE.fullmatch(text)
    return now + timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongUse(f"{text!r} is no time", remedy=_REMEDY) from error
    if found.tzinfo is None:
        raise WrongUse(f"{text!r} has no zone, and may mean another time elsewhere", remedy=_REMEDY)
    return found
