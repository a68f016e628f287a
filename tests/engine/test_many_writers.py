"""Several who write to one branch of a real git server: nobody's work is lost, and nobody is written over."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from argosy.errors import Terminal, Transient
from argosy.gitops import proposals
from argosy.gitops.mirror import Mirror, PushRejected
from argosy.gitops.patience import Pace, Patience
from argosy.gitops.proposals import Proposal
from argosy.gitops.remote import Remote
from argosy.holds import holding
from argosy.models import Hold, WriteBack
from deployments.local.git_server import BOT, GitServer
from tests.deployments.waiting import soon
from tests.engine.shop import CONFIGURATION, Shop, run, service_files
from tests.engine.target import HASTE, NOW, Target

VALUES = "src/ui/chart/values-dev.yaml"


class Harbour(Target):
    """A target on a git server that speaks HTTP; its shop pushes behind the server's back."""

    def __init__(self, folder: Path, server: GitServer, password: SecretStr) -> None:
        self.server, self.name_there = server, f"shop-{uuid.uuid4().hex[:8]}"
        self.remote = Remote(server.create(self.name_there, protected=()), BOT, password)
        shop = Shop(folder, server.path(self.name_there))
        shop.commit("Open the shop", {"argosy.yaml": CONFIGURATION} | service_files("ui") | service_files("cart"))
        super().__init__(shop, folder / "home")
        self.mirror = Mirror(folder / "home", self.remote)
        self.writer = replace(self.writer, mirror=self.mirror, pace=HASTE)

    @contextmanager
    def pushing(self, work: Callable[[], WriteBack]) -> Iterator[Callable[[], WriteBack]]:
        """Let `work` come as far as its push, which the server keeps waiting for the length of the block."""
        with ThreadPoolExecutor(1) as pool, self.server.hold(self.name_there, BOT):
            done = pool.submit(work)
            soon(lambda: self.server.holding(self.name_there), True, seconds=60)
            yield lambda: done.result(180)


@pytest.fixture
def harbour(tmp_path: Path, git_server: tuple[GitServer, SecretStr]) -> Harbour:
    return Harbour(tmp_path, *git_server)


def once(target: Target, what: Callable[[], object], place: str = "push") -> None:
    """Let `what` happen right before the mirror's next push, or right after it has read the remote."""
    original, left = getattr(target.mirror, place), [what]

    def raced(*arguments: object) -> None:
        if place == "push" and left:
            left.pop()()
        original(*arguments)
        if place != "push" and left:
            left.pop()()

    setattr(target.mirror, place, raced)


def compete(target: Target) -> Callable[[], str]:
    return lambda: target.shop.commit("Compete", {"NOTES": "theirs\n"})


def test_a_competitor_while_a_run_takes_its_time_costs_no_push_at_all(harbour: Harbour) -> None:
    ticks = itertools.count()
    slow = replace(harbour.writer, pace=Pace(clock=lambda: float(next(ticks)), sleep=lambda _seconds: None))
    source, release = harbour.shop.head, harbour.release()
    once(harbour, compete(harbour), "update")
    assert slow.write_back(source, [release]).attempts == 1
    assert harbour.log()[:2] == ["Release ui to dev [skip ci]", "Compete"]
    assert harbour.read("NOTES") == "theirs"


@pytest.mark.parametrize("place", ["update", "push"])
def test_a_competitor_between_reading_and_pushing_costs_one_attempt_and_nobodys_work(
    harbour: Harbour, place: str
) -> None:
    source, release = harbour.shop.head, harbour.release()
    once(harbour, compete(harbour), place)
    written = harbour.writer.write_back(source, [release])
    assert (written.attempts, harbour.log()[:2]) == (2, ["Release ui to dev [skip ci]", "Compete"])
    assert harbour.read("NOTES") == "theirs"
    assert source in harbour.read(VALUES)


