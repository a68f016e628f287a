"""The services of an environment as `argosy.yaml` describes them: every template filled in, every path whole."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from argosy.builds.options import BuildOptions
from argosy.config import FILE, Configuration
from argosy.errors import ConfigurationError
from argosy.models import BuildContext, ImageKeys, Service
from argosy.settings.build import BuildConfig, ServiceConfig
from argosy.settings.chart import USUAL_FOLDER, KeysConfig
from argosy.settings.environment import EnvironmentConfig

_USUAL = KeysConfig()
_PLACEHOLDER = re.compile(r"\{[^}]*\}?|\}")


class Contradiction(ConfigurationError):
    """Parts of `argosy.yaml` that do not go together: `path` leads to one, else it is the value that reads `scalar`."""

    path: tuple[str | int, ...] = ()
    scalar: str = ""


def contradiction(message: str, remedy: str, *path: str | int, scalar: str = "") -> Contradiction:
    """The Contradiction that `message` tells."""
    error = Contradiction(f"{FILE}: {message}", remedy=remedy)
    error.path, error.scalar = path, scalar
    return error


def described(configuration: Configuration, environment: EnvironmentConfig) -> tuple[Service, ...]:
    """Every service of `environment`, in the configuration's order.

    Raises ConfigurationError for a placeholder that stands for nothing, and for services that are built from each
    other in a circle, or from one that is not there.
    """
    bases = {name: _bases(configuration, name) for name in configuration.services}
    found: dict[str, Service] = {}
    for name in _in_order(bases):
        found[name] = _service(configuration, environment, name, tuple(found[base] for base in bases[name]))
    return tuple(found[name] for name in configuration.services)


def _in_order(bases: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The services, each behind those that it is built from."""
    if not any(bases.values()):
        return tuple(bases)
    try:
        return tuple(TopologicalSorter(bases).static_order())
    except CycleError as error:
        circle = list(reversed(error.args[1]))[:-1]
        first = min(map(list(bases).index, circle))
        start = circle.index(list(bases)[first])
        circle = [*circle[start:], *circle[: start + 1]]
        raise contradiction(
            f"{' -> '.join(circle)}: built from each other in a circle", "let one of them be built without the others",
            "services", circle[0], "build", "from",
        ) from error  # fmt: skip


def _bases(configuration: Configuration, name: str) -> tuple[str, ...]:
    """The services that the one called `name` is built from; raises Contradiction for one that is none."""
    own, defaults = configuration.services[name].build, configuration.defaults.build
    inherited = "from_" not in own.model_fields_set
    bases = defaults.from_ if inherited else own.from_
    place = ("defaults", "build", "from") if inherited else ("services", name, "build", "from")
    contexts = defaults.contexts | own.contexts if bases else {}
    for index, base in enumerate(bases):
        if base not in configuration.services:
            raise contradiction(
                f"{name} is built from {base}, which is no service", f"there are {', '.join(configuration.services)}",
                *place, index,
            )  # fmt: skip
        if base in contexts:
            raise contradiction(
                f"{base} is a context of {name} and a service that it is built from: the Dockerfile's {base} is both",
                "give the context another name", *place, index,
            )  # fmt: skip
    return tuple(sorted(set(bases)))


def _service(
    configuration: Configuration, environment: EnvironmentConfig, name: str, dependencies: tuple[Service, ...]
) -> Service:
    defaults, own = configuration.defaults, configuration.services[name]
    path = _path(own.path or defaults.path, name)
    chart, released = chart_path(configuration, name), target_chart_path(configuration, environment, name)
    registry = own.registry or defaults.registry
    argocd = environment.argocd or configuration.argocd
    build = own.build
    return Service(
        name=name,
        path=path,
        chart_path=chart,
        target_chart=released if released != chart else None,
        values_path=posixpath.normpath(f"{released}/{environment.target.values}"),
        ecr_repository=filled(repository_template(configuration, environment, registry), name),
        registry=registry,
        keys=image_keys(configuration, name),
        build_context=_context(
            defaults.build, own, name, path, _path(own.dockerfile or defaults.dockerfile, name, path)
        ),
        application=filled(argocd.application, name) if argocd else None,
        timeout=build.timeout if "timeout" in build.model_fields_set else defaults.build.timeout,
        dependencies=dependencies,
        build=_options(defaults.build, build),
        shared=tuple(sorted({_path(each, name, path) for each in (*defaults.shared, *own.shared)})),
    )


