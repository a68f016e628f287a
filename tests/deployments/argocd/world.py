"""What the stand-in for Argo CD looks at, for its tests: a git repository, and images pushed to a real registry."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from argosy.git import Git
from tests.deployments import images

Document = dict[str, Any]

_WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Test"), ("EMAIL", "test@example.org"))
}


class Repository:
    """A repository with a work tree, branch `main`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git = Git(folder)
        self.git.run("init", "--quiet", "--initial-branch=main")
        self.commit({"README.md": "a shop\n"})

    def commit(self, files: Mapping[str, str | None]) -> str:
        """Write the files (None removes one), commit, and return the SHA."""
        for path, content in files.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                file.unlink()
            else:
                file.write_text(content)
        self.git.run("add", "--all")
        self.git.run("commit", "--quiet", "--message=a change", extra=_WHO)
        return self.git.text("rev-parse", "HEAD")

    def deploy(self, name: str, image: str, tag: str, *, automated: bool = True) -> str:
        """Commit an application whose chart names `image:tag`, and return the SHA."""
        return self.commit({**chart(name, values(image, tag)), **application(name, automated=automated)})


def values(image: str, tag: str) -> str:
    """A values file; a blank `tag` is left to the chart's appVersion."""
    return f"# the shop\nimage:\n  repository: {image}\n  tag: {json.dumps(tag) if tag else ''}\nreplicas: 1\n"


def chart(name: str, content: str) -> dict[str, str]:
    """The files of a chart with these values."""
    about = f'apiVersion: v2\nname: {name}\nversion: 0.1.0\nappVersion: "1.2.2"\n'
    return {
        f"src/{name}/chart/Chart.yaml": about,
        f"src/{name}/chart/values.yaml": content,
        f"src/{name}/chart/templates/deployment.yaml": "kind: Deployment\n",
    }


def application(name: str, *, automated: bool = True, revision: str = "main", helm: str = "{}") -> dict[str, str]:
    """The manifest of an Application of that chart."""
    policy = "{automated: {prune: true, selfHeal: true}}" if automated else "{}"
    text = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
spec:
  project: shop
  source:
    repoURL: https://git.example.org/elsewhere/shop.git
    path: src/{name}/chart
    targetRevision: {revision}
    helm: {helm}
  destination: {{server: "https://kubernetes.default.svc", namespace: shop}}
  syncPolicy: {policy}
"""
    return {f"argocd/applications/{name}.yaml": text}


@dataclass(frozen=True)
class App:
    """An application of one test's own."""

    name: str
    host: str
    http: httpx.Client
    registry: httpx.Client
    repository: Repository

    @property
    def image(self) -> str:
        return f"{self.host}/{self.name}"

    def push(self, tag: str) -> str:
        return images.put(self.registry, self.name, images.manifest(self.registry, self.name, tag), tag)

    def deploy(self, tag: str) -> str:
        return self.repository.deploy(self.name, self.image, tag)

    def until(self, wanted: Callable[[Document], bool]) -> Document:
        """The first document that is as `wanted`, of those that the event stream sends."""
        return next(document for _, document in self.events() if wanted(document))

    def events(self) -> Iterator[tuple[str, Document]]:
        """What the event stream sends of it."""
        with self.http.stream("GET", "/api/v1/stream/applications", params={"name": self.name}) as stream:
            for line in stream.iter_lines():
                event = json.loads(line)["result"]
                yield event["type"], event["application"]

    def healthy_at(self, sha: str) -> Document:
        return self.until(lambda each: at(each) == sha and synced(each) and health(each) == "Healthy")

    def now(self) -> Document:
        document: Document = self.http.get(f"/api/v1/applications/{self.name}", params={"project": "shop"}).json()
        return document


def health(document: Document) -> str:
    return str(document["status"]["health"]["status"])


def message(document: Document) -> str:
    return str(document["status"]["health"].get("message", ""))


def at(document: Document) -> str | None:
    revision: str | None = document["status"]["sync"].get("revision")
    return revision


def synced(document: Document) -> bool:
    return bool(document["status"]["sync"]["status"] == "Synced")
