"""`argosy status`: what an environment runs, what of it is verified and what is held, holds first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from argosy import notes
from argosy.cli import clones
from argosy.cli.options import Options, Parser
from argosy.cli.screen import answer
from argosy.environment import Environment
from argosy.errors import ExitCode, WrongUse
from argosy.git import Git
from argosy.inputs.digests import Digests
from argosy.local import Sides
from argosy.standing import Situation, look
from argosy.status import Seen, Status, ask, statuses

_ABOUT = """
From this clone alone, as it was fetched last. Sync and health are Argo CD's, where ARGOCD_SERVER and
ARGOCD_AUTH_TOKEN are set. Verification is on record in git's notes, which a plain clone does not fetch:
  git fetch origin '+refs/notes/argosy/*:refs/notes/argosy/*'
"""


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.listing(_ABOUT)
    parser.add_argument("--environment", metavar="NAME", help="the environment (all of them, one after the other)")
    clones.configure(parser)


def run(options: Options) -> ExitCode:
    """Show each environment asked for; 1 where a service cannot be read, 5 where Argo CD does not answer."""
    clone = clones.clone(options)
    names = [options.own.environment] if options.own.environment else list(clone.names())
    if options.json and len(names) > 1:
        known = ", ".join(names)
        raise WrongUse("each environment has a status of its own", remedy=f"name one with --environment: {known}")
    clone.deepen()
    codes = [_shown(clone.sides(name), options) for name in names]
    return next((code for code in (ExitCode.FAILED, ExitCode.DOWN) if code in codes), ExitCode.DONE)


def _shown(sides: Sides, options: Options) -> ExitCode:
    environment = sides.environment
    digests = Digests(sides.git, environment)
    situation = look(digests, sides.source_sha, sides.target(), datetime.now(UTC), sides.source_tip)
    seen = _seen(environment)
    shown = document(sides.git, environment, situation, seen)
    if options.json:
        answer(shown)
    else:
        from argosy.cli.status_table import table  # late: programs need no table

        table(shown)
    if situation.failures:
        return ExitCode.FAILED
    return ExitCode.DOWN if any(each.down for each in seen.values()) else ExitCode.DONE


def _seen(environment: Environment) -> dict[str, Seen]:
    """What Argo CD says, where it is told how to be asked."""
    if environment.watch is None or not os.environ.get("ARGOCD_SERVER"):
        return {}
    # Imported late: git alone is asked mostly.
    from argosy.argocd.client import ArgoCD
    from argosy.doctor.remotes import SECONDS, Given

    token = Given(os.environ).secret("ARGOCD_AUTH_TOKEN")
    if token is None:
        raise WrongUse("ARGOCD_SERVER is set, and no ARGOCD_AUTH_TOKEN", remedy="set both, or neither")
    address = os.environ["ARGOCD_SERVER"]
    with ArgoCD(address if "://" in address else f"https://{address}", token, timeout=SECONDS) as server:
        return ask(server, environment)


def document(git: Git, environment: Environment, situation: Situation, seen: Mapping[str, Seen]) -> dict[str, Any]:
    """The status as plain data."""
    found = statuses(environment, situation, seen)
    return {
        "environment": environment.name,
        "source": situation.source_sha,
        "target": situation.target_sha,
        "noted": git.ref(notes.ref(environment.name)) is not None,
        "services": {each.service: _service(each) for each in found},
        "failures": {name: str(error) for name, error in situation.failures.items()},
    }


def _service(status: Status) -> dict[str, Any]:
    seen, hold = status.seen, status.hold
    return {
        "reference": status.reference,
        "source": status.source,
        "content": status.content,
        "manifest": status.manifest,
        "sync": seen.sync,
        "health": seen.health,
        "revision": seen.revision,
        "trouble": seen.trouble or None,
        "verified": status.verified,
        "hold": {key: _plain(value) for key, value in asdict(hold).items()} if hold else None,
    }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
