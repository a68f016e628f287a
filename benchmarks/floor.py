"""The floor: what the same release costs in plain shell, with nothing planned, remembered or watched."""

from __future__ import annotations

import secrets
import shlex
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from argosy.environment import Environment
from argosy.errors import Terminal
from argosy.git import environment
from argosy.gitops.remote import Remote
from argosy.models import Service
from argosy.processes.secret_files import docker_config, secret_file
from argosy.registries.auth import RegistryCredentials
from benchmarks import slow_shop
from deployments.local.git_server import DEVELOPER
from deployments.local.registry import USER
from deployments.local.seed import Developer
from deployments.local.stack import Stack

BRANCH = "floor"
"""A branch of its own on the same git server: the flow's target must not carry what no release wrote."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a release took, in seconds: until every image was pushed, and until the commit was."""

    builds: float
    whole: float


@dataclass(frozen=True, slots=True)
class Floor:
    """The shell's release of `described` on the parts of `stack`, from a work tree of its own."""

    stack: Stack
    described: Environment
    work: Developer

    @classmethod
    def on(cls, stack: Stack, described: Environment) -> Floor:
        """A floor whose branch begins where the environment's target is now."""
        path = stack.state / BRANCH
        path.mkdir()
        work = Developer(path, stack.developer.url, stack.passwords[DEVELOPER])
        work.git("init", "--quiet")
        work.git("remote", "add", "origin", work.url)
        work.git("fetch", "--quiet", "origin", described.target_branch)
        work.git("push", "--quiet", "origin", f"FETCH_HEAD:refs/heads/{BRANCH}")
        return cls(stack, described, work)

    def fresh(self) -> Spent:
        """A release of content that nobody ever built. Raises Terminal when one of its commands fails."""
        fresh = slow_shop.freshened(service.path for service in self.described.services)
        return self._released("Freshen every service", fresh, {})

    def cached(self) -> Spent:
        """A release of content of which every step is in the engine's cache. Raises as `fresh` does."""
        return self._released("Label every service", {}, {slow_shop.REMARK: secrets.token_hex(16)})

    def _released(self, message: str, files: Mapping[str, str], labels: Mapping[str, str]) -> Spent:
        tag = self.work.commit(message, files, BRANCH)
        spent = self._timed(tag, labels)
        written = self.stack.origin.text("diff", "--name-only", tag, f"refs/heads/{BRANCH}").splitlines()
        if set(written) != {service.values_path for service in self.described.services}:
            raise Terminal(f"the floor's script wrote {written or 'nothing'}", remedy="see what its sed commands match")
        return spent

    def _timed(self, tag: str, labels: Mapping[str, str]) -> Spent:
        with ExitStack() as held:
            key = held.enter_context(secret_file(self.stack.signing_key.private))
            login = {self.stack.registry_host: RegistryCredentials(USER, self.stack.registry.password)}
            engine = self.stack.engine.environment()
            plugins = Path(engine["DOCKER_CONFIG"]) / "cli-plugins"
            config = held.enter_context(docker_config(self.stack.state, login, [plugins]))
            remote = held.enter_context(Remote(self.work.url, DEVELOPER, self.work.password).access())
            env = environment(remote) | engine | {"DOCKER_CONFIG": str(config), "HOME": str(self.stack.state)}
            builds = self._run(self._builds(tag, labels), env)
            return Spent(builds, builds + self._run(self._write_back(tag, key), env))

    def _run(self, script: str, env: Mapping[str, str]) -> float:
        began = time.monotonic()
        done = subprocess.run(
            ["sh", "-eu", "-c", script], cwd=self.work.path, env=env, capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - began
        if done.returncode:
            raise Terminal(f"the floor's script failed: {done.stderr[-2000:]}", remedy="run its commands by hand")
        return seconds

    def _builds(self, tag: str, labels: Mapping[str, str]) -> str:
        builds = (shlex.join(self._build(service, tag, labels)) for service in self.described.services)
        each = (f'{build} & ended="$ended $!"' for build in builds)
        return "\n".join(['ended=""', *each, "for each in $ended; do wait $each; done"])

    def _write_back(self, tag: str, key: Path) -> str:
        who = ["-c", "user.name=Shell", "-c", "user.email=shell@localhost"]
        sign = ["-c", "gpg.format=ssh", "-c", f"user.signingkey={key}"]
        commit = ["git", *who, *sign, "commit", "--quiet", "-S", "--all", "--message", f"Release {tag}"]
        edits = (shlex.join(self._edit(service, tag)) for service in self.described.services)
        push = shlex.join(["git", "push", "--quiet", "origin", f"HEAD:refs/heads/{BRANCH}"])
        return "\n".join([*edits, shlex.join(commit), push])

    def _build(self, service: Service, tag: str, labels: Mapping[str, str]) -> list[str]:
        context = service.build_context
        target = [f"--target={context.target_stage}"] if context.target_stage else []
        return [
            str(self.stack.engine.client), "buildx", "build", "--push", "--provenance=false", "--progress=plain",
            f"--file={context.dockerfile}", f"--tag={self.described.image(service, tag)}", *target,
            *_options("build-arg", context.build_args), *_options("label", (*context.labels, *labels.items())),
            context.path,
        ]  # fmt: skip

    def _edit(self, service: Service, tag: str) -> list[str]:
        wanted = {"repository": self.described.repository(service), "tag": f'"{tag}"'}
        edits = [rf"/^image:/,/^[^ ]/ s|^\( *{key}:\).*|\1 {value}|" for key, value in wanted.items()]
        return ["sed", "-i", *(f"--expression={edit}" for edit in edits), service.values_path]


def _options(name: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"--{name}={key}={value}" for key, value in pairs]