def test_a_competitor_who_is_taken_while_the_server_judges_our_push_is_not_written_over(harbour: Harbour) -> None:
    source, releases = harbour.shop.head, [harbour.release("ui"), harbour.release("cart")]
    with harbour.pushing(lambda: harbour.writer.write_back(source, releases)) as ended:
        theirs = compete(harbour)()
    written = ended()
    assert (written.attempts, written.released) == (2, ("ui", "cart"))
    assert run("-C", str(harbour.shop.origin), "rev-parse", "main~1") == theirs


def test_a_remote_that_was_forced_back_meanwhile_is_released_upon_as_it_is(harbour: Harbour) -> None:
    source, release = harbour.shop.head, harbour.release()
    harbour.shop.commit("Regretted", {"NOTES": "gone\n"})

    def force() -> None:
        harbour.shop.run("reset", "-q", "--hard", source)
        harbour.shop.run("commit", "-q", "--allow-empty", "-m", "Instead")
        harbour.shop.run("push", "-qf", "origin", "main")

    once(harbour, force)
    written = harbour.writer.write_back(source, [release])
    assert written.attempts == 2
    assert harbour.log() == ["Release ui to dev [skip ci]", "Instead", "Open the shop"]


def test_a_source_that_was_forced_away_meanwhile_is_released_no_more(harbour: Harbour) -> None:
    kept, source = harbour.shop.head, harbour.shop.commit("Regretted", {"src/ui/main.txt": "two\n"})
    release = harbour.release()
    once(harbour, lambda: run("-C", str(harbour.shop.origin), "update-ref", "refs/heads/main", kept))
    with pytest.raises(Terminal, match="is not on main"):
        harbour.writer.write_back(source, [release])
    assert harbour.log() == ["Open the shop"]


def test_a_source_branch_of_its_own_is_read_again_for_each_attempt(harbour: Harbour) -> None:
    harbour.shop.configure("target: {branch: main, values: values-dev", "target: {branch: gitops, values: values-dev")
    harbour.shop.run("push", "-q", "origin", "HEAD:refs/heads/gitops")
    kept, source = harbour.shop.head, harbour.shop.commit("Regretted", {"src/ui/main.txt": "two\n"})
    release = harbour.release()

    def both() -> None:
        run("-C", str(harbour.shop.origin), "update-ref", "refs/heads/main", kept)
        run("-C", str(harbour.shop.origin), "update-ref", "refs/heads/gitops", f"{kept}~1")

    once(harbour, both)
    writer = replace(harbour.writer, environment=harbour.shop.environment("dev"))
    with pytest.raises(Terminal, match="is not on main"):
        writer.write_back(source, [release])


def test_a_branch_that_was_deleted_meanwhile_is_named_and_not_made_anew(harbour: Harbour) -> None:
    source, release = harbour.shop.head, harbour.release()
    once(harbour, lambda: run("-C", str(harbour.shop.origin), "update-ref", "-d", "refs/heads/main"))
    with pytest.raises(Terminal, match=r"has no branch main \(push it"):
        harbour.writer.write_back(source, [release])
    assert run("-C", str(harbour.shop.origin), "for-each-ref", "refs/heads") == ""


def newer(target: Target) -> str:
    return target.shop.release("ui", target.shop.commit("Edit", {"src/ui/main.txt": "ui two\n"}))


def hand(target: Target) -> str:
    return target.shop.set_by_hand("ui", "hotfix")


def gone(target: Target) -> str:
    return target.shop.commit("Drop", {VALUES: None})


def keyless(target: Target) -> str:
    return target.shop.commit("Restructure", {VALUES: "images: {}\n"})


def hold(target: Target) -> str:
    other = replace(target.writer, mirror=Mirror(target.mirror.path.parent / "else", target.mirror.remote))
    return str(holding.put(other, [Hold("ui", "dev", "it limps", "Ann", NOW)]).commit)


