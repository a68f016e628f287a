"""What a stage works with: the blocks of an environment, loaded by name, and the environment as its commit has it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.runtime import flow_run
from prefect_aws import AwsCredentials
from prefect_docker import DockerHost
from pydantic import SecretStr

from argosy.breaker import Breaker
from argosy.builds.builders import BuilderHost
from argosy.environment import Environment
from argosy.github.api_commits import ApiCommits
from argosy.github.pull_requests import PullRequests
from argosy.github.rolling_branch import Kind
from argosy.gitops.delivery import PushedUnlessProtected
from argosy.gitops.helm import Helm
from argosy.gitops.mirror import Mirror
from argosy.gitops.render_check import RenderCheck
from argosy.gitops.writer import Writer
from argosy.home import run_folder
from argosy.inputs.digests import environment_at
from argosy.models import Service
from argosy.registries.login import Login
from argosy.registries.registry import Registry
from argosy.registries.targets import RegistryTarget
from blocks.argocd_server import ArgoCDServer
from blocks.buildkit_tls import BuildKitTLS
from blocks.engine import build_secret, builder_host
from blocks.gitops_repository import GitOpsRepository
from tasks import connections
from tasks.block_loading import load_block
from tasks.recent import Recent

B = TypeVar("B", bound=Block)


# Loading one takes a new client and three requests; yet a secret renewed during a long build must be seen after it.
_LOADED = Recent(seconds=60)
_ENVIRONMENTS = Recent(seconds=600)  # what a commit says never changes


def load(kind: type[B], name: str) -> B:
    """The block of `kind` called `name`, at most a minute old within a run.

    Raises as `load_block` does.
    """
    if flow_run.id is None:
        return load_block(kind, name)
    return _LOADED.get((flow_run.id, kind, name), lambda: load_block(kind, name))


def of_a_run() -> bool:
    """Whether this is done for a flow run, which ends what was begun for it."""
    return flow_run.id is not None


def run_id() -> str:
    """The id of the flow run, which everything a run leaves behind carries."""
    return str(flow_run.id or "none")


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


def written_to(environment: Environment, block: GitOpsRepository, source: Mirror) -> tuple[GitOpsRepository, Mirror]:
    """The block and the mirror of the repository that `environment` is written to: the given ones, or its own.

    Raises as `load_block` and `GitOpsRepository.mirror_beside` do.
    """
    if environment.target_repository is None:
        return block, source
    target = load(GitOpsRepository, environment.target_repository)
    return target, target.mirror_beside(source)


@dataclass(frozen=True, slots=True)
class Workspace:
    """One environment at one source commit: the repository that it is released from, and the one that it is written to.

    They are one, unless the environment's charts lie apart. `mirror` is of the target, and its git reads both; `source`
    is of what is released, and knows its branches.
    """

    repository: GitOpsRepository
    source: Mirror
    target: GitOpsRepository
    mirror: Mirror
    environment: Environment

    @classmethod
    def open(cls, repository: str, environment: str, source_sha: str) -> Workspace:
        """The workspace for a commit that the mirror has, or can fetch."""
        block = load(GitOpsRepository, repository)
        source = block.mirror()
        if not source.path.exists() or not source.git.is_commit(source_sha):
            source.update()
        key = (source.path, source_sha, environment)
        described = _ENVIRONMENTS.get(key, lambda: environment_at(source.git, source_sha, environment))
        target, mirror = written_to(described, block, source)
        if mirror is not source and not (mirror.path.exists() and mirror.has(described.target_branch)):
            mirror.update()
        return cls(block, source, target, mirror, described)

    @property
    def source_tip(self) -> str | None:
        """The tip of the environment's source branch, as of its mirror's last update; None where there is none."""
        return self.source.git.ref(f"refs/heads/{self.environment.source_branch}")

    def writer(self) -> Writer:
        """The writer to the environment's target."""
        identity = self.target.identity(self.environment.sign)
        run, check = run_id(), self.render_check()
        return Writer(self.mirror, self.environment, identity, run, now, source=self.source, render_check=check)

    def render_check(self) -> RenderCheck:
        """What renders the run's charts before they are committed, as the environment has it."""
        return RenderCheck(self.environment.render_check, Helm.find(os.environ), partial(run_folder, run_id()))

    @contextmanager
    def writing(self, kind: Kind, services: Iterable[str]) -> Iterator[Writer]:
        """The same, which delivers what is of that `kind`, and about those `services`, as the environment has it."""
        mode, writer = self.environment.mode, self.writer()
        if mode == "push":
            yield writer
            return
        with self.target.github() as github:
            if mode == "github-api":
                yield replace(writer, delivery=ApiCommits(github))
                return
            email = self.target.author_email
            proposing = PullRequests(github, self.environment, kind, email, frozenset(services))
            yield replace(writer, delivery=PushedUnlessProtected(proposing) if mode == "auto" else proposing)

    def client(self, host: str) -> AbstractContextManager[Registry]:
        """The run's client for the registry at `host`, logged in where that is one of the environment's."""
        target = self.environment.registry_at(host)
        return connections.registry(host, target.login if target else None, self.environment.breaker)

    def login(self, host: str) -> Login:
        """The run's login to the registry at `host`; one that opens nothing where it is none of the environment's."""
        target = self.environment.registry_at(host)
        return connections.of_run().login(target.login) if target else Login.of(None)

    def breaker(self, host: str) -> Breaker:
        """The run's breaker for the registry at `host`."""
        return connections.of_run().breaker(host, self.environment.breaker)

    def home(self, service: Service) -> AbstractContextManager[Registry]:
        """A client for the registry that the service lives in."""
        return self.client(self.environment.registry(service).host)

    def aws(self, target: RegistryTarget) -> AwsCredentials:
        """The block of the registry's AWS credentials."""
        return load(AwsCredentials, target.aws)

    def argocd(self) -> ArgoCDServer:
        """The block of the environment's Argo CD."""
        return load(ArgoCDServer, self.environment.blocks.argocd)

    def builder(self) -> BuilderHost:
        """Where the environment's images are built; the engine's block is needed only where an engine builds."""
        builder = self.environment.builder
        elsewhere = builder.name or builder.address
        tls = load(BuildKitTLS, builder.tls) if builder.tls else None
        return builder_host(None if elsewhere else load(DockerHost, self.environment.blocks.docker), builder, tls)

    def secret(self, name: str) -> SecretStr:
        """The secret of a build that the Secret block called `name` keeps."""
        return build_secret(load(Secret, name), name)
