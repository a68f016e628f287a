"""`argosy.yaml`: what a repository says about its services and environments, checked when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from argosy.config_names import (
    AccountId,
    ApplicationName,
    Argument,
    ArgumentName,
    BlockName,
    Branch,
    ContextName,
    Filter,
    Host,
    LabelName,
    Name,
    Platform,
    Region,
    RelativePath,
    RepositoryName,
    Seconds,
    Stage,
)
from argosy.yaml_positions import Document

FILE = "argosy.yaml"
PLACEHOLDER_ACCOUNT = "000000000000"
"""An account that is nobody's: `argosy init` writes it where it finds none, and `argosy config check` warns of it."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class RegistryConfig(_Model):
    """Where images go."""

    type: Literal["ecr", "oci"] = Field(description="Amazon ECR, or any other registry of OCI images.")
    account_id: AccountId | None = Field(None, description="Of ECR: 12 digits, in quotes.")
    region: Region | None = Field(None, description="Of ECR: such as us-east-1.")
    endpoint: Host | None = Field(None, description="The host; required for oci, and replaces ECR's own.")
    repository: RepositoryName = Field(description="The name of a service's repository; {service} is filled in.")

    @model_validator(mode="after")
    def _complete(self) -> RegistryConfig:
        if self.type == "ecr" and not (self.account_id and self.region):
            raise ValueError("a registry of type ecr needs account_id and region")
        if self.type == "oci" and not self.endpoint:
            raise ValueError("a registry of type oci needs endpoint, its host")
        return self

    @property
    def host(self) -> str:
        """The registry's host and port, as image references carry it."""
        china = ".cn" if self.region and self.region.startswith("cn-") else ""
        return self.endpoint or f"{self.account_id}.dkr.ecr.{self.region}.amazonaws.com{china}"


class BuildConfig(_Model):
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


class ServiceConfig(_Model):
    """A service; what it leaves out comes from `defaults`."""

    path: RelativePath | None = Field(None, description="Its folder.")
    dockerfile: RelativePath | None = Field(None, description="Its Dockerfile; {path} stands for its folder.")
    chart: RelativePath | None = Field(None, description="The folder of its Helm chart; {path} stands for its folder.")
    shared: tuple[RelativePath, ...] = Field(
        (), strict=False, description="Files and folders outside its build context on which its image depends."
    )
    filters: tuple[Filter, ...] = Field(
        (), strict=False, description="Globs of what `argosy changes` looks at; {path}/** unless given."
    )
    build: BuildConfig = Field(BuildConfig(), description="How its image is built.")


class DefaultsConfig(_Model):
    """What holds for every service; `{service}` and `{path}` stand for its name and path."""

    path: RelativePath = Field("src/{service}", description="The folder of a service.")
    dockerfile: RelativePath = Field("{path}/Dockerfile", description="The Dockerfile of a service.")
    chart: RelativePath = Field("{path}/chart", description="The folder of a service's Helm chart.")
    shared: tuple[RelativePath, ...] = Field(
        (), strict=False, description="Files and folders on which every image depends; a service's own are added."
    )
    filters: tuple[Filter, ...] = Field((), strict=False, description="Globs of what `argosy changes` looks at.")
    build: BuildConfig = Field(BuildConfig(), description="How images are built.")


class ArgoCDConfig(_Model):
    """Which Argo CD application brings a service up, and how long that may take."""

    application: ApplicationName = Field(description="Its name; {service} stands for the service's.")
    project: Name | None = Field(None, description="The Argo CD project that it is in.")
    timeout: Seconds = Field(600.0, description="Seconds until a release that does not come up has failed.")
    stable_for: Annotated[float, Field(ge=0, strict=False)] = Field(
        10.0, description="Seconds that a release must stay healthy."
    )


class SourceConfig(_Model):
    """What is released."""

    branch: Branch = Field(description="The branch whose tip is released, without refs/heads/.")


class TargetConfig(_Model):
    """Where a release is written."""

    branch: Branch = Field(description="The branch that a release commits to, which Argo CD follows.")
    values: RelativePath = Field("values.yaml", description="The file, beside each chart, that has image.tag.")
    sign: Literal["ssh"] | None = Field(None, description="How release commits are signed; not at all unless given.")


class RegistryOverride(_Model):
    """What an environment's registry has of its own."""

    repository: RepositoryName | None = Field(None, description="Takes the place of registry.repository.")


class BlocksConfig(_Model):
    """The names of an environment's Prefect blocks, where they are not `argosy-<environment>-<kind>`."""

    aws: BlockName | None = Field(None, description="AWS Credentials: what makes ECR repositories.")
    registry: BlockName | None = Field(None, description="Container Registry: how its credentials are had.")
    argocd: BlockName | None = Field(None, description="Argo CD Server: its address and token.")
    docker: BlockName | None = Field(None, description="Docker Host: the engine that builds.")


class RetryConfig(_Model):
    """How often a fault that may pass is tried, and after how many seconds again."""

    max_attempts: Annotated[int, Field(ge=1, le=20)] = Field(
        3, description="How often it is tried, the first included."
    )
    backoff_factor: Annotated[float, Field(ge=1, le=10, strict=False)] = Field(
        2.0, description="How many times longer each wait is than the one before."
    )
    initial_delay: Annotated[float, Field(ge=0, le=600, strict=False)] = Field(
        5.0, description="Seconds before the second try."
    )


class EnvironmentConfig(_Model):
    """Where an environment's releases come from and go to."""

    source: SourceConfig = Field(description="What is released.")
    target: TargetConfig = Field(description="Where the references are written.")
    registry: RegistryOverride = Field(RegistryOverride(), description="What its registry has of its own.")
    argocd: ArgoCDConfig | None = Field(None, description="Takes the place of the whole section argocd.")
    retry: RetryConfig = Field(RetryConfig(), description="How often a fault that may pass is tried.")
    blocks: BlocksConfig = Field(BlocksConfig(), description="The names of its Prefect blocks.")


class Configuration(_Model):
    """What Argosy releases of a repository, from where to where."""

    version: Literal[1] = Field(description="The version of this format.")
    registry: RegistryConfig = Field(description="Where images go.")
    defaults: DefaultsConfig = Field(DefaultsConfig(), description="What holds for every service.")
    services: dict[Name, ServiceConfig] = Field(min_length=1, description="The services by their names.")
    argocd: ArgoCDConfig | None = Field(None, description="What brings services up; without it nothing is watched.")
    environments: dict[Name, EnvironmentConfig] = Field(min_length=1, description="The environments by their names.")


def load(text: bytes, file: str = FILE) -> Configuration:
    """The configuration that `text` holds.

    Raises ConfigurationError with the file, the line and the remedy of the first thing that is wrong.
    """
    return loaded(Document(text, file))


def loaded(document: Document) -> Configuration:
    """The configuration in `document`; raises ConfigurationError for the first thing that is wrong with its values."""
    try:
        return validated(document)
    except ValidationError as error:
        raise document.refusals(error, Configuration)[0] from error


def validated(document: Document) -> Configuration:
    """The configuration in `document`; raises ValidationError for all that is wrong with its values at once."""
    data = document.data()
    if not isinstance(data, Mapping):
        raise document.error((), "must be a mapping", "begin with version, registry, services and environments")
    return Configuration.model_validate(_without_nulls(data))


def _without_nulls(value: Any) -> Any:
    """The same without empty values: `ui:` with nothing behind it is a service with every default."""
    if isinstance(value, Mapping):
        return {key: {} if item is None else _without_nulls(item) for key, item in value.items()}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
