"""The git plumbing that all others use: objects, trees and history of one repository, each a typed result.

Every command runs with a configuration of its own: neither the user's nor the system's is read, and nothing asks
at a terminal.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from argosy.errors import ArgosyError, Terminal, Transient
from argosy.processes.groups import process_group, send

_PROXY = ("http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY")
_PASSED_ON = ("PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", *_PROXY)
_QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_EARLY = "it ended early; the repository may be damaged"
# git's own words about its own objects: those of the other side of a transfer begin with `remote:`.
_DAMAGE = re.compile(
    r"^(error|fatal): .*(inflate: |corrupt|object file .* is empty|unable to unpack|bad (tree )?object|"
    r"(hash|sha1) mismatch|not a tree object|unable to read (tree|sha1 file|[0-9a-f]{40})|could not read object|"
    r"could not parse (object|commit)|packfile .* (cannot|is|index)|missing (blob|tree|commit|object)|"
    r"unable to stream [0-9a-f]{40}|revision walk setup failed|did not send all necessary objects|"
    r"could not fetch [0-9a-f]{40} from promisor remote)",
    re.MULTILINE,
)
REGULAR, EXECUTABLE, LINK, SUBMODULE = "100644", "100755", "120000", "160000"


class TreeEntry(NamedTuple):  # no dataclass: a tree has so many of them that making one is what listing costs
    """A file of a tree: `mode` as git writes it (`100644`), the object's id, and its path from the root."""

    mode: str
    object_id: str
    path: str


_SOUND = (
    "see what git fsck says of the repository; a mirror under ARGOSY_HOME may be deleted, the next run makes it anew"
)
_REMEDIES = {
    "dubious ownership": "run as the user that owns the repository's folder, or give the folder to this user",
    "No space left on device": "make room on the disk of ARGOSY_HOME",
}


class GitError(Terminal):
    """A git command failed for a reason of its own; `stderr` is what it said."""

    stderr: str = ""


def failed(command: str, stderr: str) -> GitError:
    """A GitError for `command` (its first word, never its arguments) that said `stderr`."""
    remedy = next((words for sign, words in _REMEDIES.items() if sign in stderr), _SOUND)
    from argosy.redact import redact  # late: nobody else waits for what it loads

    # git's own advice there is a configuration file that no git process of ours reads.
    stderr = redact(stderr)
    said = stderr.partition("To add an exception")[0].strip()
    error = GitError(f"git {command} failed: {said or 'it said nothing'}", remedy=remedy)
    error.stderr = stderr
    return error


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a git process: only what it needs of ours, and `extra`."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _QUIET | dict(extra or {})


