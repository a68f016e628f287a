"""`argosy release`: start a run of the flow `release` on a Prefect server, and follow it to its end."""

from __future__ import annotations

import os
import sys
import time
import uuid
from typing import Any

from argosy.cli.options import Options, Parser
from argosy.cli.screen import answer
from argosy.errors import ExitCode, WrongUse
from argosy.flow_runs import Ended, Follower
from argosy.models import SHA
from argosy.prefect_api import PrefectApi
from argosy.printable import printable

_FLOW = "release"
_SERVER = "The server is the one that PREFECT_API_URL names; PREFECT_API_KEY or PREFECT_API_AUTH_STRING let one in."


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.epilog = _SERVER
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="only these (all that changed)")
    parser.add_argument("--environment", required=True, metavar="NAME", help="the environment to release to")
    parser.add_argument("--deployment", metavar="NAME", help="the deployment of the flow (the environment)")
    parser.add_argument("--head", metavar="SHA", help="the full SHA to release (the tip of the source branch)")
    parser.add_argument("--adopt", action="store_true", help="take over what nothing explains")
    parser.add_argument("--force", action="append", default=[], metavar="SERVICE", help="build it anew (repeatable)")
    parser.add_argument("--dry-run", action="store_true", help="plan, and stop there")
    parser.add_argument("--key", metavar="TEXT", help="an idempotency key: the same one again starts no second run")
    parser.add_argument("--detach", action="store_true", help="do not follow the run")
    parser.add_argument("--exit-code", action="store_true", help="end in 3 where there was nothing to do")


def run(options: Options) -> ExitCode:
    """Start the run and tell its log; 1 where it failed, 4 where a policy refused all that failed."""
    own = options.own
    parameters = _parameters(options)
    with PrefectApi.of_environment(os.environ) as api:
        deployment = api.deployment(_FLOW, own.deployment or own.environment)
        begun = api.create_flow_run(str(deployment["id"]), parameters, own.key or f"argosy-cli-{uuid.uuid4()}")
        identity = str(begun["id"])
        sys.stderr.write(f"argosy: run {identity} ({begun.get('name', '')})\n")
        if own.detach:
            _say(options, {"run": identity, "state": (begun.get("state") or {}).get("type")}, identity)
            return ExitCode.DONE
        try:
            ended = Follower(api, identity, _tell, time.sleep).follow()
        except KeyboardInterrupt:
            sys.stderr.write(f"argosy: the run goes on; cancel it on the dashboard: {identity}\n")
            raise
    _say(options, _document(ended), f"{ended.name}: {ended.message}")
    return _code(ended, asked=own.exit_code)


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
    return {"environment": own.environment, **chosen, "trigger": {"type": "manual"}}


def _tell(line: dict[str, Any]) -> None:
    moment, message = str(line.get("timestamp", ""))[11:19], printable(str(line.get("message", "")), keep="\n")
    sys.stderr.write(f"{moment} {message}\n")


def _say(options: Options, document: dict[str, Any], words: str) -> None:
    if options.json:
        answer(document)
    else:
        sys.stdout.write(f"{printable(words)}\n")


def _document(ended: Ended) -> dict[str, Any]:
    return {"run": ended.id, "state": ended.state, "name": ended.name, "message": ended.message}


def _code(ended: Ended, *, asked: bool) -> ExitCode:
    if not ended.completed:
        return ExitCode.REFUSED if ended.refused else ExitCode.FAILED
    return ExitCode.NOTHING_TO_DO if asked and ended.nothing_to_do else ExitCode.DONE
