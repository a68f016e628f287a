"""What a built image is: the same whoever builds it, of several platforms, labelled, and left in no engine."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.builds.request import BuildRequest, origin
from argosy.errors import Terminal
from argosy.models import BuildContext
from tests.engine.yard import DOCKERFILE, REPOSITORY, Yard, service

pytestmark = pytest.mark.e2e

EPOCH = 1_600_000_000
# Every file that a step makes has the time of the build, unless somebody sees to it.
STEPS = DOCKERFILE + 'WORKDIR /made\nCOPY busybox /deep/er/busybox\nRUN echo "$TEXT" >other\n'


def of_commit(yard: Yard, scratch: Path, tag: str, dockerfile: str = STEPS, epoch: int = EPOCH) -> BuildRequest:
    request = yard.request(scratch, dockerfile, tag)
    return replace(request, epoch=epoch, labels=origin("https://git.example/shop.git", "a" * 40, epoch))


def test_the_same_content_and_commit_have_one_digest_whenever_they_are_built(yard: Yard, tmp_path: Path) -> None:
    first = yard.build(replace(of_commit(yard, tmp_path, "once"), fresh=True))
    again = yard.build(replace(of_commit(yard, tmp_path, "again"), fresh=True))
    assert again == first
    assert yard.build(of_commit(yard, tmp_path, "later", epoch=EPOCH + 1)) != first


def test_two_builds_of_the_same_content_at_once_end_with_one_digest(yard: Yard, tmp_path: Path) -> None:
    together = threading.Barrier(2)

    def build(name: str) -> str:
        (tmp_path / name).mkdir()
        request = replace(of_commit(yard, tmp_path / name, "both"), fresh=True)
        together.wait(60)
        return yard.build(request)

    with ThreadPoolExecutor(2) as pool:
        digests = set(pool.map(build, ["one", "other"]))
    with yard.client() as registry:
        assert digests == {registry.digest_of(REPOSITORY, "both")}


def test_an_image_says_where_it_is_from_and_has_the_time_of_its_commit(yard: Yard, tmp_path: Path) -> None:
    yard.build(of_commit(yard, tmp_path, "labelled"))
    config = yard.config("labelled")
    assert config["config"]["Labels"] == {
        "team": "shop",
        "org.opencontainers.image.source": "https://git.example/shop.git",
        "org.opencontainers.image.revision": "a" * 40,
        "org.opencontainers.image.version": "a" * 40,
        "org.opencontainers.image.created": "2020-09-13T12:26:40Z",
    }
    assert {config["created"], *(step["created"] for step in config["history"])} == {"2020-09-13T12:26:40Z"}


def test_a_label_of_the_configuration_wins(yard: Yard, tmp_path: Path) -> None:
    own = BuildContext("src/ui", "x", labels=(("org.opencontainers.image.version", "1.2"),))
    yard.build(replace(of_commit(yard, tmp_path, "own"), service=service(context=own)))
    assert yard.config("own")["config"]["Labels"]["org.opencontainers.image.version"] == "1.2"


def test_only_a_dockerfile_that_wants_the_commits_time_is_told_it(yard: Yard, tmp_path: Path) -> None:
    dockerfile = DOCKERFILE + 'ARG SOURCE_DATE_EPOCH\nRUN echo "at $SOURCE_DATE_EPOCH!"\n'
    yard.build(replace(of_commit(yard, tmp_path, "told", dockerfile), epoch_told=True))
    assert f"at {EPOCH}!" in (tmp_path / "build-ui.log").read_text()
    yard.build(replace(of_commit(yard, tmp_path, "untold", dockerfile), fresh=True))
    assert "at !" in (tmp_path / "build-ui.log").read_text()


def test_a_new_commit_builds_no_step_anew(yard: Yard, tmp_path: Path) -> None:
    yard.build(of_commit(yard, tmp_path, "before", STEPS + "ENV A=1\n"))
    yard.build(of_commit(yard, tmp_path, "after", STEPS + "ENV A=1\n", EPOCH + 60))
    said = (tmp_path / "build-ui.log").read_text()
    steps = {line.partition(" ")[0] for line in said.splitlines() if "] RUN" in line or "] WORKDIR" in line}
    assert steps
    assert all(f"{step} CACHED" in said for step in steps)


def test_several_platforms_are_one_index_with_one_digest(yard: Yard, tmp_path: Path) -> None:
    dockerfile = "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /arch\n"
    platforms = BuildContext("src/ui", "x", platform=("linux/amd64", "linux/arm64"))
    request = yard.request(tmp_path, dockerfile, "both-platforms", files={"amd64": b"a", "arm64": b"b"})
    digest = yard.build(replace(request, service=service(context=platforms), epoch=EPOCH))
    index = yard.manifest("both-platforms")
    assert {each["platform"]["architecture"] for each in index["manifests"]} == {"amd64", "arm64"}
    with yard.client() as registry:
        assert registry.digest_of(REPOSITORY, "both-platforms") == digest
        layers = [json.loads(registry.manifest(REPOSITORY, m["digest"]).content)["layers"] for m in index["manifests"]]
    assert layers[0] != layers[1]


def test_what_is_pushed_is_left_in_no_engine(yard: Yard, tmp_path: Path) -> None:
    yard.build(of_commit(yard, tmp_path, "gone"))
    assert f"{yard.registry}/{REPOSITORY}" not in yard.docker("images", "--format", "{{.Repository}}")


def test_an_image_built_on_another_shares_its_layers(yard: Yard, tmp_path: Path) -> None:
    digest = yard.build(replace(of_commit(yard, tmp_path, "below"), epoch=None))  # with times that could be rewritten
    places = {"base": f"docker-image://{yard.registry}/{REPOSITORY}@{digest}"}
    above = replace(of_commit(yard, tmp_path, "above", "FROM base\nRUN echo more >/more\n"), contexts=places)
    yard.build(above)
    below = yard.manifest("below")["layers"]
    assert yard.manifest("above")["layers"][: len(below)] == below


@pytest.mark.parametrize("asked", ["min", "max"])
def test_an_attestation_of_provenance_is_there_only_when_asked_for(yard: Yard, tmp_path: Path, asked: str) -> None:
    request = of_commit(yard, tmp_path, f"attested-{asked}")
    build = replace(request.service.build, provenance=asked)
    yard.build(replace(request, service=replace(request.service, build=build)))
    kinds = [each.get("annotations", {}) for each in yard.manifest(f"attested-{asked}")["manifests"]]
    assert "attestation-manifest" in [kind.get("vnd.docker.reference.type") for kind in kinds]
    yard.build(of_commit(yard, tmp_path, "plain"))
    assert "layers" in yard.manifest("plain")


def test_an_sbom_generator_that_cannot_be_had_is_a_failure_that_says_so(yard: Yard, tmp_path: Path) -> None:
    request = of_commit(yard, tmp_path, "sbom")
    build = replace(request.service.build, sbom=f"{yard.registry}/no/generator:1")
    with pytest.raises(Terminal, match="no/generator:1"):
        yard.build(replace(request, service=replace(request.service, build=build)))
