"""A small monorepo in a real git repository, for the tests of the engine: two services, two environments."""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from argosy.environment import Environment
from argosy.git import Git, environment
from argosy.inputs.digests import Digests, environment_at
from argosy.models import ImageReference

CONFIGURATION = """\
version: 1
registry: {type: oci, endpoint: "registry.example:5000", repository: "shop-{service}"}
services:
  ui: {}
  cart: {}
argocd: {application: "shop-{service}"}
environments:
  dev:
    source: {branch: main}
    target: {branch: main, values: values-dev.yaml}
  prod:
    source: {branch: main}
    target: {branch: main}
"""
VALUES = 'image:\n  repository: public.example/shop-{service}\n  tag: "1.0"\nreplicas: 1\n'
_DEVELOPER = {
    "GIT_AUTHOR_NAME": "Dev",
    "GIT_AUTHOR_EMAIL": "dev@example.com",
    "GIT_COMMITTER_NAME": "Dev",
    "GIT_COMMITTER_EMAIL": "dev@example.com",
    # Nothing here lives long enough to be tidied up, and asking whether it should takes a process each time.
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "maintenance.auto",
    "GIT_CONFIG_VALUE_0": "false",
}


class Shop:
    """A work tree at `path` with its bare origin beside it; every commit is pushed at once."""

    def __init__(self, folder: Path, origin: Path | None = None) -> None:
        self.origin = origin or folder / "origin.git"
        self.path = folder / "work"
        self.git = Git(self.path)
        _copy(_empty(), self)

    @classmethod
    def found(cls, path: Path, origin: Path) -> Shop:
        """A shop that is there already, as another process sees it."""
        shop = cls.__new__(cls)
        shop.path, shop.origin, shop.git = path, origin, Git(path)
        return shop

    @classmethod
    def opened(cls, folder: Path) -> Shop:
        """The shop with everything in place, before its adoption."""
        shop = cls.found(folder / "work", folder / "origin.git")
        _copy(_opened(), shop)
        return shop

    def commit(self, message: str, files: Mapping[str, str | None], branch: str | None = None) -> str:
        """Commit `files` (None removes one), push the branch, and return the SHA."""
        branch = branch or self._branch.removeprefix("refs/heads/")
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_text(content)
        self.run("add", "-A")
        self.run("commit", "-q", "--allow-empty", "-m", message)
        self.run("push", "-q", "origin", f"HEAD:refs/heads/{branch}")
        return self.head

    def release(
        self, service: str, sha: str, environment_name: str = "dev", registry: str = "registry.example:5000"
    ) -> str:
        """Commit what a release of `service` from `sha` writes, trailers included."""
        content = self.digests(sha).desired(sha)[service]
        values = (
            f"src/{service}/chart/values-dev.yaml" if environment_name == "dev" else f"src/{service}/chart/values.yaml"
        )
        text = f'image:\n  repository: {registry}/shop-{service}\n  tag: "{sha}"\nreplicas: 1\n'
        message = (
            f"Release {service} [skip ci]\n\nArgosy-Environment: {environment_name}\nArgosy-Source: {sha}\n"
            f"Argosy-Service: {service} {sha} {content.hex} sha256:{'a' * 64} {content.recipe}\nArgosy-Run: test\n"
        )
        return self.commit(message, {values: text})

    def set_by_hand(self, service: str, tag: str, repository: str = "registry.example:5000/shop-{}") -> str:
        """Commit another reference of `service` for the environment dev, as a person does; return the SHA."""
        values = f'image:\n  repository: {repository.format(service)}\n  tag: "{tag}"\nreplicas: 1\n'
        return self.commit(f"Set {service} to {tag}", {f"src/{service}/chart/values-dev.yaml": values})

    def configure(self, old: str, new: str) -> str:
        """Commit argosy.yaml with `old` replaced by `new`; return the SHA."""
        text = (self.path / "argosy.yaml").read_text()
        assert old in text
        return self.commit("Configure", {"argosy.yaml": text.replace(old, new)})

    def run(self, *arguments: str) -> str:
        """What `git ARGUMENTS` writes in the work tree."""
        return run("-C", str(self.path), *arguments)

    @property
    def head(self) -> str:
        """The work tree's commit."""
        if (self.path / ".git/HEAD").is_file():  # most are asked for right after a commit: no process for those
            loose = self.path / ".git" / self._branch
            if loose.is_file():
                return loose.read_text().strip()
        return self.run("rev-parse", "HEAD")

    @property
    def _branch(self) -> str:
        """The full name of the branch that is checked out."""
        return (self.path / ".git/HEAD").read_text().strip().removeprefix("ref: ")

    def environment(self, name: str = "dev", commit: str | None = None) -> Environment:
        """The environment called `name`."""
        return environment_at(self.git, commit or self.head, name)

    def digests(self, commit: str | None = None, name: str = "dev") -> Digests:
        """The digests of that environment."""
        return Digests(self.git, self.environment(name, commit))


@cache
def _empty() -> Shop:
    """A shop without a commit: each new one is a copy of it, as a copy takes none of git's processes."""
    folder = Path(mkdtemp(prefix="argosy-tests-"))
    atexit.register(shutil.rmtree, folder)
    shop = Shop.found(folder / "work", folder / "origin.git")
    run("init", "-q", "--bare", "-b", "main", "--template=", str(shop.origin))
    (shop.origin / "hooks").mkdir()
    for setting in ("gc.auto=0", "receive.autogc=false"):
        run("-C", str(shop.origin), "config", *setting.split("="))
    run("clone", "-q", "--template=", str(shop.origin), str(shop.path))
    shop.run("checkout", "-q", "-B", "main")
    (shop.path / ".git/info").mkdir()
    return shop


@cache
def _opened() -> Shop:
    """One with everything in place."""
    shop = Shop(_empty().path.parent / "opened")
    files = {"argosy.yaml": CONFIGURATION}
    for service in ("ui", "cart"):
        files |= service_files(service)
    shop.commit("Open the shop", files)
    return shop


def _copy(pattern: Shop, shop: Shop) -> None:
    """Make `shop` like `pattern`; an origin that is there already, on a server, stays as it is."""
    if not shop.origin.exists():
        shutil.copytree(pattern.origin, shop.origin)
    shutil.copytree(pattern.path, shop.path)
    config = shop.path / ".git/config"
    url = json.dumps(str(shop.origin), ensure_ascii=False)  # git's files of settings quote as JSON does
    config.write_text(config.read_text().replace(str(pattern.origin), url))


def service_files(service: str) -> dict[str, str]:
    """The files of a service called `service`."""
    values = VALUES.replace("{service}", service)
    return {
        f"src/{service}/Dockerfile": "FROM busybox:1.36\nCOPY . /app\n",
        f"src/{service}/main.txt": f"{service} one\n",
        f"src/{service}/chart/values.yaml": values,
        f"src/{service}/chart/values-dev.yaml": values,
    }


def image(service: str, sha: str) -> ImageReference:
    """The reference that a release of `service` from `sha` writes."""
    return ImageReference(f"registry.example:5000/shop-{service}", sha)


def run(*arguments: str) -> str:
    """What `git ARGUMENTS` writes, run as a developer would."""
    done = subprocess.run(["git", *arguments], capture_output=True, env=environment(_DEVELOPER), check=True)
    return done.stdout.decode().strip()
