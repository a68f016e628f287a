"""What must be true once a run after the failure has completed, and what must not be left anywhere."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from filelock import FileLock

from argosy.git import Git
from tests import processes
from tests.deployments.waiting import soon
from tests.e2e.canaries import Canaries
from tests.e2e.store import SERVICES, Store

_LARGEST = 1 << 20
"""Files that somebody writes a secret into are smaller, in bytes."""
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # it is looked into, and never written to
# The layers and blobs are the affair of tests/e2e/test_secrets.py: they take long to read.
_LARGE = {"engine", "registry"}


def drafted_upon(store: Store, run: str) -> set[str]:
    """The heads that the run made its release upon: the commits that lost the race are in its mirror alone."""
    git = Git(_mirror(store))
    objects = git.text("cat-file", "--batch-all-objects", "--batch-check").splitlines()
    commits = [line.split()[0] for line in objects if line.split()[1] == "commit"]
    texts = (git.text("cat-file", "commit", each) for each in commits)
    return {text.partition("\nparent ")[2][:40] for text in texts if f"Argosy-Run: {run}" in text}


def _mirror(store: Store) -> Path:
    [mirror] = (store.stack.state / "cache").glob("mirrors/*.git")
    return mirror


def assert_sound(store: Store, source: str, releases: int = 1) -> None:
    """See that all is released and healthy, by `releases` commits on `source`, and that nothing lies about."""
    assert store.plan().nothing_to_do
    assert len(store.since(source)) == releases
    assert not store.origin.text("rev-list", "--merges", f"{source}..{store.head}")
    assert {name for name, reference in store.references().items() if store.digest(name, reference.tag)} == {*SERVICES}
    assert {ref.split()[0].split("/")[1] for ref in store.refs.splitlines()} == {"heads", "notes"}
    mirror = _mirror(store)
    assert not [*mirror.glob("*.lock"), *mirror.glob("refs/**/*.lock"), *mirror.glob("worktrees")]
    with FileLock(f"{mirror}.lock", timeout=1):
        pass


def assert_nothing_left(store: Store) -> None:
    """See that no run has left a process, a container or a secret anywhere on this machine."""
    soon(lambda: of_a_run(store), [])
    assert containers(store) == []
    # A process that ends loses its environment, by which it is known for a run's, before its open files.
    soon(lambda: sorted(secrets_left(store)), [])


def of_a_run(store: Store) -> list[psutil.Process]:
    """Every process of a run of the stack's, whoever started it."""
    return [process for process in psutil.process_iter() if _started_for_a_run(process, store)]


def _started_for_a_run(process: psutil.Process, store: Store) -> bool:
    try:
        environment = process.environ()
    except psutil.Error:
        return False
    return "PREFECT__FLOW_RUN_ID" in environment and environment.get("PREFECT_API_URL") == store.stack.prefect.api_url


def containers(store: Store) -> list[str]:
    """Every container that the engine knows, running or not; the user's own engine may have others."""
    if not store.stack.engine.private:
        return []
    command = [str(store.stack.engine.client), "ps", "--all", "--quiet"]
    done = subprocess.run(command, env=store.stack.engine.environment(), check=True, capture_output=True, text=True)
    return done.stdout.split()


def secrets_left(store: Store) -> Iterator[tuple[str, str]]:
    """Each secret of the stack's runs that lies in a file, on disk or in memory, and where."""
    secrets = {"signing key": store.stack.signing_key.private, "registry": store.stack.registry.password}
    canaries = Canaries({**secrets, **store.stack.passwords})
    for file in (*_files(store.stack.state), *_files(_SHARED_MEMORY), *_temporary(), *_memory(store)):
        with suppress(OSError):  # it went meanwhile
            yield from ((name, str(file)) for name in canaries.of(processes.content(file)))


def _files(folder: Path) -> Iterator[Path]:
    """The files below `folder`, without those that are too large."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _LARGE]
        for file in (Path(place) / name for name in names):
            with suppress(OSError):
                if file.is_file() and file.stat().st_size <= _LARGEST:
                    yield file


def _temporary() -> Iterator[Path]:
    """The files that somebody has made for a while, without those of other tests."""
    for entry in Path(tempfile.gettempdir()).iterdir():
        if entry.name.startswith(("argosy", "docker", "tmp", "buildx", "git")):
            yield from _files(entry) if entry.is_dir() else [entry]


def _memory(store: Store) -> Iterator[Path]:
    """The secrets that a process holds in memory, but for the stand-in of Argo CD, which asks git all the time."""
    theirs = store.stack.argocd._process.pid  # it leads a session of its own
    for link, target in processes.opened():
        with suppress(OSError):
            if target.startswith("/memfd:argosy-secret") and os.getsid(int(link.parts[2])) != theirs:
                yield link
