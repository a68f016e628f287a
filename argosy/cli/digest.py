"""`argosy digest`: the content digest of each service, what went into it, and what differs between two commits."""

from __future__ import annotations

import sys
from typing import Any

from argosy.cli.options import Options, Parser
from argosy.cli.screen import answer
from argosy.environment import Environment
from argosy.errors import ExitCode, Terminal, WrongUse
from argosy.inputs import explanation
from argosy.inputs.content import BuildInputs
from argosy.inputs.digests import Digests
from argosy.local import Clone
from argosy.models import RECIPE
from argosy.printable import printable


def configure(parser: Parser) -> None:
    """Add the command's own options."""
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="only these (all)")
    parser.add_argument("--environment", metavar="NAME", help="as this environment builds them (the first one)")
    parser.add_argument("--head", metavar="COMMIT", help="the commit (the tip of the source branch)")
    parser.add_argument("--base", metavar="COMMIT", help="say which inputs differ from those at this one")
    parser.add_argument("--explain", metavar="SERVICE", help="list all that went into its digest")


def run(options: Options) -> ExitCode:
    """Show the digests; 1 where an input of a service is missing."""
    own = options.own
    clone = Clone(options.repo, options.configuration, asked=options.config is not None)
    clone.check()
    name = own.environment or clone.names()[0]
    sides = clone.sides(name, own.head)
    digests = _digests(clone, sides.environment, sides.source_sha)
    if own.base:
        return _compare(clone, name, digests, sides.source_sha, options)
    if own.explain:
        return _explain(digests, sides.source_sha, options)
    survey, wanted = digests.survey(sides.source_sha), _chosen(sides.environment, own.services)
    found = {each: survey.contents[each].hex for each in wanted if each in survey.contents}
    failures = {each: str(survey.failures[each]) for each in wanted if each in survey.failures}
    shown: dict[str, Any] = {"head": sides.source_sha, "recipe": RECIPE, "services": found}
    if options.json:
        answer(shown | ({"failures": failures} if failures else {}))
    else:
        sys.stdout.writelines(f"{digest}  {each}\n" for each, digest in found.items())
        sys.stderr.writelines(f"argosy: {why}\n" for why in failures.values())
    return ExitCode.FAILED if failures else ExitCode.DONE


def _digests(clone: Clone, environment: Environment, commit: str) -> Digests:
    digests = Digests(clone.git, environment)
    if not any(service.build_context.resolve for service in environment.services):
        return digests
    # Imported late: git alone is asked mostly, and a web client takes its time to load.
    from argosy.cli.registries import with_base_images

    return with_base_images(digests, commit)


def _chosen(environment: Environment, services: list[str]) -> list[str]:
    return [environment.service(name).name for name in services] or [each.name for each in environment.services]


def _explain(digests: Digests, commit: str, options: Options) -> ExitCode:
    inputs = _inputs(digests, commit, options.own.explain)
    rows = explanation.listed(inputs)
    if options.json:
        found = inputs.digest()
        answer({"head": commit, "recipe": found.recipe, "service": inputs.service, "digest": found.hex, "inputs": rows})
    else:
        sys.stdout.writelines(f"{printable(name)}  {printable(value)}\n" for name, value in rows.items())
    return ExitCode.DONE


def _compare(clone: Clone, name: str, digests: Digests, head: str, options: Options) -> ExitCode:
    base = clone.sides(name, options.own.base)
    before = _digests(clone, base.environment, base.source_sha)
    wanted = [options.own.explain] if options.own.explain else _chosen(digests.environment, options.own.services)
    found = {each: _differing(before, base.source_sha, digests, head, each) for each in wanted}
    if options.json:
        answer({"base": base.source_sha, "head": head, "services": {n: list(inputs) for n, inputs in found.items()}})
        return ExitCode.DONE
    for each, inputs in found.items():
        sys.stdout.write(f"{each}: {'the same' if not inputs else f'{len(inputs)} inputs differ'}\n")
        sys.stdout.writelines(f"  {printable(item)}\n" for item in inputs)
    return ExitCode.DONE


def _differing(before: Digests, base: str, after: Digests, head: str, service: str) -> tuple[str, ...]:
    new = _inputs(after, head, service)
    known = {each.name for each in before.environment.services}
    try:
        old = _inputs(before, base, service) if service in known else None
    except Terminal:  # it could not be built then: everything is new
        old = None
    return explanation.differing(old, new) if old else tuple(explanation.listed(new))


def _inputs(digests: Digests, commit: str, service: str) -> BuildInputs:
    if service not in {each.name for each in digests.environment.services}:
        known = ", ".join(each.name for each in digests.environment.services)
        raise WrongUse(f"there is no service {service}", remedy=f"there are {known}")
    return digests.snapshot(commit).inputs(digests.environment.service(service))
