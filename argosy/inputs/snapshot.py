"""One commit's tree, and the build inputs of its services, read from git's objects alone."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NoReturn

from argosy.batches import contents
from argosy.environment import STATE_FOLDER
from argosy.errors import Terminal
from argosy.git import EXECUTABLE, LINK, REGULAR, SUBMODULE, Git, TreeEntry
from argosy.inputs import dockerignore
from argosy.inputs.content import BaseImage, BuildInputs, InputFile, NamedContext
from argosy.inputs.dockerfile import references
from argosy.models import BuildContext, ContentDigest, Service

_MODES = {EXECUTABLE: "755", LINK: "link", SUBMODULE: "submodule"}


class Snapshot:
    """The tree of `commit` without the paths `written` by Argosy, listed once for all the services read from it.

    `within` narrows the listing to those paths. `resolved` has the digests of external images, by their reference,
    where they were looked up.
    """

    def __init__(
        self,
        git: Git,
        commit: str,
        written: frozenset[str] = frozenset(),
        *,
        within: Sequence[str] = (),
        resolved: Mapping[str, str] | None = None,
    ) -> None:
        self._git = git
        self._commit = commit
        self._resolved = resolved
        tree = git.tree(commit, within)
        self._entries = {entry.path: entry for entry in tree if not is_written(entry.path, written)}
        self._paths = sorted(self._entries)
        self._digests: dict[str, ContentDigest] = {}
        self._contents: dict[str, bytes | None] = {}

    def read_ahead(self, services: Iterable[Service]) -> None:
        """Read what the inputs of all `services` need, by one question to git."""
        wanted = [self._entries.get(path) for service in services for path in described_by(service)]
        ids = sorted({entry.object_id for entry in wanted if entry and entry.mode in {REGULAR, EXECUTABLE}})
        self._contents |= dict(zip(ids, contents(self._git, ids), strict=True))

    def digest(self, service: Service) -> ContentDigest:
        """The content digest of `service`. Raises Terminal where an input is missing."""
        if service.name not in self._digests:
            self._digests[service.name] = self.inputs(service).digest()
        return self._digests[service.name]

    def dockerfile(self, service: Service) -> bytes:
        """The text of the Dockerfile of `service`. Raises Terminal where it is missing."""
        return self._read(self._dockerfile(service))

    def inputs(self, service: Service) -> BuildInputs:
        """The build inputs of `service`. Raises Terminal where a Dockerfile, context or shared path is missing."""
        context = service.build_context
        dockerfile = self._dockerfile(service)
        files = self._context_files(service)
        return BuildInputs(
            service=service.name,
            files=files,
            dockerfile=_placed(dockerfile, context.path, files),
            images=self._images(service, dockerfile),
            context=context,
            contexts=tuple(NamedContext(name, self._named(service, path)) for name, path in context.contexts),
            shared=tuple(file for path in service.shared for file in self._shared(service, path)),
            dependencies=tuple((each.name, self.digest(each)) for each in service.dependencies),
        )

    def _images(self, service: Service, dockerfile: TreeEntry) -> tuple[BaseImage, ...]:
        context = service.build_context
        supplied = {name for name, _ in context.contexts} | {each.name for each in service.dependencies}
        named = references(self._read(dockerfile), dict(context.build_args))
        external = {written: ref for written, ref in named.items() if ref not in supplied}
        return tuple(BaseImage(written, ref, self._looked_up(service, ref)) for written, ref in external.items())

    def _looked_up(self, service: Service, reference: str) -> str | None:
        if self._resolved is None or not service.build_context.resolve or "@" in reference:
            return None
        if reference not in self._resolved:
            raise Terminal(
                f"no registry has the image {reference}, which its Dockerfile names",
                service=service.name,
                remedy="correct the name, or leave build.resolve out and pin the image by its digest",
            )
        return self._resolved[reference]

    def _dockerfile(self, service: Service) -> TreeEntry:
        path = service.build_context.dockerfile
        self._check_no_link(service, posixpath.dirname(path))
        found = self._entries.get(path)
        if found is None or found.mode not in {REGULAR, EXECUTABLE}:
            raise Terminal(
                f"{path} is {'not' if found is None else 'no regular file'} in commit {self._commit[:12]}",
                service=service.name,
                remedy="commit a Dockerfile there, or name another under services in argosy.yaml",
            )
        return found

    def _check_no_link(self, service: Service, path: str) -> None:
        parts = (path, *map(str, PurePosixPath(path).parents))
        link = next((part for part in parts if part in self._entries and self._entries[part].mode == LINK), None)
        if link is not None:
            raise Terminal(
                f"{link} is a symbolic link in commit {self._commit[:12]}",
                service=service.name,
                remedy="name in argosy.yaml what it leads to, inside the repository: git follows no link",
            )

    def _context_files(self, service: Service) -> tuple[InputFile, ...]:
        root, chart = service.build_context.path, service.chart_path
        inside = self._inside(service, root, "build.context or path")
        if not below(root, chart):  # a chart at the context's root, or above, is no part that could be left out
            inside = [entry for entry in inside if not below(entry.path, chart)]
        excluded = self._ignore_rule(service.build_context)
        files = (_input_file(entry, root) for entry in inside)
        return tuple(file for file in files if not excluded(file.path))

    def _named(self, service: Service, root: str) -> tuple[InputFile, ...]:
        excluded = self._ignored(self._entries.get(_join(root, ".dockerignore")))
        files = (_input_file(entry, root) for entry in self._inside(service, root, "build.contexts"))
        return tuple(file for file in files if not excluded(file.path))

    def _shared(self, service: Service, path: str) -> Iterator[InputFile]:
        single = self._entries.get(path)
        for entry in [single] if single else self._inside(service, path, "shared"):
            yield _input_file(entry, "")

    def _inside(self, service: Service, root: str, key: str) -> list[TreeEntry]:
        self._check_no_link(service, root)
        found = [self._entries[path] for path in self._below(root)]
        return found or self._refuse_empty(service, root, key)

    def _refuse_empty(self, service: Service, root: str, key: str) -> NoReturn:
        what = "shared path" if key == "shared" else "build context"
        found = self._entries.get(root)
        why = "is a submodule, whose files are not here," if found and found.mode == SUBMODULE else "holds no files"
        raise Terminal(
            f"the {what} {root} {why} in commit {self._commit[:12]}",
            service=service.name,
            remedy=f"correct {key} under services in argosy.yaml",
        )

    def _below(self, root: str) -> Sequence[str]:
        if root in {"", "."}:
            return self._paths
        # "0" is the character behind "/".
        return self._paths[bisect_left(self._paths, f"{root}/") : bisect_left(self._paths, f"{root}0")]

    def _ignore_rule(self, context: BuildContext) -> dockerignore.Rule:
        beside = self._entries.get(f"{context.dockerfile}.dockerignore")
        return self._ignored(beside or self._entries.get(_join(context.path, ".dockerignore")))

    def _ignored(self, entry: TreeEntry | None) -> dockerignore.Rule:
        return dockerignore.rule(self._read(entry), entry.path) if entry else lambda _path: False

    def _read(self, entry: TreeEntry) -> bytes:
        if entry.mode not in {REGULAR, EXECUTABLE}:
            raise Terminal(
                f"{entry.path} is no regular file", remedy="commit the file itself, no link and no submodule"
            )
        if entry.object_id not in self._contents:
            self._contents[entry.object_id] = next(iter(self._git.objects([entry.object_id])))
        content = self._contents[entry.object_id]
        if content is None:
            raise self._git.lost(entry.path)
        return content


def closure(service: Service) -> Iterator[Service]:
    """The service, and all that its image is built from."""
    yield service
    for each in service.dependencies:
        yield from closure(each)


def roots(service: Service) -> tuple[str, ...]:
    """Every file and folder that the inputs of `service` can lie in, those of what it is built from included."""
    context = service.build_context
    own = (context.path, context.dockerfile, f"{context.dockerfile}.dockerignore", *service.shared)
    named = tuple(path for _, path in context.contexts)
    return (*own, *named, *(path for each in service.dependencies for path in roots(each)))


def is_written(path: str, written: frozenset[str]) -> bool:
    """Whether Argosy itself writes `path`, so that it is no input of anything."""
    return path in written or below(path, STATE_FOLDER)


def described_by(service: Service) -> tuple[str, ...]:
    """The files, there or not, that say what the inputs of `service` are: its Dockerfile and what is ignored."""
    context = service.build_context
    ignores = (f"{context.dockerfile}.dockerignore", *(_join(root, ".dockerignore") for root in _folders(context)))
    return (context.dockerfile, *ignores)


def _folders(context: BuildContext) -> tuple[str, ...]:
    return (context.path, *(path for _, path in context.contexts))


def below(path: str, folder: str) -> bool:
    """Whether `path` is `folder`, or lies in it; everything lies in `.`."""
    return folder in {"", "."} or path == folder or path.startswith(f"{folder}/")


def _join(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name))


def _input_file(entry: TreeEntry, root: str) -> InputFile:
    path = entry.path if root in {"", "."} else entry.path[len(root) + 1 :]
    return InputFile(path, _MODES.get(entry.mode, "644"), entry.object_id)


def _placed(dockerfile: TreeEntry, root: str, files: Sequence[InputFile]) -> InputFile:
    """The Dockerfile where the builder will look for it: its own place in the context, else a name nothing has."""
    if below(dockerfile.path, root):
        return _input_file(dockerfile, root)
    name = ".argosy.Dockerfile"
    while any(below(file.path, name) for file in files):
        name = f".{name}"
    return InputFile(name, "644", dockerfile.object_id)
