import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import bcrypt
import httpx
import pytest
from pydantic import SecretStr

from argosy.errors import Terminal, Transient
from argosy.home import home
from deployments.local.base_image import MANIFEST_TYPE, BaseImage, base_image, push
from deployments.local.packages import unpack
from deployments.local.process import Process, free_port

PASSWORD = "a password of the test's own"
AUTH = ("AWS", SecretStr(PASSWORD))


@pytest.fixture(scope="module")
def packages() -> Path:
    return unpack(["busybox-static", "docker-registry"], home() / "packages")


@pytest.fixture(scope="module")
def busybox(packages: Path) -> Path:
    # Releases after Debian 12 and Ubuntu 22.04 keep it below /usr.
    return next(path for path in (packages / "bin/busybox", packages / "usr/bin/busybox") if path.is_file())


@pytest.fixture(scope="module")
def image(busybox: Path) -> BaseImage:
    return base_image(busybox)


@pytest.fixture(scope="module")
def registry(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that wants the credentials of AUTH; its address."""
    state, port = tmp_path_factory.mktemp("registry"), free_port()
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    (state / "htpasswd").write_text(f"AWS:{hashed}\n")
    settings = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(state / "data")}},
        "http": {"addr": f"127.0.0.1:{port}"},
        "auth": {"htpasswd": {"realm": "test", "path": str(state / "htpasswd")}},
    }
    (state / "registry.json").write_text(json.dumps(settings))
    url = f"http://127.0.0.1:{port}"
    process = Process(
        "registry",
        [packages / "usr" / "bin" / "docker-registry", "serve", state / "registry.json"],
        state=state,
        env={},
    )
    process.start(ready=lambda: _answers(f"{url}/v2/"), timeout=30)
    try:
        yield url
    finally:
        process.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == httpx.codes.UNAUTHORIZED
    except httpx.TransportError:
        return False


def _entries(image: BaseImage) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(image.layer), mode="r:gz") as archive:
        return {entry.name: entry for entry in archive}


def test_the_same_busybox_gives_the_same_image_wherever_and_whenever(
    busybox: Path, image: BaseImage, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere" / "busybox"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(busybox.read_bytes())
    elsewhere.chmod(0o700)
    assert base_image(elsewhere) == image


def test_the_layer_holds_busybox_with_a_link_for_each_applet(busybox: Path, image: BaseImage) -> None:
    with tarfile.open(fileobj=io.BytesIO(image.layer), mode="r:gz") as archive:
        program = archive.extractfile("bin/busybox")
        assert program is not None
        assert program.read() == busybox.read_bytes()
    entries = _entries(image)
    assert entries["bin/busybox"].mode == 0o755
    assert {"sh", "httpd", "awk", "sed", "wget", "["} <= {
        Path(name).name for name, entry in entries.items() if entry.linkname == "busybox"
    }


def test_the_layer_has_an_unprivileged_user_and_a_tmp_for_everybody(image: BaseImage) -> None:
    entries = _entries(image)
    assert (entries["tmp"].isdir(), entries["tmp"].mode) == (True, 0o1777)
    assert (entries["home/app"].uid, entries["home/app"].mode) == (10001, 0o750)
    with tarfile.open(fileobj=io.BytesIO(image.layer), mode="r:gz") as archive:
        passwd = archive.extractfile("etc/passwd")
        assert passwd is not None
        users = {line.split(":")[0]: line.split(":")[2] for line in passwd.read().decode().splitlines()}
    assert users == {"root": "0", "app": "10001"}


def test_nothing_of_this_machine_or_moment_is_in_the_layer(image: BaseImage) -> None:
    entries = _entries(image)
    assert list(entries) == sorted(entries)
    assert {(entry.mtime, entry.uname, entry.gname) for entry in entries.values()} == {(0, "", "")}


def test_manifest_and_config_describe_the_blobs_as_oci_wants_it(image: BaseImage) -> None:
    manifest, config = json.loads(image.manifest), json.loads(image.config)
    for described, blob in ((manifest["config"], image.config), (manifest["layers"][0], image.layer)):
        assert described["digest"] == f"sha256:{sha256(blob).hexdigest()}"
        assert described["size"] == len(blob)
    assert config["rootfs"]["diff_ids"] == [f"sha256:{sha256(gzip.decompress(image.layer)).hexdigest()}"]
    assert config["os"] == "linux"


def test_a_file_that_is_no_program_is_refused_with_the_remedy(tmp_path: Path) -> None:
    text = tmp_path / "busybox"
    text.write_text("not a program")
    text.chmod(0o755)
    with pytest.raises(Terminal, match="busybox-static"):
        base_image(text)


def test_a_pushed_image_is_served_by_digest_byte_for_byte(image: BaseImage, registry: str) -> None:
    digest = push(image, registry, AUTH, "base/busybox", "1.35")
    with httpx.Client(base_url=registry, auth=("AWS", PASSWORD), trust_env=False) as client:
        accept = {"Accept": MANIFEST_TYPE}
        assert client.get(f"/v2/base/busybox/manifests/{digest}", headers=accept).content == image.manifest
        tagged = client.head("/v2/base/busybox/manifests/1.35", headers=accept)
        assert tagged.headers["Docker-Content-Digest"] == digest == image.digest
        for blob_digest, blob in image.blobs:
            assert client.get(f"/v2/base/busybox/blobs/{blob_digest}").content == blob


def test_pushing_again_adds_only_the_tag(image: BaseImage, registry: str) -> None:
    first = push(image, registry, AUTH, "base/again", "one")
    assert push(image, registry, AUTH, "base/again", "two") == first
    with httpx.Client(base_url=registry, auth=("AWS", PASSWORD), trust_env=False) as client:
        assert sorted(client.get("/v2/base/again/tags/list").json()["tags"]) == ["one", "two"]


def test_wrong_credentials_are_terminal_and_stay_out_of_the_message(image: BaseImage, registry: str) -> None:
    with pytest.raises(Terminal, match="401") as refused:
        push(image, registry, ("AWS", SecretStr("hunter2")), "base/busybox", "1.35")
    assert "hunter2" not in str(refused.value)


def test_a_registry_out_of_reach_is_transient(image: BaseImage) -> None:
    with pytest.raises(Transient, match="out of reach"):
        push(image, f"http://127.0.0.1:{free_port()}", None, "base/busybox", "1.35")
