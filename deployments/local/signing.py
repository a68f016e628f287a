"""The key that signs the stack's release commits: made in memory, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An SSH key pair: `private` in OpenSSH's format, `public` as one line of an authorized_keys file."""

    private: SecretStr
    public: str

    @classmethod
    def generate(cls) -> SigningKey:
        """A new Ed25519 pair."""
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        return cls(SecretStr(private), public)

    def allowed_signers(self, email: str) -> str:
        """A file for git's `gpg.ssh.allowedSignersFile` that trusts this key to sign for `email`."""
        return f"{email} {self.public}\n"
