"""What an image is built from besides its own context: named contexts, shared paths, other services and base images."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from argosy import plan as planning
from argosy.errors import ConfigurationError, Terminal
from argosy.inputs.base_images import named, parts, pinned
from argosy.inputs.build_context import contexts, export_folder
from argosy.inputs.content import InputFile
from argosy.inputs.digests import Digests
from argosy.models import ContentDigest, State
from tests.engine.planning import ABSENT, of, planned, verify
from tests.engine.shop import Shop, service_files


def digest(shop: Shop, service: str = "ui") -> ContentDigest:
    return shop.digests().desired(shop.head)[service]


# named contexts


@pytest.fixture
def shared_libs(shop: Shop) -> Shop:
    """The ui takes files from `libs`, which lie beside it."""
    shop.commit("Libs", {"libs/price.txt": "1\n", "libs/.dockerignore": "*.md\n", "libs/deep/run": "x\n"})
    (shop.path / "libs/deep/run").chmod(0o700)
    shop.configure("  ui: {}", "  ui: {build: {contexts: {libs: libs}}}")
    return shop


def test_a_file_of_a_named_context_is_an_input_of_that_service_alone(shared_libs: Shop) -> None:
    before = digest(shared_libs), digest(shared_libs, "cart")
    shared_libs.commit("Edit", {"libs/price.txt": "2\n"})
    assert digest(shared_libs) != before[0]
    assert digest(shared_libs, "cart") == before[1]
    middle = digest(shared_libs)
    shared_libs.commit("Write", {"libs/notes.md": "x\n"})
    assert digest(shared_libs) == middle


def test_a_named_context_is_no_external_image(shared_libs: Shop) -> None:
    shared_libs.commit("Take", {"src/ui/Dockerfile": "FROM busybox\nCOPY --from=libs price.txt /\n"})
    inputs = shared_libs.digests().snapshot(shared_libs.head).inputs(shared_libs.environment().service("ui"))
    assert [image.written for image in inputs.images] == ["busybox"]


def test_a_named_context_is_exported_with_normalised_modes_and_gone_afterwards(
    shared_libs: Shop, tmp_path: Path
) -> None:
    (shared_libs.path / "libs/link").symlink_to("price.txt")
    shared_libs.commit("Link", {})
    inputs = shared_libs.digests().snapshot(shared_libs.head).inputs(shared_libs.environment().service("ui"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    umask = os.umask(0o077)
    try:
        with contexts(shared_libs.git, inputs, scratch) as places:
            folder = Path(places["libs"])
            modes = {p.relative_to(folder).as_posix(): stat.S_IMODE(p.lstat().st_mode) for p in folder.rglob("*")}
            assert (modes["price.txt"], modes["deep"], modes["deep/run"]) == (0o644, 0o755, 0o755)
            assert (folder / "link").readlink() == Path("price.txt")
            assert {path.lstat().st_mtime for path in folder.rglob("*")} == {315_532_800}
            assert not (folder / "notes.md").exists()
    finally:
        os.umask(umask)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("path", ["../out", "a/../../out", "./x", "a//b"])
def test_no_file_of_a_crafted_tree_leaves_the_folder(shop: Shop, tmp_path: Path, path: str) -> None:
    blob = shop.run("hash-object", "-w", "src/ui/main.txt")
    with pytest.raises(Terminal, match="leads out of its folder"):
        export_folder(shop.git, "ui", [InputFile(path, "644", blob)], tmp_path / "context")
    assert not (tmp_path / "out").exists()


def test_no_file_is_written_through_a_link_of_a_crafted_tree(shop: Shop, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "target").write_text(str(outside))
    link = shop.run("hash-object", "-w", str(tmp_path / "target"))
    blob = shop.run("hash-object", "-w", "src/ui/main.txt")
    files = [InputFile("a", "link", link), InputFile("a/b", "644", blob)]
    with pytest.raises(FileExistsError):
        export_folder(shop.git, "ui", files, tmp_path / "context")
    assert list(outside.iterdir()) == []


# shared paths


@pytest.mark.parametrize("path", ["tools", "tools/version.txt"])
def test_a_shared_path_is_an_input(shop: Shop, path: str) -> None:
    shop.commit("Tools", {"tools/version.txt": "1\n"})
    shop.configure("  ui: {}", f"  ui: {{shared: [{path}]}}")
    before = digest(shop), digest(shop, "cart")
    shop.commit("Edit", {"tools/version.txt": "2\n"})
    assert (digest(shop) == before[0], digest(shop, "cart") == before[1]) == (False, True)


def test_a_shared_path_that_is_not_there_is_named(shop: Shop) -> None:
    shop.configure("  ui: {}", "  ui: {shared: [tols]}")
    with pytest.raises(Terminal, match=r"ui: the shared path tols holds no files.*correct shared"):
        digest(shop)


# built from other services


@pytest.fixture
def stacked(shop: Shop) -> Shop:
    """The ui is built from cart's image, which is built from base's; all are released and verified."""
    files = service_files("base") | {"src/ui/Dockerfile": "FROM cart\nCOPY . /app\n"}
    shop.commit("Stack", files | {"src/cart/Dockerfile": "FROM base\nCOPY . /app\n"})
    shop.configure("  ui: {}\n  cart: {}", "  ui: {build: {from: [cart]}}\n  cart: {build: {from: [base]}}\n  base: {}")
    source = shop.head
    for name in ("ui", "cart", "base"):
        shop.release(name, source)
        verify(shop, name, source)
    return shop


def test_a_change_of_a_base_changes_all_that_is_built_from_it(stacked: Shop) -> None:
    stacked.commit("Edit", {"src/base/main.txt": "two\n"})
    assert {item.name: item.state for item in planned(stacked).services} == dict.fromkeys(
        ("ui", "cart", "base"), State.BUILD
    )
    assert "service cart" in of(stacked).inputs


def test_a_change_of_what_is_built_from_a_base_leaves_the_base(stacked: Shop) -> None:
    stacked.commit("Edit", {"src/ui/main.txt": "two\n"})
    states = {item.name: item.state for item in planned(stacked).services}
    assert states == {"ui": State.BUILD, "cart": State.UNCHANGED, "base": State.UNCHANGED}


def test_what_is_built_from_a_held_service_is_blocked_and_says_by_what(stacked: Shop) -> None:
    stacked.set_by_hand("base", "1.0-hotfix")
    items = {item.name: item for item in planned(stacked).services}
    assert {name: item.state for name, item in items.items()} == {
        "ui": State.BLOCKED,
        "cart": State.BLOCKED,
        "base": State.HELD,
    }
    assert items["cart"].reason == "it is built from base, which is held"
    assert items["ui"].reason == "it is built from cart, which is blocked"


def test_what_is_built_from_an_unknown_service_is_blocked(shop: Shop) -> None:
    shop.configure("  ui: {}", "  ui: {build: {from: [cart]}}")
    shop.release("ui", shop.head)
    assert (of(shop, "cart").state, of(shop).state) == (State.UNKNOWN, State.BLOCKED)


def test_a_held_service_is_held_whatever_it_is_built_from(stacked: Shop) -> None:
    stacked.set_by_hand("base", "1.0-hotfix")
    stacked.set_by_hand("ui", "1.0-hotfix")
    assert of(stacked).state is State.HELD


def test_what_is_built_from_a_service_that_cannot_be_planned_fails_with_it(stacked: Shop) -> None:
    stacked.commit("Drop", {"src/base/Dockerfile": None})
    assert {name for name, _ in planned(stacked).failures} == {"ui", "cart", "base"}


def test_what_is_built_from_a_service_without_values_is_blocked(stacked: Shop) -> None:
    stacked.commit("Drop", {"src/base/chart/values-dev.yaml": None})
    made = planned(stacked)
    assert [name for name, _ in made.failures] == ["base"]
    assert of(stacked, "cart").reason == "it is built from base, which cannot be planned"


def test_bases_are_built_in_earlier_waves_and_what_is_built_from_a_failed_one_is_blocked(stacked: Shop) -> None:
    stacked.commit("Edit", {"src/base/main.txt": "two\n"})
    made = planned(stacked, ui=ABSENT, cart=ABSENT, base=ABSENT)
    found = planning.waves(made)
    assert [[item.name for item in wave] for wave in found] == [["base"], ["cart"], ["ui"]]
    assert planning.blocked(found[2], {"base"}) == {"ui": "ui: blocked: it is built from base, which failed"}
    assert planning.blocked(found[0], {"ui"}) == {}


def test_services_built_from_each_other_are_refused_by_name_and_line(shop: Shop) -> None:
    shop.configure("  ui: {}\n  cart: {}", "  ui: {build: {from: [cart]}}\n  cart: {build: {from: [ui]}}")
    with pytest.raises(ConfigurationError, match=r"argosy\.yaml:4:\d+: .*ui -> cart -> ui: built from each other"):
        shop.environment()


# base images


def test_an_image_named_by_an_argument_is_looked_up_with_its_value(shop: Shop) -> None:
    text = "ARG TAG=1.36\nARG BASE=busybox:${TAG}\nFROM $BASE AS one\nFROM ${OTHER:-alpine}\nCOPY --from=one / /\n"
    shop.commit("Argue", {"src/ui/Dockerfile": text})
    shop.configure("  ui: {}", '  ui: {build: {resolve: true, args: {TAG: "1.37"}}}')
    snapshot = shop.digests().snapshot(shop.head)
    assert named(snapshot, shop.environment().services) == {"busybox:1.37", "alpine"}


def test_a_base_that_moved_is_a_change_where_it_is_looked_up(shop: Shop) -> None:
    shop.configure("  ui: {}", "  ui: {build: {resolve: true}}")
    head, environment = shop.head, shop.environment()
    found = [
        Digests(shop.git, environment, {"busybox:1.36": f"sha256:{letter * 64}"}).desired(head) for letter in "aab"
    ]
    assert found[0] == found[1]
    assert (found[0]["ui"] == found[2]["ui"], found[0]["cart"] == found[2]["cart"]) == (False, True)


def test_a_base_that_no_registry_has_is_the_failure_of_its_service(shop: Shop) -> None:
    shop.configure("  ui: {}", "  ui: {build: {resolve: true}}")
    survey = Digests(shop.git, shop.environment(), {}).survey(shop.head)
    assert "no registry has the image busybox:1.36" in str(survey.failures["ui"])
    assert "cart" in survey.contents


def test_a_pinned_base_is_never_looked_up(shop: Shop) -> None:
    shop.commit("Pin", {"src/ui/Dockerfile": f"FROM busybox@sha256:{'a' * 64}\n"})
    shop.configure("  ui: {}", "  ui: {build: {resolve: true}}")
    assert named(shop.digests().snapshot(shop.head), shop.environment().services) == frozenset()
    assert "ui" in Digests(shop.git, shop.environment(), {}).survey(shop.head).contents


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("alpine", ("registry-1.docker.io", "library/alpine", "latest")),
        ("alpine:3.20", ("registry-1.docker.io", "library/alpine", "3.20")),
        ("acme/base:1", ("registry-1.docker.io", "acme/base", "1")),
        ("docker.io/acme/base", ("registry-1.docker.io", "acme/base", "latest")),
        ("localhost:5000/base:1", ("localhost:5000", "base", "1")),
        ("public.ecr.aws/docker/library/busybox:1.36", ("public.ecr.aws", "docker/library/busybox", "1.36")),
    ],
)
def test_a_reference_means_what_docker_takes_it_for(reference: str, meant: tuple[str, str, str]) -> None:
    assert parts(reference) == meant


@pytest.mark.parametrize(
    ("reference", "by_digest"),
    [("alpine:3.20", "alpine@d"), ("localhost:5000/base:1", "localhost:5000/base@d"), ("acme/base", "acme/base@d")],
)
def test_a_reference_is_pinned_without_its_tag(reference: str, by_digest: str) -> None:
    assert pinned(reference, "d") == f"docker-image://{by_digest}"
