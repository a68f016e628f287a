"""What opens a BuildKit daemon that runs apart from the worker: certificates of both sides, and the key of ours."""

from __future__ import annotations

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from argosy.builds.builders import BuilderTLS
from argosy.redact import remember


class BuildKitTLS(Block):
    """The TLS files of a BuildKit daemon's clients; its address stands in `argosy.yaml`."""

    _block_type_name = "BuildKit TLS"
    _block_type_slug = "buildkit-tls"
    _description = "The certificates and the key that open a BuildKit daemon, which builds images for Argosy."

    ca: str = Field(description="The certificate of the authority that signed the daemon's, as PEM.")
    certificate: str = Field(description="The client's certificate, as PEM.")
    key: SecretStr = Field(description="The client's private key, as PEM.")

    def files(self) -> BuilderTLS:
        """What a build client shows the daemon."""
        remember(self.key)
        return BuilderTLS(self.ca, self.certificate, self.key)
