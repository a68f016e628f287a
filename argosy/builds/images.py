"""The builder: one image of one service, built by BuildKit from a streamed context and pushed under its tags."""

from __future__ import annotations

import json
import logging
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from pydantic import SecretStr

from argosy.builds import clients as build_clients
from argosy.builds import command as build_command
from argosy.builds.builders import BuilderHost
from argosy.builds.category import Category
from argosy.builds.clients import Client
from argosy.builds.command import Files
from argosy.builds.errors import classify
from argosy.builds.output import BuildOutput
from argosy.builds.request import BuildRequest
from argosy.disk import writing
from argosy.errors import ConfigurationError, Terminal, Transient
from argosy.processes import supervised
from argosy.processes.secret_files import secret_file
from argosy.registries.login import Login, RegistryCredentials

log = logging.getLogger(__name__)

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PUSHED = re.compile(r"^\S+: digest: (sha256:[0-9a-f]{64}) size: \d+", re.MULTILINE)
_TIMESTAMP = 315_532_800  # 1980-01-01, as every file of an exported context has it
_NO_KEY = re.compile(r"failed to parse [^\n]*ssh: |ssh: (?:no key found|this private key is passphrase protected)")
_NO_CONNECTION = re.compile(r"^ > \[internal\] waiting for connection:", re.MULTILINE)
_NO_REWRITE = re.compile(r'"rewrite-timestamp" conflicts with')


def build(
    request: BuildRequest,
    host: BuilderHost,
    credentials: Mapping[str, Login | RegistryCredentials],
    on_line: Callable[[str], None],
) -> str:
    """Build, push under every reference, and return the manifest's digest (`sha256:` and 64 hex).

    `credentials` maps a registry's host and port to what opens it; `on_line` gets each line of output. Raises Transient
    or Terminal as `build_errors.classify` reads the output, Terminal after the service's timeout or where the client
    cannot do what is asked; an exception of `write_context` or `on_line` goes through. Nothing of the build is left
    running in any case.
    """
    with writing(request.scratch):
        client = build_clients.find(host, request.scratch, request.service.name)
        build_command.refuse_what_it_cannot(request, client)
        if request.cache.export and not (client.buildx and client.pushes):
            _say_without_cache(client)
        with (
            build_clients.ready(client, host, request.scratch, _settled(credentials, request)) as environment,
            _files(request, Path(environment["DOCKER_CONFIG"])) as files,
        ):
            one = _Build(request, host, environment, on_line)
            return one.through_buildx(client, files) if client.buildx else one.inside(client, files)


@dataclass(frozen=True, slots=True)
class _Build:
    request: BuildRequest
    host: BuilderHost
    environment: Mapping[str, str]
    on_line: Callable[[str], None]

    def through_buildx(self, client: Client, files: Files) -> str:
        words = build_command.through_buildx(self.request, client, self.host, files)
        if status := self._run(words, _led(self.request.write_context)):
            if client.rewrites and _NO_REWRITE.search(self._log()):
                # Some engines unpack what they build, whatever one asks for: their layers keep the times of the build.
                return self.through_buildx(replace(client, rewrites=False), files)
            raise self._failure(status)
        return self._digest(json.loads(files.digest.read_text()).get("containerimage.digest", ""))

    def inside(self, client: Client, files: Files) -> str:
        with _unpacked(self.request) as folder:
            words = build_command.inside(self.request, client, files, folder)
            if status := self._run(words, _nothing, {"DOCKER_BUILDKIT": "1"}):
                if client.rewrites and _NO_REWRITE.search(self._log()):
                    return self.inside(replace(client, rewrites=False), files)
                raise self._failure(status)
        return self._digest(files.digest.read_text() if client.pushes else self._pushed_by_the_engine(client))

    def _pushed_by_the_engine(self, client: Client) -> str:
        """Push what was built with every reference, and return the digest that the engine names then."""
        found, built = "", self._log()
        for reference in self.request.references:
            status = self._run([client.program, "push", str(reference)], _nothing)
            if status:
                raise self._failure(status)
            found = next(iter(_PUSHED.findall(self._log())), "")
            built += self._log()
            self.request.log.write_text(built)
        return found

    def _run(
        self, words: Sequence[str], write: Callable[[BinaryIO], None], extra: Mapping[str, str] | None = None
    ) -> int:
        request = self.request
        try:
            return supervised.run(
                words, environment={**self.environment, **(extra or {})}, write=write, on_line=self.on_line,
                log=request.log, timeout=request.service.timeout,
            )  # fmt: skip
        except supervised.TimedOut as error:
            raise _timed_out(request) from error

    def _log(self) -> str:
        return self.request.log.read_text(errors="replace")

    def _failure(self, status: int) -> Terminal | Transient:
        name, said = self.request.service.name, self._log()
        if status < 0:
            return Transient(
                f"the build client was killed by signal {-status}",
                service=name,
                remedy="see the worker's memory",
                category=Category.RESOURCES,
            )
        if self.request.ssh and _NO_KEY.search(said):
            return ConfigurationError(
                "the block of build.ssh has no private key that SSH reads",
                service=name,
                remedy="put a private key in OpenSSH's format, without a passphrase, into the Secret block",
            )
        if self.host.options and _NO_CONNECTION.search(said):
            builder = self.host.builder
            return Transient(
                f"the builder {builder.name or f'at {builder.address}'} does not answer: {_last(said)}",
                service=name,
                remedy="see that its BuildKit daemon runs, and that the files in the BuildKit TLS block open it",
            )
        return classify(said, name, self.request.service.dockerfile_path)

    def _digest(self, named: str) -> str:
        if not _DIGEST.fullmatch(named.strip()):
            raise Terminal(
                "the builder named no manifest digest",
                service=self.request.service.name,
                remedy="use a newer buildx, or an engine with the containerd image store",
            )
        return named.strip()


