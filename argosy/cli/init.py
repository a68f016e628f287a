"""`argosy init`: an argosy.yaml for the repository, written from what is found in it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from argosy.cli.options import Options, Parser
from argosy.cli.screen import answer
from argosy.errors import ConfigurationError, ExitCode, WrongUse
from argosy.new_file import place, taken

if TYPE_CHECKING:
    from argosy.discovery.proposal import Proposal

_LOOKS = """
It looks at the files that git tracks or does not ignore (without git, at all): Dockerfiles, Helm charts, Argo CD
Applications, GitHub workflows and Terraform. What it could not decide stands in the file behind TODO, and is told.
"""


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.epilog = _LOOKS
    parser.add_argument("--force", action="store_true", help="replace an argosy.yaml that is there")
    parser.add_argument("--print", "--dry-run", dest="dry", action="store_true", help="print it, and write nothing")


def run(options: Options) -> ExitCode:
    """Write argosy.yaml and its schema, and say what is left to decide."""
    file = options.configuration
    if not (options.own.dry or options.own.force) and (file.exists() or file.is_symlink()):
        raise taken(file)
    # Imported late: who has a file already waits for nothing.
    from argosy.discovery.document import written
    from argosy.discovery.proposal import propose
    from argosy.settings import schema as config_schema

    proposal = propose(options.repo)
    text = written(proposal, config_schema.FILE)
    _check(text, file)
    if options.own.dry and not options.json:
        sys.stdout.write(text)
    made = [] if options.own.dry else _put(file, text, config_schema, replace=options.own.force)
    _tell(proposal, text, made, options)
    return ExitCode.DONE


def _check(text: str, file: Path) -> None:
    from argosy.settings.text import problems

    for problem in problems(text.encode(), file.name):
        raise ConfigurationError(
            f"what was found contradicts itself: {problem.message}",
            remedy="begin with what --print shows, and write the rest by hand",
        ) from problem


def _put(file: Path, text: str, config_schema: ModuleType, *, replace: bool) -> list[Path]:
    """Write the configuration and the schema beside it; returns what was written."""
    schema = file.parent / config_schema.FILE
    if schema.parent.is_symlink():
        raise WrongUse(
            f"{schema.parent} is a symbolic link", remedy="make it a folder: Argosy keeps its own files there"
        )
    place(file, text, replace=replace)
    schema.parent.mkdir(exist_ok=True)
    place(schema, config_schema.text(), replace=True)
    return [file, schema]


def _tell(proposal: Proposal, text: str, made: list[Path], options: Options) -> None:
    names = [str(path.relative_to(options.repo)) if path.is_relative_to(options.repo) else str(path) for path in made]
    if options.json:
        answer({
            "written": names,
            "services": [service.name for service in proposal.services],
            "environments": [environment.name for environment in proposal.environments],
            "undecided": [asdict(note) for note in proposal.notes],
            "text": text,
        })  # fmt: skip
        return
    # Under --print standard output is the file alone.
    stream = sys.stderr if options.own.dry else sys.stdout
    if made:
        services, environments = len(proposal.services), ", ".join(each.name for each in proposal.environments)
        stream.write(f"wrote {' and '.join(names)}: {services} services; environments: {environments}\n")
    for note in proposal.notes:
        stream.write(f"decide {note.key}: {note.why}\n")
    if made:
        stream.write("next: see what it comes to with `argosy config show`, and commit both files\n")
