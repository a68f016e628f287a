"""What somebody asks for when they hold services, and the holds that it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from argosy.environment import Environment
from argosy.errors import WrongUse
from argosy.models import ContentDigest, Hold
from argosy.printable import printable

LONGEST = 1000


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """Hold `services` because of `reason`, in the name of `who`, until `until` where that is said.

    With `content` each is held with the content that it has now: another is released.
    """

    services: tuple[str, ...]
    reason: str
    who: str
    until: datetime | None = None
    content: bool = False


def check(environment: Environment, request: HoldRequest, at: datetime) -> None:
    """Raise WrongUse, or ConfigurationError for a name that is no service, where the request makes no sense."""
    if not request.services:
        raise WrongUse("no service is named", remedy="name those that are to be held")
    for name in request.services:
        environment.service(name)
    for what, text in (("reason", request.reason), ("name", request.who)):
        if not text.strip() or len(text) > LONGEST:
            raise WrongUse(f"a hold needs a {what}, of at most {LONGEST} characters", remedy=f"give the {what}")
    if request.until and request.until.tzinfo is None:
        raise WrongUse(f"{request.until} has no zone", remedy="end it in Z, or in +02:00")
    if request.until and request.until <= at:
        raise WrongUse(f"{request.until} is past", remedy="name a time to come, or leave it out")


def holds(
    environment: Environment, request: HoldRequest, at: datetime, source_sha: str, contents: Mapping[str, ContentDigest]
) -> list[Hold]:
    """The holds that the request comes to; `contents` are those at `source_sha`, of the services held with theirs."""
    reason, who = printable(request.reason.strip()), printable(request.who.strip())
    names = dict.fromkeys(request.services)
    found = [
        Hold(name, environment.name, reason, who, since=at.replace(microsecond=0), until=request.until)
        for name in names
    ]
    return [_on(hold, contents[hold.service], source_sha) if request.content else hold for hold in found]


def _on(hold: Hold, content: ContentDigest, source_sha: str) -> Hold:
    return replace(hold, digest=content.hex, recipe=content.recipe, commit=source_sha)