def _settled(
    credentials: Mapping[str, Login | RegistryCredentials], request: BuildRequest
) -> dict[str, Login | RegistryCredentials]:
    """The same, with what outlasts the build as it is: to be asked for it costs the client two processes each time."""
    seconds = request.service.timeout

    def settled(each: Login | RegistryCredentials) -> Login | RegistryCredentials:
        return (each.lasting(seconds) or each) if isinstance(each, Login) else each

    return {host: settled(each) for host, each in credentials.items()}


@contextmanager
def _files(request: BuildRequest, folder: Path) -> Iterator[Files]:
    with ExitStack() as held:
        secrets = {name: held.enter_context(secret_file(value)) for name, value in request.secrets.items()}
        ssh = held.enter_context(secret_file(_whole(request.ssh))) if request.ssh else None
        yield Files(folder / "digest", secrets, ssh)


def _whole(key: SecretStr) -> SecretStr:
    # A key is refused without its last line end, which is lost where keys are pasted.
    return SecretStr("".join(f"{line.rstrip()}\n" for line in key.get_secret_value().strip().splitlines()))


@contextmanager
def _unpacked(request: BuildRequest) -> Iterator[Path]:
    """The build context as a folder: a client with BuildKit inside streams no archive that a newer engine reads."""
    with tempfile.TemporaryDirectory(prefix=f"context-{request.service.name}-", dir=request.scratch) as below:
        archive, folder = Path(below, "context.tar"), Path(below, "context")
        with archive.open("wb") as stream:
            request.write_context(stream)
        with tarfile.open(archive) as members:
            members.extractall(folder, filter="tar")
        archive.unlink()
        yield folder


def _led(write: Callable[[BinaryIO], None]) -> Callable[[BinaryIO], None]:
    """buildx knows an archive by its first 512 bytes, which must be a plain header: a long first name has another."""
    root = tarfile.TarInfo("./")
    root.type, root.mode, root.mtime = tarfile.DIRTYPE, 0o755, _TIMESTAMP

    def led(stream: BinaryIO) -> None:
        stream.write(root.tobuf(tarfile.USTAR_FORMAT))
        write(stream)

    return led


def _nothing(_stream: BinaryIO) -> None:
    pass


def _last(said: str) -> str:
    return next((line for line in reversed(said.splitlines()) if line.strip()), "its start")


@lru_cache(maxsize=64)  # once for each client of a process
def _say_without_cache(client: Client) -> None:
    what = "its engine has no containerd image store" if client.buildx else "it has no buildx"
    log.warning("builds through %s leave no cache in the registry: %s", client.program, what)


def _timed_out(request: BuildRequest) -> Terminal:
    output = BuildOutput.read(request.log.read_text(errors="replace"))
    return Terminal(
        f"the build was ended after {request.service.timeout:g} s, at: {output.doing or 'its start'}",
        service=request.service.name,
        remedy="raise the service's timeout in argosy.yaml if it needs longer",
        category=Category.DOCKER,
    )
