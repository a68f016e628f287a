"""The registries of an environment: where each is, which blocks open it, and which stands in for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from argosy.config import Configuration
from argosy.services import contradiction, filled
from argosy.settings.environment import EnvironmentConfig
from argosy.settings.registry import NamedRegistryOverride, RegistryConfig


@dataclass(frozen=True, slots=True)
class RegistryTarget:
    """A registry that services live in; `account_id` and `region` are those of ECR.

    `name` is its key in `registries`, None for the one that `registry` describes; `repository` the template of its
    repositories' names. `login` and `aws` are the names of its Prefect blocks. `fallback` is the key of the registry
    that images go to while this one does not answer.
    """

    type: str
    host: str
    repository: str
    login: str
    aws: str
    name: str | None = None
    account_id: str | None = None
    region: str | None = None
    fallback: str | None = None

    def repository_of(self, service: str) -> str:
        """The name of that service's repository in it, without the host."""
        return filled(self.repository, service)

    def whole_repository_of(self, service: str) -> str:
        """The same with the host, as image references carry it."""
        return f"{self.host}/{self.repository_of(service)}"


def registry_targets(
    configuration: Configuration, environment: str, config: EnvironmentConfig
) -> dict[str | None, RegistryTarget]:
    """Every registry that `environment` may use, by its key in `registries`; None stands for `registry`.

    Raises ConfigurationError where a key leads nowhere.
    """
    _check(configuration, environment, config)
    return {
        None: _default(configuration.registry, environment, config),
        **{name: _named(name, each, environment, config) for name, each in configuration.registries.items()},
    }


def _default(registry: RegistryConfig, environment: str, config: EnvironmentConfig) -> RegistryTarget:
    template = config.registry.repository or registry.repository
    login = config.blocks.registry or f"argosy-{environment}-registry"
    return _target(None, registry, template, login, config.blocks.aws or f"argosy-{environment}-aws")


def _named(name: str, registry: RegistryConfig, environment: str, config: EnvironmentConfig) -> RegistryTarget:
    own = config.registries.get(name, NamedRegistryOverride())
    login = own.blocks.registry or f"argosy-{environment}-registry-{name}"
    aws = own.blocks.aws or f"argosy-{environment}-aws-{name}"
    return _target(name, registry, own.repository or registry.repository, login, aws)


def _target(name: str | None, registry: RegistryConfig, template: str, login: str, aws: str) -> RegistryTarget:
    return RegistryTarget(
        type=registry.type,
        host=registry.host,
        repository=template,
        login=login,
        aws=aws,
        name=name,
        account_id=registry.account_id,
        region=registry.region,
        fallback=registry.fallback,
    )


def _check(configuration: Configuration, environment: str, config: EnvironmentConfig) -> None:
    places: dict[tuple[str, ...], str | None] = {
        ("registry", "fallback"): configuration.registry.fallback,
        ("defaults", "registry"): configuration.defaults.registry,
    }
    places |= {("registries", key, "fallback"): each.fallback for key, each in configuration.registries.items()}
    places |= {("services", key, "registry"): each.registry for key, each in configuration.services.items()}
    places |= {("environments", environment, "registries", key): key for key in config.registries}
    for path, named in places.items():
        if named is not None and named not in configuration.registries:
            known = ", ".join(configuration.registries) or "none"
            raise contradiction(f"{named} is no registry of registries", f"there are: {known}", *path)
    _check_fallbacks(configuration.registries)


def _check_fallbacks(registries: Mapping[str, RegistryConfig]) -> None:
    for key, each in registries.items():
        if each.fallback == key:
            why = f"the registry {key} is its own fallback"
            raise contradiction(why, "name another one of registries", "registries", key, "fallback")
