"""Git repositories to measure change detection on: one like the example, and one of a thousand services."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from argosy.git import Git
from deployments.local.seed import EXAMPLE

SERVICES, FILES = 1000, 50
_DEVELOPER = ("-c", "user.name=Dev", "-c", "user.email=dev@example.com", "-c", "commit.gpgSign=false")
_CONFIGURATION = """\
version: 1
registry: {type: oci, endpoint: "registry.example:5000", repository: "shop-{service}"}
environments: {prod: {source: {branch: main}, target: {branch: main}}}
services:
"""


def example(folder: Path, commits: int = 50) -> Git:
    """The example with a history of `commits`, each of which changes a file of one service and another beside them."""
    shutil.copytree(EXAMPLE, folder, symlinks=True)
    git = Git(folder)
    git.run("init", "--quiet", "--initial-branch=main")
    readmes = sorted(folder.glob("src/*/README.md"))
    for number in range(commits):
        with readmes[number % len(readmes)].open("a") as end:
            end.write(f"{number}\n")
        (folder / "NOTES").write_text(f"{number}\n")
        git.run("add", "--all")
        git.run(*_DEVELOPER, "commit", "--quiet", "--message", f"Commit {number}")
    return git


def large(folder: Path, services: int = SERVICES, files: int = FILES) -> Git:
    """A repository of so many services with so many files each, all of which its second commit changes."""
    folder.mkdir()
    git = Git(folder)
    git.run("init", "--quiet", "--initial-branch=main")
    git.run("fast-import", "--quiet", data="".join(_stream(names(services), files)).encode(), timeout=600)
    return git


def names(services: int = SERVICES) -> tuple[str, ...]:
    """The names of its services."""
    return tuple(f"service-{number:04}" for number in range(services))


def _stream(services: Sequence[str], files: int) -> Iterator[str]:
    configuration = _CONFIGURATION + "".join(f"  {name}: {{}}\n" for name in services)
    for commit in ("one", "two"):
        yield f"commit refs/heads/main\ncommitter Dev <dev@example.com> 0 +0000\ndata {len(commit)}\n{commit}\n"
        yield f"M 100644 inline argosy.yaml\ndata {len(configuration)}\n{configuration}\n"
        for name in services:
            for number in range(files):
                content = f"{name} {number} {commit}"
                yield f"M 100644 inline src/{name}/lib/file-{number:02}.txt\ndata {len(content)}\n{content}\n"
