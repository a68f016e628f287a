"""`python -m deployments.local`: the embedded stack by hand, and the demo on it."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from argosy.cli.screen import failed
from argosy.errors import ArgosyError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when all went well, 1 when a release or a claim failed, else as `ExitCode` has them."""
    signal.signal(signal.SIGTERM, _interrupted)  # so that `with` stops every part
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except ArgosyError as error:
        failed(error, as_json=False)
        return error.exit_code
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; everything is stopped")
    return 1


def _run(options: argparse.Namespace) -> int:
    # Imported late, so that --help answers at once.
    from deployments.local.demo import demonstrate
    from deployments.local.up import keep_up

    if options.command == "up":
        return keep_up(options.repo, options.port)
    return demonstrate(options.repo, keep=options.keep, environment=options.environment)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deployments.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the stack, print how to use it, and keep it running until Ctrl-C")
    up.add_argument("--port", type=int, help="the dashboard's port (one that is free)")
    demo = commands.add_parser("demo", help="start the stack, release on it, and prove what came of it")
    demo.add_argument("--keep", action="store_true", help="leave the stack running until Ctrl-C")
    demo.add_argument("--environment", help="the environment to release to (prod, else the last there is)")
    for each in (up, demo):
        each.add_argument("--repo", type=Path, help="a repository of yours with an argosy.yaml (the example)")
    return parser


def _interrupted(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
