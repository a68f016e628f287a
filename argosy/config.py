"""`argosy.yaml`: what a repository says about its services and environments, checked when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from argosy.settings.build import DefaultsConfig, ServiceConfig
from argosy.settings.chart import ChartsConfig
from argosy.settings.ecr import EcrConfig
from argosy.settings.environment import ArgoCDConfig, EnvironmentConfig
from argosy.settings.names import Name
from argosy.settings.registry import RegistryConfig
from argosy.settings.section import Section
from argosy.yaml_files.positions import Document

FILE = "argosy.yaml"


class Configuration(Section):
    """What Argosy releases of a repository, from where to where."""

    version: Literal[1] = Field(description="The version of this format.")
    registry: RegistryConfig = Field(description="Where images go.")
    registries: dict[Name, RegistryConfig] = Field(
        {}, description="Further registries by their names: other accounts, regions or products."
    )
    defaults: DefaultsConfig = Field(DefaultsConfig(), description="What holds for every service.")
    services: dict[Name, ServiceConfig] = Field(min_length=1, description="The services by their names.")
    charts: ChartsConfig = Field(ChartsConfig(), description="What is asked of the charts that a release edits.")
    ecr: EcrConfig = Field(EcrConfig(), description="How Amazon ECR's repositories are kept.")
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
