"""What `argosy.yaml` says of registries."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from argosy.settings.names import AccountId, BlockName, Host, Name, Region, RepositoryName
from argosy.settings.section import Section

PLACEHOLDER_ACCOUNT = "000000000000"
"""An account that is nobody's: `argosy init` writes it where it finds none, and `argosy config check` warns of it."""


class RegistryConfig(Section):
    """Where images go."""

    type: Literal["ecr", "oci"] = Field(description="Amazon ECR, or any other registry of OCI images.")
    account_id: AccountId | None = Field(None, description="Of ECR: 12 digits, in quotes.")
    region: Region | None = Field(None, description="Of ECR: such as us-east-1.")
    endpoint: Host | None = Field(None, description="The host; required for oci, and replaces ECR's own.")
    repository: RepositoryName = Field(description="The name of a service's repository; {service} is filled in.")
    fallback: Name | None = Field(
        None, description="The one of registries that images go to while this one does not answer."
    )

    @model_validator(mode="after")
    def _complete(self) -> RegistryConfig:
        if self.type == "ecr" and not (self.account_id and self.region):
            raise ValueError("a registry of type ecr needs account_id and region")
        if self.type == "oci" and not self.endpoint:
            raise ValueError("a registry of type oci needs endpoint, its host")
        return self

    @property
    def host(self) -> str:
        """The registry's host and port, as image references carry it."""
        china = ".cn" if self.region and self.region.startswith("cn-") else ""
        return self.endpoint or f"{self.account_id}.dkr.ecr.{self.region}.amazonaws.com{china}"


class RegistryOverride(Section):
    """What an environment's registry has of its own."""

    repository: RepositoryName | None = Field(None, description="Takes the place of registry.repository.")


class RegistryBlocks(Section):
    """The names of a further registry's Prefect blocks, where they are not `argosy-<environment>-<kind>-<name>`."""

    aws: BlockName | None = Field(None, description="AWS Credentials: what makes its ECR repositories.")
    registry: BlockName | None = Field(None, description="Container Registry: how its credentials are had.")


class NamedRegistryOverride(RegistryOverride):
    """What one of registries has of its own in an environment."""

    blocks: RegistryBlocks = Field(RegistryBlocks(), description="The names of its Prefect blocks.")
