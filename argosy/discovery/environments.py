"""The environments that a repository gives reason for: what its applications follow, its values files, its branches."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from argosy.discovery.applications import Application
from argosy.discovery.dockerfiles import name_of
from argosy.discovery.fitting import fits
from argosy.discovery.helm import Chart
from argosy.discovery.notes import Note
from argosy.discovery.tree import Tree

_WORDS = {
    "dev": ("dev", "develop", "development"),
    "test": ("test", "testing", "qa", "int", "integration", "sandbox"),
    "staging": ("staging", "stage", "stg", "uat", "preprod", "preview"),
    "prod": ("prod", "production", "prd", "live", "main", "master", "release", "gitops"),
}
_CANONICAL = {word: name for name, words in _WORDS.items() for word in words}
_SUFFIX = re.compile(r"values[.-]([\w-]+)\.ya?ml|([\w-]+)[.-]values\.ya?ml")
_PLAIN = "values.yaml"


@dataclass(frozen=True, slots=True)
class Found:
    """An environment: the `branch` it is released from and written to, the `values` file beside each chart."""

    name: str
    branch: str
    values: str
    applications: tuple[tuple[str, str], ...] = ()
    """The service and the name of each application that brings it up."""


def environments(
    tree: Tree, charts: Mapping[str, Chart], found: Sequence[Application], pushed: Sequence[str], notes: list[Note]
) -> tuple[Found, ...]:
    """The environments, from development to production; `charts` by service, `pushed` are branches of workflows."""
    pushed = [branch for branch in pushed if fits("branch", branch)]
    here = tree.default_branch if fits("branch", tree.default_branch or "") else None
    default = here or next(iter(pushed), None) or "main"
    if not here:
        notes.append(Note("environments", f"no branch of a usual name is checked out here: {default} was taken"))
    made = _of_applications(charts, found, default, notes)
    for values in _suffixed(charts):
        if values not in {each.values for each in made.values()}:
            name = _named(values)
            branch = _branch(name, default, {*tree.branches, *pushed}, notes)
            made.setdefault(name, Found(name, branch, values))
    for branch in pushed:
        name = _CANONICAL.get(branch, "")
        if name and name not in made and branch not in {each.branch for each in made.values()}:
            made[name] = Found(name, branch, _PLAIN)
    if not any(each.values == _PLAIN for each in made.values()) and "prod" not in made:
        made["prod"] = Found("prod", default, _PLAIN)
    return _apart(sorted(made.values(), key=_order), notes)


def _order(found: Found) -> tuple[int, str]:
    return ([*_WORDS].index(found.name) if found.name in _WORDS else 1, found.name)


def _of_applications(
    charts: Mapping[str, Chart], found: Sequence[Application], default: str, notes: list[Note]
) -> dict[str, Found]:
    """The environments that the services' applications make, one for each branch and values file that they follow."""
    services = {chart.path: service for service, chart in charts.items()}
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for each in found:
        if service := services.get(each.path):
            key = (_followed(each, default, notes), _written(each, charts[service]))
            groups.setdefault(key, {}).setdefault(service, each.name)
    made: dict[str, Found] = {}
    for (branch, values), names in sorted(groups.items()):
        plain = _in_names(names.values()) or _CANONICAL.get(branch) or name_of(branch) or "prod"
        name = plain if values == _PLAIN else _named(values)
        name = name if name not in made else f"{name}-{name_of(branch)}"
        made[name] = Found(name, branch, values, tuple(names.items()))
    return made


def _followed(application: Application, default: str, notes: list[Note]) -> str:
    revision = application.revision.removeprefix("refs/heads/")
    if revision in {"HEAD", ""}:
        return default
    if re.fullmatch(r"[0-9a-f]{40}|v?\d+(\.[\dx*]+)*|refs/.*", revision) or not fits("branch", revision):
        why = f"{application.file} follows {revision}, which is no branch: {default} was taken"
        notes.append(Note("environments", why))
        return default
    return revision


def _written(application: Application, chart: Chart) -> str:
    """The values file that a release writes: the last one that the application reads with an image in it."""
    beside = [path.rpartition("/")[2] for path in application.values if path.rpartition("/")[0] == chart.path]
    return next((name for name in reversed(beside) if chart.values.get(name)), next(reversed(beside), _PLAIN))


def _suffixed(charts: Mapping[str, Chart]) -> list[str]:
    """The values files of environments that every chart has, with an image reference in each."""
    counts = Counter(name for chart in charts.values() for name, image in chart.values.items() if image)
    known = (name for name, count in counts.items() if count == len(charts) and name != _PLAIN)
    return sorted(name for name in known if _named(name) in _WORDS)


def _named(values: str) -> str:
    match = _SUFFIX.fullmatch(values)
    word = name_of((match[1] or match[2]) if match else "")
    return _CANONICAL.get(word, word) or "prod"


def _in_names(names: Iterable[str]) -> str:
    """The environment that all the names of applications begin or end with."""
    words = [{_CANONICAL.get(part, "") for part in (name.split("-")[0], name.split("-")[-1])} for name in names]
    return next(iter(sorted(set.intersection(*words) - {""})), "") if words else ""


def _branch(name: str, default: str, known: set[str], notes: list[Note]) -> str:
    own = [branch for branch in (name, *_WORDS.get(name, ())) if branch in known]
    if own:
        return own[0]
    if name != "prod":
        notes.append(
            Note(f"environments.{name}", f"nothing says which branch {name} is released from: {default} was taken")
        )
    return default


def _apart(found: Sequence[Found], notes: list[Note]) -> tuple[Found, ...]:
    """Those that write files of their own: no two environments may write the same."""
    kept: dict[tuple[str, str], Found] = {}
    for each in found:
        other = kept.setdefault((each.branch, each.values), each)
        if other is not each:
            why = f"{each.name} is left out: it would write what {other.name} writes, {each.values} on {each.branch}"
            notes.append(Note("environments", why))
    return tuple(kept.values())
