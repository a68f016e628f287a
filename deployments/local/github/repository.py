"""What the stand-in does to a bare repository: real commits and merges, signed by its own key as GitHub's are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key
from pydantic import SecretStr

from argosy.git import Git, GitError
from argosy.processes.secret_files import secret_file

_ITSELF = ("GitHub", "noreply@github.com")
NOBODY = "0" * 40


class Conflict(Exception):
    """Two sides changed the same lines."""


class Moved(Exception):
    """A branch is not where it was said to be."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The bare repository at `path`, in which `key` signs."""

    path: Path
    key: SecretStr

    @property
    def git(self) -> Git:
        """Its git."""
        return Git(self.path)

    def tip(self, branch: str) -> str | None:
        """The commit that the branch points at."""
        return self.git.ref(f"refs/heads/{branch}")

    def protected(self, branch: str) -> bool:
        """Whether only pull requests change the branch."""
        return branch in self.git.text("config", "--default", "", "--get", "protect.branches").split()

    def between(self, base: str, head: str) -> Sequence[str]:
        """The commits of `head` that `base` has not, the oldest first."""
        return self.git.text("rev-list", "--reverse", "--topo-order", f"{base}..{head}").split()

    def message(self, commit: str) -> str:
        """The whole message of a commit."""
        return self.git.text("log", "-1", "--format=%B", commit).strip()

    def verification(self, commit: str) -> dict[str, object]:
        """What GitHub says of a commit's signature."""
        data = self.git.text("cat-file", "commit", commit)
        if "\ngpgsig " not in data:
            return {"verified": False, "reason": "unsigned", "signature": None, "payload": None}
        with TemporaryDirectory() as folder:
            signers = Path(folder) / "signers"
            signers.write_text(f"* {self._public()}\n")
            trust = ("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={signers}")
            known = self.git.ok(*trust, "verify-commit", commit)
        signature = re.search(r"^gpgsig (.*?)\n(?! )", data, re.MULTILINE | re.DOTALL)
        said = {"signature": signature[1].replace("\n ", "\n") if signature else "", "payload": data}
        return {"verified": known, "reason": "valid" if known else "unknown_key", **said}

    def write(self, parent: str, files: Mapping[str, bytes], gone: Sequence[str], message: str, author: str) -> str:
        """A signed commit upon `parent`; a file that is there keeps its mode."""
        git, modes = self.git, {entry.path: entry.mode for entry in self.git.tree(parent)}
        with TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": f"{folder}/index"}
            git.run("read-tree", parent, extra=index)
            rows = [f"0 {NOBODY}\t{path}\0" for path in gone]
            for path, content in files.items():
                blob = git.text("hash-object", "-w", "--stdin", data=content)
                rows.append(f"{modes.get(path, '100644')} {blob}\t{path}\0")
            git.run("update-index", "-z", "--index-info", data="".join(rows).encode(), extra=index)
            tree = git.text("write-tree", extra=index)
        return self._commit(tree, [parent], message, author)

    def merge(self, base: str, head: str, message: str, author: str) -> str:
        """A merge commit. Raises Conflict."""
        return self._commit(self._merged(base, head), [base, head], message, author)

    def squash(self, base: str, head: str, message: str, author: str) -> str:
        """One commit of all that `head` has, upon `base`. Raises Conflict."""
        return self._commit(self._merged(base, head), [base], message, author)

    def rebase(self, base: str, head: str) -> str:
        """The commits of `head` anew upon `base`, unsigned as GitHub's rebase leaves them. Raises Conflict."""
        with TemporaryDirectory() as folder:
            Git(self.path).run("clone", "--quiet", "--shared", "--no-checkout", str(self.path), folder)
            work, who = Git(Path(folder)), _who(*_ITSELF)
            work.run("checkout", "--quiet", "--detach", head)
            try:
                work.run("rebase", "--quiet", "--force-rebase", "--onto", base, base, extra=who)
            except GitError as error:
                raise Conflict from error
            made = work.text("rev-parse", "HEAD")
            self.git.run("fetch", "--quiet", folder, "HEAD")
        return made

    def move(self, branch: str, new: str, old: str) -> None:
        """Point the branch at `new`. Raises Moved where it is not at `old`."""
        try:
            self.git.run("update-ref", f"refs/heads/{branch}", new, old)
        except GitError as error:
            raise Moved from error

    def _merged(self, base: str, head: str) -> str:
        try:
            return self.git.text("merge-tree", "--write-tree", base, head).split("\n")[0]
        except GitError as error:
            raise Conflict from error

    def _commit(self, tree: str, parents: Sequence[str], message: str, author: str) -> str:
        who = _who(author, f"{author}@users.noreply.github.com") | _committer(*_ITSELF)
        onto = [word for parent in parents for word in ("-p", parent)]
        with secret_file(self.key) as key:
            settings = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={key}")
            return self.git.text(*settings, "commit-tree", "-S", *onto, tree, data=f"{message}\n".encode(), extra=who)

    def _public(self) -> str:
        key = load_ssh_private_key(self.key.get_secret_value().encode(), None)
        return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def _who(name: str, email: str) -> dict[str, str]:
    stamp = f"{int(datetime.now(UTC).timestamp())} +0000"
    author = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email, "GIT_AUTHOR_DATE": stamp}
    return author | _committer(name, email)


def _committer(name: str, email: str) -> dict[str, str]:
    return {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email}
