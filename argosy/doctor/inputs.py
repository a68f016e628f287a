"""What `argosy.yaml` points at: the Dockerfile, context, chart and values file of every service, and policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from argosy.doctor import contexts, repository_policies
from argosy.doctor.findings import Finding, Level, of_error
from argosy.doctor.tracked import Checkout
from argosy.edits.references import read_reference
from argosy.environment import Environment
from argosy.errors import ArgosyError
from argosy.models import Service

_COMMIT = "commit it: a release reads commits alone"


def check(
    checkout: Checkout, environments: tuple[Environment, ...], apart: Mapping[str, Checkout] | None = None
) -> tuple[Finding, ...]:
    """What is wrong with the files of every service in `environments`; one line of praise where nothing is.

    `apart` has the checkouts in which charts lie, by environment, where they lie in a repository of their own.
    """
    found: dict[Finding, None] = {}
    for environment in environments:
        inside = contexts.Contexts.of(checkout, environment)
        charts = (apart or {}).get(environment.name) if environment.target_repository else checkout
        if charts is None:
            found[_unseen(environment)] = None
        for service in environment.services:
            found |= dict.fromkeys(_sources(checkout, service, inside))
            found |= dict.fromkeys(_charts(charts, environment, service) if charts else ())
    found |= dict.fromkeys(repository_policies.check(checkout, environments))
    paths = f"{len(environments[0].services)} services" if environments else "no services"
    return tuple(found) or (Finding(Level.GOOD, "services", paths, "each has its Dockerfile, chart and values file"),)


def _unseen(environment: Environment) -> Finding:
    why = f"they lie in the repository of the block {environment.target_repository}, of which no clone was named"
    return Finding(Level.SKIPPED, "charts", environment.name, why, "name the folder of one with --target-repo")


def _sources(checkout: Checkout, service: Service, inside: contexts.Contexts) -> Iterator[Finding]:
    missing = [
        *_file(checkout, service, "Dockerfile", service.dockerfile_path),
        *_folder(checkout, service, "build context", service.build_context.path),
    ]
    yield from missing or inside.check(service)


def _charts(checkout: Checkout, environment: Environment, service: Service) -> Iterator[Finding]:
    yield from _file(checkout, service, "chart", f"{service.released_chart}/Chart.yaml")
    yield from _values(checkout, environment, service)


def _file(checkout: Checkout, service: Service, what: str, path: str) -> Iterator[Finding]:
    if link := checkout.link(path):
        yield _linked(checkout, service, what, link)
    elif path not in checkout.modes:
        there = (checkout.root / path).exists()
        why = "is not committed" if there else "is not there"
        remedy = _COMMIT if there else f"add it, or name the {what} of {service.name} in argosy.yaml"
        yield Finding(Level.WRONG, what, path, f"{service.name}: it {why}", remedy)


def _folder(checkout: Checkout, service: Service, what: str, path: str) -> Iterator[Finding]:
    if link := checkout.link(path):
        yield _linked(checkout, service, what, link)
    elif path != "." and path not in checkout.folders:
        remedy = f"add it, or name the {what} of {service.name} in argosy.yaml"
        yield Finding(Level.WRONG, what, path, f"{service.name}: no file is committed below it", remedy)


def _values(checkout: Checkout, environment: Environment, service: Service) -> Iterator[Finding]:
    what, path, branch = "values file", service.values_path, environment.target_branch
    if link := checkout.link(path):
        yield _linked(checkout, service, what, link)
        return
    text = checkout.at(branch, path)
    if text is None:
        there = branch == checkout.branch and (checkout.root / path).exists()
        why = "it is not committed" if there else f"it is not on {branch}"
        remedy = _COMMIT if there else "commit it there, or name the chart or target.values in argosy.yaml"
        yield Finding(Level.WRONG, what, path, f"{service.name}: {why}", remedy)
        return
    try:
        read_reference(text, path, service.keys)
    except ArgosyError as error:
        yield of_error(what, path, error)


def _linked(checkout: Checkout, service: Service, what: str, link: str) -> Finding:
    where = "leads out of the repository" if checkout.leads_out(link) else "is a symbolic link"
    why = f"{service.name}: {link} {where}, and a release follows no link"
    return Finding(Level.WRONG, what, link, why, "commit the file or folder itself, or name it in argosy.yaml")
