"""Charts that are rendered before the commit, by a program that is called helm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from argosy.errors import Terminal
from argosy.gitops import chart_export
from argosy.gitops.render_check import RenderCheck
from argosy.gitops.restoring import restore
from argosy.models import ImageKeys, WriteBack
from argosy.settings.target_mode import RenderMode
from argosy.settings.text import read
from tests import processes
from tests.deployments.waiting import soon
from tests.engine.apart import Apart
from tests.engine.helm import DEPLOYMENT, Bench, chart
from tests.engine.shop import CONFIGURATION, Shop
from tests.engine.shop import VALUES as SHOP_VALUES
from tests.engine.target import Target
from tests.engine.test_many_writers import once
from tests.engine.test_rollback import Story

VALUES = "src/ui/chart/values-dev.yaml"
FIXED = DEPLOYMENT.replace("{{ .Values.image.tag }}", "1.0")
BOTH = ("ui", "cart")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench.at(tmp_path)


def fitted(shop: Shop, tmp_path: Path, **templates: str) -> Target:
    """A target whose services have charts, with those templates."""
    files = chart("ui", templates.get("ui", DEPLOYMENT)) | chart("cart", templates.get("cart", DEPLOYMENT))
    shop.commit("Write charts", files)
    return Target(shop, tmp_path / "home")


def released(target: Target, bench: Bench, mode: RenderMode = "auto", **how: object) -> WriteBack:
    """What a run writes that releases both services."""
    releases = [target.release(service) for service in BOTH]
    return bench.rendering(target.writer, mode, **how).write_back(target.shop.head, releases)


def test_charts_that_render_to_their_new_images_are_released(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    target = fitted(shop, tmp_path)
    assert released(target, bench, "required").released == BOTH
    assert bench.rendered == {"ui": 1, "cart": 1}
    assert shop.head in target.read(VALUES)


def test_a_chart_with_an_image_of_its_own_fails_alone_and_says_what_to_do(
    shop: Shop, tmp_path: Path, bench: Bench
) -> None:
    target = fitted(shop, tmp_path, ui=FIXED)
    written = released(target, bench)
    assert (written.released, [change.file for change in written.changes]) == (
        ("cart",), ["src/cart/chart/values-dev.yaml"] * 2,
    )  # fmt: skip
    why = written.left_out["ui"]
    for part in ("src/ui/chart", "values-dev.yaml", f"registry.example:5000/shop-ui:{shop.head}", "image.tag"):
        assert part in why
    assert shop.head not in target.read(VALUES)


def test_a_chart_that_does_not_render_fails_alone_with_helms_own_words(
    shop: Shop, tmp_path: Path, bench: Bench
) -> None:
    target = fitted(shop, tmp_path, ui=DEPLOYMENT.replace(".tag", ".version"))
    written = released(target, bench)
    assert written.released == ("cart",)
    assert (
        "Error: template: ui/templates/deployment.yaml:5:4: executing at <.Values.image.version>"
        in (written.left_out["ui"])
    )
    assert str(tmp_path) not in written.left_out["ui"]


def test_what_helm_says_of_files_is_told_without_the_folder_of_the_run(
    shop: Shop, tmp_path: Path, bench: Bench
) -> None:
    target = fitted(shop, tmp_path)
    (bench.bin / "helm").write_text('#!/bin/sh\necho "Error: failed to parse $5: no mapping" >&2\nexit 1\n')
    why = released(target, bench).left_out["ui"]
    assert "helm said Error: failed to parse values-dev.yaml: no mapping" in why


def test_what_is_no_yaml_in_the_end_fails_alone(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    written = released(fitted(shop, tmp_path, ui=DEPLOYMENT + " broken: [\n"), bench)
    assert (written.released, "what src/ui/chart renders to:" in written.left_out["ui"]) == (("cart",), True)


def test_nothing_is_written_where_no_chart_renders(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    target = fitted(shop, tmp_path, ui=FIXED, cart=FIXED)
    written = released(target, bench)
    assert (written.commit, written.released, set(written.left_out)) == (None, (), {*BOTH})
    assert target.log()[0] == "Write charts"


def test_without_helm_charts_are_released_unless_they_have_to_be_rendered(shop: Shop, tmp_path: Path) -> None:
    target = fitted(shop, tmp_path, ui=FIXED)
    without = replace(target.writer, render_check=RenderCheck("required", None, lambda: tmp_path))
    with pytest.raises(Terminal, match="no helm") as raised:
        without.write_back(shop.head, [target.release()])
    assert "install Helm" in (raised.value.remedy or "")
    assert target.log()[0] == "Write charts"
    without = replace(target.writer, render_check=RenderCheck("auto", None, lambda: tmp_path))
    assert without.write_back(shop.head, [target.release()]).released == ("ui",)


def test_a_helm_that_is_switched_off_renders_nothing(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    assert released(fitted(shop, tmp_path, ui=FIXED), bench, "off").released == BOTH
    assert bench.calls == []


def test_a_run_that_edits_nothing_renders_nothing(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    target = fitted(shop, tmp_path)
    head = shop.head
    first = released(target, bench)
    assert first.commit
    calls = bench.calls
    again = replace(bench.rendering(target.writer), run="run-2")
    assert again.write_back(head, [target.release(service, head) for service in BOTH]).commit is None
    assert bench.calls == calls


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("src/ui/chart/Chart.yaml", "apiVersion: v2\nname: ui\nversion: 0.1.0\nneeds: common\n"),
        ("src/ui/chart/Chart.yaml", None),
    ],
    ids=["dependencies that are not there", "no chart at all"],
)
def test_what_cannot_be_rendered_here_passes_unless_it_has_to_be(
    shop: Shop, tmp_path: Path, bench: Bench, path: str, content: str | None
) -> None:
    target = fitted(shop, tmp_path, ui=FIXED)
    shop.commit("Take something away", {path: content})
    demanded = released(target, bench, "required")
    assert demanded.released == ("cart",)
    assert "cannot be rendered" in demanded.left_out["ui"]
    assert bench.rendering(target.writer).write_back(shop.head, [target.release()]).released == ("ui",)


def test_dependencies_that_are_there_are_rendered_with(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    target = fitted(shop, tmp_path)
    needing = "apiVersion: v2\nname: ui\nversion: 0.1.0\nneeds: common\n"
    shop.commit("Need", {"src/ui/chart/Chart.yaml": needing, "src/ui/chart/charts/common/Chart.yaml": "name: common\n"})
    assert released(target, bench, "required").released == BOTH


def test_a_helm_that_hangs_fails_its_service_and_is_ended_with_its_children(
    shop: Shop, tmp_path: Path, bench: Bench
) -> None:
    target = fitted(shop, tmp_path, ui=DEPLOYMENT + "{{ forever }}\n")
    written = bench.rendering(target.writer, seconds=1.0).write_back(shop.head, [target.release()])
    assert "did not end within 1 s" in written.left_out["ui"]
    marker = f"HOME={bench.scratch}".encode()
    soon(lambda: [folder for folder, environment in processes.shown("environ") if marker in environment], [])


def test_a_chart_that_renders_to_too_much_fails_alone(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    written = released(fitted(shop, tmp_path, ui="{{ flood }}\n"), bench, largest=100_000)
    assert written.released == ("cart",)
    assert "more than 100000 bytes" in written.left_out["ui"]


def test_a_helm_that_does_not_run_at_all_is_as_good_as_none(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    target = fitted(shop, tmp_path)
    (bench.bin / "helm").write_text("#!/no/such/interpreter\n")
    assert set(released(target, bench, "required").left_out) == {*BOTH}
    assert released(target, bench).released == BOTH


@pytest.mark.parametrize("where", ["../../../../secret", "/etc/hostname", "../../../cart/main.txt"])
def test_a_link_that_leads_out_of_its_chart_is_not_followed(
    shop: Shop, tmp_path: Path, bench: Bench, where: str
) -> None:
    target = fitted(shop, tmp_path)
    (shop.path / "src/ui/chart/templates/more.yaml").symlink_to(where)
    shop.commit("Link", {})
    written = released(target, bench, "required")
    assert (written.released, bench.rendered) == (("cart",), {"cart": 1})
    assert "templates/more.yaml is a link" in written.left_out["ui"]


def test_a_link_within_its_chart_is_what_it_leads_to(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    target = fitted(shop, tmp_path, ui="kind: Namespace\n")
    (shop.path / "src/ui/chart/templates/more.yaml").symlink_to("../more.tpl")
    (shop.path / "src/ui/chart/more.tpl").symlink_to("files/more.tpl")
    shop.commit("Link", {"src/ui/chart/files/more.tpl": DEPLOYMENT})
    assert released(target, bench, "required").released == BOTH


def test_a_chart_that_is_too_large_is_not_rendered(
    shop: Shop, tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = fitted(shop, tmp_path, ui=DEPLOYMENT + "#" * 5000)
    monkeypatch.setattr(chart_export, "LARGEST", 4000)
    written = released(target, bench, "required")
    assert (written.released, bench.rendered) == (("cart",), {"cart": 1})


def test_nothing_of_the_users_configuration_reaches_helm(
    shop: Shop, tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = [tmp_path / "theirs", "HELM_REPOSITORY_CONFIG", "KUBECONFIG", "HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY"]
    private = ("HOME", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS")
    for name in (*map(str, theirs[1:]), *private):
        monkeypatch.setenv(name, str(theirs[0]))
    released(fitted(shop, tmp_path), bench)
    assert len(bench.calls) == 2
    for call in bench.calls:
        told = call["environment"]
        assert not [each for each in theirs if str(each) in str(told)]
        assert all(Path(told[name]).is_relative_to(bench.scratch) for name in private)


def test_nothing_is_left_in_the_runs_folder(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    released(fitted(shop, tmp_path, ui=FIXED), bench)
    assert bench.calls[0]["folder"].startswith(str(bench.scratch))
    assert list(bench.scratch.iterdir()) == []


def test_a_retry_renders_only_what_changed_meanwhile(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    target = fitted(shop, tmp_path)
    service = {"src/cart/chart/templates/service.yaml": "kind: Service\n"}
    once(target, lambda: shop.commit("Add a service", service))
    written = released(target, bench)
    assert (written.attempts, written.released) == (2, BOTH)
    assert bench.rendered == {"ui": 1, "cart": 2}


def test_a_retry_sees_what_somebody_did_to_a_chart_meanwhile(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    target = fitted(shop, tmp_path)
    once(target, lambda: shop.commit("Fix the image", chart("cart", FIXED)))
    written = released(target, bench)
    assert (written.attempts, written.released, set(written.left_out)) == (2, ("ui",), {"cart"})


def test_a_competitor_elsewhere_costs_no_rendering(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    target = fitted(shop, tmp_path)
    once(target, lambda: shop.commit("Compete", {"NOTES": "theirs\n"}))
    assert released(target, bench).attempts == 2
    assert bench.rendered == {"ui": 1, "cart": 1}


def test_services_that_share_a_chart_are_told_apart(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    target = fitted(shop, tmp_path)
    values = SHOP_VALUES.replace("{service}", "ui") + 'other:\n  name: public.example/shop-cart\n  tag: "1.0"\n'
    shop.commit("Share", {VALUES: values})
    ui, cart = target.release("ui"), target.release("cart")
    keys = ImageKeys("other.name", "other.tag")
    sharing = replace(cart.service, chart_path=ui.service.chart_path, values_path=VALUES, keys=keys)
    check = bench.check()
    writer = replace(target.writer, render_check=check)
    environment = replace(writer.environment, services=(ui.service, sharing))
    written = replace(writer, environment=environment).write_back(shop.head, [ui, replace(cart, service=sharing)])
    assert (written.released, set(written.left_out)) == (("ui",), {"cart"})
    assert "registry.example:5000/shop-cart" not in target.read(VALUES)
    assert bench.rendered == {"ui": 2}  # and once more without what was refused


def test_a_chart_may_be_the_whole_repository(shop: Shop, tmp_path: Path, bench: Bench) -> None:
    shop.commit("Write a chart", chart("ui", folder=".") | {"values.yaml": "image:\n  repository: x\n"})
    target = Target(shop, tmp_path / "home")
    release = target.release()
    release = replace(release, service=replace(release.service, chart_path="."))
    once(target, lambda: shop.commit("Add a service", {"templates/service.yaml": "kind: Service\n"}))
    written = bench.rendering(target.writer, "required").write_back(shop.head, [release])
    assert (written.released, written.attempts, bench.rendered) == (("ui",), 2, {"ui": 2})


def test_a_name_that_leads_out_of_the_chart_is_written_nowhere(shop: Shop, tmp_path: Path) -> None:
    blob = shop.git.text("hash-object", "-w", "--stdin", data=b"theirs\n")
    inner = shop.git.text("mktree", data=f"100644 blob {blob}\tsecret\n".encode())
    content = b"".join(
        b"%s %s\0%s" % (mode, name, bytes.fromhex(sha))
        for mode, name, sha in [(b"40000", b"..", inner), (b"100644", b"Chart.yaml", blob)]
    )
    tree = shop.git.text("hash-object", "-t", "tree", "-w", "--stdin", "--literally", data=content)
    with pytest.raises(chart_export.Unrenderable, match="no name that a file can have"):
        chart_export.export(shop.git, tree, {}, tmp_path / "chart")
    assert not (tmp_path / "secret").exists()


def test_a_chart_in_a_repository_of_its_own_is_the_one_that_is_rendered(
    shop: Shop, tmp_path: Path, bench: Bench
) -> None:
    shop.commit("Write charts", chart("ui"))
    apart = Apart(tmp_path, shop)
    apart.charts.commit("Write charts", chart("ui", FIXED, "charts/{}") | chart("cart", DEPLOYMENT, "charts/{}"))
    defaults = "image:\n  repository: x\n"
    apart.charts.commit("Defaults", {f"charts/{service}/values.yaml": defaults for service in BOTH})
    written = bench.rendering(apart.writer()).write_back(shop.head, [apart.release("ui"), apart.release("cart")])
    assert (written.released, set(written.left_out)) == (("cart",), {"ui"})
    assert "charts/ui" in written.left_out["ui"]


def test_a_rollback_to_an_image_that_the_chart_does_not_run_is_not_written(
    shop: Shop, tmp_path: Path, bench: Bench
) -> None:
    target = fitted(shop, tmp_path)
    story = Story(target)
    story.release()
    story.release(healthy=False)
    chosen = story.chosen()
    shop.commit("Fix the image", chart("ui", FIXED))
    target.mirror.update()
    written = restore(bench.rendering(target.writer), shop.head, [chosen], "it loses baskets")
    assert (written.commit, set(written.left_out)) == (None, {"ui"})
    shop.commit("Mend the chart", chart("ui"))
    assert restore(bench.rendering(target.writer), shop.head, [chosen], "it loses baskets").released == ("ui",)


@pytest.mark.parametrize(
    ("where", "expected"),
    [("", "auto"), ("charts: {render_check: required}\n", "required"), ("charts:\n", "auto")],
)
def test_charts_are_rendered_as_all_environments_or_one_of_them_says(where: str, expected: RenderMode) -> None:
    text = CONFIGURATION.replace("environments:\n", f"{where}environments:\n")
    assert read(text.encode(), "prod").render_check == expected
    own = text.replace("  prod:\n", "  prod:\n    charts: {render_check: off}\n")
    assert (read(own.encode(), "prod").render_check, read(own.encode(), "dev").render_check) == ("off", expected)
