"""The services of a repository: Dockerfiles, charts and path filters brought together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from argosy.discovery.dockerfiles import Candidate, candidates, name_of
from argosy.discovery.helm import Chart, charts, matched
from argosy.discovery.notes import Note
from argosy.discovery.tree import Tree
from argosy.discovery.workflows import Build, Workflows


@dataclass(frozen=True, slots=True)
class Service:
    """A service as `argosy.yaml` will have it; `filters` only where they are more than its folder."""

    name: str
    path: str
    dockerfile: str
    context: str
    chart: Chart
    target: str | None = None
    platforms: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()


def services(tree: Tree, told: Workflows, followed: frozenset[str], notes: list[Note]) -> tuple[Service, ...]:
    """The services that have a Dockerfile and a chart, by name; where none has a chart, those with a Dockerfile.

    `followed` are the folders that Argo CD applications follow.
    """
    images = _called(candidates(tree, notes), told.filters)
    given = matched(images, charts(tree), followed, notes)
    if not given and images:
        notes[:] = [note for note in notes if " is left out: no chart " not in note.why]
        notes.append(Note("defaults.chart", "no chart was found: {path}/chart is a guess"))
        given = {image.name: Chart(_below(image.path, "chart"), image.name, {}, inner=False) for image in images}
    kept = [image for image in images if image.name in given]
    filters = {name_of(name): tuple(globs) for name, globs in told.filters.items()}
    made = [_service(image, given, told.builds, filters) for image in kept]
    return tuple(sorted(made, key=lambda service: service.name))


def _called(images: Sequence[Candidate], filters: Mapping[str, Sequence[str]]) -> tuple[Candidate, ...]:
    """The candidates under the names that path filters have for their folders."""
    names = {globs[0].rstrip("*/"): name_of(name) for name, globs in filters.items() if len(globs) == 1}
    renamed = [replace(image, name=names.get(image.path) or image.name) for image in images]
    return tuple(renamed) if len({image.name for image in renamed}) == len(renamed) else tuple(images)


def _service(
    image: Candidate, given: Mapping[str, Chart], builds: Sequence[Build], filters_of: Mapping[str, tuple[str, ...]]
) -> Service:
    build = next((each for each in builds if _builds(each, image)), None)
    filters = filters_of.get(image.name, ())
    usual = (_below(image.path, "**"),)
    return Service(
        name=image.name,
        path=image.path,
        dockerfile=image.dockerfile,
        context=build.context.replace("{service}", image.name) if build else image.context,
        chart=given[image.name],
        target=_stage(build),
        platforms=build.platforms if build else (),
        filters=() if filters == usual else filters,
        bases=tuple(sorted(base for base in image.bases if base in given and base != image.name)),
    )


def _stage(build: Build | None) -> str | None:
    return (
        build.target if build and build.target and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", build.target) else None
    )


def _builds(build: Build, image: Candidate) -> bool:
    """Whether a workflow's step builds the image; only then its settings are the image's."""
    context, file = (text.replace("{service}", image.name) for text in (build.context, build.file))
    return bool(context) and (file or _below(context, "Dockerfile")) == image.dockerfile


def _below(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"
