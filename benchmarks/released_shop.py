"""A repository of a thousand services, each released at a commit of its own, some of them changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from argosy.git import Git
from argosy.inputs.digests import Digests, environment_at
from benchmarks import monorepos

CHANGED = 10
_PARENT = "# the parent goes here\n"  # to git a comment
_CONFIGURATION = """\
version: 1
registry: {type: oci, endpoint: "registry.example:5000", repository: "shop-{service}"}
environments: {prod: {source: {branch: main}, target: {branch: main}}}
services:
"""
_VALUES = """\
# How the service runs; a release writes the image's repository and tag, and nothing else.
replicaCount: 1
image:
  repository: {repository}
  pullPolicy: IfNotPresent
  tag: "{tag}"
service:
  type: ClusterIP
  port: 80
resources:
  limits: {memory: 256Mi}
  requests: {cpu: 100m, memory: 256Mi}
autoscaling:
  enabled: false
  minReplicas: 1
  maxReplicas: 10
nodeSelector: {}
tolerations: []
"""


def make(
    folder: Path,
    services: int = monorepos.SERVICES,
    files: int = monorepos.FILES,
    changed: int = CHANGED,
) -> Git:
    """Every service opened, edited in a commit of its own, and released from it; the first few edited again."""
    folder.mkdir()
    git = Git(folder)
    git.run("init", "--quiet", "--initial-branch=main")
    names = monorepos.names(services)
    _import(git, _opened(names, files))
    sources = git.text("rev-list", "--reverse", "main").split()[1:]
    _import(git, _released(git, dict(zip(names, sources, strict=True))))
    _import(git, (_commit("Edit again", {f"src/{name}/file-00.txt": "again\n"}) for name in names[:changed]))
    return git


def _import(git: Git, commits: Iterator[str]) -> None:
    tip = git.ref("refs/heads/main")
    first = next(commits)
    stream = [first.replace(_PARENT, f"from {tip}\n", 1) if tip else first, *commits]
    git.run("fast-import", "--quiet", data="".join(stream).encode(), timeout=600)


def _opened(names: Sequence[str], files: int) -> Iterator[str]:
    content = {"argosy.yaml": _CONFIGURATION + "".join(f"  {name}: {{}}\n" for name in names)}
    for name in names:
        content[f"src/{name}/Dockerfile"] = "FROM busybox:1.36\nCOPY . /app\n"
        content[f"src/{name}/chart/values.yaml"] = _values(f"public.example/{name}", "1.0")
        content |= {f"src/{name}/file-{number:02}.txt": f"{name} {number}\n" for number in range(files - 2)}
    yield _commit("Open", content)
    for name in names:
        yield _commit("Edit", {f"src/{name}/file-00.txt": f"{name} edited\n"})


def _released(git: Git, sources: Mapping[str, str]) -> Iterator[str]:
    tip = git.text("rev-parse", "main")
    digests = Digests(git, environment_at(git, tip, "prod")).desired(tip)
    for name, sha in sources.items():
        message = (
            f"Release {name} to prod [skip ci]\n\nArgosy-Environment: prod\nArgosy-Source: {sha}\n"
            f"Argosy-Service: {name} {sha} {digests[name].hex} sha256:{'a' * 64} {digests[name].recipe}\n"
            "Argosy-Run: benchmark\n"
        )
        yield _commit(message, {f"src/{name}/chart/values.yaml": _values(f"registry.example:5000/shop-{name}", sha)})


def _values(repository: str, tag: str) -> str:
    return _VALUES.replace("{repository}", repository).replace("{tag}", tag)


def _commit(message: str, files: Mapping[str, str]) -> str:
    """A commit for git fast-import, on the one before it."""
    head = f"commit refs/heads/main\ncommitter Dev <dev@example.com> 0 +0000\n{_data(message)}{_PARENT}"
    return head + "".join(f"M 100644 inline {path}\n{_data(content)}" for path, content in files.items())


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"
