"""`argosy.yaml`: what it resolves to, and how it says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.config import load
from argosy.environment import resolve
from argosy.errors import ConfigurationError
from argosy.models import BuildContext
from tests.engine.shop import CONFIGURATION

EXAMPLE = Path(__file__).parents[2] / "examples" / "retail-store" / "argosy.yaml"


def edited(old: str, new: str) -> bytes:
    assert old in CONFIGURATION
    return CONFIGURATION.replace(old, new).encode()


def refusal(text: bytes) -> str:
    with pytest.raises(ConfigurationError) as caught:
        resolve(load(text), "dev")
    return str(caught.value)


def test_every_template_is_filled_in() -> None:
    environment = resolve(load(CONFIGURATION.encode()), "dev")
    service = environment.service("ui")
    assert (service.path, service.dockerfile_path) == ("src/ui", "src/ui/Dockerfile")
    assert service.values_path == "src/ui/chart/values-dev.yaml"
    assert service.build_context == BuildContext("src/ui", "src/ui/Dockerfile")
    assert str(environment.image(service, "1")) == "registry.example:5000/shop-ui:1"
    assert (service.application, environment.blocks.docker) == ("shop-ui", "argosy-dev-docker")


def test_ecr_makes_the_host_from_account_and_region() -> None:
    registry = '{type: ecr, account_id: "123456789012", region: eu-west-1, repository: "shop-{service}"}'
    text = edited('{type: oci, endpoint: "registry.example:5000", repository: "shop-{service}"}', registry)
    assert resolve(load(text), "dev").registries[None].host == "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def test_ecr_in_china_has_a_host_of_its_own() -> None:
    registry = '{type: ecr, account_id: "123456789012", region: cn-north-1, repository: "shop-{service}"}'
    text = edited('{type: oci, endpoint: "registry.example:5000", repository: "shop-{service}"}', registry)
    assert resolve(load(text), "dev").registries[None].host == "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"


def test_aliases_are_understood_and_a_bomb_of_them_is_refused_at_once() -> None:
    text = edited("  cart: {}", "  cart: &own {build: {target: run}}\n  orders: *own")
    assert resolve(load(text), "dev").service("orders").build_context.target_stage == "run"
    bomb = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}' if n else '1'] * 9)}]\n" for n in range(30))
    assert "stands for too much" in refusal(bomb.encode())


def test_a_services_own_settings_lie_over_the_defaults() -> None:
    text = edited("  ui: {}", "  ui: {path: web, build: {args: {B: '2'}, target: run}}").replace(
        b"services:", b"defaults: {build: {args: {A: '1', B: '1'}, timeout: 60}}\nservices:"
    )
    service = resolve(load(text), "dev").service("ui")
    assert service.build_context == BuildContext("web", "web/Dockerfile", (("A", "1"), ("B", "2")), "run")
    assert service.timeout == 60


def test_an_environments_repository_lies_over_the_registrys() -> None:
    text = edited("    source: {branch: main}\n    target: {branch: main, values: values-dev.yaml}",
                  "    source: {branch: main}\n    target: {branch: main, values: values-dev.yaml}\n"
                  "    registry: {repository: 'dev-{service}'}")  # fmt: skip
    environment = resolve(load(text), "dev")
    assert environment.service("ui").ecr_repository == "dev-ui"
    assert resolve(load(text), "prod").service("ui").ecr_repository == "shop-ui"


def test_every_values_file_of_every_environment_is_known_as_written() -> None:
    assert resolve(load(CONFIGURATION.encode()), "dev").written == {
        f"src/{service}/chart/{values}" for service in ("ui", "cart") for values in ("values.yaml", "values-dev.yaml")
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("services:", "servises:", r"argosy.yaml:3:1: servises is not a known key (did you mean services?)"),
        ("  ui: {}", "  ui: {dockerfil: x}", "argosy.yaml:4:8: services.ui.dockerfil is not a known key"),
        ("  ui: {}", "  ui: {build: {arg: {}}}", "(did you mean args?)"),
        ("version: 1\n", "", "version is missing (add version)"),
        ("version: 1", "version: 2", "argosy.yaml:1:1: version is wrong"),
        ("  ui: {}", "  ui: {}\n  ui: {}", "argosy.yaml:5:3"),
        ("  ui: {}", "  -ui: {}", "services.-ui is wrong"),
        ("  ui: {}", "  ui: {path: ../secret}", "must be a path inside the repository"),
        ("  ui: {}", "  ui: {path: /etc}", "must be a path inside the repository"),
        ("  ui: {}", "  ui: {path: '--output'}", "must be a path inside the repository"),
        ("source: {branch: main}", "source: {branch: 'a..b'}", "must be the name of a branch"),
        ("source: {branch: main}", "source: {branch: '-x'}", "must be the name of a branch"),
        ("endpoint: \"registry.example:5000\", ", "", "needs endpoint"),
        ("type: oci", "type: ecr", "needs account_id and region"),
        (", values: values-dev.yaml", "", "both write src/ui/chart/values.yaml on main"),
        ("version: 1", "version: [", "argosy.yaml:"),
        ("source: {branch: main}", "rollback: auto\n    source: {branch: main}", "rollback is wrong"),
        (
            'argocd: {application: "shop-{service}"}\nenvironments:\n  dev:\n',
            "environments:\n  dev:\n    rollback: automatic\n",
            "dev is to be rolled back by itself, and nothing says whether it is healthy (add the section argocd",
        ),
        ("shop-{service}\"}", "shop\"}", "ui and cart share the image repository shop in dev (write {service}"),
        ("shop-{service}\"}", "shop-{name}\"}", "has the placeholder {name}, which stands for nothing"),
        ("  ui: {}", "  ui: {path: 'src/{path}'}", "has the placeholder {path}"),
        ("  ui: {}", "  ui: {build: {args: {GO: 1.2}}}", "should be a valid string (put it in quotes)"),
        ("  ui: {}", "  ui: {build: {timeout: .inf}}", "finite number"),
        ("source: {branch: main}", "breaker: {failures: 0}\n    source: {branch: main}", "argosy.yaml:9:15: "),
        ("source: {branch: main}", "breaker: {failure: 3}\n    source: {branch: main}", "failures"),
        ("source: {branch: main}", "breaker: {delay: 1e9}\n    source: {branch: main}", "less than or equal to 3600"),
        ("version: 1", "version: &a [*a]", "argosy.yaml:1:10: stands for too much"),
        ("version: 1", "version: " + "[" * 2000, "argosy.yaml"),
        ("version: 1", "version: {" + "a: {" * 2000, "argosy.yaml"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place_and_remedy(old: str, new: str, said: str) -> None:
    assert said in refusal(edited(old, new))


def test_two_documents_are_refused() -> None:
    assert "argosy.yaml" in refusal(CONFIGURATION.encode() + b"---\nversion: 1\n")


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff\xfe\x00", b"just words"])
def test_what_is_no_mapping_is_refused(text: bytes) -> None:
    assert "argosy.yaml" in refusal(text)


def test_an_unknown_environment_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"no environment staging \(it has dev, prod\)"):
        resolve(load(CONFIGURATION.encode()), "staging")


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_example_resolves(name: str) -> None:
    services = resolve(load(EXAMPLE.read_bytes()), name).services
    assert [service.name for service in services] == ["ui", "cart", "catalog", "checkout", "orders"]
