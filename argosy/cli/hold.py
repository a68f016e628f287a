"""`argosy hold`: start a run of the flow `hold`, which puts or lifts holds by a signed commit, and follow it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from argosy.cli import followed
from argosy.cli.options import Options, Parser
from argosy.cli.people import environment, whoever
from argosy.errors import ExitCode, WrongUse
from argosy.moments import moment

_FLOW = "hold"


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.add_argument("services", nargs="+", metavar="SERVICE", help="what is held")
    parser.add_argument("--environment", metavar="NAME", help="the environment (the only one)")
    parser.add_argument("--reason", metavar="TEXT", help="why, for whoever meets the hold")
    parser.add_argument("--until", metavar="TIME", help="when it ends: with a zone, or 90m, 12h, 3d from now (never)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--content", action="store_true", help="hold the content that it has now; another is released")
    what.add_argument("--whatever", action="store_true", help="hold it whatever its content, as without either")
    what.add_argument("--lift", action="store_true", help="lift every hold on it instead")
    followed.configure(parser)


def run(options: Options) -> ExitCode:
    """Put the hold or lift it; 2 where that makes no sense, 1 where it failed."""
    return followed.follow(options, _FLOW, environment(options), _parameters(options))


def _parameters(options: Options) -> dict[str, Any]:
    own = options.own
    if own.lift:
        if own.reason or own.until:
            raise WrongUse("a hold that is lifted has no reason and no end", remedy="leave --reason and --until out")
        return {"services": own.services, "lift": True}
    if not own.reason:
        raise WrongUse("a hold needs a reason", remedy="say why with --reason, for whoever meets it")
    until = moment(own.until, datetime.now(UTC)) if own.until else None
    return {
        "services": own.services,
        "reason": own.reason,
        "who": whoever(options.repo),
        **({"until": until.isoformat()} if until else {}),
        "content": own.content,
    }
