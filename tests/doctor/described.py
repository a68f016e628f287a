"""Environments for the tests of the doctor, described in `argosy.yaml` as users do it."""

from __future__ import annotations

from argosy.environment import Environment
from argosy.settings.text import read
from tests.engine.shop import CONFIGURATION

_ECR = 'registry: {type: ecr, account_id: "123456789012", region: eu-west-1, repository: "shop-{service}"}'


def environment(host: str = "127.0.0.1:1", extra: str = "") -> Environment:
    """The environment dev, with a registry at `host` and `extra` lines of its own."""
    text = CONFIGURATION.replace("registry.example:5000", host).replace(
        "    target: {branch: main, values: values-dev.yaml}\n",
        f"    target: {{branch: main, values: values-dev.yaml}}\n{extra}",
    )
    return read(text.encode(), "dev")


def on_amazon(extra: str = "") -> Environment:
    """The same, whose registry is Amazon's."""
    text = CONFIGURATION.replace(CONFIGURATION.splitlines()[1], _ECR)
    signing = "target: {branch: main, values: values-dev.yaml}"
    return read(text.replace(signing, f"{signing}\n{extra}" if extra else signing).encode(), "dev")
