"""The git plumbing that all others use: objects, trees and history of one repository, each a typed result.

Every command runs with a configuration of its own: neither the user's nor the system's is read, and nothing asks
at a terminal.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy.errors import Terminal, Transient
from argosy.models import SHA

_PASSED_ON = ("PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "https_proxy", "no_proxy")
_QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
REGULAR, EXECUTABLE, LINK, SUBMODULE = "100644", "100755", "120000", "160000"


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file of a tree: `mode` as git writes it (`100644`), the object's id, and its path from the root."""

    mode: str
    object_id: str
    path: str


class GitError(Terminal):
    """A git command failed for a reason of its own; `stderr` is what it said."""

    stderr: str = ""


def failed(command: str, stderr: str) -> GitError:
    """A GitError for `command` (its first word, never its arguments) that said `stderr`."""
    error = GitError(f"git {command} failed: {stderr.strip() or 'it said nothing'}")
    error.stderr = stderr
    return error


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a git process: only what it needs of ours, and `extra`."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _QUIET | dict(extra or {})


class Git:
    """The repository at `directory`: a work tree, or a bare one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def run(
        self,
        *arguments: str,
        data: bytes | None = None,
        extra: Mapping[str, str] | None = None,
        timeout: float = 120.0,
    ) -> bytes:
        """What `git ARGUMENTS` writes; `extra` is added to its environment.

        Raises GitError when git refuses, Transient when it takes longer than `timeout` seconds.
        """
        command = ["git", "-C", str(self.directory), *arguments]
        try:
            done = subprocess.run(
                command,
                input=data or b"",
                capture_output=True,
                env=environment(extra),
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Transient(f"git {arguments[0]} took longer than {timeout:.0f} s") from error
        if done.returncode:
            raise failed(_verb(arguments), done.stderr.decode(errors="replace"))
        return done.stdout

    def text(self, *arguments: str, data: bytes | None = None, extra: Mapping[str, str] | None = None) -> str:
        """The same, decoded, without the newline at its end."""
        return self.run(*arguments, data=data, extra=extra).decode(errors="surrogateescape").rstrip("\n")

    def ok(self, *arguments: str) -> bool:
        """Whether git answers yes (0) rather than no (1); anything else is a GitError."""
        command = ["git", "-C", str(self.directory), *arguments]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment(),
            timeout=120,
            check=False,
        )
        if done.returncode not in {0, 1}:
            raise failed(_verb(arguments), done.stderr.decode(errors="replace"))
        return done.returncode == 0

    def is_commit(self, sha: str) -> bool:
        """Whether `sha` is a full SHA of a commit that is at hand; never guesses a branch or a tag."""
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

    def tree(self, commit: str) -> tuple[TreeEntry, ...]:
        """Every file of the commit's tree, submodules as one entry each, in git's order."""
        listing = self.run("ls-tree", "-r", "-z", "--full-tree", commit)
        return tuple(_entry(row) for row in listing.split(b"\0") if row)

    def file(self, commit: str, path: str) -> bytes | None:
        """The bytes of the file at `path` in the commit's tree; None where there is none."""
        return next(iter(self.objects([f"{commit}:{path}"])))

    def objects(self, names: Iterable[str]) -> Iterator[bytes | None]:
        """The bytes of each blob named by id or by `commit:path`, in order; None for one that is missing.

        One process serves them all, and one object at a time is in memory.
        """
        command = ["git", "-C", str(self.directory), "cat-file", "--batch"]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        ) as process:
            try:
                for name in names:
                    yield None if "\n" in name else _ask(process, name)
            finally:
                process.kill()


def _verb(arguments: tuple[str, ...]) -> str:
    skip = iter(arguments)
    return next((word for word in skip if word != "-c" or not next(skip)), "")


def _entry(row: bytes) -> TreeEntry:
    head, _, path = row.partition(b"\t")
    mode, _, object_id = head.decode().split(" ")
    return TreeEntry(mode, object_id, os.fsdecode(path))


def _ask(process: subprocess.Popen[bytes], name: str) -> bytes | None:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("cat-file was started without pipes")
    process.stdin.write(os.fsencode(name) + b"\n")
    process.stdin.flush()
    header = process.stdout.readline()
    words = header.split()
    if len(words) != 3 or words[-1] in {b"missing", b"ambiguous"}:
        if not header:
            raise failed("cat-file", "it ended early; the repository may be damaged")
        return None
    content = process.stdout.read(int(words[2]))
    process.stdout.read(1)
    return content if words[1] == b"blob" else None
