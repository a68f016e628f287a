"""The Dockerfiles of a repository, and the image that each is probably meant to make."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from argosy.discovery.notes import Note
from argosy.discovery.tree import Tree

_BESIDE = frozenset({"docker", ".docker", "build", "container", "deploy", "deployment"})
_WITHIN = frozenset({"src", "app", "source", "code"})
_FILE = re.compile(r"(?P<before>[\w.-]+\.)?(Dockerfile|Containerfile|dockerfile)(?P<behind>\.[\w.-]+)?")
_COPY = re.compile(r"^\s*(?:COPY|ADD)\s+(?!.*--from=)((?:--\S+\s+)*)([^\[\n<]+)$", re.MULTILINE | re.IGNORECASE)
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Dockerfile and what its place says: the image's name, its folder, and what it builds in."""

    name: str
    path: str
    dockerfile: str
    context: str
    bases: tuple[str, ...] = ()


def name_of(words: str) -> str:
    """`words` as a service may be called; "" where nothing of them can be."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower())[:63].strip("-")


def candidates(tree: Tree, notes: list[Note]) -> tuple[Candidate, ...]:
    """Every image that a Dockerfile of `tree` may be meant for, no two of one name."""
    folders: dict[str, list[str]] = {}
    for path in tree.paths:
        if _FILE.fullmatch(PurePosixPath(path).name):
            folders.setdefault(str(PurePosixPath(path).parent), []).append(path)
    found = [each for folder, files in folders.items() for each in _of_folder(tree, folder, files, notes)]
    return tuple(_apart(found))


def _of_folder(tree: Tree, folder: str, files: list[str], notes: list[Note]) -> Iterator[Candidate]:
    main = [file for file in files if PurePosixPath(file).name.lower() in {"dockerfile", "containerfile"}]
    others = [file for file in files if file not in main]
    if main:
        yield _placed(tree, folder, sorted(main)[0])
        if others or main[1:]:
            notes.append(
                Note("services", f"{sorted(main)[0]} was taken, not {', '.join([*sorted(main)[1:], *others])}")
            )
        return
    if len(others) == 1 and PurePosixPath(folder).name not in {*_BESIDE, *_WITHIN, ""}:
        yield _placed(tree, folder, others[0])
        return
    for file in others:
        match = _FILE.fullmatch(PurePosixPath(file).name)
        if match and (name := name_of((match["before"] or match["behind"] or "").strip("."))):
            yield _built(tree, Candidate(name, folder, file, folder))


def _placed(tree: Tree, folder: str, dockerfile: str) -> Candidate:
    path, last = PurePosixPath(folder), PurePosixPath(folder).name
    context = folder
    if last in _BESIDE | _WITHIN and str(path.parent) != ".":
        path = path.parent
        context = folder if last in _WITHIN else str(path)
    name = name_of(path.name or tree.root.resolve().name) or "service"
    return _built(tree, Candidate(name, str(path), dockerfile, context))


def _built(tree: Tree, candidate: Candidate) -> Candidate:
    """The candidate with the context that has what its Dockerfile copies, and the images that it stands on."""
    text = (tree.text(candidate.dockerfile) or "").replace("\\\n", " ")
    sources = [word for words in _COPY.findall(text) for word in words[1].split()[:-1]]
    literal = [word.removeprefix("./").strip("/") for word in sources if not re.search(r"[*?$\[]|://", word)]
    literal = [word for word in literal if word not in {"", "."}]
    above = [str(each) for each in PurePosixPath(candidate.dockerfile).parents]
    tried = list(dict.fromkeys([candidate.context, *above]))
    missing = Counter({place: sum(not _has(tree, place, word) for word in literal) for place in tried})
    # What is made before the build is in no place at all: the first with the fewest gaps.
    context = min(tried, key=lambda place: (missing[place], tried.index(place)))
    stages = {stage.lower() for _, stage in _FROM.findall(text) if stage}
    bases = tuple(dict.fromkeys(image for image, _ in _FROM.findall(text) if image.lower() not in stages))
    return replace(candidate, context=context, bases=bases)


def _has(tree: Tree, folder: str, path: str) -> bool:
    return (path if folder == "." else f"{folder}/{path}") in tree


def _apart(found: list[Candidate]) -> Iterator[Candidate]:
    """The candidates under names of their own: two folders `api` are called by the folders above them too."""
    for depth in range(1, 9):
        counts = Counter(each.name for each in found)
        if max(counts.values(), default=1) == 1:
            break
        found = [each if counts[each.name] == 1 else replace(each, name=_longer(each, depth)) for each in found]
    yield from reversed({each.name: each for each in reversed(found)}.values())


def _longer(candidate: Candidate, depth: int) -> str:
    parts = [part for part in PurePosixPath(candidate.path).parts if part != "."]
    return name_of("-".join(parts[-depth - 1 :])) or candidate.name
