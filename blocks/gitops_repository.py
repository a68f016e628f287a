"""The repository that is released from and written back to: its address, its token, and who signs."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from prefect.blocks.core import Block
from pydantic import Field, SecretStr, field_validator

from argosy.errors import ConfigurationError
from argosy.github.client import GitHub, whereabouts
from argosy.gitops.apart import ApartMirror, same_repository
from argosy.gitops.commits import Identity
from argosy.gitops.mirror import Mirror
from argosy.gitops.remote import Remote
from argosy.gitops.signing import SigningKey
from argosy.home import home
from argosy.redact import remember

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class GitOpsRepository(Block):
    """A git repository over HTTPS, with the identity and the key of the release commits."""

    _block_type_name = "GitOps Repository"
    _block_type_slug = "gitops-repository"
    _description = "The repository that Argosy releases from and writes its release commits to."

    url: str = Field(description="The repository's address, without credentials: https://github.com/acme/shop.git")
    username: str = Field(default="argosy", description="The user that the token belongs to.")
    token: SecretStr | None = Field(default=None, description="The token or password for that user.")
    author_name: str = Field(default="Argosy", description="The name on the release commits.")
    author_email: str = Field(default="argosy@localhost", description="The e-mail address on the release commits.")
    signing_key: SecretStr | None = Field(
        default=None,
        description="The private key that signs: SSH's in OpenSSH's format, without a passphrase, or GPG's, armoured.",
    )
    signing_passphrase: SecretStr | None = Field(default=None, description="The passphrase of a GPG key that has one.")

    api_url: str | None = Field(
        default=None,
        description="Where GitHub's API is, for pull requests and commits of GitHub's own: https://api.github.com, or "
        "https://HOST/api/v3 on a server of one's own. Unless given it is told from the address.",
    )
    api_repository: str | None = Field(
        default=None, description="How GitHub calls the repository, as owner/name, where the address does not say so."
    )

    @field_validator("url", "api_url")
    @classmethod
    def _without_credentials(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError("must begin with https:// (http:// only for this machine itself)")
        if parts.username or parts.password:
            raise ValueError("must not hold credentials; put them into username and token")
        return url

    @field_validator("signing_key")
    @classmethod
    def _ending_with_a_newline(cls, key: SecretStr | None) -> SecretStr | None:
        # ssh-keygen refuses a key without one, and forms and environment variables like to lose it
        return SecretStr(key.get_secret_value().rstrip() + "\n") if key else None

    def mirror(self) -> Mirror:
        """The local mirror of this repository."""
        return Mirror(home(), self._remote())

    def mirror_beside(self, source: Mirror) -> Mirror:
        """The local mirror of this repository, for what is released from that of `source`.

        Raises ConfigurationError where the two are one repository.
        """
        if same_repository(self.url, source.remote.url):
            raise ConfigurationError(
                f"target.repository names a block of {self.url}, which is what is released from",
                remedy="leave target.repository and target.chart out in argosy.yaml, or correct the block's url",
            )
        return ApartMirror(home(), self._remote(), source)

    def _remote(self) -> Remote:
        remember(self.token)
        return Remote(self.url, self.username, self.token)

    def github(self) -> GitHub:
        """A client for the repository on GitHub; close it with `with`. Raises ConfigurationError without a token."""
        if self.token is None:
            raise ConfigurationError(
                "GitHub's API lets nobody in without a token, and the GitOps repository block has none",
                remedy="put one into the block's token, or set target.mode to push in argosy.yaml",
            )
        remember(self.token)
        return GitHub(*whereabouts(self.url, self.api_url, self.api_repository), self.token)

    def identity(self, sign: Literal["ssh", "gpg"] | None) -> Identity:
        """Who commits, and signs with a key of which kind, if at all.

        Raises ConfigurationError when commits are to be signed and there is no key.
        """
        if sign is None:
            return Identity(self.author_name, self.author_email)
        if self.signing_key is None:
            raise ConfigurationError(
                "release commits are to be signed, but the GitOps repository block has no signing key",
                remedy="put the private key that target.sign wants into the block's signing_key, or leave that out",
            )
        remember(self.signing_key, self.signing_passphrase)
        key = SigningKey(self.signing_key, sign, self.signing_passphrase)
        return Identity(self.author_name, self.author_email, key)
