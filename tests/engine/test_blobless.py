"""The mirror without what files hold: that comes when somebody wants it, in one request for all of it."""

from __future__ import annotations

import io
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from filelock import FileLock
from pydantic import SecretStr

from argosy import notes
from argosy.batches import contents, identify
from argosy.environment import Environment
from argosy.errors import Terminal
from argosy.gitops import packs
from argosy.gitops.apart import ApartMirror
from argosy.gitops.commits import Identity
from argosy.gitops.mirror import Discarded, Mirror
from argosy.gitops.remote import Remote
from argosy.gitops.writer import Writer
from argosy.inputs import build_context
from argosy.inputs.digests import Digests, environment_at
from argosy.inputs.snapshot import Snapshot
from argosy.models import ContentDigest, ImageReference, Release
from argosy.standing import look
from deployments.local.git_server import BOT, GitServer
from tests.engine.helm import Bench, chart
from tests.engine.shop import Shop, image, run
from tests.engine.target import HASTE, NOW
from tests.fault_proxy import FaultProxy, faulty

TEXT, DOCKERFILE, VALUES = "src/ui/main.txt", "src/ui/Dockerfile", "src/ui/chart/values-dev.yaml"


def filtering(origin: Path, **settings: str) -> None:
    """Let the server of `origin` leave out what it is told to."""
    for setting, value in ({"allowFilter": "true", "allowAnySHA1InWant": "true"} | settings).items():
        run("-C", str(origin), "config", f"uploadpack.{setting}", value)


@pytest.fixture
def mirror(shop: Shop, tmp_path: Path) -> Mirror:
    filtering(shop.origin)
    mirror = Mirror(tmp_path / "home", Remote(shop.origin.as_uri()))
    mirror.update()
    return mirror


class Distant:
    """A shop on a git server behind a password, a mirror of it, and what was asked on the way there."""

    def __init__(self, shop: Shop, home: Path, proxy: FaultProxy, path: Path, password: SecretStr) -> None:
        self.shop, self.home, self.proxy, self.path = shop, home, proxy, path
        self.remote = Remote(f"http://{proxy.host}/{path.name}", BOT, password)
        self.mirror = Mirror(home, self.remote)

    @property
    def asked(self) -> list[str]:
        """The requests since this was asked for last."""
        found = [f"{each.method} {each.path.rpartition('/')[2]}" for each in self.proxy.asked]
        self.proxy.clear()
        return found

    def planned(self) -> Environment:
        """The environment, looked at as a plan does, by a mirror that is up to date."""
        self.mirror.update()
        tip = self.mirror.branch("main")
        environment = environment_at(self.mirror.git, tip, "dev")
        look(Digests(self.mirror.git, environment), tip, tip, NOW, tip)
        return environment

    def release(self, service: str, expected: ImageReference | None = None) -> Release:
        described = self.shop.environment().service(service)
        expected = expected or ImageReference(f"public.example/shop-{service}", "1.0")
        content = ContentDigest("c" * 64, "1")
        return Release(described, expected, image(service, self.shop.head), content, "sha256:" + "b" * 64)

    def writer(self, run_id: str = "run-1") -> Writer:
        environment = environment_at(self.mirror.git, self.shop.head, "dev")
        identity = Identity("Argosy", "argosy@example.com")
        return Writer(self.mirror, environment, identity, run_id, lambda: NOW, HASTE)


@pytest.fixture
def distant(shop: Shop, tmp_path: Path, git_server: tuple[GitServer, SecretStr]) -> Iterator[Distant]:
    server, password = git_server
    name = f"distant-{uuid.uuid4().hex[:8]}"
    url, path = server.create(name, protected=()), server.path(name)
    shop.run("remote", "set-url", "origin", str(path))
    shop.run("push", "-q", "origin", "main")
    with faulty(lambda: urlsplit(url).netloc) as proxy:
        yield Distant(shop, tmp_path / "home", proxy, path, password)


BROUGHT = ["GET refs?service=git-upload-pack", "POST git-upload-pack"]
"""What one question takes, of refs or for files."""
PUSHED = ["GET refs?service=git-receive-pack", "POST git-receive-pack"]


