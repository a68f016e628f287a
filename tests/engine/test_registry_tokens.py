"""A real registry that wants tokens of a token server, as GitHub's and Harbor do."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from argosy.errors import Terminal
from argosy.home import home
from argosy.registries.registry import MEDIA_TYPES, Manifest, Registry, RegistryCredentials
from argosy.resilience import ONCE
from deployments.local.ports import Port
from deployments.local.process import Process
from deployments.local.registry import binary
from tests.engine.web import Answer, Request, served

READER = RegistryCredentials("reader", SecretStr("a reader's password"))
WRITER = RegistryCredentials("writer", SecretStr("a writer's password"))
ACTIONS = {"reader": {"pull"}, "writer": {"pull", "push"}}
SERVICE = "registry.example"


@dataclass
class TokenServer:
    """Signs tokens for what a user may do of what is asked; each is good for `lasts` seconds."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    lasts: int = 300
    asked: list[str] = field(default_factory=list)

    @classmethod
    def made(cls) -> TokenServer:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tokens")]), datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        return cls(key, certificate)

    def __call__(self, request: Request) -> Answer:
        query = parse_qs(urlsplit(request.path).query)
        login = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
        user = next((u for u in (READER, WRITER) if login == f"{u.username}:{u.password.get_secret_value()}"), None)
        if user is None:
            return Answer(401, body=b'{"errors": [{"code": "UNAUTHORIZED"}]}')
        self.asked += query["scope"]
        access = [self._granted(scope, user.username) for scope in query["scope"]]
        body = {"token": self._token(user.username, access), "expires_in": self.lasts}
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def _granted(self, scope: str, user: str) -> dict[str, object]:
        kind, name, wanted = scope.split(":")
        return {"type": kind, "name": name, "actions": sorted(ACTIONS[user] & set(wanted.split(",")))}

    def _token(self, user: str, access: list[dict[str, object]]) -> str:
        now = int(time.time())
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        header = {"alg": "RS256", "typ": "JWT", "x5c": [base64.b64encode(der).decode()]}
        claims = {
            "iss": "tokens", "sub": user, "aud": SERVICE, "iat": now, "nbf": now - 5, "exp": now + self.lasts,
            "jti": uuid.uuid4().hex, "access": access,
        }  # fmt: skip
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{_encoded(self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def tokens() -> TokenServer:
    return TokenServer.made()


@pytest.fixture(scope="module")
def host(tokens: TokenServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """CNCF distribution that takes the token server's tokens alone."""
    folder, port = tmp_path_factory.mktemp("registry"), Port()
    bundle = folder / "tokens.pem"
    bundle.write_bytes(tokens.certificate.public_bytes(serialization.Encoding.PEM))
    with served(tokens) as server:
        realm = {
            "realm": f"http://{server}/token",
            "service": SERVICE,
            "issuer": "tokens",
            "rootcertbundle": str(bundle),
        }
        settings = {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": str(folder / "blobs")}},
            "http": {"addr": port.host, "secret": "of the tests"},
            "auth": {"token": realm},
        }
        (folder / "config.yml").write_text(json.dumps(settings))
        command: list[str | Path] = [binary(home() / "packages"), "serve", folder / "config.yml"]
        process = Process("registry", command, state=folder, env={"PATH": "/bin", "HOME": str(folder)}, port=port)
        process.start()
        try:
            yield port.host
        finally:
            process.stop()


@pytest.fixture
def name(tokens: TokenServer) -> str:
    tokens.asked.clear()
    return f"shop/ui-{uuid.uuid4().hex[:8]}"


def pushed(host: str, name: str, tokens: TokenServer) -> Manifest:
    """A manifest of no layers, whose one blob the registry has."""
    token = tokens._token("writer", [tokens._granted(f"repository:{name}:pull,push", "writer")])
    config = b"{}"
    digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False) as client:
        place = client.post(f"http://{host}/v2/{name}/blobs/uploads/").raise_for_status().headers["location"]
        client.put(httpx.URL(place).copy_merge_params({"digest": digest}), content=config).raise_for_status()
    blob = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(config)}
    document = {"schemaVersion": 2, "mediaType": MEDIA_TYPES[1], "config": blob, "layers": []}
    content = json.dumps(document).encode()
    return Manifest(MEDIA_TYPES[1], f"sha256:{hashlib.sha256(content).hexdigest()}", content)


def test_a_writer_tags_and_reads_with_a_token_for_each_repository(host: str, name: str, tokens: TokenServer) -> None:
    manifest = pushed(host, name, tokens)
    with Registry(host, WRITER, retry=ONCE) as registry:
        assert registry.digest_of(name, "one") is None
        registry.tag(name, manifest, "one")
        assert registry.find(name, "one") == manifest
        registry.tag(name, manifest, "two")
    assert tokens.asked == [f"repository:{name}:pull", f"repository:{name}:pull,push"]


def test_a_reader_reads_and_is_refused_when_it_writes(host: str, name: str, tokens: TokenServer) -> None:
    manifest = pushed(host, name, tokens)
    with Registry(host, WRITER, retry=ONCE) as registry:
        registry.tag(name, manifest, "one")
    with Registry(host, READER, retry=ONCE) as registry:
        assert registry.find(name, "one") == manifest
        with pytest.raises(Terminal, match=r"401 .*credentials"):
            registry.tag(name, manifest, "two")
        assert registry.digest_of(name, "two") is None


def test_a_wrong_password_is_told_by_the_token_server(host: str, name: str) -> None:
    wrong = replace(READER, password=SecretStr("wrong-word"))
    with Registry(host, wrong, retry=ONCE) as registry, pytest.raises(Terminal, match=r"for a token: 401"):
        registry.digest_of(name, "one")


def test_a_token_that_the_registry_takes_no_more_is_replaced(host: str, name: str, tokens: TokenServer) -> None:
    manifest = pushed(host, name, tokens)
    with Registry(host, WRITER, retry=ONCE) as registry:
        registry.tag(name, manifest, "one")
        auth = registry._client._auth
        auth._tokens = {scope: (SecretStr("Bearer of-no-use"), end) for scope, (_, end) in auth._tokens.items()}  # type: ignore[union-attr]
        registry.tag(name, manifest, "two")
        assert registry.digest_of(name, "two") == manifest.digest
