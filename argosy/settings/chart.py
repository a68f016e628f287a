"""What `argosy.yaml` says of charts: where each lies, and at which keys its values files have the image reference."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from argosy.edits import paths as edit_paths
from argosy.errors import WrongUse
from argosy.settings.names import RelativePath
from argosy.settings.section import Section
from argosy.settings.target_mode import RenderMode

USUAL_FOLDER = "{path}/chart"
"""Where a service's chart lies unless the file says otherwise."""

_WORD = r"(?:[^\\.\[\]]|\\.)+"
_ELEMENT = r"\[(?:[0-9]+|(?:[^\\=\[\]]|\\.)+=(?:[^\\\[\]]|\\.)*)\]"
_PATTERN = rf"^(?:{_WORD}|{_ELEMENT})(?:\.{_WORD}|{_ELEMENT})*$"


def _path(value: str) -> str:
    try:
        edit_paths.parse(value)
    except WrongUse as error:
        raise ValueError(f"{error.message}: {error.remedy}") from error
    return value


KeyPath = Annotated[str, AfterValidator(_path), Field(json_schema_extra={"pattern": _PATTERN})]


class KeysConfig(Section):
    """The dotted paths of the keys that carry an image's reference; `{service}` stands for the service's name."""

    repository: KeyPath = Field("image.repository", description="The key with the repository and its host.")
    tag: KeyPath = Field("image.tag", description="The key with the tag.")
    digest: KeyPath | None = Field(None, description="The key with the manifest's digest; written where it is named.")
    image: KeyPath | None = Field(
        None, description="One key with host/name:tag, or host/name:tag@digest, instead of the others."
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        given = self.model_fields_set - {"image"}
        if self.image and given:
            raise ValueError(f"image carries the whole reference: leave out {', '.join(sorted(given))}")
        paths = [self.repository, self.tag, *([self.digest] if self.digest else [])]
        if len({edit_paths.parse(path) for path in paths}) < len(paths):
            raise ValueError("each part of the reference needs a key of its own")
        return self


class ChartConfig(Section):
    """A Helm chart; its folder alone may stand in the section's place."""

    path: RelativePath | None = Field(None, description="Its folder; {path} stands for the service's folder.")
    keys: KeysConfig = Field(KeysConfig(), description="Where its values files carry the image's reference.")


def _folder_alone(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


Chart = Annotated[ChartConfig, BeforeValidator(_folder_alone, json_schema_input_type=RelativePath | ChartConfig)]


class ChartsConfig(Section):
    """What is asked of every chart that a release edits."""

    render_check: RenderMode = Field(
        "auto",
        description="Whether each edited chart is rendered before its commit, and must contain the new image: auto "
        "where the worker has a helm, required fails without one.",
    )
