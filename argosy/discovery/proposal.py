"""What `argosy init` proposes for a repository: everything that `argosy.yaml` says, and what could not be decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy.discovery.applications import applications
from argosy.discovery.dockerfiles import name_of
from argosy.discovery.environments import Found, environments
from argosy.discovery.factoring import factored
from argosy.discovery.fitting import fits
from argosy.discovery.notes import Note
from argosy.discovery.registries import Registry, registry
from argosy.discovery.services import Service, services
from argosy.discovery.tree import Tree
from argosy.discovery.workflows import Workflows, workflows
from argosy.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment, with the templates that are its own where they differ from those of all."""

    name: str
    branch: str
    values: str
    repository: str | None = None
    application: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """The parts of an `argosy.yaml`; `application` is None where no Argo CD application was found."""

    services: tuple[Service, ...]
    registry: Registry
    application: str | None
    environments: tuple[Environment, ...]
    notes: tuple[Note, ...]


def propose(root: Path) -> Proposal:
    """What the files of the repository at `root` amount to.

    Raises ConfigurationError where there is no service in it, GitError where git refuses to list its files.
    """
    tree, notes = Tree.read(root), list[Note]()
    told = workflows(tree)
    followed = applications(tree, notes)
    found = services(tree, told, frozenset(each.path for each in followed), notes)
    if not found:
        remedy = "add one for each service, or write argosy.yaml by hand: docs/configuration.md has every key"
        raise ConfigurationError("no Dockerfile was found in the repository", remedy=remedy)
    charts = {service.name: service.chart for service in found}
    places = environments(tree, charts, followed, told.branches, notes)
    application, applied = _applications(found, places, notes)
    where, repositories = _registry(tree, told, found, places, application, notes)
    if tree.truncated:
        notes.append(Note("services", "the repository has more files than were looked at: see that none is missing"))
    made = tuple(
        Environment(each.name, each.branch, each.values, repositories.get(each.name), applied.get(each.name))
        for each in places
    )
    return Proposal(found, where, application, made, tuple(dict.fromkeys(notes)))


def _applications(
    found: Sequence[Service], places: Sequence[Found], notes: list[Note]
) -> tuple[str | None, dict[str, str]]:
    """The template of the last environment that has applications, and those of others that differ from it."""
    templates: dict[str, str] = {}
    for place in places:
        names = dict(place.applications)
        common = factored(names)
        if (common.template and "{service}" in common.template) or (common.template and len(found) == 1):
            templates[place.name] = common.template
            odd = [*common.own.values(), *(service.name for service in found if service.name not in names)]
            if odd:
                why = f"{common.template} does not give the application of {', '.join(odd)}"
                notes.append(Note("argocd.application", why))
        elif names:
            why = f"the applications of {place.name} have no template in common: {', '.join(names.values())}"
            notes.append(Note("argocd.application", why))
    if not templates:
        return None, {}
    last = [*templates.values()][-1]
    for place in places:
        if place.name not in templates:
            why = f"no application of it was found: {last} was taken"
            notes.append(Note(f"environments.{place.name}.argocd", why))
    return last, {name: template for name, template in templates.items() if template != last}


def _registry(
    tree: Tree, told: Workflows, found: Sequence[Service], places: Sequence[Found], application: str | None,
    notes: list[Note],
) -> tuple[Registry, dict[str, str]]:  # fmt: skip
    fallback = application if application and "{service}" in application else f"{_called(tree)}{{service}}"
    last = _references(found, places[-1])
    where = registry(tree, told.texts.values(), last, fallback, notes)
    own = {}
    for place in places[:-1]:
        named = factored({name: each.partition("/")[2] for name, each in _references(found, place).items()})
        same_host = {each.partition("/")[0] for each in (*_references(found, place).values(), *last.values())}
        usable = "{service}" in (named.template or "") and fits("repository", named.template or "")
        if usable and named.template and not named.own and len(same_host) == 1:
            own[place.name] = named.template
    return where, {
        name: template for name, template in own.items() if template != where.repository and _ours(last, where)
    }


def _ours(last: Mapping[str, str], where: Registry) -> bool:
    """Whether the values files name the registry that was chosen, and not where others keep their images."""
    host = where.host or f"{where.account_id}.dkr.ecr.{where.region}.amazonaws.com"
    return any(each.startswith(host) for each in last.values())


def _references(found: Sequence[Service], place: Found) -> dict[str, str]:
    named = {service.name: service.chart.values.get(place.values, "") for service in found}
    return {name: reference for name, reference in named.items() if reference}


def _called(tree: Tree) -> str:
    name = name_of(tree.root.resolve().name)
    return f"{name}-" if name else ""
