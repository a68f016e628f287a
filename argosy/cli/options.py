"""The options of all commands, and a parser that raises what it has to say instead of ending the process."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn, Self

from argosy.errors import WrongUse


@dataclass(frozen=True, slots=True)
class Entry:
    """A command as `argosy --help` lists it, and the module that has it."""

    module: str
    help: str


COMMANDS = {
    "init": Entry("argosy.cli.init", "write an argosy.yaml from what is found in the repository"),
    "changes": Entry("argosy.cli.changes", "say which services changed between two commits, by their path filters"),
    "config": Entry("argosy.cli.config", "check argosy.yaml, show what it comes to, print its schema"),
    "digest": Entry("argosy.cli.digest", "show the content digest of each service, and what went into it"),
    "doctor": Entry("argosy.cli.doctor", "check all that a release needs, and say what to do about it"),
    "edit": Entry("argosy.cli.edit", "set scalars of YAML files, and leave every other character as it is"),
    "hold": Entry("argosy.cli.hold", "keep a service, or one content of it, from being released, or lift that"),
    "plan": Entry("argosy.cli.plan", "show what a release would do with each service, and why"),
    "release": Entry("argosy.cli.release", "start a release on Prefect, and follow it to its end"),
    "rollback": Entry("argosy.cli.rollback", "restore the last verified release of services, and hold what was bad"),
    "status": Entry("argosy.cli.status", "show what an environment runs, what of it is verified and what is held"),
}

_ENDINGS = """
exit status:
  0  done
  1  failed
  2  wrong use, or wrong configuration
  3  nothing to do, where the caller asked to know
  4  refused by policy: a hold, an approval, a scan
  5  an outside service is down
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are WrongUse, so that they end like every other error."""

    @classmethod
    def of(cls, command: str) -> Parser:
        """The parser of a command, with the options that all have."""
        parser = cls(prog=f"argosy {command}", description=COMMANDS[command].help, allow_abbrev=False)
        return _common(parser)

    def listing(self, text: str) -> None:
        """Show `text` below the options, its lines as they are."""
        self.epilog, self.formatter_class = text, argparse.RawDescriptionHelpFormatter

    def error(self, message: str) -> NoReturn:
        """Raise WrongUse."""
        raise WrongUse(message, remedy=f"see {self.prog} --help")


@dataclass(frozen=True, slots=True)
class Options:
    """What every command is told; `own` holds the options of the command itself."""

    repo: Path = Path()
    config: Path | None = None
    json: bool = False
    log_format: Literal["text", "json"] | None = None
    own: argparse.Namespace = field(default_factory=argparse.Namespace)

    @classmethod
    def parsed(cls, parser: Parser, chosen: argparse.Namespace) -> Self:
        """The options of `chosen`, whose words behind the command are parsed by `parser`; raises WrongUse."""
        own = parser.parse_args(chosen.words, argparse.Namespace(**vars(chosen)))
        repo = own.repo or Path()
        if not repo.is_dir():
            raise WrongUse(f"{repo} is no folder", remedy="name the folder of the repository with --repo")
        return cls(repo.resolve(), own.config, bool(own.json), own.log_format, own)

    @property
    def configuration(self) -> Path:
        """Where `argosy.yaml` lies."""
        return self.config or self.repo / "argosy.yaml"


def top() -> Parser:
    """The parser of the words up to the command; what follows it is left in `words`."""
    listed = "".join(f"  {name:<8} {entry.help}\n" for name, entry in COMMANDS.items())
    parser = Parser(
        prog="argosy",
        description="Release the services of a monorepo.",
        epilog=f"commands:\n{listed}{_ENDINGS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _common(parser)
    parser.add_argument("command", choices=COMMANDS, metavar="command", help="one of those below")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="…", help="what the command takes: argosy … --help")
    return parser


def told(option: str, words: Sequence[str]) -> bool:
    """Whether `option` is among `words`, for when they cannot be parsed."""
    return option in words


def _common(parser: Parser) -> Parser:
    # Suppressed, so that what was said before the command is not overwritten by what is not said behind it.
    group = parser.add_argument_group("options of all commands", argument_default=argparse.SUPPRESS)
    group.add_argument("--repo", type=Path, metavar="PATH", help="the repository's folder (this one)")
    group.add_argument("--config", type=Path, metavar="FILE", help="the configuration (argosy.yaml of the repository)")
    group.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    group.add_argument("--log-format", choices=("text", "json"), help="write the log, on standard error, in this form")
    if parser.prog == "argosy":
        parser.set_defaults(repo=None, config=None, json=False, log_format=None)
    return parser
