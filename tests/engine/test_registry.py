from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from pydantic import SecretStr

from argosy.errors import Terminal, Transient
from argosy.home import home
from argosy.registries.registry import Manifest, Registry, RegistryCredentials
from deployments.local.packages import unpack
from deployments.local.process import free_port
from deployments.local.registry import USER
from deployments.local.registry import Registry as Distribution

PASSWORD = SecretStr("a password of the test's own")
CREDENTIALS = RegistryCredentials(USER, PASSWORD)
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real distribution registry that opens to CREDENTIALS alone."""
    packages = unpack(["busybox-static", "docker-registry"], home() / "packages")
    state = tmp_path_factory.mktemp("registry")
    with Distribution(packages / "usr/bin/docker-registry", PASSWORD, state=state) as distribution:
        yield distribution.host


@pytest.fixture
def registry(host: str) -> Iterator[Registry]:
    with Registry(host, CREDENTIALS) as client:
        yield client


@pytest.fixture
def name() -> str:
    return f"shop/ui-{uuid.uuid4().hex[:8]}"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def push_blob(host: str, name: str, content: bytes) -> dict[str, object]:
    with httpx.Client(auth=(USER, PASSWORD.get_secret_value()), trust_env=False) as client:
        place = client.post(f"http://{host}/v2/{name}/blobs/uploads/").raise_for_status().headers["location"]
        url = httpx.URL(place).copy_merge_params({"digest": digest(content)})
        client.put(url, content=content).raise_for_status()
    return {"mediaType": "application/octet-stream", "digest": digest(content), "size": len(content)}


def image(host: str, name: str, media_type: str = OCI, text: str = "a") -> Manifest:
    """A manifest whose blobs the registry has, oddly spaced so that writing it anew would show."""
    config, layer = push_blob(host, name, b"{}"), push_blob(host, name, text.encode())
    document = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer]}
    content = json.dumps(document, indent=5).encode() + b"\n"
    return Manifest(media_type, digest(content), content)


def index(of: Manifest, media_type: str = INDEX) -> Manifest:
    platform = {"architecture": "amd64", "os": "linux"}
    entry = {"mediaType": of.media_type, "digest": of.digest, "size": len(of.content), "platform": platform}
    content = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": [entry]}, indent=3).encode()
    return Manifest(media_type, digest(content), content)


@pytest.mark.parametrize("media_type", [OCI, DOCKER])
def test_a_further_tag_names_the_same_bytes(registry: Registry, host: str, name: str, media_type: str) -> None:
    pushed = image(host, name, media_type)
    registry.tag(name, pushed, "one")
    assert registry.retag(name, "one", ["two", "latest"]) == pushed
    for reference in ("one", "two", "latest", pushed.digest):
        assert registry.digest_of(name, reference) == pushed.digest
        assert registry.manifest(name, reference) == pushed


@pytest.mark.parametrize(("inner", "outer"), [(OCI, INDEX), (DOCKER, LIST)])
def test_an_image_for_several_platforms_keeps_its_index(
    registry: Registry, host: str, name: str, inner: str, outer: str
) -> None:
    single = image(host, name, inner)
    registry.tag(name, single, "amd64")
    several = index(single, outer)
    registry.tag(name, several, "one")
    assert registry.retag(name, "one", ["two"]) == several
    assert registry.manifest(name, "two").media_type == outer


def test_a_tag_moves_to_another_manifest(registry: Registry, host: str, name: str) -> None:
    old, new = image(host, name, text="old"), image(host, name, text="new")
    for manifest in (old, new, new):
        registry.tag(name, manifest, "latest")
    assert registry.digest_of(name, "latest") == new.digest
    assert registry.manifest(name, old.digest) == old


def test_what_is_not_there_has_no_digest_and_no_manifest(registry: Registry, host: str, name: str) -> None:
    assert registry.digest_of(name, "one") is None
    registry.tag(name, image(host, name), "one")
    assert registry.digest_of(name, "two") is None
    with pytest.raises(Terminal, match=rf"GET {host}/{name}:two: 404 .*MANIFEST_UNKNOWN.*check the name"):
        registry.manifest(name, "two")


def test_a_manifest_without_its_blobs_is_refused_by_the_registry(registry: Registry, name: str) -> None:
    content = json.dumps({"schemaVersion": 2, "mediaType": OCI, "config": {}, "layers": []}).encode()
    with pytest.raises(Terminal, match=r"PUT .* 400"):
        registry.tag(name, Manifest(OCI, digest(content), content), "one")
    assert registry.digest_of(name, "one") is None


@pytest.mark.parametrize("credentials", [None, replace(CREDENTIALS, password=SecretStr("wrong-word"))])
def test_without_the_right_password_the_remedy_is_the_credentials(
    host: str, name: str, credentials: RegistryCredentials | None
) -> None:
    with Registry(host, credentials) as client, pytest.raises(Terminal, match="401") as refusal:
        client.digest_of(name, "one")
    assert "credentials" in str(refusal.value)
    assert "wrong-word" not in f"{refusal.value!r} {refusal.value} {client.__dict__}"


def test_threads_share_a_client(registry: Registry, host: str, name: str) -> None:
    pushed = image(host, name)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: registry.tag(name, pushed, f"t{number}"), range(24)))
        found = list(pool.map(lambda number: registry.digest_of(name, f"t{number}"), range(24)))
    assert found == [pushed.digest] * 24


@pytest.mark.parametrize("wrong", ["", "UI", "a//b", "../x", "a/", "a?b", "a/../b", "ä", "a" * 256, "a\n", "a%2e"])
def test_a_name_outside_the_grammar_reaches_no_url(wrong: str) -> None:
    with Registry("127.0.0.1:1") as client:
        with pytest.raises(Terminal, match="no repository name"):
            client.digest_of(wrong, "one")
        with pytest.raises(Terminal, match="no repository name"):
            client.tag(wrong, Manifest(OCI, "", b""), "one")


@pytest.mark.parametrize("wrong", ["", ".a", "a/b", "a:b", "a?x", "a" * 129, "sha256:abc", "a\n", "..", "é"])
def test_a_reference_outside_the_grammar_reaches_no_url(wrong: str) -> None:
    with Registry("127.0.0.1:1") as client:
        with pytest.raises(Terminal, match="neither a tag nor a digest"):
            client.manifest("ui", wrong)
        with pytest.raises(Terminal, match="no tag"):
            client.tag("ui", Manifest(OCI, "", b""), wrong)


def test_a_manifest_is_not_put_under_a_digest() -> None:
    with Registry("127.0.0.1:1") as client, pytest.raises(Terminal, match="is no tag"):
        client.tag("ui", Manifest(OCI, digest(b""), b""), digest(b""))


@pytest.mark.parametrize("wrong", ["", "http://a", "a/b", "user@a", "a:b", "a b", "-a", "a\n"])
def test_a_host_is_a_host_and_a_port(wrong: str) -> None:
    with pytest.raises(Terminal, match="no registry host"):
        Registry(wrong)


@pytest.mark.parametrize(
    ("host", "scheme"),
    [
        ("127.0.0.1:5000", "http"),
        ("localhost", "http"),
        ("[::1]:5000", "http"),
        ("127.0.0.1.example.com", "https"),
        ("localhost.example.com:5000", "https"),
        ("10.0.0.1:5000", "https"),
        ("1.dkr.ecr.eu-west-1.amazonaws.com", "https"),
    ],
)
def test_plain_http_is_for_loopback_addresses_alone(host: str, scheme: str) -> None:
    with Registry(host) as client:
        assert client._client.base_url.scheme == scheme


def test_a_registry_that_is_not_there_may_be_there_later(name: str) -> None:
    with Registry(f"127.0.0.1:{free_port()}") as client, pytest.raises(Transient, match="refused"):
        client.digest_of(name, "one")


def test_credentials_do_not_show_their_password() -> None:
    assert PASSWORD.get_secret_value() not in repr(CREDENTIALS)
