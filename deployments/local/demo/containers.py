"""A container of an image that was just pushed, run as a cluster would run it: pulled by its digest."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from argosy.errors import Terminal
from argosy.processes.secret_files import docker_config
from argosy.registries.registry import RegistryCredentials
from deployments.local.registry import USER
from deployments.local.stack import Stack

_PORT = "8080/tcp"


@contextmanager
def container(stack: Stack, image: str) -> Iterator[str]:
    """Run `image` (`HOST/NAME@sha256:…`) and yield the URL that its port 8080 is published at; remove it at the end.

    Raises Terminal with what docker said where the image cannot be pulled or does not start.
    """
    login = {stack.registry_host: RegistryCredentials(USER, stack.registry.password)}
    with docker_config(stack.state, login) as config:
        variables = {**stack.engine.environment(), "DOCKER_CONFIG": str(config)}

        def docker(*arguments: str) -> str:
            command = [str(stack.engine.client), *arguments]
            done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)
            if done.returncode:
                raise Terminal(f"docker {arguments[0]} failed: {done.stderr.strip()}", remedy="see the engine's log")
            return done.stdout.strip()

        name = docker("run", "--detach", "--publish", f"127.0.0.1::{_PORT}", image)
        try:
            yield f"http://{docker('port', name, _PORT).splitlines()[0]}"
        finally:
            docker("rm", "--force", name)
            docker("rmi", image)
