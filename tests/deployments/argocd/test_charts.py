"""What the stand-in reads from a repository: manifests, charts, and references, over HTTP with a password too."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from argosy.git import GitError
from deployments.local.argocd.charts import render
from deployments.local.argocd.manifests import Invalid, Manifest, applications
from deployments.local.argocd.repository import Login, Mirror
from deployments.local.argocd.state import Rendered
from tests.deployments.argocd.world import Repository, application, chart, values

IMAGE = "registry.example.org/ui"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "shop")


def rendered(repository: Repository, files: dict[str, str | None] | None = None, helm: str = "{}") -> Rendered:
    """The chart `ui`, with `files` in its folder, as an application with those Helm settings has it."""
    below = {f"src/ui/chart/{path}": content for path, content in (files or {}).items()}
    sha = repository.commit({**chart("ui", values(IMAGE, "1.0")), **below, **application("ui", helm=helm)})
    return render(repository.git, manifest(helm), sha)


def manifest(helm: str = "{}", **source: Any) -> Manifest:
    (content,) = application("ui", helm=helm).values()
    (found,) = applications(content.encode(), "ui.yaml")
    return Manifest(found.name, found.metadata, {**found.spec, "source": {**found.spec["source"], **source}})


@pytest.mark.parametrize(
    ("helm", "tag"),
    [
        ("{}", "1.0"),
        ("{valueFiles: [values.yaml, values-dev.yaml]}", "dev"),
        ("{valueFiles: [values-dev.yaml, values.yaml]}", "1.0"),
        ("{valueFiles: [/src/ui/chart/values-dev.yaml]}", "dev"),
        ("{valueFiles: [../chart/values-dev.yaml]}", "dev"),
        ("{valueFiles: [none.yaml], ignoreMissingValueFiles: true}", "1.0"),
        ("{valueFiles: [values-dev.yaml], valuesObject: {image: {tag: inline}}}", "inline"),
        ('{values: "image: {tag: text}", parameters: [{name: image.tag, value: last}]}', "last"),
        ("{valueFiles: [values-null.yaml]}", "1.2.2"),
    ],
)
def test_later_values_win_and_a_blank_tag_is_the_app_version(repository: Repository, helm: str, tag: str) -> None:
    files: dict[str, str | None] = {
        "values-dev.yaml": "image: {tag: dev}\n",
        "values-null.yaml": "image: {tag: null}\n",
    }
    assert rendered(repository, files, helm).workload == f"{IMAGE}:{tag}"


def test_images_under_other_keys_are_listed_unless_switched_off(repository: Repository) -> None:
    more = """