@pytest.mark.parametrize(
    ("meanwhile", "where", "why"),
    [
        (newer, "superseded", "was released meanwhile, from a newer commit"),
        (hand, "left_out", "somebody set it to .*:hotfix meanwhile"),
        (gone, "left_out", "is not in commit"),
        (keyless, "left_out", "has no image.repository"),
        (hold, "held", "it limps"),
    ],
)
def test_what_happened_to_a_service_between_two_attempts_drops_it_alone(
    harbour: Harbour, meanwhile: Callable[[Target], str], where: str, why: str
) -> None:
    source, releases = harbour.shop.head, [harbour.release("ui"), harbour.release("cart")]
    once(harbour, lambda: meanwhile(harbour))
    before = harbour.read(VALUES)
    written = harbour.writer.write_back(source, releases)
    assert (written.attempts, written.released) == (2, ("cart",))
    assert list(getattr(written, where)) == ["ui"]
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(getattr(written, where)["ui"])
    if meanwhile is hold:
        assert harbour.read(VALUES) == before
    assert source not in run("-C", str(harbour.shop.origin), "grep", "tag:", "main", "--", "src/ui")


@pytest.mark.parametrize(
    ("message", "files", "stands"),
    [
        ("Compete", {"NOTES": "theirs\n"}, True),
        ("Compete", {VALUES: "image: {}\n"}, False),
        ("Adopt dev\n\nArgosy-Environment: dev\nArgosy-Run: other", {}, False),
    ],
)
def test_a_proposal_stands_upon_a_later_head_unless_what_it_was_made_from_is_another(
    shop: Shop, message: str, files: dict[str, str], stands: bool
) -> None:
    before = shop.head
    proposal = Proposal({VALUES: b"new"}, "Release", frozenset({VALUES}))
    after = shop.commit(message, files)
    assert proposals.stands(shop.git, proposal, before, after) is stands
    assert not proposals.stands(shop.git, proposal, after, before)
    assert not proposals.stands(shop.git, replace(proposal, reads=None), before, after)


def test_runs_of_one_machine_take_turns_and_beat_nobody(harbour: Harbour) -> None:
    source, mirror = harbour.shop.head, Mirror(harbour.mirror.path.parent.parent, harbour.remote)
    other = replace(harbour.writer, mirror=mirror, run="run-2", pace=Pace())
    ui, cart = harbour.release("ui"), harbour.release("cart")
    with ThreadPoolExecutor(1) as pool, harbour.pushing(lambda: harbour.writer.write_back(source, [ui])) as first:
        second = pool.submit(other.write_back, source, [cart])
    assert (first().attempts, second.result(180).attempts) == (1, 1)
    assert len(harbour.log()) == 3


def test_a_turn_that_nobody_gives_back_is_not_waited_for_for_ever(harbour: Harbour) -> None:
    ticks = iter(range(0, 10_000, 10))
    impatient = Pace(clock=lambda: float(next(ticks)), sleep=lambda _seconds: None)
    taken, done = threading.Event(), threading.Event()

    def hog() -> None:
        with harbour.mirror.turn("refs/heads/main", Pace()):
            taken.set()
            done.wait(60)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hog)
        taken.wait(60)
        written = replace(harbour.writer, pace=impatient).write_back(harbour.shop.head, [harbour.release()])
        done.set()
    assert written.commit


def test_patience_has_an_end_and_says_how_to_have_more(harbour: Harbour) -> None:
    source, release, original = harbour.shop.head, harbour.release(), harbour.mirror.push

    def always(commit: str, ref: str, expected: str | None) -> None:
        harbour.shop.commit("Compete", {"NOTES": f"{uuid.uuid4()}\n"})
        original(commit, ref, expected)

    harbour.mirror.push = always  # type: ignore[method-assign] # the race, made certain
    described = replace(harbour.writer.environment, push=Patience(max_attempts=3))
    with pytest.raises(PushRejected, match=r"moved under each of 3 attempts \(.*raise target.push") as caught:
        replace(harbour.writer, environment=described).write_back(source, [release])
    assert isinstance(caught.value, Transient)
