"""What `argosy.yaml` says of services, and of how their images are built."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from argosy.settings.builder import LimitsConfig
from argosy.settings.chart import Chart, ChartConfig
from argosy.settings.names import (
    Argument,
    ArgumentName,
    BlockName,
    ContextName,
    Filter,
    LabelName,
    Name,
    Platform,
    RelativePath,
    Seconds,
    Stage,
)
from argosy.settings.section import Section

_IMAGE = r"[a-z0-9][A-Za-z0-9._/:@-]*"


def _sbom(value: bool | str) -> bool | str:
    if isinstance(value, str) and not re.fullmatch(_IMAGE, value):
        raise ValueError("must be true, or the reference of an image that generates SBOMs")
    return value


SecretId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Sbom = Annotated[bool | str, AfterValidator(_sbom)]


class BuildConfig(Section):
    """How an image is built; a service's own settings are laid over those of `defaults`."""

    context: RelativePath | None = Field(None, description="The folder that the build is given; {path} unless given.")
    target: Stage | None = Field(None, description="The stage of the Dockerfile that is built; the last unless given.")
    platforms: tuple[Platform, ...] = Field(
        (), strict=False, description="Such as [linux/amd64, linux/arm64]; the engine's own unless given."
    )
    args: dict[ArgumentName, Argument] = Field(
        {}, description="Build arguments. Never secrets: they stay in the image's history."
    )
    labels: dict[LabelName, Argument] = Field({}, description="Labels that the image gets.")
    contexts: dict[ContextName, RelativePath] = Field(
        {}, description="Further folders, from the repository's root, by the names of COPY --from=name."
    )
    from_: tuple[Name, ...] = Field(
        (),
        alias="from",
        strict=False,
        description="Services whose images the Dockerfile names in FROM or COPY --from.",
    )
    resolve: bool = Field(
        False, description="Look up the digests of the external images, so that a base that moved is a change."
    )
    timeout: Seconds = Field(1800.0, description="Seconds until a build has failed.")
    secrets: dict[SecretId, BlockName] = Field(
        {}, description="For each id of RUN --mount=type=secret the Secret block that has it."
    )
    ssh: BlockName | None = Field(
        None, description="The Secret block with the private key that RUN --mount=type=ssh may use."
    )
    cache: Literal["registry", "none"] = Field(
        "registry", description="Whether the registry keeps what builds can take over from earlier ones."
    )
    provenance: Literal["min", "max"] | None = Field(
        None, description="How much the image's provenance attestation says; there is none unless given."
    )
    sbom: Sbom = Field(False, description="Attest what is in the image; true, or the image of a generator.")
    limits: LimitsConfig = Field(LimitsConfig(), description="What the steps may take of the builder's machine.")


class ServiceConfig(Section):
    """A service; what it leaves out comes from `defaults`."""

    path: RelativePath | None = Field(None, description="Its folder.")
    dockerfile: RelativePath | None = Field(None, description="Its Dockerfile; {path} stands for its folder.")
    chart: Chart = Field(ChartConfig(), description="Its Helm chart: the folder, or the folder and the image's keys.")
    registry: Name | None = Field(None, description="The one of registries that its image goes to.")
    shared: tuple[RelativePath, ...] = Field(
        (), strict=False, description="Files and folders outside its build context on which its image depends."
    )
    filters: tuple[Filter, ...] = Field(
        (), strict=False, description="Globs of what `argosy changes` looks at; {path}/** unless given."
    )
    build: BuildConfig = Field(BuildConfig(), description="How its image is built.")


class DefaultsConfig(Section):
    """What holds for every service; `{service}` and `{path}` stand for its name and path."""

    path: RelativePath = Field("src/{service}", description="The folder of a service.")
    dockerfile: RelativePath = Field("{path}/Dockerfile", description="The Dockerfile of a service.")
    chart: Chart = Field(
        ChartConfig(), description="The Helm chart of a service: its folder, {path}/chart unless given, and its keys."
    )
    registry: Name | None = Field(None, description="The one of registries that images go to; registry unless given.")
    shared: tuple[RelativePath, ...] = Field(
        (), strict=False, description="Files and folders on which every image depends; a service's own are added."
    )
    filters: tuple[Filter, ...] = Field((), strict=False, description="Globs of what `argosy changes` looks at.")
    build: BuildConfig = Field(BuildConfig(), description="How images are built.")
