"""One environment of a configuration, resolved: every template filled in, every path whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from argosy.builds.options import HERE, Builder
from argosy.config import FILE, Configuration
from argosy.ecr.settings import DEFAULT_ECR, ECRSettings, resolve_ecr
from argosy.errors import ConfigurationError
from argosy.gitops.patience import DEFAULT_PATIENCE, Patience
from argosy.models import ImageReference, Service
from argosy.registries.targets import RegistryTarget, registry_targets
from argosy.resilience import DEFAULT_BREAKER, DEFAULT_RETRY, BreakerPolicy, Retry
from argosy.scans.rules import ScanRules
from argosy.services import contradiction, described
from argosy.settings.environment import ArgoCDConfig, EnvironmentConfig, PushConfig
from argosy.settings.target_mode import Method, Mode, RenderMode
from argosy.targets import mode, target_repository, written

STATE_FOLDER = ".argosy"
"""The folder of the target branch in which Argosy keeps what it writes besides values files."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The names of the Prefect blocks that an environment uses, but for those of its registries."""

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

    `registries` has its registries by their names, its own under None. `written` holds every path that Argosy writes in
    any environment to the repository that is released from: no content digest covers them. `target_repository` names
    the GitOps Repository block of the one that the target branch is of, where that is another. `retry` says how often
    what may pass is tried, `push` how often a push that others come before, `breaker` when a registry that keeps
    failing is left alone, `ecr` how repositories are kept where a registry is Amazon's. Without `scan` no image is
    judged by its scan. With `automatic_rollback` a run takes back what it sees degrade. `mode` says how a commit gets
    to the target, `auto_merge` how GitHub merges by itself what goes there by a pull request; `render_check` whether
    charts are rendered before they go there.
    """

    name: str
    source_branch: str
    target_branch: str
    sign: Literal["ssh", "gpg"] | None
    registries: Mapping[str | None, RegistryTarget]
    blocks: Blocks
    watch: Watch | None
    services: tuple[Service, ...]
    written: frozenset[str]
    retry: Retry = DEFAULT_RETRY
    automatic_rollback: bool = False
    scan: ScanRules | None = None
    ecr: ECRSettings = DEFAULT_ECR
    breaker: BreakerPolicy = DEFAULT_BREAKER
    builder: Builder = HERE
    push: Patience = DEFAULT_PATIENCE
    mode: Mode = "push"
    auto_merge: Method | None = None
    target_repository: str | None = None
    render_check: RenderMode = "auto"

    @property
    def writes_to_source(self) -> bool:
        """Whether releases are written to the very branch that they are made from."""
        return self.target_repository is None and self.source_branch == self.target_branch

    @property
    def may_propose(self) -> bool:
        """Whether what is written there may go by a pull request."""
        return self.mode in {"pull-request", "auto"}

    def service(self, name: str) -> Service:
        """The service called `name`. Raises ConfigurationError where there is none."""
        for service in self.services:
            if service.name == name:
                return service
        known = ", ".join(service.name for service in self.services)
        raise ConfigurationError(f"{FILE} has no service {name}", remedy=f"it has {known}")

    def registry(self, service: Service) -> RegistryTarget:
        """The registry that the service lives in."""
        return self.registries[service.registry]

    @property
    def used_registries(self) -> tuple[RegistryTarget, ...]:
        """The registries that services live in, each once, and those that stand in for them."""
        homes = [self.registry(service) for service in self.services]
        stand_ins = [self.registries[each.fallback] for each in homes if each.fallback]
        return tuple({each.name: each for each in (*homes, *stand_ins)}.values())

    def registry_at(self, host: str) -> RegistryTarget | None:
        """The registry in use at `host`; None where it is none of the environment's."""
        return next((each for each in self.used_registries if each.host == host), None)

    def repository(self, service: Service) -> str:
        """The service's repository with its host, as image references carry it."""
        return f"{self.registry(service).host}/{service.ecr_repository}"

    def stand_in(self, service: Service) -> RegistryTarget | None:
        """The registry that the service's image goes to while its own does not answer; None where there is none."""
        fallback = self.registry(service).fallback
        return self.registries[fallback] if fallback else None

    def in_stand_in(self, service: Service, reference: ImageReference) -> bool:
        """Whether `reference` is of the service's repository in the registry that stands in for its own."""
        target = self.stand_in(service)
        return target is not None and reference.repository == target.whole_repository_of(service.name)

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
    registries = registry_targets(configuration, name, config)
    services = described(configuration, config)
    _check_repositories(name, services, registries)
    return Environment(
        name=name,
        source_branch=config.source.branch,
        target_branch=config.target.branch,
        target_repository=target_repository(name, config.target),
        sign=config.target.sign,
        registries=registries,
        blocks=_blocks(name, config),
        watch=_watch(config.argocd or configuration.argocd),
        services=services,
        written=written(configuration),
        builder=config.builder.builder(),
        retry=Retry(config.retry.max_attempts, config.retry.backoff_factor, config.retry.initial_delay),
        automatic_rollback=_automatic_rollback(name, config, configuration),
        scan=_scan(name, config, services, registries),
        ecr=resolve_ecr(configuration, name),
        breaker=BreakerPolicy(config.breaker.failures, config.breaker.delay),
        push=_patience(config.target.push),
        mode=mode(name, config.target),
        auto_merge=config.target.auto_merge,
        render_check=(config.charts or configuration.charts).render_check,
    )


