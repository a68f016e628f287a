"""The Argo CD server that brings releases up."""

from __future__ import annotations

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from argosy.argocd.client import ArgoCD
from argosy.redact import remember


class ArgoCDServer(Block):
    """An Argo CD server and a token that may read and sync the applications."""

    _block_type_name = "Argo CD Server"
    _block_type_slug = "argocd-server"
    _description = "The Argo CD server whose applications Argosy watches."

    url: str = Field(description="The server's address: https://argocd.acme.example")
    token: SecretStr = Field(description="An API token of an account that may get and sync applications.")

    def client(self) -> ArgoCD:
        """A client for the server; close it with `with`. Raises Terminal for an address that is not confidential."""
        remember(self.token)
        return ArgoCD(self.url, self.token)
