"""Builds that go on after their image is pushed, told by lines as BuildKit writes them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from argosy.builds.cache_exports import CacheExports, Tell
from argosy.builds.output import BuildOutput
from argosy.errors import Terminal, Transient
from argosy.processes import cancellation
from argosy.processes.cancellation import Cancelled

DIGEST = f"sha256:{'a' * 64}"
PUSH = ("#6 exporting to image", f"#6 pushing manifest for shop.example/ui:content@{DIGEST} 0.1s done", "#6 DONE 0.4s")
RAN, CACHED = ("#5 [2/2] RUN make", "#5 DONE 2.0s"), ("#5 [2/2] RUN make", "#5 CACHED")
EXPORT = "#7 exporting cache to registry"


@dataclass
class Build:
    """A build that says `lines`, and exports its cache until `go` is set; `failure` is how it ends, if not well."""

    lines: tuple[str, ...] = (*RAN, *PUSH)
    failure: Exception | None = None
    output: BuildOutput = field(default_factory=BuildOutput)
    go: threading.Event = field(default_factory=threading.Event)
    exporting: threading.Event = field(default_factory=threading.Event)
    ended: list[str] = field(default_factory=list)

    def __call__(self, tell: Tell) -> str:
        try:
            self._run(tell)
        except BaseException as error:
            self.ended.append(type(error).__name__)
            raise
        self.ended.append("well")
        return DIGEST

    def _run(self, tell: Tell) -> None:
        for line in self.lines:
            self._say(line, tell)
        for _ in range(1000):  # ten seconds, where nobody lets it go on
            if self.go.is_set():
                break
            self.exporting.set()
            self._say(EXPORT, tell)
            cancellation.sleep(0.01)
        if self.failure:
            raise self.failure

    def _say(self, line: str, tell: Tell) -> None:
        self.output.add(line)
        tell(line)


@pytest.fixture
def exports() -> Iterator[CacheExports]:
    exports = CacheExports()
    yield exports
    exports.finish()


def pushed(exports: CacheExports, build: Build, *, spared: bool = False) -> tuple[str, str | None]:
    return exports.image(build, build.output, lambda digest: f"what {digest} names", spared=spared)


def test_the_image_is_had_while_the_cache_is_still_exported(exports: CacheExports) -> None:
    build = Build()
    assert pushed(exports, build) == (DIGEST, f"what {DIGEST} names")
    assert build.ended == []
    build.go.set()
    exports.finish()
    assert build.ended == ["well"]


def test_an_image_that_is_not_there_is_waited_for_to_the_end(exports: CacheExports) -> None:
    build = Build()

    def nothing(_digest: str) -> str | None:
        build.go.set()
        return None

    assert exports.image(build, build.output, nothing, spared=False) == (DIGEST, None)
    assert build.ended == ["well"]


def test_a_build_that_never_says_that_it_pushed_is_waited_for_to_the_end(exports: CacheExports) -> None:
    build = Build(lines=RAN)
    build.go.set()
    assert pushed(exports, build) == (DIGEST, None)


def test_a_build_that_fails_before_its_push_fails(exports: CacheExports) -> None:
    build = Build(lines=RAN, failure=Terminal("make: *** [all] Error 2"))
    build.go.set()
    with pytest.raises(Terminal, match="Error 2"):
        pushed(exports, build)


def test_an_export_that_fails_takes_nothing_from_the_image(exports: CacheExports) -> None:
    build = Build(failure=Transient("the registry answers 503"))
    assert pushed(exports, build)[0] == DIGEST
    build.go.set()
    exports.finish()
    assert build.ended == ["Transient"]


def test_a_cache_that_would_get_nothing_new_is_not_exported(exports: CacheExports) -> None:
    build = Build(lines=(*CACHED, *PUSH))
    assert pushed(exports, build, spared=True)[0] == DIGEST
    exports.finish()
    assert build.ended == ["_Enough"]


@pytest.mark.parametrize(("lines", "spared"), [((*CACHED, *PUSH), False), ((*RAN, *PUSH), True)])
def test_a_cache_that_is_not_there_yet_or_would_get_a_step_is_exported(
    exports: CacheExports, lines: tuple[str, ...], *, spared: bool
) -> None:
    build = Build(lines=lines)
    pushed(exports, build, spared=spared)
    for _ in range(2):
        build.exporting.clear()
        assert build.exporting.wait(10)
    build.go.set()
    exports.finish()
    assert build.ended == ["well"]


def test_what_is_still_exported_ends_with_the_run_that_is_told_to(exports: CacheExports) -> None:
    build = Build()

    @cancellation.scope()
    def run() -> None:
        pushed(exports, build)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    exports.finish()
    assert build.ended == [Cancelled.__name__]
