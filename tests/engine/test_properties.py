"""What holds for every repository: digests, exported contexts, and plans after a write-back, on random trees."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy import notes, plan
from argosy.git import Git
from argosy.inputs.build_context import export
from argosy.inputs.content import BuildInputs
from argosy.inputs.digests import Digests
from argosy.inputs.snapshot import Snapshot
from argosy.models import BuildContext, Health, ImageReference, Plan, Release, Service, State, Verdict
from argosy.standing import look
from tests.engine.shop import Shop, image, run
from tests.engine.target import Target

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.sampled_from(["a", "b", "a b", "-c", 'q"', "new\nline", "caf\u00e9", "d" * 130, "*", "Dockerfile", "e.md"])
MODES = st.sampled_from(["100644", "100755", "120000"])


@dataclass(frozen=True)
class File:
    """A file of a random tree."""

    mode: str
    content: bytes


TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join),
    st.builds(File, MODES, st.sampled_from([b"", b"1", b"2", b"two\r\nlines\n", b"\xff"])),
    max_size=6,
).filter(lambda tree: not any(f"{name}/".startswith(f"{other}/") for name in tree for other in tree if name != other))
CONTEXTS = st.builds(
    BuildContext,
    path=st.just("src"),
    dockerfile=st.just("docker/Dockerfile"),
    build_args=st.sampled_from([(), (("A", "1"),), (("A", "2"),), (("A", "1"), ("B", "2"))]),
    target_stage=st.sampled_from([None, "run"]),
    platform=st.sampled_from([(), ("linux/amd64",)]),
    labels=st.sampled_from([(), (("A", "1"),)]),
)


@contextmanager
def repository() -> Iterator[Git]:
    with tempfile.TemporaryDirectory() as folder:
        run("init", "-q", "--bare", folder)
        yield Git(Path(folder))


def snapshot(git: Git, tree: Mapping[str, File], dockerfile: bytes) -> Snapshot:
    """The tree below `src` beside a Dockerfile, made without a work tree."""
    files = {f"src/{name}": file for name, file in tree.items()} | {
        "docker/Dockerfile": File("100644", dockerfile),
        "src/always": File("100644", b""),
        "README.md": File("100644", repr(sorted(tree)).encode()),
    }
    rows = b""
    for name, file in files.items():
        blob = git.text("hash-object", "-w", "--stdin", data=file.content)
        rows += f"{file.mode} {blob}\t{name}\0".encode()
    index = {"GIT_INDEX_FILE": str(git.directory / "random-index")}
    git.run("read-tree", "--empty", extra=index)
    git.run("update-index", "-z", "--index-info", data=rows, extra=index)
    return Snapshot(git, git.text("write-tree", extra=index))


def inputs(git: Git, tree: Mapping[str, File], dockerfile: bytes, context: BuildContext) -> BuildInputs:
    service = Service("ui", "src", "chart", "chart/values.yaml", "ui", context)
    return snapshot(git, tree, dockerfile).inputs(service)


DOCKERFILES = st.sampled_from([b"FROM a\n", b"FROM b\n"])
SIDES = st.tuples(TREES, DOCKERFILES, CONTEXTS)


@FEW
@given(SIDES, st.one_of(st.none(), SIDES))
def test_digests_are_equal_if_and_only_if_the_inputs_are(
    one: tuple[dict[str, File], bytes, BuildContext], other: tuple[dict[str, File], bytes, BuildContext] | None
) -> None:
    tree, dockerfile, context = one
    # A second draw seldom equals the first: the same content, put in the other way round, must.
    again = other or (dict(reversed(tree.items())), dockerfile, context)
    with repository() as git:
        assert (inputs(git, *one).digest() == inputs(git, *again).digest()) is (one == again)


@FEW
@given(TREES, DOCKERFILES)
def test_the_exported_context_is_the_tree_and_hashes_to_the_digest(tree: dict[str, File], dockerfile: bytes) -> None:
    context = BuildContext("src", "docker/Dockerfile")
    with repository() as git:
        found = inputs(git, tree, dockerfile, context)
        streams = [io.BytesIO(), io.BytesIO()]
        for stream in streams:
            export(git, found, stream)
        unpacked = _unpacked(streams[0].getvalue())
        placed = unpacked.pop(found.dockerfile.path)
        assert inputs(git, unpacked, placed.content, context).digest() == found.digest()
    assert streams[0].getvalue() == streams[1].getvalue()
    assert unpacked == tree | {"always": File("100644", b"")}
    assert placed == File("100644", dockerfile)


def _unpacked(archive: bytes) -> dict[str, File]:
    with tarfile.open(fileobj=io.BytesIO(archive), errors="surrogateescape") as opened:
        members = [member for member in opened.getmembers() if member.name != "."]
        assert len({member.name for member in members}) == len(members)
        return {member.name: _file(opened, member) for member in members}


def _file(archive: tarfile.TarFile, member: tarfile.TarInfo) -> File:
    if member.issym():
        return File("120000", member.linkname.encode(errors="surrogateescape"))
    opened = archive.extractfile(member)
    assert opened is not None
    return File(f"100{member.mode:o}", opened.read())


CHANGES = st.lists(st.sampled_from(["ui", "cart", "README"]), max_size=4)


@settings(max_examples=8, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=3), st.booleans())
def test_after_a_write_back_and_a_healthy_note_everything_is_unchanged(rounds: list[list[str]], named: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop.opened(Path(folder))
        release_each(Target(shop, Path(folder) / "home"), rounds, named=named)


def release_each(target: Target, rounds: list[list[str]], *, named: bool) -> None:
    shop = target.shop
    for number, changes in enumerate(rounds):
        for name in changes:
            path = "README.md" if name == "README" else f"src/{name}/main.txt"
            shop.commit("Edit", {path: f"{name} {number} {len(changes)}\n"})
        made = planned(target, adopt=number == 0)
        expected = set(changes) - {"README"} if number else {"ui", "cart"}
        assert {item.name for item in made.to_write} <= {"ui", "cart"}
        assert number == 0 or {item.name for item in made.to_write} <= expected
        carry_out(target, made, long=named)
        assert {item.state for item in planned(target).services} == {State.UNCHANGED}
        assert planned(target).nothing_to_do
        shop.run("pull", "-q", "--rebase", "origin", "main")


def planned(target: Target, *, adopt: bool = False) -> Plan:
    target.mirror.update()
    git, environment, head = target.mirror.git, target.writer.environment, target.mirror.branch("main")
    situation = look(Digests(git, environment), head, head, datetime.now(UTC))
    return plan.make(environment, situation, adopt=adopt)


def carry_out(target: Target, made: Plan, *, long: bool) -> None:
    manifest = f"sha256:{'b' * 64}"
    releases = [
        Release(item.service, item.current, _image(item.name, made.source_sha, long=long), item.content, manifest)
        for item in made.to_write
    ]
    written = target.writer.write_back(made.source_sha, releases, adopt=made.adopt)
    assert written.left_out == written.superseded == {}
    assert set(written.released) == {item.name for item in made.to_write}
    verdicts = [Verdict(each.service.name, each.reference, Health.HEALTHY, "") for each in releases]
    if written.commit:
        lines = [notes.line(verdict, manifest, "run-1", datetime.now(UTC)) for verdict in verdicts]
        target.writer.record({written.commit: lines})


def _image(service: str, sha: str, *, long: bool) -> ImageReference:
    return image(service, f"{sha}-{'b' * 12}" if long else sha)
