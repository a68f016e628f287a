"""A shop on a git server, with a registry, AWS and the Prefect blocks of its tasks: a release without a stack."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from prefect.blocks.core import Block
from prefect_aws import AwsCredentials
from pydantic import SecretStr

from argosy.git import Git
from blocks.argocd_server import ArgoCDServer
from blocks.container_registry import ContainerRegistry
from blocks.gitops_repository import GitOpsRepository
from deployments.local.argocd.controller import Following
from deployments.local.argocd.repository import Login
from deployments.local.argocd.server import ArgoCDStandIn
from deployments.local.argocd.state import Timing
from deployments.local.aws import ACCOUNT, PIPELINE_ACTIONS, REGION, AccessKey, session
from deployments.local.git_server import BOT, GitServer
from deployments.local.registry import USER
from tests.cloud import Cloud
from tests.engine.helm import chart
from tests.engine.shop import Shop, run, service_files

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

SERVICES = ("ui", "cart")
FAST = Following(("main",), poll=0.2, tick=0.05, back_off=0.2, timing=Timing(0.2, 0.1, 2.0))
_CONFIGURATION = """\
version: 1
registry: {{type: ecr, account_id: "{account}", region: {region}, endpoint: "{host}", repository: "{name}-{{service}}"}}
services: {{ui: {{}}, cart: {{}}}}
{argocd}
environments:
  dev:
    source: {{branch: main}}
    target: {{branch: main, values: values-dev.yaml}}
    blocks: {{aws: {name}, registry: {name}, argocd: {name}, docker: {name}}}
    rollback: {rollback}
"""
_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}-{service}}}
spec:
  project: shop
  source:
    repoURL: https://git.example/shop.git
    path: src/{service}/chart
    targetRevision: main
    helm: {{valueFiles: [values-dev.yaml]}}
  destination: {{server: "https://kubernetes.default.svc", namespace: shop}}
  syncPolicy: {{automated: {{}}}}
"""


class HostedShop(Shop):
    """A shop whose origin is a repository called `name` on `server`; its blocks are called `name` too.

    It is not adopted yet. There is no block for the container engine: what has to be built fails.
    """

    def __init__(self, folder: Path, server: GitServer, password: SecretStr, cloud: Cloud) -> None:
        self.name, self.cloud = f"shop-{uuid.uuid4().hex[:8]}", cloud
        self.url = server.create(self.name, protected=())
        super().__init__(folder, server.path(self.name))
        self.keep(GitOpsRepository(url=self.url, username=BOT, token=password))
        self.use(cloud.aws.key)
        self.open()

    def open(self, argocd: str = "", rollback: str = "manual") -> str:
        """Commit everything that the shop needs, with `argocd` as that section of argosy.yaml; return the SHA."""
        host = self.cloud.registry.host
        described = _CONFIGURATION.format(
            account=ACCOUNT, region=REGION, host=host, name=self.name, argocd=argocd, rollback=rollback
        )
        files: dict[str, str | None] = {"argosy.yaml": described}
        for service in SERVICES:
            files |= service_files(service)
            files |= chart(service)
            files[f"argocd/applications/{service}.yaml"] = _APPLICATION.format(name=self.name, service=service)
        return self.commit("Open the shop", files)

    def roll_back_by_itself(self) -> str:
        """Let a release take back what degrades; return the SHA of the commit that says so."""
        return self.configure("rollback: manual", "rollback: automatic")

    @contextmanager
    def watched(self, password: SecretStr, state: Path) -> Iterator[ArgoCDStandIn]:
        """Let a stand-in for Argo CD bring the shop up, and releases watch it, for the length of a `with`."""
        self.open(f'argocd: {{application: "{self.name}-{{service}}", project: shop, stable_for: 0, timeout: 30}}')
        git, registry = Login(BOT, password), Login(USER, self.cloud.registry.password)
        with ArgoCDStandIn(
            self.url, self.cloud.registry.host, FAST, state=state, git_login=git, registry_login=registry
        ) as self.argocd:
            self.keep(ArgoCDServer(url=self.argocd.url, token=self.argocd.token))
            yield self.argocd

    def keep(self, block: Block) -> None:
        """Save the block under the shop's name."""
        block.save(self.name, overwrite=True)

    def use(self, key: AccessKey) -> None:
        """Speak to AWS, and to the registry, with `key` from now on."""
        self.keep(self._aws(key))
        self.keep(ContainerRegistry(aws_credentials=self._aws(key)))

    def configure_only(self, service: str) -> None:
        """Configure repositories with a key that may touch that of `service` alone."""
        arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{self.name}-{service}"
        self.keep(self._aws(self.cloud.aws.create_user(f"{self.name}-{service}", PIPELINE_ACTIONS, arn)))

    def _aws(self, key: AccessKey) -> AwsCredentials:
        return AwsCredentials(
            aws_access_key_id=key.id,
            aws_secret_access_key=key.secret,
            region_name=REGION,
            aws_client_parameters={"endpoint_url": self.cloud.aws.endpoint_url},
        )

    @contextmanager
    def ecr(self) -> Iterator[ECRClient]:
        """A client of the ECR that the shop's registry is."""
        aws = self.cloud.aws
        with closing(session(aws.key).client("ecr", endpoint_url=aws.endpoint_url)) as client:
            yield client

    def read(self) -> Git:
        """The origin, read behind the server's back."""
        return Git(self.origin)

    def image(self, service: str, *tags: str) -> str:
        """Push an image of the service's content at the work tree's commit, as an earlier build would have left it.

        It is under its content tag and `tags`; returns its digest.
        """
        content = self.digests().desired(self.head)[service]
        return self.cloud.push(f"{self.name}-{service}", content.hex, content.tag, *tags)

    def digest(self, service: str, tag: str) -> str | None:
        """The manifest that the registry has under `tag`."""
        return self.cloud.digest(f"{self.name}-{service}", tag)

    def lose(self, service: str, digest: str) -> None:
        """Delete a manifest from the registry, with every tag on it."""
        self.cloud.delete(f"{self.name}-{service}", digest)

    def change(self, *services: str) -> str:
        """Commit a change of the sources of `services`, and return the SHA."""
        self.run("pull", "-q", "origin", "main")
        mark = uuid.uuid4().hex
        return self.commit("Change", {f"src/{name}/main.txt": f"{mark}\n" for name in services})

    def values(self, service: str) -> str:
        """The service's values file at the tip of main."""
        return run("-C", str(self.origin), "show", f"main:src/{service}/chart/values-dev.yaml")

    @property
    def tip(self) -> str:
        """The tip of main."""
        return run("-C", str(self.origin), "rev-parse", "main")
