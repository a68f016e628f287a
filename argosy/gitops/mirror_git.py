"""The git of a mirror: it brings what files hold from the remote when somebody wants it, and throws the mirror away."""

from __future__ import annotations

import re
import shutil
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from argosy.batches import absent
from argosy.errors import ArgosyError, Transient
from argosy.git import Git, GitError
from argosy.gitops.transfer_errors import DAMAGED_THERE, FULL, UNGIVEN, explain

_LOOSE = re.compile(r"[0-9a-f]{40}\n")


class Discarded(Transient):
    """The mirror was damaged, or another run found it so: it is gone, and the next update makes it anew."""


class MirrorGit(Git):
    """The git of a mirror, which is thrown away when an object of it is found damaged: it is a cache.

    `fetch` brings the contents of files, by their ids, from the remote at `url`. git itself is never told that it
    could: it would ask for one after the other, in a request each and with no login.
    """

    def __init__(
        self, directory: Path, url: str, fetch: Callable[[Sequence[str]], None], beside: Path | None = None
    ) -> None:
        super().__init__(directory, beside)
        self._url, self._fetch = url, fetch
        # Not in the mirror, which may be thrown away: the one that comes after it is to be whole.
        self._whole = directory.with_suffix(".whole")

    @property
    def partial(self) -> bool:
        """Whether what files hold may be missing here, to be brought from the remote."""
        return not self._whole.exists()

    def keep_whole(self) -> None:
        """Let this mirror, and those that come after it, have all that the remote has."""
        self._whole.touch()

    def bring(self, names: Iterable[str]) -> bool:
        """Bring to hand what these files hold, in one request; whether anything of it was missing.

        Raises Discarded where the remote does not give it: then the next mirror is a whole one. Raises Transient when
        the remote cannot be reached, Terminal when it refuses.
        """
        wanted = absent(self, names) if self.partial else []
        if wanted:
            try:
                self._fetch(wanted)
            except ArgosyError as error:
                if isinstance(error.__cause__, GitError) and UNGIVEN.search(error.__cause__.stderr):
                    raise self.ungiven(error.__cause__) from error
                raise
        return bool(wanted)

    def ungiven(self, error: GitError) -> ArgosyError:
        """What to raise where the remote does not give what a file holds: it lost that, or gives no single ones."""
        self.keep_whole()
        self.discard()
        return Discarded(
            f"{self._url} did not give what a file holds, and its mirror is thrown away: {error.message}",
            remedy="run again: the next mirror has every file from the start",
        )

    def objects(
        self, names: Iterable[str], kind: Literal["blob", "tree"] = "blob"
    ) -> Generator[bytes | None, None, None]:
        """The bytes of each object, as of any repository; of files what is missing is brought, all of it at once.

        Names of files are all taken at once.
        """
        if kind == "tree":
            yield from super().objects(names, kind)
            return
        waiting, complete = deque(names), False
        for found in super().objects(_first_of(waiting)):
            if found is None and not complete:
                complete = True
                if self.bring(waiting):
                    continue  # the same is asked for again
            waiting.popleft()
            yield found

    def ref(self, name: str) -> str | None:
        """The same as of any repository, without a process where git has it in a file of its own, as after a fetch."""
        with suppress(OSError, ValueError):  # packed, not there, or no name of a file
            found = (self.directory / name).read_text()
            if _LOOSE.fullmatch(found):
                return found.strip()
        return super().ref(name)

    def damaged(self, error: GitError) -> ArgosyError:
        """Throw the mirror away, and say so."""
        self.discard()
        return Discarded(
            f"the mirror of {self._url} was damaged, and is thrown away: {error.message}",
            remedy="run again: it is made anew; if it happens again, look at the disk of ARGOSY_HOME",
        )

    def discard(self) -> None:
        """Throw the mirror away."""
        # Renamed first: no other run reads half a mirror. What one that reads just now says is no error of its own.
        doomed = self.directory.with_suffix(f".{uuid.uuid4().hex}.damaged")
        with suppress(FileNotFoundError):
            self.directory.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    def failure(self, error: GitError) -> ArgosyError:
        """The same where another run threw it away while it was read; damage of the remote itself is none here."""
        if FULL.search(error.stderr):
            return explain(error, self._url)
        if DAMAGED_THERE.search(error.stderr):
            return error
        gone = not (self.directory / "HEAD").exists()
        return self.damaged(error) if gone else super().failure(error)


def _first_of(waiting: deque[str]) -> Iterator[str]:
    while waiting:
        yield waiting[0]
