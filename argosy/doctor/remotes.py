"""The services outside: the registry, AWS, the git server and Argo CD, each asked once, within seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from argosy.argocd.client import ArgoCD
from argosy.doctor.findings import Finding, Level, probed
from argosy.environment import Environment
from argosy.errors import Terminal, Transient
from argosy.git import Git, GitError
from argosy.github.client import GitHub, whereabouts
from argosy.gitops.commits import Identity
from argosy.gitops.remote import Remote
from argosy.gitops.transfer_errors import explain
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
_PROTECTED = "Whether a branch is protected cannot be known before a run pushes there"
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


def git(given: Given, url: str) -> Finding:
    """Whether the git server answers at `url`, trusts us, and lets the given user read and write."""
    if not url.startswith(("https://", "http://")):
        why = "Argosy reaches repositories over https; this clone's origin is reached otherwise"
        remedy = "set PREFECT_API_URL, so that the address in the GitOps Repository block is asked"
        return Finding(Level.SKIPPED, "git server", url or "origin", why, remedy)
    return probed("git server", url, lambda: _listed(given, url))


def _listed(given: Given, url: str) -> str:
    pair = given.pair("ARGOSY_GIT")
    try:
        with Remote(url, *(pair or ())).access() as extra:
            Git(Path("/")).run("ls-remote", "--quiet", "--", url, "HEAD", extra=extra, timeout=given.seconds)
            if pair is not None:
                _rehearse(url, extra, given.seconds)
    except GitError as error:
        explained = explain(error, url)
        if pair is None and "refuses the credentials" in explained.message:
            return f"answers, and wants credentials, of which none were given. {_PROTECTED}"
        raise explained from error
    if pair is None:
        return f"answers, and lets everybody read; nobody was given who could push. {_PROTECTED}"
    return f"answers, and lets these credentials read and push. {_PROTECTED}"


def _rehearse(url: str, extra: Mapping[str, str], seconds: float) -> None:
    """Push as far as git does before it sends anything: a server tells there whether these credentials may write."""
    with TemporaryDirectory(prefix="argosy-") as folder:
        git, who = Git(Path(folder)), Identity("Argosy", "argosy@localhost").environment(datetime.now(UTC))
        git.run("init", "--quiet", "--bare", "--template=")
        commit = git.text("commit-tree", git.text("mktree", data=b""), data=b"Rehearsal\n", extra=who)
        where = f"{commit}:refs/heads/argosy-rehearsal"
        git.run("push", "--dry-run", "--quiet", "--", url, where, extra=extra, timeout=seconds)


def github(given: Given, api_url: str, repository: str) -> Finding:
    """Whether GitHub's API answers at `api_url`, and lets the given token write to the repository."""
    token = given.secret("ARGOSY_GIT_PASSWORD")
    if token is None:
        why = "no token was given, so nothing was asked"
        return Finding(Level.SKIPPED, "GitHub", api_url, why, "set ARGOSY_GIT_PASSWORD to the token")
    return probed("GitHub", api_url, lambda: _writable(api_url, repository, token, given.seconds))


def _writable(api_url: str, repository: str, token: SecretStr, seconds: float) -> str:
    with GitHub(api_url, repository, token, timeout=seconds) as client:
        if not client.may_write():
            remedy = "give it read and write access to contents and pull requests"
            raise Terminal(f"it lets this token only read {repository}", remedy=remedy)
    return f"lets this token write to {repository}"


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


def checks(given: Given, environment: Environment, addresses: Mapping[str, str], origin: str) -> list[Check]:
    """The checks of an environment, to be made side by side; `addresses` are those that its blocks hold."""
    block, url = next(
        ((name, each) for name, each in addresses.items() if name.startswith("gitops-repository/")), ("", origin)
    )
    found: list[Check] = [lambda: git(given, url)]
    if environment.mode != "push":
        api = whereabouts(url, addresses.get(f"api_url/{block}"), addresses.get(f"api_repository/{block}"))
        found.append(partial(github, given, *api))
    for target in environment.used_registries:
        found.append(partial(registry, given, environment, target))
        if target.type == "ecr":
            found.append(partial(aws, given, target))
    if environment.watch:
        server = addresses.get(f"argocd-server/{environment.blocks.argocd}")
        found.append(lambda: argocd(given, environment, server))
    return found
