"""What an image is built from, and its digest: equal if and only if the same would be built."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from argosy.models import RECIPE, BuildContext, ContentDigest


class InputFile(NamedTuple):  # no dataclass, as git's TreeEntry is none
    """A file among the inputs: its path below its context, mode (644, 755, link, submodule) and blob id."""

    path: str
    mode: str
    object_id: str


@dataclass(frozen=True, slots=True)
class NamedContext:
    """A further folder that a Dockerfile takes files from, by the name that it has there."""

    name: str
    files: tuple[InputFile, ...]


@dataclass(frozen=True, slots=True)
class BaseImage:
    """An external image: `written` as the Dockerfile has it, `reference` with its arguments filled in.

    `digest` (`sha256:` and 64 hex) is what it named when it was looked up, where that was wanted.
    """

    written: str
    reference: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class BuildInputs:
    """Everything that decides what an image of `service` holds.

    `dockerfile` is the Dockerfile as a file of the exported context, whether it lies inside or not; `images` are the
    external images that it names. `shared` are files outside of every context, by their paths from the root;
    `dependencies` the content of each service whose image it is built from.
    """

    service: str
    files: tuple[InputFile, ...]
    dockerfile: InputFile
    images: tuple[BaseImage, ...]
    context: BuildContext
    contexts: tuple[NamedContext, ...] = ()
    shared: tuple[InputFile, ...] = ()
    dependencies: tuple[tuple[str, ContentDigest], ...] = ()

    def digest(self, recipe: str = RECIPE) -> ContentDigest:
        """The content digest by one of `RECIPES`: equal if and only if the inputs are. Raises KeyError for another."""
        text = json.dumps({"recipe": recipe, **RECIPES[recipe](self)}, sort_keys=True)
        return ContentDigest(hashlib.sha256(text.encode()).hexdigest(), recipe)


def _first(inputs: BuildInputs) -> dict[str, Any]:
    context = inputs.context
    further = {
        "contexts": [[each.name, _rows(each.files)] for each in inputs.contexts],
        "shared": _rows(inputs.shared),
        "from": [[name, content.hex] for name, content in inputs.dependencies],
        "resolved": sorted([each.reference, each.digest] for each in inputs.images if each.digest),
    }
    return {
        "files": _rows(inputs.files),
        "dockerfile": _row(inputs.dockerfile),
        "images": [each.written for each in inputs.images],
        "target": context.target_stage,
        "platforms": sorted(context.platform),
        "args": sorted(context.build_args),
        "labels": sorted(context.labels),
    } | {key: value for key, value in further.items() if value}


RECIPES: dict[str, Callable[[BuildInputs], dict[str, Any]]] = {RECIPE: _first}
"""Every way that a digest was ever made, so that what an older Argosy released can be compared still."""


def _rows(files: Sequence[InputFile]) -> list[list[str]]:
    return sorted(map(_row, files))


def _row(file: InputFile) -> list[str]:
    return [*file]