def repository_template(configuration: Configuration, environment: EnvironmentConfig, registry: str | None) -> str:
    """The template of the repositories' names in the registry of that name."""
    override = environment.registry if registry is None else environment.registries.get(registry)
    described = configuration.registry if registry is None else configuration.registries[registry]
    return (override.repository if override else None) or described.repository


def chart_path(configuration: Configuration, name: str) -> str:
    """The folder of the chart of the service called `name` where it is released from, the same in every environment."""
    defaults, own = configuration.defaults, configuration.services[name]
    template = own.chart.path or defaults.chart.path or USUAL_FOLDER
    return _path(template, name, _path(own.path or defaults.path, name))


def target_chart_path(configuration: Configuration, environment: EnvironmentConfig, name: str) -> str:
    """The folder of the chart of the service called `name` in the environment's target."""
    template, own = environment.target.chart, configuration.services[name]
    if template is None:
        return chart_path(configuration, name)
    return _path(template, name, _path(own.path or configuration.defaults.path, name))


def image_keys(configuration: Configuration, name: str) -> ImageKeys:
    """Which keys carry the reference of the service called `name`: its own, all of them, or else those of all."""
    own = configuration.services[name].chart
    keys = own.keys if "keys" in own.model_fields_set else configuration.defaults.chart.keys
    if keys == _USUAL:
        return ImageKeys()
    found = {key: filled(path, name) for key, path in keys if path}
    return ImageKeys(**found)


def _context(defaults: BuildConfig, own: ServiceConfig, name: str, path: str, dockerfile: str) -> BuildContext:
    build = own.build
    contexts = defaults.contexts | build.contexts
    return BuildContext(
        path=_path(build.context or defaults.context or "{path}", name, path),
        dockerfile=dockerfile,
        build_args=tuple(sorted((defaults.args | build.args).items())),
        target_stage=build.target or defaults.target,
        platform=build.platforms or defaults.platforms,
        labels=tuple(sorted((defaults.labels | build.labels).items())),
        contexts=tuple(sorted((key, _path(value, name, path)) for key, value in contexts.items())),
        resolve=build.resolve if "resolve" in build.model_fields_set else defaults.resolve,
    )


def _options(defaults: BuildConfig, own: BuildConfig) -> BuildOptions:
    def chosen(name: str) -> Any:
        return getattr(own if name in own.model_fields_set else defaults, name)

    sbom = chosen("sbom")
    return BuildOptions(
        secrets=tuple(sorted((defaults.secrets | own.secrets).items())),
        ssh=chosen("ssh"),
        cache=chosen("cache") == "registry",
        provenance=chosen("provenance"),
        sbom="true" if sbom is True else sbom or None,
        limits=chosen("limits").limits(),
    )


def filled(template: str, service: str, path: str | None = None) -> str:
    """The template with its placeholders filled in; raises ConfigurationError for one that stands for nothing."""
    text = (template if path is None else template.replace("{path}", path)).replace("{service}", service)
    if unknown := _PLACEHOLDER.search(text):
        raise contradiction(
            f"{template} has the placeholder {unknown[0]}, which stands for nothing there",
            "{service} stands for the service's name, and {path} for its path in what lies below it",
            scalar=template,
        )
    return text


def _path(template: str, service: str, path: str | None = None) -> str:
    # Git knows one spelling of a path; `./src/ui/` is written `src/ui` there.
    return posixpath.normpath(filled(template, service, path))
