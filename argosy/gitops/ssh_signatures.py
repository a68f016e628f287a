"""Signatures as OpenSSH makes them, by a key that never leaves this process: no program, and no file, is needed.

The format is that of OpenSSH's PROTOCOL.sshsig, in the namespace that git signs in.
"""

from __future__ import annotations

import hashlib
import struct
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)
from pydantic import SecretStr

_MAGIC, _VERSION, _NAMESPACE, _HASH = b"SSHSIG", 1, b"git", b"sha512"
_WIDTH = 70
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_CURVES: dict[str, tuple[bytes, hashes.HashAlgorithm]] = {
    "secp256r1": (b"ecdsa-sha2-nistp256", hashes.SHA256()),
    "secp384r1": (b"ecdsa-sha2-nistp384", hashes.SHA384()),
    "secp521r1": (b"ecdsa-sha2-nistp521", hashes.SHA512()),
}


class Unusable(ValueError):
    """What was given is no private key that signs here; it says why, and nothing of the key."""


@dataclass(frozen=True, slots=True)
class SshKey:
    """A private key, of Ed25519, ECDSA or RSA."""

    private: Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey

    @classmethod
    def load(cls, text: SecretStr) -> SshKey:
        """The key in `text`, in OpenSSH's format or PEM, without a passphrase. Raises Unusable where there is none."""
        data = text.get_secret_value().encode()
        reads = load_ssh_private_key if b"BEGIN OPENSSH" in data else load_pem_private_key
        try:
            key = reads(data, password=None)
        except TypeError:
            raise Unusable("the key wants a passphrase") from None
        except (ValueError, UnsupportedAlgorithm) as error:
            # What the library says may quote the key.
            locked = "password" in str(error).lower()
            raise Unusable("the key wants a passphrase" if locked else "it is no SSH private key") from None
        if not isinstance(key, (Ed25519PrivateKey, EllipticCurvePrivateKey, RSAPrivateKey)):
            raise Unusable("it is a key of a kind that does not sign here")
        return cls(key)

    @property
    def public(self) -> str:
        """Its public half, as a line of an authorized_keys file has it."""
        return self.private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def sign(self, data: bytes) -> str:
        """A signature over `data`, armoured."""
        algorithm, signature = self._signature(_signed(data))
        fields = (self._blob, _NAMESPACE, b"", _HASH, _strings(algorithm, signature))
        text = b64encode(_MAGIC + struct.pack(">I", _VERSION) + _strings(*fields)).decode()
        lines = (text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH))
        return "\n".join((_BEGIN, *lines, _END, ""))

    def verify(self, data: bytes, armoured: str) -> bool:
        """Whether `armoured` is a signature over `data` with this very key."""
        lines = armoured.strip().split("\n")
        if (lines[0], lines[-1]) != (_BEGIN, _END):
            return False
        try:
            blob = b64decode("".join(lines[1:-1]), validate=True)
            key, namespace, _, algorithm, signature = _parsed(blob.removeprefix(_MAGIC)[4:], 5)
            named, given = _parsed(signature, 2)
        except (NotBase64, struct.error, ValueError):
            return False
        known = blob.startswith(_MAGIC + struct.pack(">I", _VERSION))
        return (
            known
            and (key, namespace, algorithm) == (self._blob, _NAMESPACE, _HASH)
            and self._holds(named, given, _signed(data))
        )

    @property
    def _blob(self) -> bytes:
        return b64decode(self.public.split()[1])

    def _signature(self, data: bytes) -> tuple[bytes, bytes]:
        key = self.private
        if isinstance(key, Ed25519PrivateKey):
            return b"ssh-ed25519", key.sign(data)
        if isinstance(key, RSAPrivateKey):
            return b"rsa-sha2-512", key.sign(data, padding.PKCS1v15(), hashes.SHA512())
        algorithm, digest = _CURVES[key.curve.name]
        return algorithm, _strings(*map(_mpint, decode_dss_signature(key.sign(data, ECDSA(digest)))))

    def _holds(self, algorithm: bytes, signature: bytes, data: bytes) -> bool:
        key = self.private
        try:
            if isinstance(key, Ed25519PrivateKey):
                key.public_key().verify(signature, data)
                return algorithm == b"ssh-ed25519"
            if isinstance(key, RSAPrivateKey):
                key.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA512())
                return algorithm == b"rsa-sha2-512"
            named, digest = _CURVES[key.curve.name]
            numbers = (int.from_bytes(each) for each in _parsed(signature, 2))
            key.public_key().verify(encode_dss_signature(*numbers), data, ECDSA(digest))
        except (InvalidSignature, struct.error, ValueError):
            return False
        return algorithm == named


def _signed(data: bytes) -> bytes:
    """What a signature over `data` really signs."""
    return _MAGIC + _strings(_NAMESPACE, b"", _HASH, hashlib.sha512(data).digest())


def _strings(*fields: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(field)) + field for field in fields)


def _mpint(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1)


def _parsed(data: bytes, many: int) -> list[bytes]:
    """The strings that `data` is made of. Raises struct.error or ValueError where they are not so many."""
    found = []
    for _ in range(many):
        (length,) = struct.unpack_from(">I", data)
        found.append(data[4 : 4 + length])
        if len(found[-1]) != length:
            raise ValueError("a field ends early")
        data = data[4 + length :]
    if data:
        raise ValueError("something follows the last field")
    return found
