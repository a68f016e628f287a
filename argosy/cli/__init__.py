"""The command line `argosy`: one module a command, which is imported only when it is the one asked for."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from argosy.cli import screen
from argosy.cli.options import COMMANDS, Options, Parser, told, top
from argosy.errors import ArgosyError, ExitCode

__all__ = ["main"]


class Command(Protocol):
    """What the module of a command has."""

    def configure(self, parser: Parser) -> None:
        """Add the command's own options."""

    def run(self, options: Options) -> ExitCode:
        """Carry it out; raises ArgosyError where it cannot be."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status, as `argosy.errors.ExitCode` has them."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except ArgosyError as error:
        screen.failed(error, as_json=told("--json", words))
        return error.exit_code
    except BrokenPipeError:  # whoever read our output has had enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except KeyboardInterrupt:
        sys.stderr.write("argosy: interrupted\n")
        return 130  # as shells have it: 128 and the signal's number


def _run(words: list[str]) -> ExitCode:
    chosen = top().parse_args(words)
    command = cast("Command", importlib.import_module(COMMANDS[chosen.command].module))
    parser = Parser.of(chosen.command)
    command.configure(parser)
    options = Options.parsed(parser, chosen)
    if options.log_format:
        from argosy import logs

        logs.begin(options.log_format)
    return command.run(options)
