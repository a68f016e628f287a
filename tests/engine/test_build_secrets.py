"""Secrets and SSH keys of builds: the steps have them, and nothing that is left or seen afterwards does."""

import gzip
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy.builds.request import BuildRequest, Cache
from argosy.errors import ConfigurationError, Terminal
from argosy.redact import remember
from deployments.local.signing import SigningKey
from tests import processes
from tests.engine.yard import DOCKERFILE, Yard, gone, running

pytestmark = pytest.mark.e2e

MOUNTED = (
    "RUN --mount=type=secret,id=npm_token,required=true wc -c </run/secrets/npm_token >/length"
    " && cat /run/secrets/npm_token\n"
)


def with_secret(yard: Yard, scratch: Path, tag: str, secret: str, dockerfile: str = DOCKERFILE) -> BuildRequest:
    request = yard.request(scratch, dockerfile + MOUNTED, tag)
    cache = Cache(export=str(yard.reference("cache-secret")))
    return replace(request, secrets={"npm_token": SecretStr(secret)}, cache=cache, epoch=1_600_000_000)


def blobs(yard: Yard) -> Iterator[bytes]:
    """Everything that the registry keeps, layers unpacked."""
    for file in yard.blobs.rglob("data"):
        content = file.read_bytes()
        yield gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def test_a_secret_reaches_its_step_and_is_in_no_blob_log_or_cache(yard: Yard, tmp_path: Path) -> None:
    secret = f"s3cret-{secrets.token_hex(16)}"
    remember(secret)
    request = with_secret(yard, tmp_path, "secret", secret)
    yard.build(request)
    assert any(b"\0%d\n" % len(secret) in blob for blob in blobs(yard))  # which a step made of the secret
    assert [blob[:80] for blob in blobs(yard) if secret.encode() in blob] == []
    assert secret not in request.log.read_text()
    assert "***" in request.log.read_text()  # which the step itself printed
    assert [line for line in yard.lines if secret in line] == []
    assert list(tmp_path.iterdir()) == [request.log]
    assert "npm_token" in str(yard.config("secret")["history"])


def test_a_secret_is_in_no_process_and_no_file_while_it_is_built_with(yard: Yard, tmp_path: Path) -> None:
    secret = f"s3cret-{secrets.token_hex(16)}"
    seen: list[tuple[int, bool]] = []

    def look(line: str) -> None:
        if "NOW" in line and "echo" not in line:
            told = list(processes.shown("cmdline", "environ"))
            files = [file for file in tmp_path.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
            seen.append((len(told), any(secret.encode() in words for _, words in told) or bool(files)))

    request = with_secret(yard, tmp_path, "seen", secret, DOCKERFILE + "RUN echo NOW; sleep 1\n")
    watched = replace(yard, lines=[])
    object.__setattr__(watched, "lines", _Watched(look))
    watched.build(replace(request, fresh=True))
    assert seen
    assert not any(found for _, found in seen)


class _Watched(list[str]):
    """Lines that somebody looks at as they come."""

    def __init__(self, look: object) -> None:
        super().__init__()
        self._look = look

    def append(self, line: str) -> None:
        self._look(line)  # type: ignore[operator]
        super().append(line)


def test_the_digest_depends_on_no_secret(yard: Yard, tmp_path: Path) -> None:
    dockerfile = DOCKERFILE + "RUN --mount=type=secret,id=npm_token test -s /run/secrets/npm_token && echo y >/y\n"
    request = replace(yard.request(tmp_path, dockerfile, "one"), epoch=1_600_000_000)
    first = yard.build(replace(request, secrets={"npm_token": SecretStr("one of them")}))
    other = yard.build(replace(request, fresh=True, secrets={"npm_token": SecretStr("and another")}))
    assert first == other


def test_a_secret_that_is_not_configured_is_named_by_the_build(yard: Yard, tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="npm_token"):
        yard.build(replace(yard.request(tmp_path, DOCKERFILE + MOUNTED), fresh=True))


@pytest.fixture(scope="module")
def agent_client() -> dict[str, bytes]:
    """ssh-add with the libraries that it wants, by their places in an image."""
    program = shutil.which("ssh-add") or pytest.skip("there is no ssh-add")
    said = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    libraries = re.findall(r"(/\S+) \(0x", said)
    return {path.lstrip("/"): Path(path).read_bytes() for path in [program, *libraries]}


def with_key(yard: Yard, scratch: Path, tag: str, key: str, agent_client: dict[str, bytes]) -> BuildRequest:
    copies = "".join(f"COPY {path} /{path}\n" for path in agent_client)
    [program] = [path for path in agent_client if path.endswith("ssh-add")]
    dockerfile = DOCKERFILE + copies + f"RUN --mount=type=ssh /{program} -L\n"
    return replace(yard.request(scratch, dockerfile, tag, files=agent_client), ssh=SecretStr(key), fresh=True)


def test_an_ssh_key_serves_its_step_through_an_agent_and_is_left_nowhere(
    yard: Yard, tmp_path: Path, agent_client: dict[str, bytes]
) -> None:
    key = SigningKey.generate()
    private = key.private.get_secret_value()
    request = with_key(yard, tmp_path, "ssh", private.rstrip(), agent_client)  # pasted without its last line end
    yard.build(request)
    assert key.public.split()[1] in request.log.read_text()
    body = "".join(private.splitlines()[1:-1]).encode()
    assert [blob[:80] for blob in blobs(yard) if body[:60] in blob or body[-60:] in blob.replace(b"\n", b"")] == []
    assert list(tmp_path.iterdir()) == [request.log]
    assert running(str(tmp_path)) == []


def test_a_key_that_ssh_does_not_read_is_a_mistake_in_its_block(
    yard: Yard, tmp_path: Path, agent_client: dict[str, bytes]
) -> None:
    with pytest.raises(ConfigurationError, match="without a passphrase"):
        yard.build(with_key(yard, tmp_path, "no-key", "no key at all", agent_client))


def test_a_build_with_secrets_a_key_and_a_cache_that_is_interrupted_leaves_nothing(yard: Yard, tmp_path: Path) -> None:
    secret = f"s3cret-{secrets.token_hex(16)}"

    def interrupt(line: str) -> None:
        if line.endswith("begun") and "echo" not in line:
            raise KeyboardInterrupt

    request = with_secret(yard, tmp_path, "interrupted", secret, DOCKERFILE + "RUN echo begun; sleep 6543\n")
    request = replace(request, ssh=SigningKey.generate().private)
    watched = replace(yard, lines=[])
    object.__setattr__(watched, "lines", _Watched(interrupt))
    with pytest.raises(KeyboardInterrupt):
        watched.build(request)
    assert running(str(tmp_path)) == []
    assert gone("sleep\0006543")
    ours = (str(target) for link, target in processes.opened() if link.parent.parent.name == str(os.getpid()))
    assert [target for target in ours if "argosy-secret" in target] == []
