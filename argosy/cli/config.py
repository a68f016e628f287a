"""`argosy config`: whether argosy.yaml is right, what it comes to, and its JSON Schema."""

from __future__ import annotations

import sys
from pathlib import Path

from argosy.cli import clones
from argosy.cli.options import Options, Parser
from argosy.cli.screen import answer
from argosy.errors import ConfigurationError, ExitCode

_ACTIONS = """
actions:
  check   say all that is wrong with it and the files that it names, with line and remedy
  show    print every setting of an environment, and the line that it comes from
  schema  print the JSON Schema of argosy.yaml, for editors
"""


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.listing(_ACTIONS)
    parser.add_argument("action", choices=["check", "show", "schema"], metavar="action", help="one of those below")
    parser.add_argument("--environment", metavar="NAME", help="one environment (all)")
    clones.configure(parser)


def run(options: Options) -> ExitCode:
    """Do what was asked for; 2 where the configuration is wrong."""
    # Each imports what it needs itself: who wants the schema waits for no check.
    return {"check": _check, "show": _show, "schema": _schema}[options.own.action](options)


def _check(options: Options) -> ExitCode:
    from argosy.cli import report
    from argosy.doctor import configuration
    from argosy.doctor.examination import files

    told, environments = configuration.check(options.configuration, options.own.environment)
    found = (*told, *files(options.repo, environments, clones.charts(options)))
    report.show(found, as_json=options.json)
    return ExitCode.WRONG if report.faulty(found) else ExitCode.DONE


def _show(options: Options) -> ExitCode:
    from argosy.cli import effective_table
    from argosy.config import loaded
    from argosy.settings.text import settings
    from argosy.yaml_files.positions import Document

    file = options.configuration
    document = Document(_read(file), file.name)
    configuration = loaded(document)
    names = [options.own.environment] if options.own.environment else list(configuration.environments)
    effective_table.show({name: settings(document, configuration, name) for name in names}, file.name, options)
    return ExitCode.DONE


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        remedy = "write one with argosy init, or name the folder with --repo"
        raise ConfigurationError(f"{file}: {error.strerror or error}", remedy=remedy) from error


def _schema(options: Options) -> ExitCode:
    from argosy.settings import schema as config_schema

    if options.json:
        answer(config_schema.schema())
    else:
        sys.stdout.write(config_schema.text())
    return ExitCode.DONE
