"""The environments, applications and registry that a repository gives reason for."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.discovery.proposal import propose
from tests.discovery.repository import application, chart, made, resolved, whys
from tests.engine.shop import run

DOCKERFILES = {f"src/{name}/Dockerfile": "FROM busybox\n" for name in ("ui", "cart")}
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def charts(*values: str, repository: str = "public.ecr.aws/others/x-{}") -> dict[str, str]:
    return {
        path: text
        for name in ("ui", "cart")
        for path, text in chart(f"src/{name}/chart", name, repository.format(name), *values).items()
    }


def places(root: Path) -> list[tuple[str, str, str, str | None]]:
    """Each environment as name, branch, values file and the application of ui."""
    found = []
    for each in propose(root).environments:
        environment = resolved(root, each.name)
        service = environment.service("ui")
        assert environment.source_branch == environment.target_branch
        found.append((each.name, each.branch, service.values_path.rpartition("/")[2], service.application))
    return found


def apps(pattern: str, revision: str, *values: str) -> dict[str, str]:
    named = {name: pattern.format(name) for name in ("ui", "cart")}
    return {
        f"argocd/{app}.yaml": application(app, f"src/{name}/chart", revision, *values) for name, app in named.items()
    }


def test_an_application_tells_branch_values_file_and_its_name(tmp_path: Path) -> None:
    files = apps("shop-{}", "gitops", "values.yaml") | apps("dev-{}", "develop", "values.yaml", "values-dev.yaml")
    root = made(tmp_path, DOCKERFILES | charts("values.yaml", "values-dev.yaml") | files)
    assert places(root) == [
        ("dev", "develop", "values-dev.yaml", "dev-ui"),
        ("prod", "gitops", "values.yaml", "shop-ui"),
    ]


def test_several_applications_in_one_file_among_what_is_no_yaml(tmp_path: Path) -> None:
    ui, cart = application("a-ui", "src/ui/chart/"), application("a-cart", "./src/cart/chart")
    both = f"{ui}---\nx: {{{{ .Values.y }}}}\n---\n{cart}"
    root = made(tmp_path, DOCKERFILES | charts() | {"apps.yaml": both})
    assert places(root) == [("prod", "main", "values.yaml", "a-ui")]


def test_an_application_of_several_sources_has_its_values_files_by_reference(tmp_path: Path) -> None:
    def app(name: str) -> str:
        head, _, _ = application(f"{name}-staging", "x").partition("  source:")
        return (
            f"{head}  sources:\n  - {{repoURL: a, ref: here, targetRevision: stage}}\n  - repoURL: b\n"
            f"    path: src/{name}/chart\n    targetRevision: stage\n    helm:\n      valueFiles:\n"
            f"      - $here/src/{name}/chart/values-staging.yaml\n      - https://x.example/y.yaml\n"
        )

    files = {f"argocd/{name}.yaml": app(name) for name in ("ui", "cart")}
    root = made(tmp_path, DOCKERFILES | charts("values.yaml", "values-staging.yaml") | files)
    assert places(root)[0] == ("staging", "stage", "values-staging.yaml", "ui-staging")


def test_applications_without_a_common_name_or_of_some_services_are_told(tmp_path: Path) -> None:
    odd = {"a.yaml": application("front", "src/ui/chart"), "b.yaml": application("basket", "src/cart/chart")}
    some = {"a.yaml": application("shop-ui", "src/ui/chart")}
    for number, (files, said) in enumerate([
        (odd, "the applications of prod have no template in common: front, basket"),
        (some, "shop-{service} does not give the application of cart"),
    ]):  # fmt: skip
        assert said in whys(propose(made(tmp_path / str(number), DOCKERFILES | charts() | files)))


@pytest.mark.parametrize("revision", ["v1.2.3", "1.*", "0123456789" * 4, "refs/tags/x"])
def test_what_follows_no_branch_is_told(tmp_path: Path, revision: str) -> None:
    root = made(tmp_path, DOCKERFILES | charts() | apps("{}-app", f'"{revision}"'))
    assert [place[1] for place in places(root)] == ["main"]
    assert f"follows {revision}, which is no branch" in whys(propose(root))


def test_a_values_file_of_an_environment_is_one_and_its_branch_is_found(tmp_path: Path) -> None:
    root = made(tmp_path, DOCKERFILES | charts("values.yaml", "values-dev.yaml", "values-stateful.yaml"))
    run("-C", str(root), "init", "-q", "-b", "trunk")
    assert [place[:3] for place in places(root)] == [
        ("dev", "trunk", "values-dev.yaml"),
        ("prod", "trunk", "values.yaml"),
    ]
    assert "environments.dev: nothing says which branch dev is released from" in whys(propose(root))
    run("-C", str(root), "commit", "-q", "--allow-empty", "-m", "x")
    run("-C", str(root), "branch", "develop")
    assert places(root)[0][:3] == ("dev", "develop", "values-dev.yaml")


WORKFLOW = """\
name: Release
on:
  push:
    branches: [develop, main]
env:
  AWS_REGION: eu-west-1
  ACCOUNT: "210987654321"
  PREFIX: shop
