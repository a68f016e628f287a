"""The services outside: the registry, AWS, git servers and Argo CD, each asked once, within seconds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from argosy.argocd.client import ArgoCD
from argosy.doctor import git_servers
from argosy.doctor.blocks import REPOSITORY
from argosy.doctor.findings import Finding, Level, probed
from argosy.environment import Environment
from argosy.errors import Terminal, Transient
from argosy.github.client import whereabouts
from argosy.redact import remember
from argosy.registries.auth import RegistryCredentials, is_loopback
from argosy.registries.errors import fault, unreachable
from argosy.registries.registry import Registry
from argosy.registries.targets import RegistryTarget
from argosy.resilience import ONCE

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

SECONDS = 10.0
"""How long a service may take to answer."""
Check = Callable[[], Finding]
_AWS = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI")


@dataclass(frozen=True, slots=True)
class Given:
    """The credentials that the doctor is given, by environment variables: it never asks Prefect for a secret."""

    variables: Mapping[str, str] = field(repr=False)
    seconds: float = SECONDS

    @property
    def aws(self) -> bool:
        """Whether there is anything that the AWS SDK could log in with."""
        return any(self.variables.get(name) for name in _AWS)

    def pair(self, prefix: str) -> tuple[str, SecretStr] | None:
        """The user and the password in `<prefix>_USERNAME` and `<prefix>_PASSWORD`."""
        password = self.secret(f"{prefix}_PASSWORD")
        return (self.variables.get(f"{prefix}_USERNAME", ""), password) if password else None

    def secret(self, name: str) -> SecretStr | None:
        """The secret in the variable `name`."""
        value = self.variables.get(name)
        remember(value)
        return SecretStr(value) if value else None


def aws(given: Given, target: RegistryTarget) -> Finding:
    """Whether AWS gives the registry's authorization token in its region."""
    what, where = "AWS", target.region or ""
    if not given.aws:
        why = "no credentials were given, so nothing was asked"
        return Finding(Level.SKIPPED, what, where, why, "set AWS_ACCESS_KEY_ID and its like, or AWS_PROFILE")
    return probed(what, where, lambda: f"gives an authorization token for {_ecr_login(given, target)[0]}")


def registry(given: Given, environment: Environment, target: RegistryTarget) -> Finding:
    """Whether that registry of the environment answers, trusts us, and lets the given user in."""
    return probed("registry", target.host, lambda: _registry(given, environment, target))


def _registry(given: Given, environment: Environment, target: RegistryTarget) -> str:
    host, credentials = target.host, registry_credentials(given, target)
    if credentials is None:
        return _answers(f"{'http' if is_loopback(_name(host)) else 'https'}://{host}/v2/", given, "the registry")
    with Registry(host, credentials, timeout=given.seconds, retry=ONCE) as client:
        for service in environment.services[:1]:
            client.digest_of(target.repository_of(service.name), "latest")
    return "answers, and lets these credentials in"


def registry_credentials(given: Given, target: RegistryTarget) -> RegistryCredentials | None:
    """What opens a registry: by AWS where that is given, else the user and the password; or nothing.

    Raises Transient where AWS cannot be reached, Terminal where it refuses.
    """
    pair = given.pair("ARGOSY_REGISTRY")
    if target.type == "ecr" and given.aws:
        return _ecr_login(given, target)[1]
    return RegistryCredentials(*pair) if pair else None


def _ecr_login(given: Given, target: RegistryTarget) -> tuple[str, RegistryCredentials]:
    # Imported here: it takes half a second, and only Amazon's registry needs it.
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    from argosy.ecr import control_plane as ecr

    limits = Config(connect_timeout=given.seconds, read_timeout=given.seconds, retries={"total_max_attempts": 1})
    try:
        client: ECRClient = boto3.client("ecr", region_name=target.region, config=limits)
        return ecr.authorization(client)
    except (ClientError, BotoCoreError) as error:
        raise ecr.translate(error, "asking for an authorization token") from error


def argocd(given: Given, environment: Environment, url: str | None) -> Finding:
    """Whether the Argo CD server at `url` answers, trusts us, and shows the given token the applications."""
    address = given.variables.get("ARGOCD_SERVER") or url
    if not address:
        why = "its address is not known here, so nothing was asked"
        remedy = "set PREFECT_API_URL, or ARGOCD_SERVER and ARGOCD_AUTH_TOKEN"
        return Finding(Level.SKIPPED, "Argo CD", environment.name, why, remedy)
    full = address if "://" in address else f"https://{address}"
    return probed("Argo CD", full, lambda: _applications(given, environment, full))


def _applications(given: Given, environment: Environment, url: str) -> str:
    token = given.secret("ARGOCD_AUTH_TOKEN")
    if token is None:
        return _answers(f"{url.rstrip('/')}/api/version", given, "Argo CD")
    project = environment.watch.project if environment.watch else None
    with ArgoCD(url, token, timeout=given.seconds) as client:
        version = client.version()
        for service in environment.services:
            if service.application:
                client.application(service.application, project)
    return f"version {version}, and shows this token every application"


def _answers(url: str, given: Given, what: str) -> str:
    """That somebody answers at `url`, whatever it is, as long as it is no fault of a server's."""
    try:
        answer = httpx.get(url, timeout=given.seconds, trust_env=not is_loopback(httpx.URL(url).host))
    except httpx.TimeoutException as error:
        raise Transient(
            f"{what} at {url} did not answer within {given.seconds:g} s", remedy="see how busy it is, and the network"
        ) from error
    except httpx.RequestError as error:
        raise unreachable(error, f"{what} at {url}") from error
    except httpx.InvalidURL as error:
        raise Terminal(f"{url} is no address", remedy="correct it") from error
    if answer.is_server_error:
        raise fault(answer, f"{what} at {url}")
    return "answers; no credentials were given, so it was asked nothing else"


def _name(host: str) -> str:
    return httpx.URL(f"https://{host}").host


def checks(
    given: Given, environment: Environment, addresses: Mapping[str, str], origin: str, apart: Collection[str] = ()
) -> list[Check]:
    """The checks of an environment, to be made side by side; `addresses` are those that its blocks hold.

    `apart` names the blocks of repositories that charts alone lie in.
    """
    names = (name.partition("/") for name in addresses)
    block = next(("/".join((kind, name)) for kind, _, name in names if kind == REPOSITORY and name not in apart), "")
    url, own = addresses.get(block, origin), environment.target_repository
    found: list[Check] = [partial(git_servers.source, given, url, written=own is None)]
    if own is not None:
        block = f"{REPOSITORY}/{own}"
        found.append(partial(git_servers.charts, given, environment, addresses.get(block), url))
        url = addresses.get(block, "")
    if environment.mode != "push" and (url or own is None):
        api = whereabouts(url, addresses.get(f"api_url/{block}"), addresses.get(f"api_repository/{block}"))
        found.append(partial(git_servers.github, given, *api, git_servers.CHARTS if own else git_servers.SOURCE))
    for target in environment.used_registries:
        found.append(partial(registry, given, environment, target))
        if target.type == "ecr":
            found.append(partial(aws, given, target))
    if environment.watch:
        server = addresses.get(f"argocd-server/{environment.blocks.argocd}")
        found.append(lambda: argocd(given, environment, server))
    return found
