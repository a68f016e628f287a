"""`argosy.yaml`: what a repository says about its services and environments, checked when it is loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from argosy.yaml_positions import Document

FILE = "argosy.yaml"

_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
_BRANCH = re.compile(r"(?!.*(\.\.|//|@\{|\.lock(/|$)))[A-Za-z0-9_][A-Za-z0-9._/@+-]*(?<![./])")


def _confined(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or value.startswith("-") or not value.isprintable():
        raise ValueError("must be a path inside the repository, relative to its root")
    return value


def _branch(value: str) -> str:
    if not _BRANCH.fullmatch(value):
        raise ValueError("must be the name of a branch, without refs/heads/")
    return value


Name = Annotated[str, Field(pattern=_NAME)]
RelativePath = Annotated[str, Field(min_length=1), AfterValidator(_confined)]
Branch = Annotated[str, AfterValidator(_branch)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$")]
RepositoryName = Annotated[str, Field(pattern=r"^[a-z0-9{][a-z0-9._/{}-]*$", max_length=256)]
Argument = Annotated[str, Field(pattern=r"^[^\x00]*$")]
Filter = Annotated[str, Field(min_length=1)] | dict[str, Any]
BlockName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class RegistryConfig(_Model):
    """Where images go; `endpoint` replaces the host that the registry would have by itself."""

    type: Literal["ecr", "oci"]
    account_id: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = None
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")] | None = None
    endpoint: Host | None = None
    repository: RepositoryName

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
    """How an image is built; a service's own settings are laid over the defaults.

    `contexts` are folders that the Dockerfile names by their keys; `from` are services whose images it builds on, named
    as they are. With `resolve` the digests of the external images are looked up, and a moved one is a change.
    """

    context: RelativePath | None = None
    target: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] | None = None
    platforms: tuple[Annotated[str, Field(pattern=r"^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$")], ...] = Field(
        default=(), strict=False
    )
    args: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], Argument] = {}
    labels: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")], Argument] = {}
    contexts: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")], RelativePath] = {}
    from_: tuple[Name, ...] = Field(default=(), alias="from", strict=False)
    resolve: bool = False
    timeout: Annotated[float, Field(gt=0, strict=False)] = 1800.0


class ServiceConfig(_Model):
    """A service; what it leaves out comes from `defaults`.

    `shared` are files and folders outside the build context that its image depends on all the same; `filters` replace
    what `argosy changes` looks at.
    """

    path: RelativePath | None = None
    dockerfile: RelativePath | None = None
    chart: RelativePath | None = None
    shared: tuple[RelativePath, ...] = Field(default=(), strict=False)
    filters: tuple[Filter, ...] = Field(default=(), strict=False)
    build: BuildConfig = BuildConfig()


class DefaultsConfig(_Model):
    """What holds for every service; `{service}` and `{path}` stand for its name and path."""

    path: RelativePath = "src/{service}"
    dockerfile: RelativePath = "{path}/Dockerfile"
    chart: RelativePath = "{path}/chart"
    shared: tuple[RelativePath, ...] = Field(default=(), strict=False)
    filters: tuple[Filter, ...] = Field(default=(), strict=False)
    build: BuildConfig = BuildConfig()


class ArgoCDConfig(_Model):
    """Which application brings a service up, and how long that may take; times are in seconds."""

    application: Annotated[str, Field(pattern=r"^[a-z0-9{][a-z0-9.{}-]*$")]
    project: Name | None = None
    timeout: Annotated[float, Field(gt=0, strict=False)] = 600.0
    stable_for: Annotated[float, Field(ge=0, strict=False)] = 10.0


class SourceConfig(_Model):
    """The branch whose tip is desired."""

    branch: Branch


class TargetConfig(_Model):
    """The branch and the values file, beside the chart, that a release writes."""

    branch: Branch
    values: RelativePath = "values.yaml"
    sign: Literal["ssh"] | None = None


class RegistryOverride(_Model):
    """What an environment's registry has of its own."""

    repository: RepositoryName | None = None


class BlocksConfig(_Model):
    """The names of an environment's Prefect blocks, where they are not `argosy-<environment>-<kind>`."""

    aws: BlockName | None = None
    registry: BlockName | None = None
    argocd: BlockName | None = None
    docker: BlockName | None = None


class RetryConfig(_Model):
    """How often a fault that may pass is tried, and after how many seconds again."""

    max_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    backoff_factor: Annotated[float, Field(ge=1, le=10, strict=False)] = 2.0
    initial_delay: Annotated[float, Field(ge=0, le=600, strict=False)] = 5.0


class EnvironmentConfig(_Model):
    """Where an environment's releases come from and go to; its `argocd` replaces the configuration's."""

    source: SourceConfig
    target: TargetConfig
    registry: RegistryOverride = RegistryOverride()
    argocd: ArgoCDConfig | None = None
    retry: RetryConfig = RetryConfig()
    blocks: BlocksConfig = BlocksConfig()


class Configuration(_Model):
    """The whole of `argosy.yaml`."""

    version: Literal[1]
    registry: RegistryConfig
    defaults: DefaultsConfig = DefaultsConfig()
    services: dict[Name, ServiceConfig] = Field(min_length=1)
    argocd: ArgoCDConfig | None = None
    environments: dict[Name, EnvironmentConfig] = Field(min_length=1)


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
