"""`argosy rollback`: start a run of the flow `rollback`, which restores earlier releases, and follow it to its end."""

from __future__ import annotations

from typing import Any

from argosy.cli import followed
from argosy.cli.options import Options, Parser
from argosy.cli.people import environment, whoever
from argosy.errors import ExitCode

_FLOW = "rollback"


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.add_argument("services", nargs="+", metavar="SERVICE", help="what is taken back")
    parser.add_argument("--environment", metavar="NAME", help="the environment (the only one)")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for whoever meets the hold it leaves")
    parser.add_argument("--to", metavar="REVISION", help="the full SHA of a release (the last verified one before)")
    followed.configure(parser)


def run(options: Options) -> ExitCode:
    """Take the services back; 1 where that failed, 2 where it makes no sense, 4 where that release is held."""
    return followed.follow(options, _FLOW, environment(options), _parameters(options))


def _parameters(options: Options) -> dict[str, Any]:
    own = options.own
    asked = {"services": own.services, "reason": own.reason, "who": whoever(options.repo)}
    return {**asked, **({"to": own.to} if own.to else {})}