class Git:
    """The repository at `directory`: a work tree, or a bare one.

    The objects of `beside`, the folder of another's objects, are read as if they were its own.
    """

    def __init__(self, directory: Path, beside: Path | None = None) -> None:
        self.directory = directory
        self._beside = {} if beside is None else {"GIT_ALTERNATE_OBJECT_DIRECTORIES": _listed(beside)}

    def failure(self, error: GitError) -> ArgosyError:
        """What to raise for an `error` of git's."""
        return self.damaged(error) if _DAMAGE.search(error.stderr) else error

    def damaged(self, error: GitError) -> ArgosyError:
        """What to raise for an `error` that says that an object is damaged or lost; a mirror can do something."""
        return error

    def run(
        self,
        *arguments: str,
        data: bytes | None = None,
        extra: Mapping[str, str] | None = None,
        timeout: float = 120.0,
        guarded: bool = False,
    ) -> bytes:
        """What `git ARGUMENTS` writes; `extra` is added to its environment.

        `guarded` is for what may take long, such as a transfer: then nothing of it outlives this process, and it ends
        with Cancelled where the run's work is to end. Raises GitError when git refuses, Transient when it takes longer
        than `timeout` seconds.
        """
        return self.said(*arguments, data=data, extra=extra, timeout=timeout, guarded=guarded).stdout

    def said(
        self,
        *arguments: str,
        data: bytes | None = None,
        extra: Mapping[str, str] | None = None,
        timeout: float = 120.0,
        guarded: bool = False,
    ) -> subprocess.CompletedProcess[bytes]:
        """The same, with what git wrote to its standard error, such as warnings; raises as `run` does."""
        if not guarded:
            return self._done(arguments, (0,), data or b"", extra, timeout)
        with process_group() as group:
            return self._done(arguments, (0,), data or b"", extra, timeout, group)

    def text(self, *arguments: str, data: bytes | None = None, extra: Mapping[str, str] | None = None) -> str:
        """The same, decoded, without the newline at its end."""
        return self.run(*arguments, data=data, extra=extra).decode(errors="surrogateescape").rstrip("\n")

    def ok(self, *arguments: str, extra: Mapping[str, str] | None = None) -> bool:
        """Whether git answers yes (0) rather than no (1); anything else is a GitError."""
        return self._done(arguments, (0, 1), extra=extra).returncode == 0

    def _done(
        self,
        arguments: tuple[str, ...],
        good: tuple[int, ...],
        data: bytes = b"",
        extra: Mapping[str, str] | None = None,
        timeout: float = 120.0,
        group: int | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        # A session or a group of its own: the programs that git starts end with it, also when it takes too long.
        process = subprocess.Popen(
            ["git", "-C", str(self.directory), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self._environment(extra), start_new_session=group is None, process_group=group,
        )  # fmt: skip
        with process:
            try:
                output, errors = process.communicate(data, timeout=timeout)
            except subprocess.TimeoutExpired as error:
                raise Transient(
                    f"git {_verb(arguments)} took longer than {timeout:.0f} s",
                    remedy="see whether the git server and this machine's disk answer",
                ) from error
            finally:
                _end(process, group)
        if process.returncode not in good:
            raise self.failure(failed(_verb(arguments), errors.decode(errors="replace")))
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def _environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        return environment(self._beside | dict(extra or {}))

    def is_commit(self, sha: str) -> bool:
        """Whether `sha` is a full SHA of a commit that is at hand; never guesses a branch or a tag."""
        from argosy.models import SHA  # late: argosy changes, which must be quick, needs nothing else of it

        if not SHA.fullmatch(sha):
            return False
        answer = self.text("cat-file", "--batch-check=%(objecttype)", data=f"{sha}\n".encode())
        return answer == "commit"

    def ref(self, name: str) -> str | None:
        """The commit that the full ref `name` (`refs/heads/main`) points at; None where there is none."""
        answer = self.text("for-each-ref", "--format=%(objectname) %(refname)", name)
        for line in answer.splitlines():
            sha, _, found = line.partition(" ")
            if found == name:
                return sha
        return None

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `older` is `newer` or one of its ancestors."""
        return self.ok("merge-base", "--is-ancestor", older, newer)

    def tree(self, commit: str, within: Sequence[str] = ()) -> tuple[TreeEntry, ...]:
        """Every file of the commit's tree, or of the paths `within` it, submodules as one entry each."""
        paths = [] if "." in within else within  # no path names the root
        listing = self.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *paths)
        return tuple(map(_entry, _decoded(listing).split("\0")[:-1]))

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        """What lies at `path` in the commit's tree, a folder too; None where there is nothing."""
        listing = self.run("ls-tree", "-z", "--full-tree", commit, "--", path, extra={"GIT_LITERAL_PATHSPECS": "1"})
        return _entry(_decoded(listing).rstrip("\0")) if listing else None

    def file(self, commit: str, path: str) -> bytes | None:
        """The bytes of the file at `path` in the commit's tree; None where there is none."""
        return next(iter(self.objects([f"{commit}:{path}"])))

    def objects(
        self, names: Iterable[str], kind: Literal["blob", "tree"] = "blob"
    ) -> Generator[bytes | None, None, None]:
        """The bytes of each blob, or tree, named by id or by `commit:path`, in order; None for one that is missing.

        One process serves them all, and one object at a time is in memory. A name is taken when its turn has come.
        """
        command = ["git", "-C", str(self.directory), "cat-file", "--batch"]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environment(),
        ) as process:
            try:
                for name in names:
                    yield None if "\n" in name else _ask(process, name, kind.encode())
            except GitError as error:
                raise self.damaged(error) from error
            finally:
                process.kill()
                _close(process)

    @property
    def partial(self) -> bool:
        """Whether what files hold may be missing, as in a mirror that has it only where somebody wanted it."""
        return False

    def bring(self, names: Iterable[str]) -> bool:
        """Bring to hand what these files hold, named by id or by `commit:path`; whether anything of it was missing.

        A whole repository has nothing to bring. It spares asking for one after the other.
        """
        return False

    def lost(self, path: str) -> ArgosyError:
        """What to raise where the object of the file at `path`, which a tree names, is not there."""
        return self.damaged(failed("cat-file", f"error: {path}: missing blob"))


def _listed(folder: Path) -> str:
    """The only entry of a list of folders, quoted, since a colon would divide it in two."""
    escaped = str(folder.absolute()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _verb(arguments: tuple[str, ...]) -> str:
    skip = iter(arguments)
    return next((word for word in skip if word != "-c" or not next(skip)), "")


def _decoded(listing: bytes) -> str:
    # Not fsdecode: a path reads the same whatever locale the machine has.
    return listing.decode(errors="surrogateescape")


def _entry(row: str) -> TreeEntry:
    """A row of ls-tree: mode, kind and id in front of a tab, the path behind it."""
    tab = row.index("\t")
    return TreeEntry(row[:6], row[tab - 40 : tab], row[tab + 1 :])


def _end(process: subprocess.Popen[bytes], group: int | None) -> None:
    if process.poll() is None:
        send(group or process.pid, signal.SIGKILL)


def _close(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe to a process that may have ended with our last question unread."""
    with suppress(BrokenPipeError):
        if process.stdin:
            process.stdin.close()


def _ask(process: subprocess.Popen[bytes], name: str, kind: bytes) -> bytes | None:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("cat-file was started without pipes")
    try:
        process.stdin.write(name.encode(errors="surrogateescape") + b"\n")
        process.stdin.flush()
    except BrokenPipeError as error:
        raise failed("cat-file", _EARLY) from error
    header = process.stdout.readline()
    words = header.split()
    if len(words) != 3 or words[-1] in {b"missing", b"ambiguous"}:
        if not header:
            raise failed("cat-file", _EARLY)
        return None
    content = process.stdout.read(int(words[2]))
    if len(content) != int(words[2]) or process.stdout.read(1) != b"\n":
        raise failed("cat-file", _EARLY)
    return content if words[1] == kind else None