def at_hand(mirror: Mirror, shop: Shop, path: str, commit: str = "HEAD") -> bool:
    """Whether the mirror has what the shop's file holds."""
    sha = shop.run("rev-parse", f"{commit}:{path}")
    return "missing" not in mirror.git.text("cat-file", "--batch-check", data=f"{sha}\n".encode())


def exported(mirror: Mirror, environment: Environment, commit: str, service: str = "ui") -> bytes:
    """The build context."""
    stream = io.BytesIO()
    build_context.export(mirror.git, Snapshot(mirror.git, commit).inputs(environment.service(service)), stream)
    return stream.getvalue()


def test_a_plan_reads_what_it_needs_and_leaves_the_rest_where_it_is(shop: Shop, mirror: Mirror) -> None:
    assert not at_hand(mirror, shop, "argosy.yaml")
    environment = environment_at(mirror.git, shop.head, "dev")
    digests = Digests(mirror.git, environment)
    look(digests, shop.head, shop.head, NOW, shop.head)
    assert [at_hand(mirror, shop, path) for path in (DOCKERFILE, VALUES, TEXT)] == [True, True, False]
    assert digests.desired(shop.head) == shop.digests().desired(shop.head)
    assert exported(mirror, environment, shop.head) == exported_whole(shop)


def exported_whole(shop: Shop) -> bytes:
    stream = io.BytesIO()
    build_context.export(shop.git, Snapshot(shop.git, shop.head).inputs(shop.environment().service("ui")), stream)
    return stream.getvalue()


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


def test_a_server_that_leaves_nothing_out_gives_a_whole_mirror(shop: Shop, mirror: Mirror, tmp_path: Path) -> None:
    filtering(shop.origin, allowFilter="false")
    whole = Mirror(tmp_path / "whole", mirror.remote)
    whole.update()
    assert at_hand(whole, shop, TEXT)
    filtering(shop.origin)
    shop.commit("Two", {TEXT: "ui two\n"})
    whole.update()
    assert at_hand(whole, shop, TEXT)
    shop.commit("Three", {TEXT: "ui three\n"})
    whole.follow("refs/heads/main")
    assert at_hand(whole, shop, TEXT)
    assert not list(whole.path.glob("objects/pack/*.promisor"))[1:], "it asks for less no more"


@pytest.mark.parametrize("how", ["update", "follow"])
def test_a_server_that_leaves_nothing_out_any_more_is_followed(shop: Shop, mirror: Mirror, how: str) -> None:
    """It takes for granted that we have what files held before, and sends what differs from that."""
    lines = [f"{uuid.uuid4()}\n" for _ in range(200)]
    shop.commit("Grow", {TEXT: "".join(lines)})
    mirror.update()
    filtering(shop.origin, allowFilter="false")
    tip = shop.commit("Edit", {TEXT: "".join([*lines, "one more\n"])})
    mirror.update() if how == "update" else mirror.follow("refs/heads/main")
    assert mirror.branch("main") == tip
    assert mirror.git.file(tip, TEXT) == shop.git.file(tip, TEXT)
    assert mirror.git.file(f"{tip}~1", TEXT) == "".join(lines).encode()


def test_an_update_heals_by_itself_what_it_meets(shop: Shop, mirror: Mirror) -> None:
    for file in mirror.path.glob("objects/pack/pack-*"):
        file.unlink()
    tip = shop.commit("Two", {TEXT: "ui two\n"})
    mirror.update()
    assert mirror.git.file(tip, TEXT) == b"ui two\n"


def test_a_server_that_gives_no_single_file_gives_a_whole_mirror(distant: Distant) -> None:
    """It speaks git's first protocol, in which a server gives by id only what it says that it would."""
    run("-C", str(distant.path), "config", "uploadpack.allowAnySHA1InWant", "false")
    distant.proxy.withheld = frozenset({"git-protocol"})
    mirror = distant.mirror
    mirror.update()
    with pytest.raises(Discarded, match="unadvertised object"):
        mirror.git.file("main", TEXT)
    mirror.update()
    assert at_hand(mirror, distant.shop, TEXT)
    distant.shop.commit("Two", {TEXT: "ui two\n"})
    mirror.update()
    assert at_hand(mirror, distant.shop, TEXT)


