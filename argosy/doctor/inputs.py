"""What `argosy.yaml` points at: the Dockerfile, context, chart and values file of every service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from argosy import charts
from argosy.doctor.findings import Finding, Level, of_error
from argosy.environment import Environment
from argosy.errors import ArgosyError
from argosy.git import LINK, Git
from argosy.models import Service

_COMMIT = "commit it: a release reads commits alone"


@dataclass(frozen=True, slots=True)
class Checkout:
    """The files of the repository at `root`: `modes` has each that git tracks, `folders` every folder of those."""

    git: Git
    root: Path
    branch: str
    modes: dict[str, str]
    folders: frozenset[str]

    @classmethod
    def read(cls, root: Path) -> Checkout:
        """The checkout in the folder `root`. Raises GitError where it is none."""
        git = Git(root)
        rows = git.run("ls-files", "--stage", "-z").decode(errors="surrogateescape").split("\0")
        modes = {path: row.partition(" ")[0] for row, _, path in (each.partition("\t") for each in rows if each)}
        folders = {str(parent) for path in modes for parent in PurePosixPath(path).parents}
        return cls(git, root, git.text("branch", "--show-current"), modes, frozenset(folders))

    def link(self, path: str) -> str | None:
        """The part of `path` that is a symbolic link, where one is: git follows none."""
        parts = [str(parent) for parent in PurePosixPath(path).parents][::-1]
        return next((part for part in (*parts, path) if self.modes.get(part) == LINK), None)

    def leads_out(self, path: str) -> bool:
        """Whether `path`, its links followed, is outside the repository."""
        return not (self.root / path).resolve().is_relative_to(self.root.resolve())

    def at(self, branch: str, path: str) -> bytes | None:
        """The bytes of a file on `branch`: as they lie here where it is checked out, else those of its tip."""
        tip = next(filter(None, map(self.git.ref, (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}"))), None)
        if branch != self.branch and tip:
            return self.git.file(tip, path)
        file = self.root / path
        return file.read_bytes() if path in self.modes and file.is_file() else None


def check(checkout: Checkout, environments: tuple[Environment, ...]) -> tuple[Finding, ...]:
    """What is wrong with the files of every service in `environments`; one line of praise where nothing is."""
    found: dict[Finding, None] = {}
    for environment in environments:
        for service in environment.services:
            found |= dict.fromkeys(_service(checkout, environment, service))
    paths = f"{len(environments[0].services)} services" if environments else "no services"
    return tuple(found) or (Finding(Level.GOOD, "services", paths, "each has its Dockerfile, chart and values file"),)


def _service(checkout: Checkout, environment: Environment, service: Service) -> Iterator[Finding]:
    yield from _file(checkout, service, "Dockerfile", service.dockerfile_path)
    yield from _folder(checkout, service, "build context", service.build_context.path)
    if service.build_context.path != ".":
        yield from _links(checkout, service)
    yield from _file(checkout, service, "chart", f"{service.chart_path}/Chart.yaml")
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


def _links(checkout: Checkout, service: Service) -> Iterator[Finding]:
    """The links in a build context that lead out of the repository: nothing is behind them in a build."""
    below = f"{service.build_context.path}/"
    for path, mode in checkout.modes.items():
        if mode == LINK and path.startswith(below) and checkout.leads_out(path):
            why = f"{service.name}: a symbolic link out of the repository, which leads nowhere in a build"
            yield Finding(Level.WRONG, "build context", path, why, "commit the file itself, or leave the link out")


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
        charts.read_reference(text, path)
    except ArgosyError as error:
        yield of_error(what, path, error)


def _linked(checkout: Checkout, service: Service, what: str, link: str) -> Finding:
    where = "leads out of the repository" if checkout.leads_out(link) else "is a symbolic link"
    why = f"{service.name}: {link} {where}, and a release follows no link"
    return Finding(Level.WRONG, what, link, why, "commit the file or folder itself, or name it in argosy.yaml")
