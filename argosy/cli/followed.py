"""A run that a command starts on a Prefect server, and follows to its end."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Mapping
from typing import Any

from argosy.cli.options import Options, Parser
from argosy.cli.screen import answer
from argosy.errors import ExitCode
from argosy.flow_runs import Ended, Follower
from argosy.prefect_api import PrefectApi
from argosy.printable import printable

_SERVER = "The server is the one that PREFECT_API_URL names; PREFECT_API_KEY or PREFECT_API_AUTH_STRING let one in."


def configure(parser: Parser) -> None:
    """Add the options of every command that starts a run."""
    parser.epilog = _SERVER
    parser.add_argument("--deployment", metavar="NAME", help="the deployment of the flow (the environment)")
    parser.add_argument("--key", metavar="TEXT", help="an idempotency key: the same one again starts no second run")
    parser.add_argument("--detach", action="store_true", help="do not follow the run")
    parser.add_argument("--exit-code", action="store_true", help="end in 3 where there was nothing to do")


def follow(options: Options, flow: str, environment: str, parameters: Mapping[str, Any]) -> ExitCode:
    """Start a run of the `flow` for the environment, tell its log, and say how it ended.

    1 where it failed, 4 where a policy refused all that failed, 2 where it was asked for what makes no sense.
    """
    own = options.own
    with PrefectApi.of_environment(os.environ) as api:
        deployment = api.deployment(flow, own.deployment or environment)
        key = own.key or f"argosy-cli-{uuid.uuid4()}"
        begun = api.create_flow_run(str(deployment["id"]), {"environment": environment, **parameters}, key)
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
    if ended.wrong:
        return ExitCode.WRONG
    if not ended.completed:
        return ExitCode.REFUSED if ended.refused else ExitCode.FAILED
    return ExitCode.NOTHING_TO_DO if asked and ended.nothing_to_do else ExitCode.DONE
