"""Whether a service's content at some earlier commit is the desired one, and what differs: a thousand services at once.

Trees that are the same are never looked into, so that only the few services that changed are read file by file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from argosy.batches import Identified, contents, identify, tree_changes
from argosy.builds.options import PLAINLY
from argosy.config import FILE
from argosy.environment import Environment
from argosy.errors import ConfigurationError, Terminal
from argosy.inputs import explanation
from argosy.inputs.content import BuildInputs
from argosy.inputs.digests import Digests
from argosy.inputs.snapshot import Snapshot, below, closure, is_written, roots
from argosy.models import Service
from argosy.settings.text import read


@dataclass(frozen=True, slots=True)
class Compared:
    """Whether a service's content at some commit is the desired one; `inputs` names what differs."""

    same: bool
    inputs: tuple[str, ...] = ()


def compare(
    digests: Digests, source: str, commits: Mapping[str, str], *, assume: Environment | None = None
) -> dict[str, Compared]:
    """How the content of each service at its commit, which is at hand, stands to that at `source`.

    Each commit is read by its own `argosy.yaml`, or as `assume` describes it where it has none. A service is left out
    where its content at either side cannot be told from git: that file is missing or wrong there, an input is missing,
    or base images are looked up that may have moved.
    """
    now = _named(digests.environment)
    sides = {name: side for name, side in _sides(digests, now, commits, assume) if not side.resolves}
    same = _untouched(digests, source, sides)
    others = {name: side for name, side in sides.items() if name not in same}
    return dict.fromkeys(same, Compared(same=True)) | dict(_exactly(digests, source, others))


@dataclass(frozen=True, slots=True)
class _Side:
    """A service at an earlier commit, as the environment of that commit's tree describes it, and as it is `now`."""

    commit: str
    environment: Environment
    service: Service
    now: Service

    @property
    def resolves(self) -> bool:
        """Whether base images are looked up on either side."""
        return any(each.build_context.resolve for one in (self.now, self.service) for each in closure(one))


def _named(environment: Environment | None) -> dict[str, Service]:
    return {service.name: service for service in environment.services} if environment else {}


def _sides(
    digests: Digests, now: Mapping[str, Service], commits: Mapping[str, str], assume: Environment | None
) -> Iterator[tuple[str, _Side]]:
    distinct = sorted(set(commits.values()))
    files = identify(digests.git, (f"{commit}:{FILE}" for commit in distinct))
    blobs = {commit: file.object_id for commit, file in zip(distinct, files, strict=True) if file}
    distinct = sorted(set(blobs.values()))
    texts = zip(distinct, contents(digests.git, distinct), strict=True)
    described = {blob: _described(digests, text or b"") for blob, text in texts}
    services = {blob: _named(own) for blob, own in described.items()}
    assumed = _named(assume)
    for name, commit in commits.items():
        known = commit in blobs
        own = described[blobs[commit]] if known else assume
        service = (services[blobs[commit]] if known else assumed).get(name)
        if own and service and name in now:
            yield name, _Side(commit, own, service, now[name])


def _described(digests: Digests, text: bytes) -> Environment | None:
    try:
        return read(text, digests.environment.name)
    except ConfigurationError:
        return None


def _untouched(digests: Digests, source: str, sides: Mapping[str, _Side]) -> set[str]:
    """The services described alike on both sides of which no file differs."""
    alike = {name: side for name, side in sides.items() if _alike(digests.environment, side)}
    places = [(name, path) for name, side in alike.items() for path in _places(side.service)]
    before = identify(digests.git, (f"{alike[name].commit}:{_place(path)}" for name, path in places))
    after = identify(digests.git, (f"{source}:{_place(path)}" for _, path in places))
    touched: set[str] = set()
    trees: list[tuple[str, str, str, str]] = []
    for (name, path), old, new in zip(places, before, after, strict=True):
        if old and new and old.kind == new.kind == "tree":
            trees += [(name, path, old.object_id, new.object_id)] if old != new else []
        elif old != new or _hidden(path, old):
            touched.add(name)
    for (name, path, *_), files in zip(trees, tree_changes(digests.git, [row[2:] for row in trees]), strict=True):
        if any(_counts(alike[name], path, file) for file in files):
            touched.add(name)
    return {*alike} - touched


def _places(service: Service) -> list[str]:
    """The roots of the service's inputs without those that lie in a context already, beside its chart."""
    found = set(roots(service))
    for each in closure(service):
        context = each.build_context.path
        found -= {path for path in found - {context} if below(path, context) and not below(path, each.chart_path)}
    return sorted(found)


def _hidden(path: str, found: Identified | None) -> bool:
    """Whether nothing is known of a place: a submodule looks like one that is not there, but may have moved."""
    return found is None and not path.endswith(".dockerignore")


def _alike(environment: Environment, side: _Side) -> bool:
    written = side.environment is environment or side.environment.written == environment.written
    return written and (side.now is side.service or _core(side.now) == _core(side.service))


def _core(service: Service) -> Service:
    """The service without what no content digest looks at."""
    dependencies = tuple(map(_core, service.dependencies))
    return replace(
        service, path="", values_path="", target_chart=None, ecr_repository="", application=None, timeout=0.0,
        dependencies=dependencies, build=PLAINLY,
    )  # fmt: skip


def _counts(side: _Side, root: str, file: str) -> bool:
    """Whether a changed file below `root` may be an input of the service; charts and what Argosy writes are none."""
    path = file if root == "." else f"{root}/{file}"
    if is_written(path, side.environment.written):
        return False
    for each in closure(side.service):
        context = each.build_context
        in_chart = below(path, each.chart_path) and not below(root, each.chart_path)
        if root in {*each.shared, *(folder for _, folder in context.contexts)} or (
            root == context.path and not in_chart
        ):
            return True
    return False


def _exactly(digests: Digests, source: str, sides: Mapping[str, _Side]) -> Iterator[tuple[str, Compared]]:
    at = defaultdict(list)
    for name, side in sides.items():
        at[side.commit].append(name)
    now = digests.snapshot(source)
    for commit, names in at.items():
        services = [sides[name].service for name in names]
        within = sorted({path for service in services for path in roots(service)})
        then = Snapshot(digests.git, commit, sides[names[0]].environment.written, within=within)
        then.read_ahead(services)
        for name in names:
            old, new = _inputs(then, sides[name].service), _inputs(now, sides[name].now)
            if old and new:
                yield name, _compared(old, new)


def _inputs(snapshot: Snapshot, service: Service) -> BuildInputs | None:
    try:
        return snapshot.inputs(service)
    except Terminal:
        return None


def _compared(old: BuildInputs, new: BuildInputs) -> Compared:
    same = old.digest() == new.digest()
    return Compared(same, () if same else explanation.differing(old, new))


def _place(path: str) -> str:
    return "" if path == "." else path
