"""What builds images, as Prefect's blocks describe it: an engine, or a BuildKit daemon; and the secrets of builds."""

from __future__ import annotations

from prefect.blocks.system import Secret
from prefect_docker import DockerHost
from pydantic import SecretStr

from argosy.builds.builders import BuilderHost
from argosy.builds.options import HERE, Builder
from argosy.errors import ConfigurationError
from argosy.redact import remember
from blocks.buildkit_tls import BuildKitTLS


def builder_host(block: DockerHost | None, builder: Builder = HERE, tls: BuildKitTLS | None = None) -> BuilderHost:
    """Where the build client builds: where `builder` says, else by the engine at the block's address.

    Without an address there it is the engine that the worker's environment names.
    """
    address = block.base_url or None if block else None
    return BuilderHost(address, builder=builder, tls=tls.files() if tls else None)


def build_secret(block: Secret[str], name: str) -> SecretStr:
    """The text that the Secret block called `name` keeps. Raises ConfigurationError where it keeps something else."""
    value: object = block.get()
    if not isinstance(value, str) or not value:
        raise ConfigurationError(
            f"the secret block {name} has no text", remedy="put the secret into it as text, not as JSON or a date"
        )
    remember(value)
    return SecretStr(value)
