"""What a command prints of an error holds no secret, whichever form it takes."""

from __future__ import annotations

import pytest

from argosy.cli import screen
from argosy.doctor.findings import of_error
from argosy.errors import Terminal

_LEAKY = Terminal("https://bot:hunter2hunter2@git.example refuses", remedy="not https://bot:hunter2hunter2@git.example")


@pytest.mark.parametrize("as_json", [False, True])
def test_an_error_is_shown_without_the_credentials_in_it(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    screen.failed(_LEAKY, as_json=as_json)
    shown = "".join(capsys.readouterr())
    assert "git.example refuses" in shown
    assert "hunter2hunter2" not in shown


def test_a_finding_of_the_doctor_is_told_without_the_credentials_in_it() -> None:
    finding = of_error("git server", "origin", _LEAKY)
    assert "git.example refuses" in finding.why
    assert "hunter2hunter2" not in f"{finding}"
