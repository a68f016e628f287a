"""The machine that builds: git, the signer, helm, the container engine and the disk."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from argosy.builds.builders import BuilderHost
from argosy.builds.engine_errors import engine as no_engine
from argosy.builds.errors import classify
from argosy.doctor.findings import Finding, Level, probed
from argosy.errors import Terminal, Transient
from argosy.gitops.helm import Helm
from argosy.settings.target_mode import RenderMode

_GIT = (2, 34)  # the first that signs with SSH keys
_HELM = 3  # the first whose `template` takes a name and a chart
_SECONDS = 15.0
_BUILD_SECONDS = 60.0
_GIB = 2**30
_RUNNING = "see that the Docker Engine runs, and DOCKER_HOST"
_LITTLE, _TOO_LITTLE = 5 * _GIB, _GIB // 4


def check(
    builder: BuilderHost, cache: Path, *, signs: Collection[str], renders: Collection[RenderMode] = ()
) -> tuple[Finding, ...]:
    """What this machine has for a release whose builds run on `builder` and whose cache is in the folder `cache`.

    `signs` has the kinds of keys that commits are signed with, as `target.sign` has them, `renders` what environments
    say in `charts.render_check`.
    """
    path = builder.environment.get("PATH", os.defpath)
    found = [probed("git", "this machine", lambda: git_version(path))]
    found += [probed("signing", "this machine", partial(signer, path, kind)) for kind in sorted(signs)]
    found += helm(path, renders)
    found += [disk("cache", cache), *engine(builder)]
    return tuple(found)


def git_version(path: str) -> str:
    """The version of git on `path`. Raises Terminal where there is none, or none that is new enough."""
    program = shutil.which("git", path=path)
    if program is None:
        raise Terminal("there is no git", remedy="install git 2.34 or newer")
    said = _said([program, "version"], {"PATH": path})
    match = re.search(r"(\d+)\.(\d+)", said)
    if match is None or (int(match[1]), int(match[2])) < _GIT:
        raise Terminal(f"{said} is too old to sign with SSH keys", remedy="install git 2.34 or newer")
    return said


def signer(path: str, kind: str = "ssh") -> str:
    """Where the program is that git signs with by that kind of key. Raises Terminal where there is none."""
    name, package = ("gpg", "GnuPG 2.2 or newer") if kind == "gpg" else ("ssh-keygen", "the OpenSSH client")
    program = shutil.which(name, path=path)
    if program is None:
        raise Terminal(f"there is no {name}, which signs release commits", remedy=f"install {package}")
    return program


def helm(path: str, renders: Collection[RenderMode]) -> list[Finding]:
    """Whether charts are rendered before they are committed, where an environment of those wants it."""
    if not {"auto", "required"} & {*renders}:
        return []
    finding = probed("rendering", "this machine", lambda: helm_version(path))
    if finding.level is not Level.GOOD and "required" not in renders:
        why = f"charts are not rendered before they are committed: {finding.why}"
        finding = replace(finding, level=Level.SKIPPED, why=why)
    return [finding]


def helm_version(path: str) -> str:
    """The version of the helm on `path` that renders charts. Raises Terminal where there is none, or an older one."""
    found = Helm.find({"PATH": path})
    if found is None:
        raise Terminal("there is no helm on PATH", remedy="install Helm 3 or newer where runs are")
    said = _said([str(found.program), "version", "--short"], {"PATH": path, "HELM_NO_PLUGINS": "1"})
    match = re.match(r"v(\d+)\.", said)
    if match is None or int(match[1]) < _HELM:
        raise Terminal(f"helm says that it is {said!r}", remedy="install Helm 3 or newer")
    return f"charts are rendered before they are committed, by helm {said}"


def disk(what: str, folder: Path) -> Finding:
    """Whether the disk of `folder` has room."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(there, os.W_OK):
        remedy = "let this user write there, or name another folder in ARGOSY_HOME"
        return Finding(Level.WRONG, "disk", str(there), f"the {what} is not writable", remedy)
    state = os.statvfs(there)
    free, files = state.f_bavail * state.f_frsize, state.f_favail
    why = f"{free / _GIB:.1f} GiB free for the {what}"
    remedy = "make room: builds and their contexts need some GiB"
    if free < _TOO_LITTLE or (state.f_files and files < 1000):
        return Finding(Level.WRONG, "disk", str(there), f"{why}, {files} more files", remedy)
    if free < _LITTLE:
        return Finding(Level.WARNING, "disk", str(there), why, remedy)
    return Finding(Level.GOOD, "disk", str(there), why)


def engine(builder: BuilderHost) -> tuple[Finding, ...]:
    """Whether the engine of `builder` answers, builds with BuildKit, and has room."""
    client = builder.client()
    where = builder.docker_host or builder.environment.get("DOCKER_HOST") or "this machine"
    if client is None:
        return (probed("Docker", where, _without_client),)
    config = builder.environment.get("DOCKER_CONFIG") or f"{builder.environment.get('HOME', '/')}/.docker"
    environment = builder.variables(Path(config))
    answers = probed("Docker", where, lambda: engine_version(client, environment))
    if answers.level is not Level.GOOD:
        return (answers,)
    found = [answers, probed("BuildKit", where, lambda: buildkit(client, environment))]
    root = Path(_said([client, "info", "--format", "{{.DockerRootDir}}"], environment))
    if root.is_dir() and where.startswith(("unix://", "this")):
        found.append(disk("images", root))
    return tuple(found)


def _without_client() -> str:
    raise Terminal(
        "there is no docker client on PATH",
        remedy="install the Docker client with its buildx plugin; the embedded stack needs either Docker or root",
    )


def engine_version(client: str, environment: Mapping[str, str]) -> str:
    """The engine's version. Raises Transient where none answers, Terminal where it does not let us in."""
    try:
        return "Docker Engine " + _said([client, "version", "--format", "{{.Server.Version}}"], environment)
    except Terminal as error:
        raised = no_engine(error.message) or Transient(error.message, remedy=_RUNNING)
        raise raised from error


def buildkit(client: str, environment: Mapping[str, str]) -> str:
    """That the engine builds through buildx: tried on an image of one file that is kept nowhere.

    Raises Terminal or Transient as `build_errors.classify` reads what it says.
    """
    command = [client, "buildx", "build", "--progress=plain", "--output=type=tar,dest=/dev/null", "-"]
    done = _run(command, environment, _context(), _BUILD_SECONDS)
    if done.returncode == 0:
        return "builds through buildx"
    raise classify(done.stdout.decode(errors="replace"))


def _said(command: Sequence[str], environment: Mapping[str, str]) -> str:
    done = _run(command, environment, b"", _SECONDS)
    said = done.stdout.decode(errors="replace").strip()
    if done.returncode:
        raise Terminal(
            f"{Path(command[0]).name} {command[1]}: {said or f'exit status {done.returncode}'}",
            remedy="run the same command by hand",
        )
    return said


def _run(
    command: Sequence[str], environment: Mapping[str, str], given: bytes, seconds: float
) -> subprocess.CompletedProcess[bytes]:
    name = f"{Path(command[0]).name} {command[1]}"
    try:
        return subprocess.run(
            command, env=dict(environment), input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Transient(
            f"{name} did not end within {seconds:.0f} s", remedy="see whether the engine is overloaded"
        ) from error
    except OSError as error:
        raise Terminal(f"{name} does not run: {error.strerror}", remedy="install it anew") from error


def _context() -> bytes:
    dockerfile = b"FROM scratch\nCOPY Dockerfile /\n"
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile)
        archive.addfile(member, io.BytesIO(dockerfile))
    return stream.getvalue()
