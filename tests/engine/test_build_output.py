"""BuildKit's plain progress, from the logs of real builds: lines for people, steps counted, the step that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.builds.excerpt import SourceLine
from argosy.builds.output import BuildOutput

BUILT, FAILED = Path(__file__).parent / "built_logs", Path(__file__).parent / "build_logs"
HEAD = '#0 building with "default" instance using docker driver\n\n'


def read(log: Path) -> tuple[BuildOutput, list[str]]:
    """The output of a log and what people see of it."""
    output = BuildOutput()
    return output, [said for line in log.read_text().split("\n") if (said := output.add(line))]


def built(name: str) -> tuple[BuildOutput, list[str]]:
    return read(BUILT / f"{name}.log")


def failed(name: str) -> BuildOutput:
    return read(FAILED / f"{name}.log")[0]


def test_each_line_of_a_step_stands_under_its_name_without_number_and_time() -> None:
    lines = built("stages")[1]
    name = '[tools 2/2] RUN echo "tool 1"; echo; echo "tool 2" >&2; echo tools >/tools'
    short = f"{name[:71]}…"
    began = lines.index(name)
    assert lines[began : began + 4] == [name, f"{short}: tool 1", f"{short}: tool 2", f"{short}: done in 0.6 s"]
    assert "exporting to image: pushing layers 0.2s done" in lines
    assert [line for line in lines if line.startswith("#")] == []


@pytest.mark.parametrize("log", [*BUILT.glob("*.log"), *FAILED.glob("*.log")], ids=lambda log: log.stem)
def test_no_word_of_a_step_is_lost(log: Path) -> None:
    timed = [line.partition(" ")[2].partition(" ")[2] for line in log.read_text().split("\n") if _timed(line)]
    seen = "\n".join(read(log)[1])
    assert [text for text in timed if text.strip() and "\x1b" not in text and text.rstrip() not in seen] == []


def _timed(line: str) -> bool:
    return line.startswith("#") and line.partition(" ")[2].partition(" ")[0].replace(".", "", 1).isdigit()


def test_a_step_is_named_once_though_others_speak_between() -> None:
    lines = built("stages")[1]
    assert lines.count("exporting to image") == 1
    assert [line for line in lines if line.endswith("...")] == []


@pytest.mark.parametrize(
    ("log", "steps", "cached"),
    [
        ("stages", 6, 0),
        ("stages-cached", 6, 6),
        ("partly-cached", 7, 6),
        ("base-stage-cached", 1, 1),
        ("platforms", 2, 1),
    ],
)
def test_the_steps_that_the_cache_spared_are_counted_of_those_that_were_run(log: str, steps: int, cached: int) -> None:
    output, _ = built(log)
    assert (output.steps, output.cached) == (steps, cached)
    assert (output.failed, output.place, output.cause) == (None, None, None)


@pytest.mark.parametrize("log", [*BUILT.glob("*.log"), *FAILED.glob("*.log")], ids=lambda log: log.stem)
def test_the_share_that_is_done_never_goes_back_and_leaves_room_for_the_images_own_way(log: Path) -> None:
    output = BuildOutput()
    shares = []
    for line in log.read_text().split("\n"):
        output.add(line)
        shares.append(output.share)
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] <= shares[-1] < 1.0


def test_steps_that_stages_share_are_done_in_each_of_them() -> None:
    assert built("stages")[0].share == pytest.approx(8 / 9)
    assert built("platforms")[0].share == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("log", "digest"),
    [
        ("stages", "ab1e9d351b1c262a858b1e71fa74faa152fdb87bff8737b9bc5900f1a2006586"),
        ("platforms", "b35ec787bb46b685db26b9343a1c666e84aa9e215f5140840a911bbdb17f34bf"),
    ],
)
def test_an_image_is_pushed_once_its_export_is_done(log: str, digest: str) -> None:
    output, pushed = BuildOutput(), list[str | None]()
    for line in (BUILT / f"{log}.log").read_text().splitlines():
        if "pushing manifest for" in line:
            pushed.append(output.pushed)
        output.add(line)
    assert set(pushed) == {None}
    assert output.pushed == f"sha256:{digest}"


def test_an_image_that_could_not_be_pushed_is_not() -> None:
    output = BuildOutput()
    output.add("#6 exporting to image")
    output.add(f"#6 pushing manifest for shop.example/ui:1@sha256:{'a' * 64}")
    output.add("#6 ERROR: failed to push shop.example/ui:1: unexpected status: 503 Service Unavailable")
    assert output.pushed is None


def test_the_step_at_work_is_named() -> None:
    output = BuildOutput()
    assert output.doing == ""
    output.add("#4 [2/3] RUN make")
    output.add("#4 0.1 cc")
    assert output.doing == "[2/3] RUN make"
    output.add("#4 DONE 0.2s")
    assert output.doing == ""


def test_what_a_program_prints_is_its_own_and_ends_no_step() -> None:
    output, lines = built("odd-output")
    ends = ("a", "b", "cred", "0.5 seconds", "ERROR: not one", "CACHED", "DONE 1.0s", "------")
    assert [line.partition("…: ")[2] for line in lines if "…: " in line][:-1] == list(ends)
    assert (output.steps, output.cached) == (2, 1)


def test_a_step_that_prints_what_buildkit_would_deceives_nobody() -> None:
    output = failed("forged")
    assert output.failed is not None
    assert output.failed.name.startswith("[2/2] RUN echo '------'")
    assert output.place is not None
    assert (output.place.file, output.place.number) == ("Dockerfile", 3)


def test_the_step_that_failed_is_told_from_those_that_were_stopped_with_it() -> None:
    output = failed("cancelled-beside")
    assert output.failed is not None
    assert output.failed.name.startswith("[tests 2/2] RUN")
    assert output.failed.lines == ("1 passed", "1 failed: the total is 3, not 4")


def test_of_several_errors_the_one_that_the_client_names_is_the_steps() -> None:
    errors = "#4 [a 2/2] RUN a\n#4 ERROR: boom\n\n#5 [b 2/2] RUN b\n#5 ERROR: context canceled\n"
    step = BuildOutput.read(f"{errors}------\n > [a 2/2] RUN a:\n").failed
    assert step is not None
    assert (step.name, step.cause) == ("[a 2/2] RUN a", "boom")


def test_a_step_at_work_says_that_those_before_it_in_its_stage_are_done() -> None:
    assert BuildOutput.read("#4 [build 3/4] RUN make\n").share == pytest.approx(2 / 5)


def test_the_line_of_the_dockerfile_is_that_where_the_step_begins() -> None:
    assert failed("failing-heredoc").place == SourceLine("deep/build.Dockerfile", 3, "RUN <<END")
    assert failed("cancelled-beside").place == SourceLine("Dockerfile", 6, 'RUN echo "1 passed"; sleep 1; \\')
    assert failed("missing-base").place == SourceLine("Dockerfile", 1, "FROM 127.0.0.1:5000/base:1")


def test_of_a_long_output_the_end_is_kept() -> None:
    step = failed("many-lines").failed
    assert step is not None
    assert step.lines == tuple(f"line {number}" for number in range(11, 61))


def test_a_layer_on_its_way_is_told_once_it_is_there() -> None:
    layer = f"sha256:{'a' * 64}"
    log = f"#4 [1/2] FROM base\n#4 {layer} 1.05MB / 9.44MB 0.2s\n#4 {layer} 9.44MB / 9.44MB 0.5s done\n"
    output = BuildOutput()
    lines = [said for line in (HEAD + log).split("\n") if (said := output.add(line))]
    assert lines[1:] == ["[1/2] FROM base", f"[1/2] FROM base: {layer} 9.44MB / 9.44MB 0.5s done"]
