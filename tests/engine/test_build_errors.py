"""What a failed build means: the logs are those of real engines and registries that each went wrong in one way."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from argosy.builds.category import Category
from argosy.builds.errors import classify
from argosy.clean_errors import cleaned
from argosy.errors import Terminal, Transient

LOGS = Path(__file__).parent / "build_logs"
MEND, NETWORK = "mend the Dockerfile", "check the network and the registry"
CASES = [
    ("bad-arg", Terminal, r"base name \(\$\{BASE\}\) should not be blank", MEND),
    ("cancelled-beside", Terminal, r"step '\[tests 2/2\] RUN .* exit code: 2: 1 passed \| 1 failed", "mend the step"),
    ("failing-heredoc", Terminal, r"RUN <<END .* exit code: 1: one", "mend the step"),
    ("forged", Terminal, r"Dockerfile:3 \(RUN echo .* exit code: 5: ------", "mend the step"),
    ("many-lines", Terminal, r"exit code: 1: line 51 \|", "mend the step"),
    ("missing-command", Terminal, r"RUN nosuchtool --build' failed with exit code: 127", "mend the step"),
    ("no-shell", Terminal, r'exit code: 1: .*"/bin/sh": .*no such file', "mend the step"),
    ("base-403", Terminal, "403 Forbidden", "let these credentials pull that image"),
    ("base-503", Transient, "503 Service Unavailable", NETWORK),
    ("base-unknown-host", Transient, "no such host", NETWORK),
    ("base-untrusted", Terminal, "x509: certificate signed by unknown authority", "/etc/docker/certs.d/"),
    ("engine-denied", Terminal, "permission denied while trying", "add it to the docker group"),
    ("engine-untrusted", Terminal, "x509: certificate signed by unknown authority", "DOCKER_CERT_PATH as ca.pem"),
    ("failing-run", Terminal, r"RUN echo compiling; .* exit code: 3: compiling \| error: boom", "mend the step"),
    ("killed", Transient, "exit code: 137", "more memory"),
    ("login-refused", Terminal, "401 Unauthorized", "check the user and password of the registry"),
    ("missing-base", Terminal, "base:1: not found", MEND),
    ("missing-file", Terminal, '"/nope": not found', MEND),
    ("missing-stage", Terminal, 'target stage "runtime" could not be found', MEND),
    ("no-buildkit", Terminal, "no BuildKit", "Docker Engine 23"),
    ("no-buildx", Terminal, "no docker client with the buildx plugin", "install docker-cli and docker-buildx"),
    ("no-engine", Transient, "Cannot connect to the Docker daemon", "see that the Docker Engine runs"),
    ("push-403", Terminal, "403 Forbidden", "let these credentials push to that repository"),
    ("push-404", Terminal, "404 Not Found", "create the repository in the registry"),
    ("push-plain", Terminal, "server gave HTTP response to HTTPS client", "insecure-registries"),
    ("push-untrusted", Terminal, "x509: certificate signed by unknown authority", "/etc/docker/certs.d/"),
    ("raced", Transient, "already exists", "another run built the same"),
    ("registry-429", Transient, "429 Too Many Requests", NETWORK),
    ("registry-503", Transient, "503 Service Unavailable", NETWORK),
    ("registry-down", Transient, "connection refused", NETWORK),
    ("registry-reset", Transient, "EOF", NETWORK),
    ("registry-unknown-host", Transient, "no such host", NETWORK),
    ("step-no-space", Transient, "No space left on device", "disk"),
    ("step-refused", Terminal, "Connection refused", "mend the step"),
    ("step-without-dns", Transient, "Temporary failure in name resolution", "network that the build's steps use"),
    ("syntax", Terminal, "unknown instruction: COPPY", MEND),
]


@pytest.mark.parametrize(("log", "kind", "words", "remedy"), CASES, ids=[case[0] for case in CASES])
def test_a_failed_build_says_why_what_to_do_and_whether_to_try_again(
    log: str, kind: type[Exception], words: str, remedy: str
) -> None:
    error = classify((LOGS / f"{log}.log").read_text(), "ui")
    assert type(error) is kind
    assert remedy in (error.remedy or "")
    with pytest.raises(kind, match=f"^ui: .*{words}"):
        raise error


def test_no_log_is_left_untold() -> None:
    assert {file.stem for file in LOGS.glob("*.log")} == {case[0] for case in CASES}


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("denied: Your authorization token has expired. Reauthenticate and try again.", "asks for a new token"),
        ("failed to push r/ui:1: name unknown: The repository with name 'ui' does not exist", "create the repository"),
        ("failed to push r/ui:1: denied: requested access to the resource is denied", "credentials push to"),
        ("docker.io/acme/base:1: pull access denied, repository does not exist or may require authorization: "
         "server message: insufficient_scope: authorization failed", "credentials pull that image"),
        ("failed to push r/ui:1: push access denied, insufficient_scope: authorization failed", "credentials push to"),
        ("failed to push r/ui:1: no basic auth credentials", "user and password of the registry"),
    ],
)  # fmt: skip
def test_what_only_hosted_registries_say_is_understood_too(said: str, remedy: str) -> None:
    assert remedy in (classify(f"ERROR: failed to solve: {said}\n").remedy or "")


def test_a_failure_names_the_line_of_the_dockerfile_by_its_path_in_the_repository() -> None:
    log = (LOGS / "failing-heredoc.log").read_text()
    error = classify(log, "ui", "src/ui/deep/build.Dockerfile")
    assert error.message.startswith("src/ui/deep/build.Dockerfile:3 (RUN <<END): step '[2/2] RUN <<END")
    assert str(error).startswith("ui: Docker build failure: src/ui/deep/build.Dockerfile:3 ")
    assert classify(log).message.startswith("deep/build.Dockerfile:3 (RUN <<END): ")


def test_a_failure_has_the_last_lines_of_the_step_that_failed() -> None:
    lines = " | ".join(f"line {number}" for number in range(51, 61))
    assert classify((LOGS / "many-lines.log").read_text()).message.endswith(f"exit code: 1: {lines}")


@pytest.mark.parametrize("log", [case[0] for case in CASES])
def test_what_may_pass_is_a_matter_of_network_or_resources_and_nothing_else_is(log: str) -> None:
    error = classify((LOGS / f"{log}.log").read_text())
    assert (error.category in {Category.NETWORK, Category.RESOURCES}) is isinstance(error, Transient)
    assert error.category in set(Category)


def test_the_category_stays_with_an_error_that_is_kept_and_cleaned() -> None:
    error = pickle.loads(pickle.dumps(cleaned(classify((LOGS / "killed.log").read_text()))))  # noqa: S301 - our own bytes
    assert error.category == Category.RESOURCES