def test_a_file_that_the_server_has_lost_is_asked_for_once(shop: Shop, mirror: Mirror) -> None:
    """A commit that was pushed away and pruned there is one that the next mirror does not know."""
    first, gone = shop.head, shop.commit("Regret", {TEXT: "ui two\n"})
    mirror.update()
    shop.run("push", "-qf", "origin", f"{first}:refs/heads/main")
    run("-C", str(shop.origin), "-c", "gc.reflogExpire=now", "gc", "-q", "--prune=now")
    mirror.update()
    assert mirror.git.is_commit(gone)
    with pytest.raises(Discarded, match="not our ref"):
        mirror.git.file(gone, TEXT)
    mirror.update()
    assert not mirror.git.is_commit(gone)
    assert mirror.git.file("main", TEXT) == shop.git.file(first, TEXT)


def test_a_whole_mirror_from_before_goes_on_without_a_new_clone(shop: Shop, mirror: Mirror, tmp_path: Path) -> None:
    old = Mirror(tmp_path / "old", mirror.remote)
    run("clone", "-q", "--bare", mirror.remote.url, str(old.path))
    first, second = shop.head, shop.commit("Two", {TEXT: "ui two\n"})
    old.update()
    assert (at_hand(old, shop, TEXT, first), at_hand(old, shop, TEXT)) == (True, False)
    assert [old.git.file(each, TEXT) for each in (first, second)] == [b"ui one\n", b"ui two\n"]


def test_a_lost_file_is_brought_again_and_a_lost_tree_ends_the_mirror(shop: Shop, mirror: Mirror) -> None:
    assert mirror.git.file("main", TEXT)
    for pack in sorted(mirror.path.glob("objects/pack/*.pack"), key=lambda file: file.stat().st_mtime)[1:]:
        for file in pack.parent.glob(f"{pack.stem}.*"):
            file.unlink()
    assert mirror.git.file("main", TEXT) == shop.git.file("main", TEXT)
    for file in mirror.path.glob("objects/pack/pack-*"):
        file.unlink()
    with pytest.raises(Discarded):
        mirror.git.tree("main")
    mirror.update()
    assert mirror.git.file("main", TEXT) == shop.git.file("main", TEXT)


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


def test_fetches_without_end_leave_a_bounded_number_of_packs(
    shop: Shop, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "MOST", 3)
    mine = mirror.git.text("hash-object", "-w", "--stdin", data=b"nobody's yet")
    own = mirror.git.text("pack-objects", "-q", f"{mirror.path}/objects/pack/pack", data=f"{mine}\n".encode())
    first, texts = shop.head, [shop.git.file("main", TEXT)]
    reading = mirror.git.objects(iter([f"{first}:argosy.yaml", f"{first}:{TEXT}", f"{first}:{DOCKERFILE}"]))
    assert next(reading)
    for number in range(4):
        commit = shop.commit("Go on", {TEXT: f"ui {number}\n"})
        mirror.update()
        texts.append(mirror.git.file(commit, TEXT))
    assert list(reading) == [shop.git.file(first, TEXT), shop.git.file(first, DOCKERFILE)]
    assert len(list(mirror.path.glob("objects/pack/*.pack"))) <= 5
    assert (mirror.path / f"objects/pack/pack-{own}.idx").exists(), "what was not fetched is not touched"
    shop.run("push", "-qf", "origin", f"{first}:refs/heads/main")
    mirror.update()
    assert texts[1:] == [f"ui {number}\n".encode() for number in range(4)]
    held = mirror.git.text("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    assert {mine, *(shop.run("rev-parse", f"{commit}~{back}:{TEXT}") for back in range(5))} <= {*held}
    assert not list(mirror.path.glob("objects/pack/tmp_*"))


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


def test_a_mirror_that_ends_while_files_are_brought_is_no_error_of_ours(shop: Shop, mirror: Mirror) -> None:
    mirror.path.rename(mirror.path.with_suffix(".gone"))
    with pytest.raises(Discarded):
        mirror.bring([shop.run("rev-parse", f"HEAD:{TEXT}")])
    mirror.update()
    assert mirror.git.file(shop.head, TEXT) == shop.git.file("main", TEXT)
