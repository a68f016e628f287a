"""What went into a content digest, and what differs between two of them, in words."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from argosy.inputs.content import BuildInputs, InputFile


def listed(inputs: BuildInputs) -> dict[str, str]:
    """Every input by its name, files by their paths from the root, with what it is: modes, object ids and values."""
    return dict(sorted(_rows(inputs)))


def differing(old: BuildInputs, new: BuildInputs) -> tuple[str, ...]:
    """The names of the inputs in which two digests differ, sorted; those of which only one has any included."""
    before, after = listed(old), listed(new)
    return tuple(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)))


def _rows(inputs: BuildInputs) -> Iterator[tuple[str, str]]:
    context = inputs.context
    yield from ((_join(context.path, file.path), _file(file)) for file in inputs.files)
    outside = inputs.dockerfile not in inputs.files
    yield "Dockerfile", f"{context.dockerfile} {_file(inputs.dockerfile)}" if outside else context.dockerfile
    for each in inputs.contexts:
        yield from ((f"context {each.name}: {file.path}", _file(file)) for file in each.files)
    yield from ((f"shared {file.path}", _file(file)) for file in inputs.shared)
    yield from ((f"image {image.written}", image.digest or image.written) for image in inputs.images)
    yield from ((f"argument {name}", value) for name, value in context.build_args)
    yield from ((f"label {name}", value) for name, value in context.labels)
    yield from ((f"service {name}", content.hex) for name, content in inputs.dependencies)
    if context.target_stage:
        yield "target", context.target_stage
    if context.platform:
        yield "platforms", ", ".join(context.platform)


def _file(file: InputFile) -> str:
    return f"{file.mode} {file.object_id}"


def _join(folder: str, path: str) -> str:
    return path if folder == "." else posixpath.join(folder, path)
