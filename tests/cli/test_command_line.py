"""The command line as a process: how fast it answers, what it ends with, and where it says what."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from argosy.cli import main, screen
from argosy.cli.options import COMMANDS
from argosy.errors import ArgosyError, ConfigurationError, ExitCode, Terminal, Transient, WrongUse
from tests.cli.process import ROOT, argosy, spoken
from tests.engine.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop.opened(tmp_path)
    shop.commit("Add the charts", {f"src/{name}/chart/Chart.yaml": "name: x\n" for name in ("ui", "cart")})
    return shop


def test_help_answers_without_loading_what_a_command_needs() -> None:
    program = "import sys\nfrom argosy.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
    program += "heavy = {'prefect', 'pydantic', 'httpx', 'rich', 'boto3', 'ruamel.yaml'} & set(sys.modules)\n"
    program += "sys.exit(str(heavy) if heavy else 0)"
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in COMMANDS)
    assert time.monotonic() - started < 10  # on a busy machine; what it loads is what it costs


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_of_its_own(command: str) -> None:
    done = argosy(command, "--help")
    assert done.returncode == 0
    assert all(option in done.stdout for option in ("--repo", "--config", "--json", "--log-format"))


@pytest.mark.parametrize(
    "words",
    [[], ["nothing"], ["doctor", "--nothing"], ["config"], ["--repo", "/nowhere", "doctor"], ["doctor", "--env", "x"]],
)
def test_wrong_use_ends_in_two_and_says_where_help_is(words: list[str]) -> None:
    done = argosy(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("argosy: ")
    assert "do: " in done.stderr


def test_under_json_an_error_is_one_object_on_standard_output() -> None:
    done = argosy("doctor", "--json", "--nothing")
    error = spoken(done)["error"]
    assert (done.returncode, done.stderr) == (2, "")
    assert error == {
        "code": 2,
        "message": "unrecognized arguments: --nothing",
        "service": None,
        "remedy": "see argosy doctor --help",
    }


@pytest.mark.parametrize("error", [ConfigurationError, WrongUse, Terminal, Transient])
def test_each_class_of_error_ends_in_its_code(
    error: type[ArgosyError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_options: object) -> ExitCode:
        raise error("it is so", service="ui", remedy="do otherwise")

    monkeypatch.setattr("argosy.cli.config.run", fail)
    assert main(["config", "check"]) == error.exit_code
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "argosy: ui: it is so\n  do: do otherwise\n")
    assert main(["--json", "config", "check"]) == error.exit_code
    document = {"code": error.exit_code, "message": "it is so", "service": "ui", "remedy": "do otherwise"}
    assert json.loads(capsys.readouterr().out) == {"error": document}


def test_colour_is_for_terminals_alone(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    screen.failed(Terminal("no [bold]markup[/] either"), as_json=False)
    assert capsys.readouterr().err == "argosy: no [bold]markup[/] either\n"
    for variables in ({}, {"NO_COLOR": "1"}):
        monkeypatch.setenv("FORCE_COLOR", "1")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        screen.failed(Terminal("no"), as_json=False)
        assert ("\x1b[" in capsys.readouterr().err) or variables


def test_a_reader_that_has_enough_is_no_error() -> None:
    command = f"{sys.executable} -m argosy config check --json | true"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_a_configuration_that_is_right_ends_in_nought(shop: Shop) -> None:
    done = argosy("config", "check", "--json", "--repo", str(shop.path))
    assert (done.returncode, spoken(done)["ok"]) == (0, True)


def test_everything_that_is_wrong_is_told_at_once_with_its_place(shop: Shop) -> None:
    text = (shop.path / "argosy.yaml").read_text().replace("services:", "servises:")
    (shop.path / "argosy.yaml").write_text(text)
    done = argosy("config", "check", "--json", "--repo", str(shop.path))
    found = spoken(done)["findings"]
    assert done.returncode == 2
    assert (found[0]["where"], found[0]["remedy"]) == ("argosy.yaml:3:1", "did you mean services?")
    lines = argosy("config", "check", cwd=shop.path).stdout
    assert "argosy.yaml:3:1" in lines
    assert "do: did you mean services?" in lines


def test_a_service_without_a_dockerfile_is_found_by_both_commands(shop: Shop) -> None:
    shop.commit("Lose it", {"src/ui/Dockerfile": None})
    check = argosy("config", "check", "--json", cwd=shop.path)
    doctor = argosy("doctor", "--json", "--timeout", "0.5", cwd=shop.path)
    assert (check.returncode, doctor.returncode) == (2, 1)
    for done in (check, doctor):
        wrong = [each for each in spoken(done)["findings"] if each["where"] == "src/ui/Dockerfile"]
        assert [each["level"] for each in wrong] == ["wrong"]


def test_a_configuration_elsewhere_is_read_from_there(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("version: 2\n")
    done = argosy("--config", str(tmp_path / "other.yaml"), "config", "check", "--json", cwd=shop.path)
    assert spoken(done)["findings"][0]["where"].startswith("other.yaml:1:1")


def test_the_doctor_shows_no_secret_that_it_was_given(shop: Shop) -> None:
    secret = "correct-horse-battery-staple"
    names = ("ARGOSY_REGISTRY_PASSWORD", "ARGOSY_GIT_PASSWORD", "ARGOCD_AUTH_TOKEN", "PREFECT_API_KEY")
    variables = dict.fromkeys(names, secret) | {"PREFECT_API_URL": f"http://user:{secret}@127.0.0.1:1/api"}
    shop.run("remote", "set-url", "origin", f"http://user:{secret}@127.0.0.1:1/shop.git")
    done = argosy("doctor", "--timeout", "0.5", "--log-format", "json", cwd=shop.path, **variables)
    assert done.returncode == 1
    assert "127.0.0.1:1/shop.git" in done.stdout
    assert secret not in done.stdout + done.stderr


def test_every_setting_is_shown_with_its_line(shop: Shop) -> None:
    done = argosy("config", "show", "--environment", "dev", "--json", cwd=shop.path)
    rows = {row["key"]: row for row in spoken(done)["environments"]["dev"]}
    assert rows["target.values"] == {"key": "target.values", "value": "values-dev.yaml", "origin": "own", "line": 10}
    lines = argosy("config", "show", cwd=shop.path).stdout
    assert re.search(r"^services.ui.values +src/ui/chart/values-dev.yaml +argosy.yaml:10\b", lines, re.MULTILINE)
    assert re.search(r"^services.cart.path +src/cart +built in", lines, re.MULTILINE)
    assert "environment prod" in lines


def test_an_environment_or_a_file_that_is_not_there_has_nothing_to_show(shop: Shop, tmp_path: Path) -> None:
    unknown = argosy("config", "show", "--environment", "x", "--json", cwd=shop.path)
    missing = argosy("config", "show", "--json", "--repo", str(tmp_path))
    assert (unknown.returncode, missing.returncode) == (2, 2)
    assert spoken(unknown)["error"]["remedy"] == "it has dev, prod"
    assert "argosy init" in spoken(missing)["error"]["remedy"]


def test_the_schema_is_printed_as_it_is_committed() -> None:
    done = argosy("config", "schema")
    assert (done.returncode, done.stdout) == (0, (ROOT / "docs/argosy.schema.json").read_text())
    assert spoken(argosy("config", "schema", "--json")) == json.loads(done.stdout)
