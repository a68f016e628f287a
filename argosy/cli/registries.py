"""The registries that a command asks, with the credentials that the environment variables of `argosy doctor` give."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from argosy.doctor.remotes import Given, registry_credentials
from argosy.environment import Environment
from argosy.inputs.base_images import looked_up
from argosy.inputs.digests import Digests
from argosy.registries.publishing import presence
from argosy.registries.registry import Registry
from argosy.standing import Presence, Situation


def opened(environment: Environment, host: str) -> AbstractContextManager[Registry]:
    """A client for the registry at `host`; the environment's own get the given credentials, and no other does.

    Raises Transient or Terminal where credentials are given that AWS does not take.
    """
    target = environment.registry_at(host)
    return Registry(host, registry_credentials(Given(os.environ), target) if target else None)


def with_base_images(digests: Digests, commit: str) -> Digests:
    """The digests with those of the base images that the services at `commit` want looked up."""
    return looked_up(digests, commit, lambda host: opened(digests.environment, host))


def ask(environment: Environment, situation: Situation) -> dict[str, Presence]:
    """What the environment's registries have of each service."""
    return presence(lambda host: opened(environment, host), environment, situation)