mysql: {create: true, image: {repository: public.example.org/mysql, tag: "8.0"}}
redis: {create: false, image: {repository: public.example.org/redis, tag: "7"}}
broker: {inner: {image: "public.example.org/rabbitmq:3"}}
"""
    found = rendered(repository, {"values.yaml": values(IMAGE, "1.0") + more})
    assert found.workload == f"{IMAGE}:1.0"
    assert found.images == ("public.example.org/mysql:8.0", "public.example.org/rabbitmq:3", f"{IMAGE}:1.0")


@pytest.mark.parametrize(
    ("path", "content", "same"),
    [
        ("values.yaml", "# another comment\n" + values(IMAGE, "1.0"), True),
        ("README.md", "about\n", True),
        ("values-unused.yaml", "image: {tag: none}\n", True),
        ("values.yaml", values(IMAGE, "2.0"), False),
        ("templates/deployment.yaml", "kind: StatefulSet\n", False),
    ],
)
def test_only_what_changes_the_manifests_changes_the_fingerprint(
    repository: Repository, path: str, content: str, same: bool
) -> None:
    before, after = rendered(repository), rendered(repository, {path: content})
    assert before.revision != after.revision
    assert (before.fingerprint == after.fingerprint) is same


@pytest.mark.parametrize(
    ("helm", "why"),
    [
        ("{valueFiles: [none.yaml]}", "no such file"),
        ("{valueFiles: [../../../../README.md]}", "outside the repository"),
    ],
)
def test_what_helm_would_refuse_is_refused(repository: Repository, helm: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        rendered(repository, helm=helm)


def test_a_chart_that_is_not_there_is_refused(repository: Repository) -> None:
    sha = repository.commit(chart("ui", values(IMAGE, "1.0")))
    with pytest.raises(Invalid, match=r"src/none/Chart\.yaml"):
        render(repository.git, manifest(path="src/none"), sha)


def test_only_applications_are_taken_and_the_first_branch_wins(repository: Repository, tmp_path: Path) -> None:
    project = "kind: AppProject\nmetadata: {name: shop}\nspec: {}\n"
    repository.commit({**application("ui"), "argocd/applications/project.yaml": project})
    repository.git.run("checkout", "--quiet", "-b", "develop")
    repository.commit({**application("ui", revision="develop"), **application("cart", revision="develop")})
    with closing(Mirror(repository.folder.as_uri(), tmp_path / "mirror")) as mirror:
        assert mirror.poll()
        found = mirror.manifests(("main", "develop"))
    assert {name: each.target_revision for name, each in found.items()} == {"ui": "main", "cart": "develop"}


def test_applications_are_found_wherever_a_repository_keeps_them(repository: Repository, tmp_path: Path) -> None:
    names = ("one", "two", "three", "foreign", "rendered")
    one, two, three, foreign, rendered_by_helm = (next(iter(application(name).values())) for name in names)
    templated = {**chart("platform", ""), "src/platform/chart/templates/apps/all.yaml": rendered_by_helm}
    files = {
        "deploy/prod/one.yml": one,
        "all.yaml": f"kind: Service\n---\n{two}---\n{three}",
        "foreign.yaml": foreign.replace("argoproj.io/v1alpha1", "app.k8s.io/v1beta1"),
        "jinja.yaml": "{% for each in apps %}\nkind: Application\n{% endfor %}",
        "broken.yaml": "a: [",
        **templated,
    }
    repository.commit(files)
    with closing(Mirror(repository.folder.as_uri(), tmp_path / "mirror")) as mirror:
        mirror.poll()
        assert set(mirror.manifests(("main",))) == {"one", "two", "three"}
        repository.commit({"deploy/prod/one.yml": f"{one}  bad: ["})
        mirror.poll()
        with pytest.raises(Invalid, match=r"deploy/prod/one\.yml"):
            mirror.manifests(("main",))


def test_a_manifest_may_be_written_as_argo_cd_reads_it() -> None:
    kind = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: x}\n"
    spec = "spec: {source: {repoURL: https://git.example/x.git, path: deploy/x}}"
    [found] = applications((kind + spec).encode(), "x.yaml")
    assert found.source["repoURL"] == "https://git.example/x.git"


def test_branches_tags_commits_and_head_are_resolved(repository: Repository, tmp_path: Path) -> None:
    first = repository.git.text("rev-parse", "HEAD")
    repository.git.run("tag", "v1")
    second = repository.commit({"README.md": "more\n"})
    with closing(Mirror(repository.folder.as_uri(), tmp_path / "mirror")) as mirror:
        mirror.poll()
        assert [mirror.resolve(each) for each in ("HEAD", "main", "v1", first)] == [second, second, first, first]
        with pytest.raises(Invalid, match="nowhere"):
            mirror.resolve("nowhere")
        assert not mirror.poll()


LOGIN = Login("argocd", SecretStr("s3cret of the tests"))


class Guarded(SimpleHTTPRequestHandler):
    """Git's dumb protocol, behind a password."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") == LOGIN.header.get_secret_value():
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def guarded(repository: Repository) -> Iterator[str]:
    """The address of `repository` behind a password."""
    repository.git.run("update-server-info")
    handler = partial(Guarded, directory=str(repository.folder / ".git"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_repository_behind_a_password_is_mirrored_and_the_password_not_kept(
    repository: Repository, guarded: str, tmp_path: Path
) -> None:
    with closing(Mirror(guarded, tmp_path / "mirror", LOGIN)) as mirror:
        assert mirror.poll()
        assert mirror.resolve("main") == repository.git.text("rev-parse", "HEAD")
    kept = [path for path in (tmp_path / "mirror").rglob("*") if path.is_file()]
    header, password = LOGIN.header.get_secret_value().encode(), LOGIN.password.get_secret_value().encode()
    assert not [path for path in kept if header in path.read_bytes() or password in path.read_bytes()]


def test_a_wrong_password_is_an_error_that_does_not_repeat_it(guarded: str, tmp_path: Path) -> None:
    wrong = Login("argocd", SecretStr("wr0ng"))
    with closing(Mirror(guarded, tmp_path / "mirror", wrong)) as mirror, pytest.raises(GitError) as caught:
        mirror.poll()
    assert "wr0ng" not in str(caught.value)
    assert wrong.header.get_secret_value() not in str(caught.value)
