"""The Helm charts of a repository, the values files beside them, and which service each is of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from argosy.discovery.dockerfiles import Candidate
from argosy.discovery.manifests import at, documents
from argosy.discovery.notes import Note
from argosy.discovery.tree import Tree
from argosy.edits.references import read_reference
from argosy.errors import Terminal

_SHOWN = 5
_GENERIC = frozenset({"chart", "charts", "helm", "deploy", "deployment", "k8s", "kubernetes"})
_VALUES = re.compile(r"values([.-][\w.-]+)?\.ya?ml|[\w-]+[.-]values\.ya?ml")


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart in the folder `path`; `values` maps each values file's name to the repository of its image, or ""."""

    path: str
    name: str
    values: Mapping[str, str]
    inner: bool

    @property
    def releasable(self) -> bool:
        """Whether some values file has an image reference that a release can write."""
        return any(self.values.values())


def charts(tree: Tree) -> tuple[Chart, ...]:
    """Every chart that is no library, in the order of their paths."""
    folders = [str(PurePosixPath(path).parent) for path in tree.paths if PurePosixPath(path).name == "Chart.yaml"]
    beside: dict[str, list[str]] = {folder: [] for folder in folders}
    for path in tree.paths:
        folder, _, name = path.rpartition("/")
        if (folder or ".") in beside and _VALUES.fullmatch(name):
            beside[folder or "."].append(name)
    known = frozenset(folders)
    found = (_chart(tree, folder, beside[folder], known) for folder in folders)
    return tuple(each for each in found if each)


def _chart(tree: Tree, folder: str, values: Sequence[str], known: frozenset[str]) -> Chart | None:
    described = next(documents(tree.text(_joined(folder, "Chart.yaml")) or ""), {})
    if at(described, "type") == "library":
        return None
    references = {name: _repository(tree, _joined(folder, name)) for name in values}
    above = PurePosixPath(folder).parent
    inner = above.name == "charts" and str(above.parent) in known
    return Chart(folder, str(at(described, "name") or ""), references, inner)


def _repository(tree: Tree, path: str) -> str:
    try:
        return read_reference((tree.text(path) or "").encode(), path).repository
    except Terminal:
        return ""


def _joined(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def matched(
    services: Sequence[Candidate], found: Sequence[Chart], followed: frozenset[str], notes: list[Note]
) -> dict[str, Chart]:
    """The chart of each service that has one; `followed` are the folders that Argo CD applications follow.

    No chart is given to two services: the closest gets it.
    """
    by_name = {service.name: service for service in services}
    pairs = sorted(
        (
            rank, _distance(by_name[name], chart) if rank == 0 else 0, chart.path not in followed,
            not chart.releasable, chart.inner, chart.path.count("/"), chart.path, name,
        )
        for name, chart, rank in _ranked(services, found)
    )  # fmt: skip
    by_path = {chart.path: chart for chart in found}
    given: dict[str, Chart] = {}
    taken: set[str] = set()
    for *_, path, name in pairs:
        if name not in given and path not in taken:
            given[name] = by_path[path]
            taken.add(path)
    _tell(services, found, given, notes)
    return given


def _ranked(services: Sequence[Candidate], found: Sequence[Chart]) -> Iterator[tuple[str, Chart, int]]:
    """Each service with each chart that something ties it to, and how closely, 0 at the closest."""
    signs: dict[tuple[int, str], list[Chart]] = {}
    for chart in found:
        for sign in set(_signs(chart)):
            signs.setdefault(sign, []).append(chart)
    for service in services:
        names = {service.name, PurePosixPath(service.path).name} - {""}
        looked_for = [(0, service.path), *((rank, name) for rank in range(1, 5) for name in names)]
        for rank, words in looked_for:
            yield from ((service.name, chart, rank) for chart in signs.get((rank, words), ()))
    if len(services) == len(found) == 1:
        yield services[0].name, found[0], 9


def _signs(chart: Chart) -> Iterator[tuple[int, str]]:
    """What ties a chart to services: folders above it, its own folder, its name, parts of its path, its images."""
    path = PurePosixPath(chart.path)
    yield from ((0, str(above)) for above in path.parents if str(above) != ".")
    parts = [part for part in path.parts if part not in _GENERIC]
    yield from ((1, part) for part in parts[-1:])
    yield 2, chart.name
    yield from ((3, part) for part in parts)
    for repository in filter(None, chart.values.values()):
        words = repository.rpartition("/")[2].split("-")
        yield from ((4, "-".join(words[start:])) for start in range(len(words)))


def _distance(service: Candidate, chart: Chart) -> int:
    return chart.path.count("/") - service.path.count("/")


def _tell(services: Sequence[Candidate], found: Sequence[Chart], given: Mapping[str, Chart], notes: list[Note]) -> None:
    for service in services:
        if service.name not in given:
            notes.append(Note("services", f"{service.name} is left out: no chart was found for {service.dockerfile}"))
    blank = sorted(chart.path for chart in given.values() if not chart.releasable)
    if blank:
        shown = ", ".join(blank[:_SHOWN]) + (f" and {len(blank) - _SHOWN} more" if blank[_SHOWN:] else "")
        notes.append(Note("services", f"no values file has an image.repository that a release could write in {shown}"))
    taken = {chart.path for chart in given.values()}
    for chart in found:
        if chart.path not in taken and not chart.inner and chart.releasable:
            notes.append(Note("services", f"the chart {chart.path} is of no service that was found"))
