"""What `argosy.yaml` says of environments: where their releases come from, and go to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from argosy.settings.builder import BuilderConfig
from argosy.settings.chart import ChartsConfig
from argosy.settings.ecr import EcrConfig
from argosy.settings.names import ApplicationName, BlockName, Branch, Name, RelativePath, Seconds
from argosy.settings.registry import NamedRegistryOverride, RegistryOverride
from argosy.settings.scan import Scan
from argosy.settings.section import Section
from argosy.settings.target_mode import Method, Mode


class ArgoCDConfig(Section):
    """Which Argo CD application brings a service up, and how long that may take."""

    application: ApplicationName = Field(description="Its name; {service} stands for the service's.")
    project: Name | None = Field(None, description="The Argo CD project that it is in.")
    timeout: Seconds = Field(600.0, description="Seconds until a release that does not come up has failed.")
    stable_for: Annotated[float, Field(ge=0, strict=False)] = Field(
        10.0, description="Seconds that a release must stay healthy."
    )


class SourceConfig(Section):
    """What is released."""

    branch: Branch = Field(description="The branch whose tip is released, without refs/heads/.")


class PushConfig(Section):
    """How often a push is tried that others keep coming before, and how long is waited in between."""

    max_attempts: Annotated[int, Field(ge=1, le=1000)] = Field(
        50, description="How often it is tried, the first included."
    )
    initial_delay: Annotated[float, Field(ge=0, le=60, strict=False)] = Field(
        0.05, description="Seconds that are waited at most before the second try; twice as long before each next one."
    )
    max_delay: Annotated[float, Field(ge=0, le=600, strict=False)] = Field(
        1.0, description="Seconds that are never waited longer than."
    )
    deadline: Seconds = Field(300.0, description="Seconds after the first try within which the last one begins.")


class TargetConfig(Section):
    """Where a release is written."""

    branch: Branch = Field(description="The branch that a release commits to, which Argo CD follows.")
    repository: BlockName | None = Field(
        None,
        description="The GitOps Repository block of the repository that the charts lie in; that which is released from "
        "unless given.",
    )
    chart: RelativePath | None = Field(
        None,
        description="Where each chart lies in that repository: {service} stands for the service's name, {path} for its "
        "folder; where it lies in that which is released from unless given.",
    )
    values: RelativePath = Field("values.yaml", description="The file, beside each chart, that has image.tag.")
    sign: Literal["ssh", "gpg"] | None = Field(
        None, description="With which kind of key commits are signed; not at all unless given."
    )
    push: PushConfig = Field(PushConfig(), description="How often a push is tried that others keep coming before.")
    mode: Mode = Field(
        "push",
        description="How a commit gets there: pushed, by a pull request on GitHub, pushed unless the branch is "
        "protected and by a pull request then, or made and signed by GitHub itself.",
    )
    auto_merge: Method | None = Field(
        None, description="How GitHub merges pull requests by itself once it may; people merge them unless given."
    )


class BlocksConfig(Section):
    """The names of an environment's Prefect blocks, where they are not `argosy-<environment>-<kind>`."""

    aws: BlockName | None = Field(None, description="AWS Credentials: what makes ECR repositories.")
    registry: BlockName | None = Field(None, description="Container Registry: how its credentials are had.")
    argocd: BlockName | None = Field(None, description="Argo CD Server: its address and token.")
    docker: BlockName | None = Field(None, description="Docker Host: the engine that builds.")


class RetryConfig(Section):
    """How often a fault that may pass is tried, and after how many seconds again."""

    max_attempts: Annotated[int, Field(ge=1, le=20)] = Field(
        3, description="How often it is tried, the first included."
    )
    backoff_factor: Annotated[float, Field(ge=1, le=10, strict=False)] = Field(
        2.0, description="How many times longer each wait is than the one before."
    )
    initial_delay: Annotated[float, Field(ge=0, le=600, strict=False)] = Field(
        5.0, description="Seconds before the second try."
    )


class BreakerConfig(Section):
    """When a registry that keeps failing is left alone, and for how long."""

    failures: Annotated[int, Field(ge=1, le=100)] = Field(
        3, description="How many calls in a row must fail, each after attempts of its own, before it is left alone."
    )
    delay: Annotated[float, Field(ge=0, le=3600, strict=False)] = Field(
        30.0, description="Seconds that it is left alone before one call finds out whether it is well again."
    )


class EnvironmentConfig(Section):
    """Where an environment's releases come from and go to."""

    source: SourceConfig = Field(description="What is released.")
    target: TargetConfig = Field(description="Where the references are written.")
    registry: RegistryOverride = Field(RegistryOverride(), description="What its registry has of its own.")
    registries: dict[Name, NamedRegistryOverride] = Field({}, description="What those of registries have of their own.")
    ecr: EcrConfig = Field(EcrConfig(), description="What its ECR repositories have of their own.")
    charts: ChartsConfig | None = Field(None, description="Takes the place of the whole section charts.")
    argocd: ArgoCDConfig | None = Field(None, description="Takes the place of the whole section argocd.")
    retry: RetryConfig = Field(RetryConfig(), description="How often a fault that may pass is tried.")
    rollback: Literal["automatic", "manual"] = Field(
        "manual", description="Whether a run restores the last verified release of a service that it sees degrade."
    )
    scan: Scan = Field(None, description="What findings in its images do to a release: off, warn, or the rules.")
    breaker: BreakerConfig = Field(BreakerConfig(), description="When a registry that keeps failing is left alone.")
    builder: BuilderConfig = Field(BuilderConfig(), description="Where its images are built.")
    blocks: BlocksConfig = Field(BlocksConfig(), description="The names of its Prefect blocks.")
