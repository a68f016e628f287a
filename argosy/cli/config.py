"""`argosy config check`: whether argosy.yaml is right, and the files are there that it names."""

from __future__ import annotations

from argosy.cli import report
from argosy.cli.options import Options, Parser
from argosy.doctor import configuration
from argosy.doctor.examination import files
from argosy.errors import ExitCode


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.add_argument("action", choices=["check"], help="say all that is wrong with it, with line and remedy")
    parser.add_argument("--environment", metavar="NAME", help="one environment (all)")


def run(options: Options) -> ExitCode:
    """Show what is wrong, or that nothing is; 2 where anything is."""
    told, environments = configuration.check(options.configuration, options.own.environment)
    found = (*told, *files(options.repo, environments))
    report.show(found, as_json=options.json)
    return ExitCode.WRONG if report.faulty(found) else ExitCode.DONE
