"""The effective configuration: every setting of an environment, and where in `argosy.yaml` each comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from argosy.config import Configuration
from argosy.environment import Environment, resolve
from argosy.models import Service
from argosy.yaml_positions import Document, Path

Value = str | float | bool | list[Any] | None


class Origin(StrEnum):
    """Who says what a setting is."""

    OWN = "own"
    """The part of the file that is about it alone: the service, the environment, the registry."""
    DEFAULTS = "defaults"
    """What the file says of all: `defaults`, or where an environment might differ, the sections of all environments."""
    BUILT_IN = "built-in"
    """Nobody: the file leaves it out."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of an environment; `line` is where the file has it, None for what is built in."""

    key: str
    value: Value
    origin: Origin
    line: int | None = None


def settings(document: Document, configuration: Configuration, name: str) -> tuple[Setting, ...]:
    """Every setting of the environment called `name`, in the order of the file.

    Raises ConfigurationError where there is none such, or parts of the file contradict each other.
    """
    environment = resolve(configuration, name)
    found = _Found(document, name)
    rows = [*_environment(found, configuration, environment)]
    for service in environment.services:
        rows += _service(found, configuration, service)
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class _Found:
    document: Document
    environment: str

    def setting(self, key: str, value: Value, own: Path, *defaults: Path) -> Setting:
        """`value` with the first of the places that the file has, the most special first."""
        line = self.document.line(own)
        if line is not None:
            return Setting(key, value, Origin.OWN, line)
        lines = filter(None, map(self.document.line, defaults))
        line = next(lines, None)
        return Setting(key, value, Origin.DEFAULTS if line else Origin.BUILT_IN, line)

    def of_all(self, key: str, value: Value, below: Path = ()) -> Setting:
        """A setting of the environment that a section of all environments may have too."""
        path = below or tuple(key.split("."))
        return self.setting(key, value, ("environments", self.environment, *path), path)


def _environment(found: _Found, configuration: Configuration, environment: Environment) -> Iterator[Setting]:
    config = configuration.environments[environment.name]
    yield found.of_all("source.branch", config.source.branch)
    for key, value in config.target:
        yield found.of_all(f"target.{key}", value)
    yield from _registry(found, configuration, environment)
    argocd = config.argocd or configuration.argocd
    for key, value in argocd or ():
        section = ("environments", environment.name) if config.argocd else ()
        if key != "application":
            yield found.setting(f"argocd.{key}", value, (*section, "argocd", key))
    for key, value in config.retry:
        yield found.of_all(f"retry.{key}", value)
    for key, value in config.builder:
        yield found.of_all(f"builder.{key}", list(value) if isinstance(value, tuple) else value)
    for block in ("aws", "registry", "argocd", "docker"):
        yield found.of_all(f"blocks.{block}", getattr(environment.blocks, block))


def _registry(found: _Found, configuration: Configuration, environment: Environment) -> Iterator[Setting]:
    registry = configuration.registry
    for key, value in (("type", registry.type), ("account_id", registry.account_id), ("region", registry.region)):
        if value is not None:
            yield found.setting(f"registry.{key}", value, ("registry", key))
    yield found.setting("registry.endpoint", environment.registry.host, ("registry", "endpoint"))


def _service(found: _Found, configuration: Configuration, service: Service) -> Iterator[Setting]:
    own: Path = ("services", service.name)

    def told(key: str, value: Value, *path: str) -> Setting:
        place = path or tuple(key.split("."))
        return found.setting(f"services.{service.name}.{key}", value, (*own, *place), ("defaults", *place))

    yield told("path", service.path)
    yield told("dockerfile", service.dockerfile_path)
    yield told("chart", service.chart_path)
    for key, value, place in _named(service):
        yield found.of_all(f"services.{service.name}.{key}", value, place)
    yield told("shared", list(service.shared))
    yield told("filters", list(configuration.services[service.name].filters or configuration.defaults.filters))
    context = service.build_context
    yield told("build.context", context.path)
    yield told("build.target", context.target_stage)
    yield told("build.platforms", list(context.platform))
    for kind, pairs in (("args", context.build_args), ("labels", context.labels), ("contexts", context.contexts)):
        for name, text in pairs:
            yield told(f"build.{kind}.{name}", text, "build", kind, name)
    yield told("build.from", [base.name for base in service.dependencies])
    yield told("build.resolve", context.resolve)
    yield told("build.timeout", service.timeout)
    yield from _options(service, told)


def _options(service: Service, told: Callable[..., Setting]) -> Iterator[Setting]:
    build, limits = service.build, service.build.limits
    for name, block in build.secrets:
        yield told(f"build.secrets.{name}", block, "build", "secrets", name)
    yield told("build.ssh", build.ssh)
    yield told("build.cache", "registry" if build.cache else "none")
    yield told("build.provenance", build.provenance)
    yield told("build.sbom", build.sbom or False)
    yield told("build.limits.cgroup_parent", limits.cgroup_parent)
    yield told("build.limits.shm_size", limits.shm_size)
    for name, count in limits.ulimits:
        yield told(f"build.limits.ulimits.{name}", count, "build", "limits", "ulimits", name)


def _named(service: Service) -> Iterator[tuple[str, Value, Path]]:
    """What a service has by templates of its environment."""
    yield "values", service.values_path, ("target", "values")
    yield "repository", service.ecr_repository, ("registry", "repository")
    if service.application is not None:
        yield "application", service.application, ("argocd", "application")