def _check_repositories(
    environment: str, services: Sequence[Service], registries: Mapping[str | None, RegistryTarget]
) -> None:
    # `deployed-dev` and its like can name one image a repository: the other services' would expire while deployed.
    owners: dict[str, str] = {}
    for service in services:
        owned = f"{registries[service.registry].host}/{service.ecr_repository}"
        other = owners.setdefault(owned, service.name)
        if other != service.name:
            raise contradiction(
                f"{other} and {service.name} share the image repository {service.ecr_repository} in {environment}",
                "write {service} into registry.repository", "environments", environment, "registry", "repository",
            )  # fmt: skip


def _blocks(name: str, config: EnvironmentConfig) -> Blocks:
    named = config.blocks
    return Blocks(
        argocd=named.argocd or f"argosy-{name}-argocd",
        docker=named.docker or f"argosy-{name}-docker",
    )


def _patience(push: PushConfig) -> Patience:
    return Patience(push.max_attempts, push.initial_delay, push.max_delay, push.deadline)


def _automatic_rollback(name: str, config: EnvironmentConfig, configuration: Configuration) -> bool:
    automatic = config.rollback == "automatic"
    if automatic and not (config.argocd or configuration.argocd):
        raise contradiction(
            f"{name} is to be rolled back by itself, and nothing says whether it is healthy",
            "add the section argocd, or leave rollback out", "environments", name, "rollback",
        )  # fmt: skip
    return automatic


def _watch(argocd: ArgoCDConfig | None) -> Watch | None:
    return Watch(argocd.project, argocd.timeout, argocd.stable_for) if argocd else None


def _scan(
    name: str,
    config: EnvironmentConfig,
    services: Sequence[Service],
    registries: Mapping[str | None, RegistryTarget],
) -> ScanRules | None:
    """The scan gate. Raises ConfigurationError where nothing scans, and for a service that is none."""
    place = ("environments", name, "scan")
    if config.scan is None:
        return None
    for service in services:
        home = registries[service.registry]
        if home.type != "ecr":
            raise contradiction(
                f"a registry of type {home.type}, as that of {service.name}, has no scans that {name} could ask for",
                "leave scan out, or scan: off; the gate is for registries of type ecr", *place,
            )  # fmt: skip
    names = [service.name for service in services]
    for index, entry in enumerate(config.scan.allow):
        if entry.service is not None and entry.service not in names:
            raise contradiction(
                f"{entry.id} is allowed for {entry.service}, which is no service",
                f"there are {', '.join(names)}", *place, "allow", index, "service",
            )  # fmt: skip
    return config.scan.rules()
