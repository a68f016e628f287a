"""Which external images a Dockerfile names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.inputs.dockerfile import external_images


def test_every_external_image_is_found_as_written() -> None:
    dockerfile = b"""# syntax=docker/dockerfile:1
ARG BASE=alpine:3
FROM --platform=linux/amd64 golang:1.23@sha256:00 AS build
RUN --mount=type=bind,from=tools:2,target=/t make
FROM build AS test
COPY --from=busybox:1 /bin/sh /
COPY --from=0 /a /b
FROM scratch
FROM ${BASE}
COPY --from=build /a /b
"""
    assert external_images(dockerfile) == (
        "${BASE}",
        "busybox:1",
        "docker/dockerfile:1",
        "golang:1.23@sha256:00",
        "tools:2",
    )


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("from alpine as Build\ncopy --from=build a b\ncopy --from=BUILD a b\n", ["alpine"]),
        ("FROM alpine AS alpine\nCOPY --from=alpine a b\n", ["alpine"]),
        ("FROM a AS one\nFROM ONE\n", ["a"]),
        ("COPY --from=late a b\nFROM x AS late\n", ["late", "x"]),
        ("FROM \\\n# which\n\n  alpine:3\\\n AS x\n", ["alpine:3"]),
        ("# escape=`\nFROM a `\n AS b\nCOPY --from=b x y\n", ["a"]),
        ("# escape=`\n# Syntax = docker/dockerfile:1\nFROM a\n", ["a", "docker/dockerfile:1"]),
        ("\n# syntax=x\nFROM a\n", ["a"]),
        ("FROM a\r\nRUN --mount=type=cache,target=/c \\\r\n  --mount=from=q,target=/t y\r\n", ["a", "q"]),
        ("FROM a\nRUN <<EOF\nFROM b\nCOPY --from=c x y\nEOF\nCOPY --from=d x y\n", ["a", "d"]),
        ("FROM a\nCOPY <<-'END' <<END2 /x\nFROM b\n\tEND\nFROM c\nEND2\nFROM d\n", ["a", "d"]),
        ("FROM a\nRUN x \\\n  && cat <<EOF > /f\nFROM b\nEOF\n", ["a"]),
        ("FROM a\nRUN cat <<<EOF\nFROM b\n", ["a", "b"]),
        ("FROM a\nRUN echo --from=b\nONBUILD COPY --from=c x y\n", ["a", "c"]),
        ("\ufeffFROM a\n", ["a"]),
        ("", []),
    ],
)
def test_a_dockerfile_is_read_as_buildkit_reads_it(text: str, images: list[str]) -> None:
    assert list(external_images(text.encode())) == images


WORDS = ["FROM ", "AS ", "COPY --from=", "RUN <<E\n", "E\n", "\\\n", "# escape=`\n", "`\n", "\n", "ENV ", "'", "$", "a"]


@given(st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(WORDS)).map(lambda words: "".join(words).encode())))
def test_no_bytes_make_the_parser_fail(text: bytes) -> None:
    assert list(external_images(text)) == sorted(external_images(text))
