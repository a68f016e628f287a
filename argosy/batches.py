"""What is asked of git by the thousand: each question here takes one process, however many it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from argosy.git import Git, TreeEntry

_AT_ONCE = 1000
_KINDS = frozenset({b"commit", b"tree", b"blob", b"tag"})
_ID = re.compile(r"[0-9a-f]{40}")
_HEADER = 82
"""How long the line is, in bytes, with which git begins each pair of trees."""


@dataclass(frozen=True, slots=True)
class Identified:
    """What a name stands for: `kind` is commit, tree, blob or tag."""

    kind: str
    object_id: str


def identify(git: Git, names: Iterable[str]) -> list[Identified | None]:
    """What each name (`<commit>:<path>`, or a full id) stands for, in order; None for what is not there.

    An empty path is the root's tree. A name with a line break stands for nothing: git takes one name a line.
    """
    asked = list(names)
    lines = "".join(f"{name}\n" for name in asked if "\n" not in name)
    form = "--batch-check=%(objecttype) %(objectname)"
    answer = git.run("cat-file", form, data=lines.encode(errors="surrogateescape"))
    # A missing name is repeated before the word `missing`, and may hold spaces.
    rows = iter(answer.decode(errors="surrogateescape").split("\n"))
    found = [None if "\n" in name else _identified(next(rows)) for name in asked]
    return _completed(git, asked, found) if git.partial and None in found else found


def _completed(git: Git, names: Sequence[str], found: Sequence[Identified | None]) -> list[Identified | None]:
    """The same with the files that are not at hand: what they are, trees say, and nobody needs to ask for them."""
    files = files_of_trees(git, (name for name, each in zip(names, found, strict=True) if each is None))
    rest = {name: Identified("blob", file.object_id) for name, file in files.items()}
    return [each or rest.get(name) for name, each in zip(names, found, strict=True)]


def _identified(row: str) -> Identified | None:
    kind, _, object_id = row.partition(" ")
    good = kind in {"commit", "tree", "blob", "tag"} and len(object_id) == 40 and " " not in object_id
    return Identified(kind, object_id) if good else None


def contents(git: Git, names: Iterable[str]) -> Iterator[bytes | None]:
    """The bytes of each blob named by id or by `<commit>:<path>`, in order; None for what is not there or no blob.

    For small files: many of them are in memory at once, which spares the wait for git between two. `Git.objects` is
    for the large.
    """
    asked = list(names)
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        found = _answered(git, some)
        missing = [name for name, answer in found.items() if answer is None]
        if missing and git.bring(missing):
            found |= _answered(git, missing)
        for name in some:
            answer = found.get(name)
            yield answer.content if answer and answer.kind == "blob" else None


def _answered(git: Git, names: Iterable[str]) -> dict[str, Answer | None]:
    """What git has under each of the names that it can be asked for."""
    asked = [name for name in dict.fromkeys(names) if "\n" not in name]
    lines = "".join(f"{name}\n" for name in asked).encode(errors="surrogateescape")
    return dict(zip(asked, answers(git.run("cat-file", "--batch", data=lines)), strict=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """An object as git has it."""

    object_id: str
    kind: str
    content: bytes


def answers(output: bytes) -> Iterator[Answer | None]:
    """Each object that `git cat-file --batch` wrote, or None for one that is not there."""
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        words = output[at:end].split(b" ")
        at = end + 1
        if len(words) == 3 and words[1] in _KINDS and words[2].isdigit():
            size = int(words[2])
            yield Answer(words[0].decode(), words[1].decode(), output[at : at + size])
            at += size + 1
        else:
            yield None


def tree_entries(content: bytes) -> Iterator[tuple[bytes, bytes, str]]:
    """The name, the mode as a tree has it (`40000` for a folder) and the id of each entry of a tree."""
    at = 0
    while at < len(content):
        end = content.index(b"\0", at)
        mode, _, name = content[at:end].partition(b" ")
        at = end + 21
        yield name, mode, content[end + 1 : at].hex()


def files_of_trees(git: Git, names: Iterable[str]) -> dict[str, TreeEntry]:
    """Those of the names `<commit>:<path>` that stand for a file or a link, whether what it holds is at hand or not."""
    asked = {name: _parent(name) for name in names if ":" in name and "\n" not in name}
    found = {folder: _files(answer) for folder, answer in _answered(git, asked.values()).items()}
    placed = ((name, found[folder].get(_leaf(name))) for name, folder in asked.items())
    return {name: TreeEntry(*file, name.partition(":")[2]) for name, file in placed if file}


def _parent(name: str) -> str:
    commit, _, path = name.partition(":")
    return f"{commit}:{path.rpartition('/')[0]}"


def _leaf(name: str) -> bytes:
    return name.partition(":")[2].rpartition("/")[2].encode(errors="surrogateescape")


def _files(answer: Answer | None) -> dict[bytes, tuple[str, str]]:
    rows = tree_entries(answer.content) if answer and answer.kind == "tree" else ()
    return {name: (mode.decode(), sha) for name, mode, sha in rows if mode not in {b"40000", b"160000"}}


def absent(git: Git, names: Iterable[str]) -> list[str]:
    """The ids of those of the files, named by id or by `<commit>:<path>`, that are there, but not what they hold."""
    asked = [name for name in dict.fromkeys(names) if "\n" not in name]
    if not asked:
        return []
    lines = "".join(f"{name}\n" for name in asked).encode(errors="surrogateescape")
    answer = git.run("cat-file", "--batch-check=%(objecttype)", data=lines)
    rows = answer.decode(errors="surrogateescape").split("\n")
    missing = [name for name, row in zip(asked, rows, strict=False) if row == f"{name} missing"]
    ids = [name for name in missing if _ID.fullmatch(name)]
    named = files_of_trees(git, missing) if len(ids) < len(missing) else {}
    return list(dict.fromkeys([*ids, *(file.object_id for file in named.values())]))


def commits(git: Git, shas: Iterable[str]) -> frozenset[str]:
    """Those of the full `shas` that are commits at hand."""
    asked = sorted(set(shas))
    found = identify(git, asked)
    return frozenset(sha for sha, item in zip(asked, found, strict=True) if item and item.kind == "commit")


def outside(git: Git, shas: Iterable[str], tip: str) -> frozenset[str]:
    """Those of the commits `shas`, all at hand, that `tip` does not contain."""
    return _walked(git, shas, tip)


def descendants(git: Git, shas: Iterable[str], commit: str) -> frozenset[str]:
    """Those of the commits `shas`, all at hand, that contain `commit` and are others."""
    return _walked(git, shas, commit, "--ancestry-path")


def _walked(git: Git, shas: Iterable[str], bottom: str, *options: str) -> frozenset[str]:
    asked = sorted(set(shas))
    if not asked:
        return frozenset()
    revisions = "".join(f"{sha}\n" for sha in [*asked, f"^{bottom}"])
    walked = git.text("rev-list", *options, "--stdin", data=revisions.encode()).split()
    return frozenset(asked) & frozenset(walked)


def tree_changes(git: Git, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The files, by path below the trees, in which each pair of tree ids differs; a rename is both of its places."""
    if not pairs:
        return []
    lines = "".join(f"{old} {new}\n" for old, new in pairs).encode()
    output = git.run("diff-tree", "--stdin", "-r", "-z", "--no-renames", "--name-only", data=lines)
    changes: list[tuple[str, ...]] = []
    at = 0
    for following in [*(f"{old} {new}\n".encode() for old, new in pairs[1:]), b""]:
        start = at + _HEADER
        # The next header comes after the NUL that ends a path, or at once.
        at = output.find(following, start) if following else len(output)
        changes.append(_paths(output[start:at]))
    return changes


def _paths(listing: bytes) -> tuple[str, ...]:
    return tuple(path.decode(errors="surrogateescape") for path in listing.split(b"\0") if path)
