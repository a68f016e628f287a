"""Charts rendered before the commit that edits them: each must come to the image that was written into its values."""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from argosy import batches
from argosy.disk import writing
from argosy.edits.rendered import Image, runs
from argosy.errors import Terminal
from argosy.git import SUBMODULE, Git
from argosy.gitops.chart_export import Unrenderable, export
from argosy.gitops.helm import Helm, Unrendered, unrendered
from argosy.models import Service
from argosy.processes.side_by_side import answers
from argosy.settings.target_mode import RenderMode

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Edited:
    """A service whose values file was edited, and the image that its chart must come to."""

    service: Service
    image: Image


@dataclass(frozen=True, slots=True)
class _Chart:
    """A chart upon one head: its tree there, its folder, the values file and all edited files below it, and for whom.

    Two that are equal render to the same.
    """

    tree: str
    folder: str
    values: str
    files: tuple[tuple[str, bytes], ...] = field(repr=False)
    edited: tuple[Edited, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """What its verdict depends on."""
        digests = tuple((path, hashlib.sha256(text).digest()) for path, text in self.files)
        return self.tree, self.values, digests, tuple((each.service.name, each.image) for each in self.edited)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Why each of the services that are `refused` is; and why the chart was not looked at, where it was not."""

    refused: Mapping[str, str] = field(default_factory=dict)
    unseen: str | None = None


@dataclass(slots=True)
class RenderCheck:
    """Renders the charts of one run with `helm`; what it has found it does not look for again.

    `folder` gives the one in which charts lie for the moment that they are rendered.
    """

    mode: RenderMode
    helm: Helm | None
    folder: Callable[[], Path]
    _known: dict[tuple[object, ...], _Verdict] = field(default_factory=dict)
    _told: bool = False

    @property
    def on(self) -> bool:
        """Whether charts are rendered."""
        return self.mode != "off" and self.helm is not None

    def demand(self) -> None:
        """Raise Terminal where charts have to be rendered and there is no helm."""
        if self.mode == "required" and self.helm is None:
            raise Terminal(
                "charts are to be rendered before they are committed, and there is no helm on PATH",
                remedy="install Helm 3 or newer where runs are, or set charts.render_check to auto",
            )

    def reads(self, services: Collection[Service]) -> frozenset[str]:
        """The folders that verdicts on these services depend on."""
        return frozenset(service.released_chart for service in services) if self.on else frozenset()

    def refused(self, git: Git, head: str, edited: Sequence[Edited], files: Mapping[str, bytes]) -> dict[str, str]:
        """Those of the services whose charts, at the commit `head` with `files` in place, do not come to their images.

        They are mapped to the reason, with its remedy. What cannot be rendered here is told in the log and passes,
        unless rendering is required. Raises as `demand` does.
        """
        self.demand()
        if not self.on or self.helm is None:
            self._tell()
            return {}
        charts = list(_charts(git, head, edited, files))
        new = [chart for chart in charts if chart.key not in self._known]
        if git.partial:
            git.bring(_files(git, head, new))  # else each chart would ask for its own
        helm = self.helm
        for chart, verdict in zip(new, answers(lambda each: self._judge(helm, git, each), new), strict=True):
            self._known[chart.key] = verdict
            if verdict.unseen:
                logger.warning("%s was not rendered before its commit: %s", chart.folder, verdict.unseen)
        found: dict[str, str] = {}
        for chart in charts:
            found |= self._known[chart.key].refused
        return found

    def _tell(self) -> None:
        if self.mode == "auto" and not self._told:
            logger.info("charts are not rendered before their commit: there is no helm on PATH")
        self._told = True

    def _judge(self, helm: Helm, git: Git, chart: _Chart) -> _Verdict:
        try:
            missing = _missing_in(self._rendered(helm, git, chart), chart)
        except Unrenderable as error:
            if self.mode != "required":
                return _Verdict(unseen=str(error))
            return _Verdict(_all(chart, f"{chart.folder} cannot be rendered: {error}"))
        except Unrendered as error:
            return _Verdict(_all(chart, f"{chart.folder} does not render with {chart.values}: {error}"))
        return _Verdict({each.service.name: str(_missing(chart, each)) for each in missing})

    def _rendered(self, helm: Helm, git: Git, chart: _Chart) -> str:
        parent = self.folder()
        with writing(parent), TemporaryDirectory(prefix="render-", dir=parent, ignore_cleanup_errors=True) as name:
            place = Path(name, "chart")
            export(git, chart.tree, dict(chart.files), place)
            return helm.render(chart.edited[0].service.name, place, chart.values, Path(name, "home"))


def _all(chart: _Chart, why: str) -> dict[str, str]:
    return {each.service.name: why for each in chart.edited}


def _missing_in(text: str, chart: _Chart) -> list[Edited]:
    """Those of the services that the chart's rendered `text` has no image of; raises Unrendered where it is no YAML."""
    try:
        return [each for each in chart.edited if not runs(text, each.image, f"what {chart.folder} renders to")]
    except Terminal as error:
        raise unrendered(error.message) from error


def _charts(git: Git, head: str, edited: Sequence[Edited], files: Mapping[str, bytes]) -> Iterator[_Chart]:
    """The charts to render, each once for all services that share it."""
    sharing: dict[tuple[str, str], list[Edited]] = defaultdict(list)
    for each in edited:
        sharing[each.service.released_chart, each.service.values_path].append(each)
    folders = list(dict.fromkeys(folder for folder, _ in sharing))
    found = batches.identify(git, [f"{head}:{'' if folder == '.' else folder}" for folder in folders])
    trees = dict(zip(folders, found, strict=True))
    below = _below(folders, files)
    for (folder, values), services in sharing.items():
        tree = trees[folder]
        if tree is not None:
            yield _Chart(tree.object_id, folder, values.removeprefix(f"{folder}/"), below[folder], tuple(services))


def _files(git: Git, head: str, charts: Sequence[_Chart]) -> list[str]:
    """The ids of the files that the charts read at `head`."""
    folders = {chart.folder for chart in charts}
    edited = {f"{chart.folder}/{path}" for chart in charts for path, _ in chart.files}
    entries = git.tree(head, sorted(folders)) if folders else ()
    return [entry.object_id for entry in entries if entry.mode != SUBMODULE and entry.path not in edited]


def _below(folders: Collection[str], files: Mapping[str, bytes]) -> dict[str, tuple[tuple[str, bytes], ...]]:
    """The files in each of the folders, a chart's that lies in another's in both, by their paths from there."""
    found: dict[str, list[tuple[str, bytes]]] = {folder: [] for folder in folders}
    for path, text in sorted(files.items()):
        for parent in map(str, PurePosixPath(path).parents):
            if parent in found:
                found[parent].append((path.removeprefix(f"{parent}/"), text))
    return {folder: tuple(rows) for folder, rows in found.items()}


def _missing(chart: _Chart, edited: Edited) -> Unrendered:
    keys = ", ".join(edited.service.keys.paths)
    return Unrendered(
        f"{chart.folder}, rendered with {chart.values}, has no image {edited.image.whole[0]}",
        remedy=f"let its templates use {keys}, or name in chart.keys what they use; charts.render_check: off leaves "
        "this out",
    )
