"""The services of repositories of any layout, and what is said of those that are none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from argosy.config import load
from argosy.discovery.document import written
from argosy.discovery.proposal import propose
from argosy.environment import resolve
from argosy.errors import ConfigurationError
from argosy.settings.text import problems
from tests.discovery.repository import chart, made, resolved, text, whys

EXAMPLE = Path(__file__).parents[2] / "examples" / "retail-store"
FILE = "FROM busybox\n"


def layout(root: Path) -> list[tuple[str, str, str, str, str]]:
    """Each service as name, path, Dockerfile, context and chart."""
    services = resolved(root, "prod").services
    return [(s.name, s.path, s.dockerfile_path, s.build_context.path, s.chart_path) for s in services]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_example_is_found_as_it_was_written_by_hand(tmp_path: Path, environment: str) -> None:
    root = shutil.copytree(EXAMPLE, tmp_path / "retail-store", ignore=shutil.ignore_patterns("argosy.yaml"))
    ours = resolve(load((EXAMPLE / "argosy.yaml").read_bytes()), environment)
    found = resolved(root, environment)
    facts = [
        {
            (s.name, s.path, s.dockerfile_path, s.chart_path, s.values_path, s.application, s.build_context.path)
            for s in each.services
        }
        for each in (ours, found)
    ]
    assert facts[0] == facts[1]
    assert "ui: {}" in text(root)


@pytest.mark.parametrize(
    ("dockerfile", "folder", "service"),
    [
        ("src/ui/Dockerfile", "src/ui/chart", ("ui", "src/ui", "src/ui")),
        ("services/ui/Dockerfile", "services/ui/helm", ("ui", "services/ui", "services/ui")),
        ("apps/ui/Dockerfile", "charts/ui", ("ui", "apps/ui", "apps/ui")),
        ("apps/ui/Containerfile", "deploy/ui/chart", ("ui", "apps/ui", "apps/ui")),
        ("ui/Dockerfile", "helm/charts/ui", ("ui", "ui", "ui")),
        ("backend/go/ui/Dockerfile", "helm/web-ui", ("ui", "backend/go/ui", "backend/go/ui")),
        ("services/ui/docker/Dockerfile", "services/ui/chart", ("ui", "services/ui", "services/ui")),
        ("src/ui/src/Dockerfile", "charts/ui", ("ui", "src/ui", "src/ui/src")),
        ("docker/ui.Dockerfile", "charts/ui", ("ui", "docker", "docker")),
        ("build/Dockerfile.ui", "charts/ui", ("ui", "build", "build")),
        ("src/UI_Web/Dockerfile", "charts/ui-web", ("ui-web", "src/UI_Web", "src/UI_Web")),
    ],
)
def test_a_service_is_its_dockerfile_and_the_chart_that_is_tied_to_it(
    tmp_path: Path, dockerfile: str, folder: str, service: tuple[str, str, str]
) -> None:
    name, path, context = service
    other = {"src/other/Dockerfile": FILE, **chart("src/other/chart", "other")}
    repository = "example.invalid/shop-ui"
    root = made(tmp_path, {dockerfile: FILE, **chart(folder, "x", repository), **other})
    assert (name, path, dockerfile, context, folder) in layout(root)
    assert len(layout(root)) == 2


def test_what_all_services_agree_on_is_said_once_and_what_one_has_of_its_own_by_it(tmp_path: Path) -> None:
    files = {f"apps/{name}/Dockerfile": FILE for name in ("a", "b", "c")} | {"legacy/Dockerfile": FILE}
    charts = {key: value for name in ("a", "b", "c") for key, value in chart(f"charts/{name}", name).items()}
    found = text(made(tmp_path, files | charts | chart("charts/old", "legacy")))
    assert 'path: "apps/{service}"' in found
    assert 'chart: "charts/{service}"' in found
    assert "  a: {}\n  b: {}\n  c: {}\n  legacy:\n    path: legacy\n    chart: charts/old\n" in found


def test_two_services_of_one_name_are_called_by_the_folders_above_them_too(tmp_path: Path) -> None:
    files = {f"{team}/api/Dockerfile": FILE for team in ("red", "blue")}
    charts = chart("red/api/chart", "api") | chart("blue/api/chart", "api")
    assert [row[0] for row in layout(made(tmp_path, files | charts))] == ["blue-api", "red-api"]


def test_a_build_context_is_the_folder_that_has_what_the_dockerfile_copies(tmp_path: Path) -> None:
    root = made(tmp_path, {
        "libs/x.txt": "", "src/ui/main.txt": "", "src/cart/main.txt": "",
        "src/ui/Dockerfile": "FROM x AS b\nCOPY --chown=1:1 src/ui/main.txt \\\n  libs /app/\nCOPY --from=b /a /c\n",
        "src/cart/Dockerfile": "FROM busybox\nCOPY ./main.txt missing*.txt /app/\nADD https://x.example/y /z\n",
        **chart("src/ui/chart", "ui"), **chart("src/cart/chart", "cart"),
    })  # fmt: skip
    assert [(row[0], row[3]) for row in layout(root)] == [("cart", "src/cart"), ("ui", ".")]


def test_a_service_on_anothers_image_is_built_from_it(tmp_path: Path) -> None:
    root = made(tmp_path, {
        "src/base/Dockerfile": FILE, "src/ui/Dockerfile": "FROM base AS run\nFROM run\n",
        **chart("src/base/chart", "base"), **chart("src/ui/chart", "ui"),
    })  # fmt: skip
    ui = resolved(root, "prod").service("ui")
    assert [base.name for base in ui.dependencies] == ["base"]


def test_a_repository_that_is_one_service(tmp_path: Path) -> None:
    root = made(tmp_path / "shop", {"Dockerfile": FILE, **chart("chart", "shop")})
    assert layout(root) == [("shop", ".", "Dockerfile", ".", "chart")]


def test_no_chart_is_given_to_two_services_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    root = made(tmp_path, {
        "src/ui/Dockerfile": FILE, "src/ui/Dockerfile.dev": FILE, "tools/load/Dockerfile": FILE,
        **chart("src/ui/chart", "ui"), **chart("charts/stray", "stray"),
    })  # fmt: skip
    proposal = propose(root)
    assert [service.name for service in proposal.services] == ["ui"]
    told = whys(proposal)
    assert "src/ui/Dockerfile was taken, not src/ui/Dockerfile.dev" in told
    assert "load is left out: no chart was found for tools/load/Dockerfile" in told
    assert "the chart charts/stray is of no service that was found" in told
    assert all(f"# TODO: {note.why}" in written(proposal, "s") for note in proposal.notes if note.key == "services")


def test_of_two_services_that_one_chart_is_tied_to_one_gets_it(tmp_path: Path) -> None:
    files = {"red/api/Dockerfile": FILE, "blue/api/Dockerfile": FILE, **chart("charts/api", "api")}
    proposal = propose(made(tmp_path, files))
    assert [service.name for service in proposal.services] == ["blue-api"]
    assert "red-api is left out: no chart was found for red/api/Dockerfile" in whys(proposal)


def test_a_subchart_and_a_library_are_no_service_of_their_own(tmp_path: Path) -> None:
    library = {"charts/ui/Chart.yaml": "name: ui\ntype: library\n", "charts/ui/values.yaml": "{}"}
    inner = chart("deploy/ui/charts/cart", "cart")
    root = made(tmp_path, {"src/ui/Dockerfile": FILE, **chart("deploy/ui", "ui"), **library, **inner})
    assert [row[4] for row in layout(root)] == ["deploy/ui"]


def test_without_any_chart_the_services_are_listed_all_the_same(tmp_path: Path) -> None:
    root = made(tmp_path, {"src/a/Dockerfile": FILE, "src/b/Dockerfile": FILE})
    assert [row[0] for row in layout(root)] == ["a", "b"]
    assert "defaults.chart: no chart was found: {path}/chart is a guess" in whys(propose(root))


def test_a_values_file_without_a_reference_is_told(tmp_path: Path) -> None:
    files = {"src/ui/Dockerfile": FILE, **chart("src/ui/chart", "ui"), "src/ui/chart/values.yaml": "replicas: 1\n"}
    assert "no values file has an image.repository that a release could write in src/ui/chart" in whys(
        propose(made(tmp_path, files))
    )


def test_nothing_to_release_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no Dockerfile was found"):
        propose(made(tmp_path, {"README.md": "x"}))


@pytest.mark.parametrize("name", ["a b", "ü", "a'b", "a: b", "a#b", '"', "1.10", "true", "{x}", "-x", "x\ny"])
def test_whatever_a_folder_is_called_the_result_loads(tmp_path: Path, name: str) -> None:
    root = made(tmp_path, {
        f"src/{name}/Dockerfile": FILE, **chart(f"src/{name}/chart", "odd"),
        "src/ui/Dockerfile": FILE, **chart("src/ui/chart", "ui"),
    })  # fmt: skip
    assert problems(text(root).encode()) == ()


def test_the_same_files_give_the_same_text_wherever_they_lie(tmp_path: Path) -> None:
    files = {f"src/s{n}/Dockerfile": FILE for n in range(20)}
    files |= {key: each for n in range(20) for key, each in chart(f"charts/s{n}", f"s{n}").items()}
    backwards = dict(reversed(files.items()))
    assert text(made(tmp_path / "a" / "shop", files)) == text(made(tmp_path / "b" / "shop", backwards))
