"""The base image of the example: Debian's static busybox as an OCI image, made and pushed without an engine."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx
from pydantic import SecretStr

from argosy.errors import Terminal, Transient

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"

_EPOCH = "1970-01-01T00:00:00Z"
_ARCHITECTURES = {3: "386", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64"}
_FOLDERS = {"bin": 0o755, "etc": 0o755, "home": 0o755, "home/app": 0o750, "root": 0o700, "tmp": 0o1777}
_APP = 10001
_FILES = {
    "etc/group": f"root:x:0:\napp:x:{_APP}:\n",
    "etc/passwd": f"root:x:0:0:root:/root:/bin/sh\napp:x:{_APP}:{_APP}:app:/home/app:/bin/sh\n",
}


@dataclass(frozen=True, slots=True)
class BaseImage:
    """An OCI image of one layer: `config` and `manifest` are JSON, `layer` is a gzip'd tar."""

    config: bytes
    layer: bytes
    manifest: bytes

    @property
    def digest(self) -> str:
        """The manifest's digest, by which a registry serves the image: `sha256:` and 64 hex digits."""
        return _digest(self.manifest)

    @property
    def blobs(self) -> tuple[tuple[str, bytes], ...]:
        """What the manifest names, each with its digest, in the order in which to upload it."""
        return tuple((_digest(blob), blob) for blob in (self.layer, self.config))


def base_image(busybox: Path) -> BaseImage:
    """An image of the static `busybox` with a link for each of its applets and an unprivileged user `app`.

    The same busybox, under the same zlib, gives the same bytes. Raises Terminal when `busybox` is not a Linux
    program that runs here.
    """
    program = busybox.read_bytes()
    tar = _tar(program, _applets(busybox))
    layer = _gzip(tar)
    config = _json(_config(_architecture(program), tar))
    return BaseImage(config=config, layer=layer, manifest=_json(_manifest(config, layer)))


def _applets(busybox: Path) -> list[str]:
    try:
        listing = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        raise Terminal(
            f"the base image cannot be made: {busybox} does not run ({error})",
            remedy="use the busybox of Debian's package busybox-static for this machine's architecture",
        ) from error
    return sorted(set(listing.stdout.split()) - {"busybox"})


def _architecture(program: bytes) -> str:
    machine = int.from_bytes(program[18:20], "little")
    if program[:4] != b"\x7fELF" or machine not in _ARCHITECTURES:
        raise Terminal(
            "the base image cannot be made: busybox is no Linux program of a known architecture",
            remedy="run the stack on a machine of a known one, such as x86-64 or arm64",
        )
    return _ARCHITECTURES[machine]


def _tar(program: bytes, applets: list[str]) -> bytes:
    entries = [(_entry(name, tarfile.DIRTYPE, mode), b"") for name, mode in _FOLDERS.items()]
    entries += [(_entry(name, tarfile.REGTYPE, 0o644), text.encode()) for name, text in _FILES.items()]
    entries += [(_entry(f"bin/{name}", tarfile.SYMTYPE, 0o777, link="busybox"), b"") for name in applets]
    entries.append((_entry("bin/busybox", tarfile.REGTYPE, 0o755), program))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for entry, content in sorted(entries, key=lambda pair: pair[0].name):
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _entry(name: str, kind: bytes, mode: int, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.linkname = kind, mode, link
    if name == "home/app":
        entry.uid = entry.gid = _APP
    return entry


def _gzip(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0) as packed:
        packed.write(data)
    return buffer.getvalue()


def _config(architecture: str, tar: bytes) -> dict[str, object]:
    return {
        "architecture": architecture,
        "os": "linux",
        "created": _EPOCH,
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [_digest(tar)]},
        "history": [{"created": _EPOCH, "created_by": "busybox --list"}],
    }


def _manifest(config: bytes, layer: bytes) -> dict[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(CONFIG_TYPE, config),
        "layers": [_descriptor(LAYER_TYPE, layer)],
    }


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _json(document: dict[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def push(image: BaseImage, registry_url: str, auth: tuple[str, SecretStr] | None, name: str, tag: str) -> str:
    """Upload what the registry lacks of `image`, tag it, and return its digest.

    `registry_url` is scheme, host and port; `auth` a user and a password for basic authentication. Raises
    Transient when the registry is out of reach, busy or failing, Terminal when it refuses.
    """
    basic = httpx.BasicAuth(auth[0], auth[1].get_secret_value()) if auth else None
    # trust_env off: the registry is a local one, and a proxy or ~/.netrc of the user's is not meant for it.
    with httpx.Client(base_url=registry_url, auth=basic, trust_env=False, timeout=60.0) as client:
        try:
            for digest, blob in image.blobs:
                _upload(client, name, digest, blob)
            _put(client, f"/v2/{name}/manifests/{tag}", image.manifest, MANIFEST_TYPE)
        except httpx.TransportError as error:
            raise Transient(
                f"the registry {registry_url} is out of reach: {error}", remedy="see the registry's log"
            ) from error
    return image.digest


def _upload(client: httpx.Client, name: str, digest: str, blob: bytes) -> None:
    if client.head(f"/v2/{name}/blobs/{digest}").status_code == httpx.codes.OK:
        return
    started = _accepted(client.post(f"/v2/{name}/blobs/uploads/"))
    # The location may be relative, and may carry a state in its query that has to come back.
    location = httpx.URL(urljoin(str(started.url), started.headers["Location"]))
    _put(client, location.copy_merge_params({"digest": digest}), blob, "application/octet-stream")


def _put(client: httpx.Client, url: httpx.URL | str, body: bytes, media_type: str) -> None:
    _accepted(client.put(url, content=body, headers={"Content-Type": media_type}))


def _accepted(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    status, address = response.status_code, response.request.url.copy_with(query=None)
    message = f"{response.request.method} {address} answered {status}: {response.text[:200]}"
    if status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        raise Transient(message, remedy="see the registry's log")
    raise Terminal(message, remedy="check the registry's address and the credentials for it")
