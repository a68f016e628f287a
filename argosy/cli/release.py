"""`argosy release`: start a run of the flow `release` on a Prefect server, and follow it to its end."""

from __future__ import annotations

from typing import Any

from argosy.cli import followed
from argosy.cli.options import Options, Parser
from argosy.errors import ExitCode, WrongUse
from argosy.models import SHA

_FLOW = "release"


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="only these (all that changed)")
    parser.add_argument("--environment", required=True, metavar="NAME", help="the environment to release to")
    parser.add_argument("--head", metavar="SHA", help="the full SHA to release (the tip of the source branch)")
    parser.add_argument("--adopt", action="store_true", help="take over what nothing explains")
    parser.add_argument("--force", action="append", default=[], metavar="SERVICE", help="build it anew (repeatable)")
    parser.add_argument("--dry-run", action="store_true", help="plan, and stop there")
    followed.configure(parser)


def run(options: Options) -> ExitCode:
    """Start the run and tell its log; 1 where it failed, 4 where a policy refused all that failed."""
    return followed.follow(options, _FLOW, options.own.environment, _parameters(options))


def _parameters(options: Options) -> dict[str, Any]:
    own = options.own
    if own.head and not SHA.fullmatch(own.head):
        raise WrongUse(f"{own.head!r} is not a full commit SHA", remedy="give all 40 hex digits: git rev-parse BRANCH")
    asked = {
        "source_sha": own.head,
        "services": own.services,
        "adopt": own.adopt,
        "dry_run": own.dry_run,
        "force": own.force,
    }
    # What is not asked for is left to the deployment.
    chosen = {name: value for name, value in asked.items() if value}
    return {**chosen, "trigger": {"type": "manual"}}
