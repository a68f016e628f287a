"""The services of an environment as `argosy.yaml` describes them: every template filled in, every path whole."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from argosy.config import FILE, BuildConfig, Configuration, EnvironmentConfig, ServiceConfig
from argosy.errors import ConfigurationError
from argosy.models import BuildContext, Service

_PLACEHOLDER = re.compile(r"\{[^}]*\}?|\}")


class Contradiction(ConfigurationError):
    """Parts of `argosy.yaml` that do not go together: `path` leads to one, else it is the value that reads `scalar`."""

    path: tuple[str, ...] = ()
    scalar: str = ""


def contradiction(message: str, remedy: str, *path: str, scalar: str = "") -> Contradiction:
    """The Contradiction that `message` tells."""
    error = Contradiction(f"{FILE}: {message}", remedy=remedy)
    error.path, error.scalar = path, scalar
    return error


def described(configuration: Configuration, environment: EnvironmentConfig) -> tuple[Service, ...]:
    """Every service of `environment`, in the configuration's order.

    Raises ConfigurationError for a placeholder that stands for nothing, and for services that are built from each
    other in a circle, or from one that is not there.
    """
    found: dict[str, Service] = {}
    for name in configuration.services:
        _describe(configuration, environment, name, (), found)
    return tuple(found[name] for name in configuration.services)


def _describe(
    configuration: Configuration, environment: EnvironmentConfig, name: str, above: Sequence[str],
    found: dict[str, Service],
) -> Service:  # fmt: skip
    if name in found:
        return found[name]
    if name in above:
        circle = " -> ".join([*above[above.index(name) :], name])
        raise contradiction(
            f"{circle}: built from each other in a circle", "let one of them be built without the others",
            "services", name, "build", "from",
        )  # fmt: skip
    bases = _bases(configuration, name)
    built_from = tuple(_describe(configuration, environment, base, [*above, name], found) for base in bases)
    return found.setdefault(name, _service(configuration, environment, name, built_from))


def _bases(configuration: Configuration, name: str) -> tuple[str, ...]:
    bases = configuration.services[name].build.from_ or configuration.defaults.build.from_
    unknown = next((base for base in bases if base not in configuration.services), None)
    if unknown is not None:
        raise contradiction(
            f"{name} is built from {unknown}, which is no service", f"there are {', '.join(configuration.services)}",
            "services", name, "build", "from",
        )  # fmt: skip
    return tuple(sorted(set(bases)))


def _service(
    configuration: Configuration, environment: EnvironmentConfig, name: str, dependencies: tuple[Service, ...]
) -> Service:
    defaults, own = configuration.defaults, configuration.services[name]
    path = _path(own.path or defaults.path, name)
    repository = environment.registry.repository or configuration.registry.repository
    argocd = environment.argocd or configuration.argocd
    build = own.build
    return Service(
        name=name,
        path=path,
        chart_path=_path(own.chart or defaults.chart, name, path),
        values_path=values_path(configuration, environment, name),
        ecr_repository=_fill(repository, name),
        build_context=_context(
            defaults.build, own, name, path, _path(own.dockerfile or defaults.dockerfile, name, path)
        ),
        application=_fill(argocd.application, name) if argocd else None,
        timeout=build.timeout if "timeout" in build.model_fields_set else defaults.build.timeout,
        dependencies=dependencies,
        shared=tuple(sorted({_path(each, name, path) for each in (*defaults.shared, *own.shared)})),
    )


def values_path(configuration: Configuration, environment: EnvironmentConfig, name: str) -> str:
    """The file in which `environment` keeps the reference of the service called `name`."""
    defaults, own = configuration.defaults, configuration.services[name]
    path = _path(own.path or defaults.path, name)
    chart = _path(own.chart or defaults.chart, name, path)
    return posixpath.normpath(f"{chart}/{environment.target.values}")


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


def _fill(template: str, service: str, path: str | None = None) -> str:
    """The template with its placeholders filled in; raises ConfigurationError for one that stands for nothing."""
    filled = (template if path is None else template.replace("{path}", path)).replace("{service}", service)
    if unknown := _PLACEHOLDER.search(filled):
        raise contradiction(
            f"{template} has the placeholder {unknown[0]}, which stands for nothing there",
            "{service} stands for the service's name, and {path} for its path in what lies below it",
            scalar=template,
        )
    return filled


def _path(template: str, service: str, path: str | None = None) -> str:
    # Git knows one spelling of a path; `./src/ui/` is written `src/ui` there.
    return posixpath.normpath(_fill(template, service, path))
