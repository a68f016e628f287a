"""A Prefect block by its name, or an error that says which of the many things is wrong with it."""

from __future__ import annotations

import re
from typing import TypeVar, cast

import httpx
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect_aws import AwsCredentials
from prefect_docker import DockerHost
from pydantic import ValidationError

from argosy.errors import ArgosyError, ConfigurationError, Terminal, Transient, WrongUse
from argosy.registries.errors import unreachable
from blocks.argocd_server import ArgoCDServer
from blocks.buildkit_tls import BuildKitTLS
from blocks.container_registry import ContainerRegistry
from blocks.gitops_repository import GitOpsRepository

B = TypeVar("B", bound=Block)

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
KINDS: tuple[type[Block], ...] = (
    AwsCredentials,
    DockerHost,
    GitOpsRepository,
    ContainerRegistry,
    ArgoCDServer,
    BuildKitTLS,
    Secret,
)
"""Every type of block that a run may load, and so every one that an installation registers."""


def load_block(kind: type[B], name: str) -> B:
    """The block of `kind` called `name`.

    Raises WrongUse for what can be no name of a block, ConfigurationError where it is missing, of another type or
    incomplete; Transient where Prefect cannot be reached, Terminal where it refuses.
    """
    slug = kind.get_block_type_slug()
    if not _NAME.fullmatch(name):  # Prefect's client puts it into a path as it is
        raise WrongUse(f"{name!r} can be no {slug} block", remedy="give the block's name: a-z, 0-9 and dashes")
    try:
        return cast("B", kind.load(name))
    except ValidationError as error:
        raise _incomplete(slug, name, error) from None  # it holds the values
    except RuntimeError as error:
        if isinstance(error.__cause__, ValidationError):
            raise _incomplete(slug, name, error.__cause__) from None
        raise
    except ValueError as error:
        raise _missing(kind, name) from error
    except httpx.HTTPError as error:
        raise _unavailable(error, f"loading the {slug} block {name} from Prefect") from error


def _missing(kind: type[Block], name: str) -> ConfigurationError:
    slug = kind.get_block_type_slug()
    others = [each.get_block_type_slug() for each in KINDS if each is not kind]
    with get_client(sync_client=True) as client:
        for other in others:
            try:
                client.read_block_document_by_name(name, other, include_secrets=False)
            except (ObjectNotFound, httpx.HTTPError):
                continue
            return ConfigurationError(
                f"the block {name} is of the type {other}, and a {slug} block is wanted",
                remedy=f"register a {slug} block, and name it under blocks in argosy.yaml or in the deployment",
            )
    return ConfigurationError(
        f"there is no {slug} block {name}",
        remedy="create it in the Prefect UI, or register the blocks with python -m deployments.register",
    )


def _incomplete(slug: str, name: str, error: ValidationError) -> ConfigurationError:
    complaints = error.errors(include_url=False, include_input=False, include_context=False)
    said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in complaints)
    return ConfigurationError(
        f"the {slug} block {name} is not as it should be: {said}",
        remedy="correct it in the Prefect UI, or register it anew with python -m deployments.register",
    )


def _unavailable(error: httpx.HTTPError, what: str) -> ArgosyError:
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        if status >= 500 or status in {408, 425, 429}:
            return Transient(f"{what}: it answers {status}", remedy="see the log of the Prefect server")
        remedy = "let the worker log in: PREFECT_API_KEY, or PREFECT_API_AUTH_STRING"
        return Terminal(f"{what}: it answers {status}", remedy=remedy)
    if isinstance(error, httpx.RequestError):
        return unreachable(error, what)
    return Transient(f"{what}: {error}", remedy="see the log of the Prefect server")
