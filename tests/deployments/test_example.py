from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from argosy.config import load
from argosy.environment import resolve

ROOT = Path(__file__).parents[2] / "examples" / "retail-store"
CONFIGURATION = load((ROOT / "argosy.yaml").read_bytes())
SERVICES = sorted(CONFIGURATION.services)


def _yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def test_every_service_of_the_repository_is_configured() -> None:
    assert sorted(folder.name for folder in (ROOT / "src").iterdir()) == SERVICES


@pytest.mark.parametrize("environment", sorted(CONFIGURATION.environments))
def test_every_values_file_holds_a_reference_for_a_release_to_replace(environment: str) -> None:
    for service in resolve(CONFIGURATION, environment).services:
        image = _yaml(ROOT / service.values_path)["image"]
        assert image["repository"] == f"public.ecr.aws/aws-containers/retail-store-sample-{service.name}"
        assert image["tag"] in {None, "", "1.2.2"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_image_builds_on_a_base_that_can_be_handed_in(service: str) -> None:
    lines = (ROOT / "src" / service / "Dockerfile").read_text().splitlines()
    assert not any(line.startswith(("# syntax=", "ADD http")) for line in lines)
    stages = {line.split(" AS ")[1] for line in lines if line.startswith("FROM ") and " AS " in line}
    bases = {line.split()[1] for line in lines if line.startswith("FROM ")}
    assert bases - stages == {"${BASE_IMAGE}"}
    assert "USER 10001:10001" in lines


@pytest.mark.parametrize("service", SERVICES)
def test_the_application_follows_the_files_that_a_release_writes(service: str) -> None:
    application = _yaml(ROOT / "argocd" / "applications" / f"retail-store-{service}.yaml")
    project = _yaml(ROOT / "argocd" / "projects" / "retail-store.yaml")
    prod = resolve(CONFIGURATION, "prod").service(service)
    spec = application["spec"]
    assert application["metadata"]["name"] == prod.application
    assert spec["project"] == project["metadata"]["name"]
    assert spec["source"]["repoURL"] in project["spec"]["sourceRepos"]
    assert spec["source"]["targetRevision"] == CONFIGURATION.environments["prod"].target.branch
    followed = [f"{spec['source']['path']}/{file}" for file in spec["source"]["helm"]["valueFiles"]]
    assert prod.values_path in followed


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_project_allows_covers_what_the_chart_makes(service: str) -> None:
    project = _yaml(ROOT / "argocd" / "projects" / "retail-store.yaml")
    allowed = {item["kind"] for item in project["spec"]["namespaceResourceWhitelist"]}
    templates = (ROOT / "src" / service / "chart" / "templates").glob("*.yaml")
    lines = {line for template in templates for line in template.read_text().splitlines()}
    assert {line.removeprefix("kind: ") for line in lines if line.startswith("kind: ")} <= allowed
