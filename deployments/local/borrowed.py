"""A repository of the user's, borrowed for a stack: copied and checked before anything starts, and never written to."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from argosy.config import FILE
from argosy.errors import ConfigurationError, WrongUse
from argosy.git import environment
from argosy.settings.text import problems, read

# git refuses to read what another user owns, as root does for a user. This clone is the way that is safe all the same:
# it takes objects through upload-pack, which runs nothing that a repository's configuration names. The setting is a
# file, as git keeps variables of its own from upload-pack; it holds for this one command.
_TRUSTING = "[safe]\n\tdirectory = *\n"


@contextmanager
def borrowed(source: Path, release_to: str | None = None) -> Iterator[Path]:
    """A copy of `source`, gone after the `with`: of a git repository what is committed, of a folder every file.

    Raises WrongUse where there is no such folder, ConfigurationError where it cannot be read, and with the first thing
    that is wrong with its `argosy.yaml` or where that has no environment `release_to`.
    """
    if not source.is_dir():
        raise WrongUse(f"{source} is no folder", remedy="give the path of a repository with an argosy.yaml")
    with tempfile.TemporaryDirectory(prefix="argosy-borrowed-") as folder:
        copy = Path(folder) / "repository"
        if _is_repository(source):
            _clone(source, copy)
        else:
            _copy(source, copy)
        _check(source, copy, release_to)
        yield copy


def _is_repository(source: Path) -> bool:
    return (source / ".git").exists() or ((source / "HEAD").is_file() and (source / "objects").is_dir())


def _clone(source: Path, target: Path) -> None:
    with tempfile.NamedTemporaryFile("w", prefix="argosy-", suffix=".gitconfig") as trusting:
        trusting.write(_TRUSTING)
        trusting.flush()
        command = ["git", "clone", "--quiet", "--depth=1", source.resolve().as_uri(), str(target)]
        env = environment({"GIT_CONFIG_GLOBAL": trusting.name})
        done = subprocess.run(command, capture_output=True, env=env, check=False, timeout=600)
    if done.returncode or not any(entry.name != ".git" for entry in target.iterdir()):
        said = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise ConfigurationError(
            f"{source} cannot be cloned: {said or 'nothing is committed'}",
            remedy=f"commit something, and see whether it is whole: git -C {source} fsck",
        )
    shutil.rmtree(target / ".git")


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copytree(source, target, symlinks=True)
    except OSError as error:
        # Of several files shutil tells all at once, each with both of its paths.
        first = error.args[0][0][2] if isinstance(error, shutil.Error) else error
        raise ConfigurationError(f"{source} cannot be copied: {first}", remedy="let this user read it") from error


def _check(source: Path, copy: Path, release_to: str | None) -> None:
    if not (copy / FILE).is_file() or (copy / FILE).is_symlink():  # what the copy is written into must not lie outside
        lies = (source / FILE).is_file() and not (copy / FILE).is_symlink()
        raise ConfigurationError(
            f"{source} has {'not committed its' if lies else 'no file'} {FILE}",
            remedy="commit it" if lies else "write one; docs/configuration.md says how",
        )
    text, name = (copy / FILE).read_bytes(), str(source / FILE)
    if found := problems(text, name):
        others = f" ({len(found) - 1} more: argosy config check --repo {source})" if found[1:] else ""
        raise ConfigurationError(found[0].message, remedy=f"{found[0].remedy}{others}") from found[0]
    if release_to is not None and read(text, release_to, name).target_repository:
        raise ConfigurationError(
            f"the charts of {release_to} lie in a repository of their own, and the demo takes one repository",
            remedy="name an environment whose charts lie in it, or leave target.repository out in a copy of it",
        )
