"""The effective configuration: every setting of an environment, and where in `argosy.yaml` each comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from argosy.config import Configuration
from argosy.ecr.settings import laid_over
from argosy.environment import Environment, resolve
from argosy.models import Service
from argosy.settings.ecr import LifecycleConfig
from argosy.settings.section import Section
from argosy.yaml_files.positions import Document, Path

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
    for key, value in _flat("target", config.target):
        yield found.of_all(key, value)
    yield from _registries(found, environment)
    if any(target.type == "ecr" for target in environment.used_registries):
        yield from _ecr(found, configuration, environment)
    argocd = config.argocd or configuration.argocd
    for key, value in argocd or ():
        below = ("environments", environment.name) if config.argocd else ()
        if key != "application":
            yield found.setting(f"argocd.{key}", value, (*below, "argocd", key))
    for section, settings in (("retry", config.retry), ("builder", config.builder), ("breaker", config.breaker)):
        for key, value in settings:
            yield found.of_all(f"{section}.{key}", list(value) if isinstance(value, tuple) else value)
    below = ("environments", environment.name) if config.charts else ()
    yield found.setting("charts.render_check", environment.render_check, (*below, "charts", "render_check"))
    yield found.of_all("rollback", config.rollback)
    yield from _scan(found, environment)
    own = environment.registries[None]
    rest = environment.blocks
    named = {"aws": own.aws, "registry": own.login, "argocd": rest.argocd, "docker": rest.docker}
    for block, name in named.items():
        yield found.of_all(f"blocks.{block}", name)


def _registries(found: _Found, environment: Environment) -> Iterator[Setting]:
    for target in environment.used_registries:
        place: Path = ("registries", target.name) if target.name else ("registry",)
        told = {"type": target.type, "account_id": target.account_id, "region": target.region}
        told |= {"endpoint": target.host, "fallback": target.fallback}
        for key, value in told.items():
            if value is not None:
                yield found.setting(".".join(map(str, (*place, key))), value, (*place, key))
        if target.name:
            for block, name in (("aws", target.aws), ("registry", target.login)):
                path = ("environments", environment.name, *place, "blocks", block)
                yield found.setting(f"registries.{target.name}.blocks.{block}", name, path)


def _scan(found: _Found, environment: Environment) -> Iterator[Setting]:
    rules = environment.scan
    yield found.of_all("scan", "off" if rules is None else "block" if rules.block else "warn")
    if rules is not None:
        yield found.of_all("scan.block", [each.value for each in rules.block])
        yield found.of_all("scan.warn", [each.value for each in rules.warn])
        yield found.of_all("scan.timeout", rules.timeout)
        yield found.of_all("scan.on_missing", rules.on_missing)
        yield found.of_all("scan.allow", [f"{each.id} until {each.until}" for each in rules.allow])


def _ecr(found: _Found, configuration: Configuration, environment: Environment) -> Iterator[Setting]:
    replaced = configuration.environments[environment.name].ecr.model_fields_set - {"tags", "teams"}
    for key, value in _flat("ecr", laid_over(configuration, environment.name)):
        path = tuple(key.split("."))
        own = ("environments", environment.name, *path)
        yield found.setting(key, value, own) if path[1] in replaced else found.of_all(key, value)


def _flat(key: str, section: Section) -> Iterator[tuple[str, Value]]:
    """Every value of `section` and the sections in it, by its dotted key; without those that others make void."""
    rules = isinstance(section, LifecycleConfig) and section.rules
    for name, value in section:
        dotted = f"{key}.{name}"
        if isinstance(value, Section):
            yield from _flat(dotted, value)
        elif isinstance(value, dict) and name != "policy":
            yield from ((f"{dotted}.{each}", text) for each, text in value.items())
        elif not rules or name == "rules":
            yield dotted, _shown(value)


def _shown(value: Any) -> Value:
    if isinstance(value, tuple):
        return [each.model_dump(exclude_unset=True) if isinstance(each, Section) else each for each in value]
    return [value] if isinstance(value, dict) else value


def _service(found: _Found, configuration: Configuration, service: Service) -> Iterator[Setting]:
    own: Path = ("services", service.name)

    def told(key: str, value: Value, *path: str) -> Setting:
        place = path or tuple(key.split("."))
        return found.setting(f"services.{service.name}.{key}", value, (*own, *place), ("defaults", *place))

    yield told("path", service.path)
    yield told("dockerfile", service.dockerfile_path)
    yield told("chart", service.chart_path)
    yield from _keys(found, configuration, service)
    for key, value, place in _named(service):
        yield found.of_all(f"services.{service.name}.{key}", value, place)
    if service.registry:
        yield told("registry", service.registry)
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


def _keys(found: _Found, configuration: Configuration, service: Service) -> Iterator[Setting]:
    own = "keys" in configuration.services[service.name].chart.model_fields_set
    section: Path = ("services", service.name) if own else ("defaults",)
    for key in ("image",) if service.keys.image else ("repository", "tag", "digest"):
        if path := getattr(service.keys, key):
            place = (*section, "chart", "keys", key)
            name = f"services.{service.name}.chart.keys.{key}"
            yield found.setting(name, path, place) if own else found.setting(name, path, (), place)


def _named(service: Service) -> Iterator[tuple[str, Value, Path]]:
    """What a service has by templates of its environment."""
    yield "values", service.values_path, ("target", "values")
    home: Path = ("registries", service.registry) if service.registry else ("registry",)
    yield "repository", service.ecr_repository, (*home, "repository")
    if service.application is not None:
        yield "application", service.application, ("argocd", "application")
