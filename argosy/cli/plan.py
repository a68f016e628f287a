"""`argosy plan`: what a release would do with each service, and why, from git alone."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from argosy import plan as planning
from argosy.cli import clones
from argosy.cli.options import Options, Parser
from argosy.cli.screen import answer
from argosy.environment import Environment
from argosy.errors import ExitCode, WrongUse
from argosy.inputs.digests import Digests
from argosy.local import Clone
from argosy.models import Plan
from argosy.plan_document import document
from argosy.standing import look


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.add_argument("--environment", metavar="NAME", help="the environment (all of them, one after the other)")
    parser.add_argument("--head", metavar="COMMIT", help="the commit to plan (the tip of the source branch)")
    parser.add_argument("--service", action="append", default=[], metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--adopt", action="store_true", help="take over what nothing explains")
    parser.add_argument("--force", action="append", default=[], metavar="SERVICE", help="build it whatever there is")
    parser.add_argument("--check-registry", action="store_true", help="ask the registry which images it has")
    parser.add_argument("--markdown", action="store_true", help="print a comment for a pull request")
    parser.add_argument("--exit-code", action="store_true", help="end in 3 where there is nothing to do")
    clones.configure(parser)


def run(options: Options) -> ExitCode:
    """Show the plan of each environment asked for; 1 where a service cannot be planned."""
    clone = clones.clone(options)
    names = [options.own.environment] if options.own.environment else list(clone.names())
    if options.json and len(names) > 1:
        known = ", ".join(names)
        raise WrongUse("each environment has a plan of its own", remedy=f"name one with --environment: {known}")
    clone.deepen()
    plans = [_planned(clone, name, options) for name in names]
    for plan, on_source in plans:
        _show(plan, options, on_source=on_source)
    if any(plan.failures for plan, _ in plans):
        return ExitCode.FAILED
    nothing = options.own.exit_code and all(plan.nothing_to_do for plan, _ in plans)
    return ExitCode.NOTHING_TO_DO if nothing else ExitCode.DONE


def _planned(clone: Clone, name: str, options: Options) -> tuple[Plan, bool]:
    own = options.own
    sides = clone.sides(name, own.head)
    environment, source = sides.environment, sides.source_sha
    digests = _with_base_images(Digests(sides.git, environment), source)
    situation = look(digests, source, sides.target(), datetime.now(UTC), sides.source_tip)
    if own.check_registry:
        # Imported late: git alone is asked mostly, and a web client takes its time to load.
        from argosy.cli.registries import ask

        situation = situation.asked(ask(environment, situation))
    plan = planning.make(environment, situation, adopt=own.adopt, services=tuple(own.service), force=tuple(own.force))
    return plan, sides.on_source(sides.git)


def _with_base_images(digests: Digests, source: str) -> Digests:
    if not _resolves(digests.environment):
        return digests
    from argosy.cli.registries import with_base_images  # late, as above

    return with_base_images(digests, source)


def _resolves(environment: Environment) -> bool:
    return any(service.build_context.resolve for service in environment.services)


def _show(plan: Plan, options: Options, *, on_source: bool) -> None:
    shown: dict[str, Any] = document(plan, on_source=on_source)
    if options.json:
        answer(shown)
    elif options.own.markdown:
        from argosy.plan_markdown import markdown

        sys.stdout.write(markdown(shown))
    else:
        from argosy.cli.plan_table import table

        table(shown)
