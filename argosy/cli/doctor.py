"""`argosy doctor`: everything that a release needs, looked at before it is needed."""

from __future__ import annotations

import os

from argosy.cli import clones, report
from argosy.cli.options import Options, Parser
from argosy.doctor import remotes
from argosy.doctor.examination import Patient, examine
from argosy.doctor.findings import verdict
from argosy.errors import ExitCode
from argosy.home import location

_CREDENTIALS = """
Services are asked with the credentials in these environment variables, where they are set: those of the AWS SDK,
ARGOSY_REGISTRY_USERNAME and _PASSWORD, ARGOSY_GIT_USERNAME and _PASSWORD, for the repository of charts that lie apart
ARGOSY_TARGET_GIT_USERNAME and _PASSWORD, ARGOCD_SERVER and ARGOCD_AUTH_TOKEN, PREFECT_API_URL and PREFECT_API_KEY or
PREFECT_API_AUTH_STRING. No secret is asked of Prefect.
"""


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.epilog = _CREDENTIALS
    parser.add_argument("--environment", metavar="NAME", help="one environment (all)")
    parser.add_argument(
        "--timeout", type=float, default=remotes.SECONDS, metavar="SECONDS", help="how long a service may take (10)"
    )
    clones.configure(parser)


def run(options: Options) -> ExitCode:
    """Show every finding; 0 where all is well, 1 where something is wrong, 5 where only a service is down."""
    patient = Patient(
        root=options.repo,
        file=options.configuration,
        environment=options.own.environment,
        variables=dict(os.environ),
        cache=location(os.environ),
        seconds=options.own.timeout,
        charts=clones.charts(options),
    )
    found = examine(patient)
    report.show(found, as_json=options.json)
    return verdict(found)
