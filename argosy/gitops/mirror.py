"""A bare mirror of a remote repository: the cache that all runs share, brought up to date under a lock."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from argosy.disk import writing
from argosy.errors import ArgosyError, Terminal, Transient
from argosy.git import Git, GitError
from argosy.gitops.mirror_git import Discarded, MirrorGit
from argosy.gitops.packs import SCRATCH, join
from argosy.gitops.patience import Pace
from argosy.gitops.remote import Remote
from argosy.gitops.transfer_errors import REDIRECTED, UNFILTERED, Locked, PushRejected, explain

__all__ = ["Discarded", "Mirror", "MirrorGit", "PushRejected"]

_HEADS, _NOTES = "refs/heads/", "refs/notes/argosy/"
_NOTHING = "0" * 40
_NO_BRANCH = "refs/argosy/no-default-branch"
_REFS = (f"{_HEADS}*", f"{_NOTES}*")
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance")
_PROMISOR = {"promisor": "true", "partialclonefilter": "blob:none"}
"""What git must know of a remote to be content without what files hold. Given to fetches alone, and so never in the
mirror's configuration, it lets no other command fetch by itself."""
_NO_HAVES = ("-c", "fetch.negotiationAlgorithm=noop")
"""The commits that are here are no answer to a question for files, and telling of them takes time."""
_LOCK_SECONDS = 300.0
_TURN_SECONDS, _TURN_POLL_SECONDS = 60.0, 0.05
_TRANSFER_SECONDS = 600.0
_IMPATIENT = {"GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "60"}
"""A server that works says so every few seconds, as git's protocol has it: one silent for a minute never answers."""
_NOT_BY_ITSELF = {"GIT_NO_LAZY_FETCH": "1"}
"""A transfer that misses an object has met damage, which another transfer within it would hide."""
_STALE_SECONDS = 10.0
"""How old a lock file of git's is before it is taken for a dead process's: git holds one for milliseconds."""


class Mirror:
    """The mirror of `remote` under `home`; `git` reads it. It is a cache: deleting it loses nothing.

    It has every commit and tree, and what files hold where somebody wanted it; of a remote that gives no less than
    everything, or no single file, it has all.
    """

    def __init__(self, home: Path, remote: Remote) -> None:
        self.remote = remote
        name = hashlib.sha256(remote.url.encode()).hexdigest()[:24]
        self.path = home / "mirrors" / f"{name}.git"
        self._own = MirrorGit(self.path, remote.url, self.bring)
        """What keeps the mirror: it knows no objects but the mirror's, so that a fetch brings all of them."""
        self.git: Git = self._own
        self._redirected = False

    def update(self) -> None:
        """Bring the mirror's branches and notes to where the remote's are; one request where they are there already.

        Raises Transient when the remote cannot be reached, Terminal when it refuses.
        """
        try:
            with writing(self.path.parent), self._locked():
                try:
                    self._refresh()
                except Discarded:
                    self._refresh()
        except Timeout as error:
            raise Transient(
                f"the mirror of {self.remote.url} stayed locked for {_LOCK_SECONDS:.0f} s",
                remedy="see which other run is fetching it, and run again",
            ) from error

    def follow(self, *refs: str) -> None:
        """Bring these refs alone to where the remote's are, without asking first whether they are: one has moved.

        Raises as `update` does, which sees to it where one of them is gone.
        """
        try:
            with writing(self.path.parent), self._locked():
                self._fetch(dict.fromkeys(refs))
        except (Terminal, Locked, Discarded, Timeout):
            self.update()

    @contextmanager
    def turn(self, ref: str, pace: Pace) -> Iterator[None]:
        """Whose turn it is to write to `ref`, of the runs of this machine; nobody waits longer than a minute for it.

        Others write there as well, so that a swap must be compared all the same.
        """
        name = hashlib.sha256(ref.encode()).hexdigest()[:8]
        lock, latest = FileLock(f"{self.path}.{name}.turn"), pace.clock() + _TURN_SECONDS
        with writing(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            while not _taken(lock) and pace.clock() < latest:
                pace.sleep(_TURN_POLL_SECONDS)
        try:
            yield
        finally:
            lock.release()

    def _locked(self) -> AbstractContextManager[object]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return FileLock(f"{self.path}.lock", timeout=_LOCK_SECONDS)

    def _refresh(self) -> None:
        self._create()
        head, refs = self._advertised()
        if refs != self._held():
            self._fetch_all()
            join(self._own)
        if head != self._head():
            self._own.run("symbolic-ref", "HEAD", head)

    def has(self, name: str) -> bool:
        """Whether there was a branch of that name at the last update."""
        return self._own.ref(f"{_HEADS}{name}") is not None

    def branch(self, name: str) -> str:
        """The tip of a branch, as of the last update. Raises Terminal where the remote has no such branch."""
        tip = self.git.ref(f"refs/heads/{name}")
        if tip is None:
            raise Terminal(f"{self.remote.url} has no branch {name}", remedy="push it, or correct argosy.yaml")
        return tip

    def default_branch(self) -> str:
        """The branch that the remote's HEAD points at, as of the last update. Raises Terminal where there is none."""
        name = self._head().removeprefix(_HEADS)
        if name == _NO_BRANCH:
            raise Terminal(f"{self.remote.url} has no default branch", remedy="set one, or name the source commit")
        return name

    def _head(self) -> str:
        return (self.path / "HEAD").read_text().strip().removeprefix("ref: ")

    def push(self, commit: str, ref: str, expected: str | None) -> None:
        """Point the remote's `ref` at `commit`, a descendant of `expected`, if it still points there: compare and swap.

        `expected` is None for a ref that is not there yet. A ref that was deleted or set back meanwhile has moved too.

        Raises PushRejected when somebody else was first, Terminal when the remote refuses, Transient when it is down.
        """
        lease = f"--force-with-lease={ref}:{expected or ''}"
        self._transfer("push", "--no-verify", lease, self.remote.url, f"{commit}:{ref}", git=self.git)
        if self.git is self._own and ref.startswith((_HEADS, _NOTES)):
            # Else the next update would fetch what is here: git then looks at all that is, to see what is missing.
            # Somebody else's update may be faster, and then is right.
            with suppress(ArgosyError):
                self._own.run("update-ref", ref, commit, expected or _NOTHING)

    def bring(self, blobs: Sequence[str]) -> None:
        """Bring to hand what the files with these ids hold, which a tree of the remote's names, in one request.

        No lock is taken, so that nobody waits for another's fetch: no ref is moved, and git writes a pack whole or not
        at all. Two that ask for the same have it twice for a while. Raises as `update` does.
        """
        ids = "".join(f"{each}\n" for each in blobs).encode()
        with writing(self.path.parent):
            self._transfer(*_NO_HAVES, *self._from_remote("--stdin"), data=ids)

    def _create(self) -> None:
        if (self.path / "HEAD").exists():
            return
        unfinished = self.path.with_suffix(".unfinished")
        for leftover in (self.path, unfinished):
            shutil.rmtree(leftover, ignore_errors=True)
        # Imported late: it costs a third of a second, and the mirror is mostly there.
        from git import Repo

        # Not Repo.init: it takes templates from the user, and GIT_DIR from a hook that started Argosy.
        Git(self.path.parent).run("init", "--quiet", "--bare", "--template=", str(unfinished))
        with Repo(unfinished) as repository, repository.config_writer() as settings:
            settings.set_value("gc", "auto", 0)
            settings.set_value("core", "logAllRefUpdates", "false")
        unfinished.rename(self.path)

    def _advertised(self) -> tuple[str, dict[str, str]]:
        """What the remote's HEAD points at, and where its branches and notes are, in one request."""
        said = self._transfer("ls-remote", "--quiet", "--symref", self.remote.url, "HEAD", *_REFS)
        listing = said.stdout.decode(errors="replace")
        rows = [(name, value) for value, _, name in (row.partition("\t") for row in listing.splitlines())]
        heads = (value.removeprefix("ref: ") for name, value in rows if name == "HEAD" and value.startswith("ref: "))
        # A pattern of git's also fits the end of other refs.
        ours = {name: value for name, value in rows if name.startswith((_HEADS, _NOTES))}
        return next(heads, _NO_BRANCH), ours

    def _held(self) -> dict[str, str]:
        # The type makes git look at the object itself: a ref to one that is lost is found here.
        fields = "--format=%(refname)%09%(objectname)%09%(objecttype)"
        listing = self._own.text("for-each-ref", fields, _HEADS, _NOTES)
        rows = (row.split("\t") for row in listing.splitlines())
        return {name: sha for name, sha, _kind in rows}

    def _fetch_all(self) -> None:
        abandoned = ("objects/pack/tmp_*", f"objects/pack/{SCRATCH}*/*", "fast_import_crash_*")
        leftovers = [file for pattern in abandoned for file in self.path.glob(pattern)]
        _remove(leftovers, older=2 * _TRANSFER_SECONDS)
        try:
            self._fetch(_REFS, "--prune")
        except Locked:
            # A fetch that was killed leaves its locks; we hold the one that every other fetch waits for.
            if not _remove([*self.path.glob("*.lock"), *self.path.glob("refs/**/*.lock")], older=_STALE_SECONDS):
                raise
            self._fetch(_REFS, "--prune")

    def _fetch(self, refs: Iterable[str], *options: str) -> None:
        said = self._transfer(*self._from_remote(*options), *(f"+{ref}:{ref}" for ref in refs)).stderr
        if UNFILTERED.search(said.decode(errors="replace")):
            self._own.keep_whole()

    def _from_remote(self, *options: str) -> tuple[str, ...]:
        """A fetch from the remote, without what files hold unless this mirror is whole."""
        if not self._own.partial:
            return (*_FETCH, *options, self.remote.url)
        # By a name: git reads a setting's name to the first "=", and an address may have one.
        settings = {**_PROMISOR, "url": self.remote.url}
        given = (part for key, value in settings.items() for part in ("-c", f"remote.argosy.{key}={value}"))
        return (*given, *_FETCH, *options, "argosy")

    def _transfer(
        self, *arguments: str, git: Git | None = None, data: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        asked = git or self._own
        try:
            try:
                return self._transferred(asked, *arguments, data=data)
            except GitError as error:
                if self._redirected or not REDIRECTED.search(error.stderr):
                    raise
                self._redirected = True
                return self._transferred(asked, *arguments, data=data)
        except GitError as error:
            raise explain(error, self.remote.url) from error

    def _transferred(self, git: Git, *arguments: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
        # With the login at once a transfer has one request and two programs less; but then git follows no redirection.
        with self.remote.access() if self._redirected else self.remote.access_at_once() as extra:
            how = extra | _IMPATIENT | _NOT_BY_ITSELF
            return git.said(*arguments, data=data, extra=how, timeout=_TRANSFER_SECONDS, guarded=True)


def _taken(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _remove(files: Iterable[Path], *, older: float) -> bool:
    """Remove the `files` that are older than so many seconds, and say whether there were any."""
    stale = [file for file in files if file.is_file() and file.stat().st_mtime < time.time() - older]
    for file in stale:
        file.unlink(missing_ok=True)
    return bool(stale)
