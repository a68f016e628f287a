"""One environment of a configuration, resolved: every template filled in, every path whole."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from argosy.build_options import HERE, Builder
from argosy.config import FILE, Configuration
from argosy.config_environment import ArgoCDConfig, EnvironmentConfig
from argosy.errors import ConfigurationError
from argosy.models import ImageReference, Service
from argosy.resilience import DEFAULT_RETRY, Retry
from argosy.services import chart_path, contradiction, described

STATE_FOLDER = ".argosy"
"""The folder of the target branch in which Argosy keeps what it writes besides values files."""


@dataclass(frozen=True, slots=True)
class RegistryTarget:
    """The registry of an environment; `account_id` and `region` are those of ECR."""

    type: str
    host: str
    account_id: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Blocks:
    """The names of the Prefect blocks that an environment uses."""

    aws: str
    registry: str
    argocd: str
    docker: str


@dataclass(frozen=True, slots=True)
class Watch:
    """How Argo CD is watched; times are in seconds."""

    project: str | None
    timeout: float
    stable_for: float


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment as a release needs it; without `watch` nothing is verified.

    `written` holds every path that Argosy writes in any environment: no content digest covers them. `retry` says how
    often a fault that may pass is tried.
    """

    name: str
    source_branch: str
    target_branch: str
    sign: bool
    registry: RegistryTarget
    blocks: Blocks
    watch: Watch | None
    services: tuple[Service, ...]
    written: frozenset[str]
    retry: Retry = DEFAULT_RETRY
    builder: Builder = HERE

    def service(self, name: str) -> Service:
        """The service called `name`. Raises ConfigurationError where there is none."""
        for service in self.services:
            if service.name == name:
                return service
        known = ", ".join(service.name for service in self.services)
        raise ConfigurationError(f"{FILE} has no service {name}", remedy=f"it has {known}")

    def repository(self, service: Service) -> str:
        """The service's repository with its host, as image references carry it."""
        return f"{self.registry.host}/{service.ecr_repository}"

    def image(self, service: Service, tag: str) -> ImageReference:
        """The service's image under `tag`."""
        return ImageReference(self.repository(service), tag)


def resolve(configuration: Configuration, name: str) -> Environment:
    """The environment called `name`.

    Raises ConfigurationError where there is none, where two environments would write one file, where two services
    share an image repository, and for a placeholder that stands for nothing.
    """
    config = configuration.environments.get(name)
    if config is None:
        known = ", ".join(configuration.environments)
        raise ConfigurationError(f"{FILE} has no environment {name}", remedy=f"it has {known}")
    registry = configuration.registry
    services = described(configuration, config)
    _check_repositories(name, services)
    return Environment(
        name=name,
        source_branch=config.source.branch,
        target_branch=config.target.branch,
        sign=config.target.sign is not None,
        registry=RegistryTarget(registry.type, registry.host, registry.account_id, registry.region),
        blocks=_blocks(name, config),
        watch=_watch(config.argocd or configuration.argocd),
        services=services,
        written=_written(configuration),
        builder=config.builder.builder(),
        retry=Retry(config.retry.max_attempts, config.retry.backoff_factor, config.retry.initial_delay),
    )


def _check_repositories(environment: str, services: Sequence[Service]) -> None:
    # `deployed-dev` and its like can name one image a repository: the other services' would expire while deployed.
    owners: dict[str, str] = {}
    for service in services:
        owned = service.ecr_repository
        other = owners.setdefault(owned, service.name)
        if other != service.name:
            raise contradiction(
                f"{other} and {service.name} share the image repository {owned} in {environment}",
                "write {service} into registry.repository", "environments", environment, "registry", "repository",
            )  # fmt: skip


def _blocks(name: str, config: EnvironmentConfig) -> Blocks:
    named = config.blocks
    return Blocks(
        aws=named.aws or f"argosy-{name}-aws",
        registry=named.registry or f"argosy-{name}-registry",
        argocd=named.argocd or f"argosy-{name}-argocd",
        docker=named.docker or f"argosy-{name}-docker",
    )


def _watch(argocd: ArgoCDConfig | None) -> Watch | None:
    return Watch(argocd.project, argocd.timeout, argocd.stable_for) if argocd else None


def _written(configuration: Configuration) -> frozenset[str]:
    """Every values file that some environment writes. Raises ConfigurationError where two services write the same."""
    charts = {service: chart_path(configuration, service) for service in configuration.services}
    writers: dict[tuple[str, str], tuple[str, str]] = {}
    for name, environment in configuration.environments.items():
        target = environment.target
        for service, chart in charts.items():
            values = posixpath.normpath(f"{chart}/{target.values}")
            other = writers.setdefault((target.branch, values), (service, name))
            if other != (service, name):
                raise contradiction(
                    f"{' in '.join(other)} and {service} in {name} both write {values} on {target.branch}",
                    "give one of them another target.values, target.branch or chart", "environments", name, "target",
                )  # fmt: skip
    return frozenset(values for _, values in writers)
