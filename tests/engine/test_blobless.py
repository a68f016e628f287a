"""The mirror without what files hold: that comes when somebody wants it, in one request for all of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from pydantic import SecretStr

from argosy import notes
from argosy.batches import contents, identify
from argosy.errors import Terminal
from argosy.gitops.apart import ApartMirror
from argosy.gitops.mirror import Mirror
from argosy.gitops.remote import Remote
from argosy.inputs import build_context
from argosy.inputs.digests import Digests, environment_at
from argosy.inputs.snapshot import Snapshot
from argosy.standing import look
from tests.engine.blobless import (
    BROUGHT,
    DOCKERFILE,
    PUSHED,
    TEXT,
    VALUES,
    Distant,
    at_hand,
    blobless,
    exported,
    exported_whole,
    filtering,
)
from tests.engine.helm import Bench, chart
from tests.engine.shop import Shop, run
from tests.engine.target import NOW


@pytest.fixture
def mirror(shop: Shop, tmp_path: Path) -> Mirror:
    return blobless(shop, tmp_path / "home")


def test_a_plan_reads_what_it_needs_and_leaves_the_rest_where_it_is(shop: Shop, mirror: Mirror) -> None:
    assert not at_hand(mirror, shop, "argosy.yaml")
    environment = environment_at(mirror.git, shop.head, "dev")
    digests = Digests(mirror.git, environment)
    look(digests, shop.head, shop.head, NOW, shop.head)
    assert [at_hand(mirror, shop, path) for path in (DOCKERFILE, VALUES, TEXT)] == [True, True, False]
    assert digests.desired(shop.head) == shop.digests().desired(shop.head)
    assert exported(mirror, environment, shop.head) == exported_whole(shop)


def test_all_that_builds_want_is_one_request_and_what_is_here_is_none(distant: Distant) -> None:
    environment, mirror = distant.planned(), distant.mirror
    head = distant.shop.commit("Edit both", {TEXT: "ui two\n", "src/cart/main.txt": "cart two\n", "src/ui/new": "n\n"})
    distant.planned()
    assert distant.asked
    snapshot = Snapshot(mirror.git, head)
    build_context.bring(mirror.git, [snapshot.inputs(each) for each in environment.services])
    assert distant.asked == BROUGHT
    assert b"ui two" in exported(mirror, environment, head)
    assert b"cart two" in exported(mirror, environment, head, "cart")
    assert mirror.git.file(head, "no/such/file") is mirror.git.file("0" * 40, TEXT) is None
    assert list(contents(mirror.git, [f"{head}:nothing", f"{head}:{TEXT}", f"{head}:src"])) == [None, b"ui two\n", None]
    distant.planned()
    # One ls-remote, and that is all.
    assert distant.asked == BROUGHT


def test_the_first_plan_asks_for_what_it_reads_at_once(distant: Distant) -> None:
    """What that is, argosy.yaml says, which is read first."""
    shop = distant.shop
    shop.commit("Hold", {".argosy/holds.yaml": "version: 1\nholds: []\n", "src/ui/.dockerignore": "*.md\n"})
    run("-C", str(distant.path), "notes", "--ref", notes.ref("dev"), "add", "-m", "{}", "main")
    distant.planned()
    requests = [each for each in distant.asked if each.startswith("GET")]
    assert len(requests) == len(["ls-remote", "fetch", "argosy.yaml", "the rest"])


def test_all_charts_that_are_rendered_are_one_request(distant: Distant, tmp_path: Path) -> None:
    distant.shop.commit("Write charts", chart("ui") | chart("cart"))
    distant.planned()
    assert distant.asked
    writer = Bench.at(tmp_path).rendering(distant.writer(), "required")
    written = writer.write_back(distant.shop.head, [distant.release(service) for service in ("ui", "cart")])
    assert written.released == ("ui", "cart")
    assert distant.asked == [*BROUGHT, *BROUGHT, *PUSHED]


def test_many_files_that_nobody_announced_are_one_request_too(distant: Distant) -> None:
    distant.mirror.update()
    paths = [TEXT, "src/cart/main.txt", "no/such/file", DOCKERFILE, VALUES, DOCKERFILE, "argosy.yaml"]
    names = [f"main:{path}" for path in paths]
    assert distant.asked
    whole = [distant.shop.git.file("main", path) for path in paths]
    assert list(contents(distant.mirror.git, names[3:])) == whole[3:]
    assert distant.asked == BROUGHT
    assert list(distant.mirror.git.objects(names)) == whole
    assert distant.asked == BROUGHT
    assert list(contents(distant.mirror.git, names)) == whole
    assert distant.asked == []


def test_what_a_file_is_called_by_git_is_known_without_what_it_holds(shop: Shop, mirror: Mirror) -> None:
    paths = [TEXT, "src/ui", "", "nothing", f"{TEXT}/below", "src/ui/nothing", "nowhere/at/all"]
    names = [*(f"main:{path}" for path in paths), "0" * 40, shop.head, f"{'0' * 40}:{TEXT}"]
    assert identify(mirror.git, names) == identify(shop.git, names)
    assert not at_hand(mirror, shop, TEXT)


def test_a_release_is_written_without_what_other_files_hold_and_is_here_once_it_is_pushed(distant: Distant) -> None:
    distant.planned()
    shop, mirror = distant.shop, distant.mirror
    assert distant.asked
    commit = distant.writer().write_back(shop.head, [distant.release("ui")]).commit
    assert distant.asked == [*BROUGHT, *PUSHED], "an ls-remote and a push"
    assert commit == mirror.branch("main")
    assert not at_hand(mirror, shop, TEXT)
    mirror.update()
    assert distant.asked == BROUGHT
    assert run("-C", str(distant.path), "fsck", "--strict") == ""
    assert f'tag: "{shop.head}"' in run("-C", str(distant.path), "show", f"main:{VALUES}")


def test_a_verdict_joins_those_that_another_machine_wrote(distant: Distant) -> None:
    distant.planned()
    head, other = distant.shop.head, distant.shop.commit("Go on", {"a": "1"})
    distant.mirror.update()
    distant.writer().record({head: ["one"], other: ["two"]})
    elsewhere = replace(distant.writer("run-2"), mirror=Mirror(distant.home / "b", distant.remote))
    elsewhere.record({head: ["three"]})
    read = run("-C", str(distant.path), "notes", "--ref", notes.ref("dev"), "show", head)
    assert read.split() == ["one", "three"]
    assert run("-C", str(distant.path), "notes", "--ref", notes.ref("dev"), "show", other) == "two"


def test_what_was_brought_is_there_whoever_holds_the_mirror_and_however_many_ask(
    shop: Shop, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.gitops.mirror._LOCK_SECONDS", 0.1)
    start = threading.Barrier(4)

    def read(path: str) -> bytes | None:
        start.wait(30)
        return mirror.git.file("main", path)

    with FileLock(f"{mirror.path}.lock"), ThreadPoolExecutor(4) as pool:
        paths = [TEXT, TEXT, DOCKERFILE, "src/cart/main.txt"]
        read_at_once = list(pool.map(read, paths))
    assert read_at_once == [shop.git.file("main", path) for path in paths]


def test_a_fetch_meanwhile_disturbs_nobody_who_reads(shop: Shop, mirror: Mirror) -> None:
    first = shop.head
    reading = mirror.git.objects([f"{first}:argosy.yaml", f"{first}:{TEXT}"])
    assert next(reading) == shop.git.file(first, "argosy.yaml")
    second = shop.commit("Two", {TEXT: "ui two\n"})
    mirror.update()
    assert next(reading) == shop.git.file(first, TEXT)
    assert mirror.git.file(second, TEXT) == b"ui two\n"


def test_files_want_the_login_and_nothing_of_it_is_kept(distant: Distant) -> None:
    distant.mirror.update()
    config = (distant.mirror.path / "config").read_text()
    stranger = Mirror(distant.home, replace(distant.remote, password=SecretStr("guessed")))
    with pytest.raises(Terminal, match="refuses the credentials"):
        stranger.git.file("main", TEXT)
    assert distant.mirror.git.file("main", TEXT)
    assert (distant.mirror.path / "config").read_text() == config
    assert "promisor" not in config, "git would ask by itself"


def test_a_file_that_is_not_here_is_not_asked_for_by_git_itself(distant: Distant) -> None:
    distant.mirror.update()
    assert distant.asked
    assert not at_hand(distant.mirror, distant.shop, TEXT)
    assert not distant.mirror.git.is_commit("1" * 40)
    assert distant.asked == []


def test_charts_that_lie_apart_are_whole_and_files_of_the_source_come_from_there(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    charts = Shop.opened(tmp_path / "charts")
    for each in (shop, charts):
        filtering(each.origin)
    charts.commit("Lay out", {"charts/ui.yaml": "image: {}\n"})
    shop.commit("Edit", {TEXT: "ui two\n"})
    source = Mirror(tmp_path / "home", Remote(shop.origin.as_uri()))
    source.update()
    of_its_own = Mirror(tmp_path / "home", Remote(charts.origin.as_uri()))
    of_its_own.update()
    assert not at_hand(of_its_own, charts, "charts/ui.yaml")
    mirror = ApartMirror(tmp_path / "home", of_its_own.remote, source)
    mirror.update()
    assert at_hand(of_its_own, charts, "charts/ui.yaml")
    assert not at_hand(mirror, shop, TEXT)
    assert mirror.git.file(shop.head, TEXT) == b"ui two\n"
    assert at_hand(source, shop, TEXT)
    names: list[str] = [f"{shop.head}:{DOCKERFILE}", f"{charts.head}:charts/ui.yaml", f"{charts.head}:{DOCKERFILE}"]
    assert list(contents(mirror.git, names)) == [
        shop.git.file("main", DOCKERFILE),
        b"image: {}\n",
        charts.git.file("main", DOCKERFILE),
    ]
