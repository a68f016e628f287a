"""The mirror of a target in a repository of its own, which reads that of the source as if the two were one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from argosy.errors import ArgosyError
from argosy.git import GitError
from argosy.gitops.mirror import Discarded, Mirror, MirrorGit
from argosy.gitops.remote import Remote


class ApartMirror(Mirror):
    """The mirror of the target's `remote` under `home`; its `git` reads the commits of the mirror `source` as well.

    No object of the source's is kept in it, so that either mirror may be thrown away, or be used for other pairs.
    """

    def __init__(self, home: Path, remote: Remote, source: Mirror) -> None:
        super().__init__(home, remote)
        self.source = source
        self._joined = _JoinedGit(self.path, remote.url, source)
        self.git = self._joined

    def _create(self) -> None:
        # What is missing of the two is the source's then. Such a repository is small.
        if self._own.partial:
            if any(self.path.glob("objects/pack/*.promisor")):  # it was fetched as a source of its own
                self._own.discard()
            self._own.keep_whole()
        super()._create()

    def update(self) -> None:
        """Bring the mirror to where the remote is, as `Mirror.update` does, and the source's too where that is gone."""
        if not self._joined.stands():
            self.source.update()
            self._joined.renew()
        super().update()


class _JoinedGit(MirrorGit):
    """The git of such a mirror. What it answers counts only where the source's mirror stood all the while.

    git takes objects that it does not find for ones that are not there, and says nothing of it.
    """

    def __init__(self, directory: Path, url: str, source: Mirror) -> None:
        super().__init__(directory, url, source.bring, source.path / "objects")
        self._source = source
        self._known = _identity(source)

    @property
    def partial(self) -> bool:
        """Whether what files of the source hold may be missing."""
        return self._source.git.partial

    def ungiven(self, error: GitError) -> ArgosyError:
        """Throw both away: it may be the other repository's, which this one's remote does not have."""
        return self.damaged(error)

    def stands(self) -> bool:
        """Whether the source's mirror is the one that it was at first."""
        return self._known is not None and _identity(self._source) == self._known

    def renew(self) -> None:
        """Take the source's mirror for the one that counts, as it is now."""
        self._known = _identity(self._source)

    def objects(self, *arguments: Any, **options: Any) -> Any:
        """The bytes of each object, as `Git.objects` gives them; raises Discarded where the source's mirror is gone."""
        for found in super().objects(*arguments, **options):
            if found is None:
                self._check()
            yield found

    def failure(self, error: GitError) -> ArgosyError:
        """The same as of every mirror's git, but where the source's mirror is what is gone."""
        return super().failure(error) if self.stands() else self._lost()

    def damaged(self, error: GitError) -> ArgosyError:
        """Throw both away: git rarely says which of the two has the object."""
        if not self.stands():
            return self._lost()
        if (self.directory / "HEAD").exists():  # else another run has thrown it away, and it alone
            self._source.git.damaged(error)
        return super().damaged(error)

    def _done(self, *arguments: Any, **options: Any) -> Any:
        done = super()._done(*arguments, **options)
        self._check()
        return done

    def _check(self) -> None:
        if not self.stands():
            raise self._lost()

    def _lost(self) -> Discarded:
        return Discarded(
            f"the mirror of {self._source.remote.url} was thrown away while {self._url} was read beside it",
            remedy="run again: it is made anew; if it happens again, look at the disk of ARGOSY_HOME",
        )


def _identity(mirror: Mirror) -> tuple[int, int] | None:
    """What tells a mirror from one that was made anew in its place; its configuration is written when it is made."""
    try:
        found = (mirror.path / "config").stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def same_repository(one: str, other: str) -> bool:
    """Whether two addresses are, by all that they say, of one repository."""
    return _named(one) == _named(other)


def _named(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2].lower(), parts.path.rstrip("/").removesuffix(".git").lower()