jobs:
  changes:
    steps:
      - uses: dorny/paths-filter@v3
        with:
          filters: |
            shared: &shared 'libs/**'
            web: 'src/ui/**'
            cart:
              - *shared
              - 'src/cart/**'
  build:
    strategy: {matrix: {service: [web, cart]}}
    steps:
      - uses: aws-actions/configure-aws-credentials@v4
        with: {role-to-assume: "arn:aws:iam::210987654321:role/x", aws-region: "${{ env.AWS_REGION }}"}
      - uses: docker/build-push-action@v6
        with:
          context: .
          file: ./src/${{ matrix.service }}/Dockerfile
          platforms: linux/amd64,linux/arm64
          target: runtime
          tags: ${{ steps.login-ecr.outputs.registry }}/${{ env.PREFIX }}-${{ matrix.service }}:${{ github.sha }}
"""


def test_a_workflow_is_read_for_registry_branches_filters_and_how_it_builds(tmp_path: Path) -> None:
    root = made(tmp_path, DOCKERFILES | charts() | {".github/workflows/release.yml": WORKFLOW})
    proposal = propose(root)
    registry = proposal.registry
    assert (registry.account_id, registry.region, registry.repository) == (
        "210987654321",
        "eu-west-1",
        "shop-{service}",
    )
    assert [(each.name, each.branch) for each in proposal.environments] == [("dev", "develop"), ("prod", "main")]
    cart, web = proposal.services
    assert (web.name, web.path, web.filters) == ("web", "src/ui", ())
    assert (cart.filters, cart.context, cart.target) == (("libs/**", "src/cart/**"), ".", "runtime")
    service = resolved(root, "dev").service("cart")
    assert service.build_context.platform == ("linux/amd64", "linux/arm64")
    assert service.ecr_repository == "shop-cart"


def test_the_workflow_of_a_shell_script_tells_the_repositories_too(tmp_path: Path) -> None:
    script = "jobs: {a: {steps: [{run: 'docker push ${ECR_REGISTRY}/retail-store-${service}:${SHA}'}]}}\n"
    root = made(tmp_path, DOCKERFILES | charts() | {".github/workflows/x.yaml": script})
    assert propose(root).registry.repository == "retail-store-{service}"


def test_values_files_that_name_ecr_tell_all_of_the_registry_and_of_each_environment(tmp_path: Path) -> None:
    files = charts("values.yaml", repository=f"{ECR}/shop-{{}}")
    for name in ("ui", "cart"):
        files |= chart(f"src/{name}/chart", name, f"{ECR}/dev-shop-{name}", "values-dev.yaml")
    root = made(tmp_path, DOCKERFILES | files)
    assert whys(propose(root)).count("registry") == 0
    for environment, repository in (("dev", "dev-shop-ui"), ("prod", "shop-ui")):
        found = resolved(root, environment)
        assert found.repository(found.service("ui")) == f"{ECR}/{repository}"


def test_terraform_tells_repositories_and_region(tmp_path: Path) -> None:
    terraform = (
        'provider "aws" {\n  region = "ap-south-1"\n}\nresource "aws_ecr_repository" "s" {\n  for_each = var.services\n'
        '  name = "store/${each.key}"\n}\n'
    )
    registry = propose(made(tmp_path, DOCKERFILES | charts() | {"infra/ecr.tf": terraform})).registry
    assert (registry.region, registry.repository) == ("ap-south-1", "store/{service}")


def test_another_registry_is_taken_where_the_charts_name_it(tmp_path: Path) -> None:
    root = made(tmp_path, DOCKERFILES | charts(repository="ghcr.io/acme/{}"))
    found = resolved(root, "prod")
    assert found.repository(found.service("ui")) == "ghcr.io/acme/ui"
    assert "ghcr.io was taken, because values files name it" in whys(propose(root))


def test_a_workflow_that_pushes_to_ecr_counts_for_more_than_the_images_of_today(tmp_path: Path) -> None:
    workflow = {".github/workflows/x.yaml": f"# {ECR}/shop-${{{{ matrix.service }}}}\n"}
    registry = propose(made(tmp_path, DOCKERFILES | charts(repository="ghcr.io/acme/{}") | workflow)).registry
    assert (registry.host, registry.account_id, registry.repository) == (None, "123456789012", "shop-{service}")


def test_where_others_keep_their_images_is_not_where_ours_go(tmp_path: Path) -> None:
    proposal = propose(made(tmp_path, DOCKERFILES | charts(repository="public.ecr.aws/others/{}")))
    assert proposal.registry.account_id == "000000000000"
    assert "registry.account_id: nothing says it" in whys(proposal)


def test_several_accounts_are_told(tmp_path: Path) -> None:
    other = "999999999999.dkr.ecr.eu-west-1.amazonaws.com"
    files = charts(repository=f"{ECR}/{{}}") | {".github/workflows/x.yaml": f"# {other}/ui\n"}
    proposal = propose(made(tmp_path, DOCKERFILES | files))
    assert proposal.registry.account_id == "123456789012"
    assert "123456789012 was taken; 999999999999 is named too" in whys(proposal)
