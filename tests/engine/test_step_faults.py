"""What a step's last lines mean: the words of package managers, compilers and tests, told apart."""

from __future__ import annotations

import pytest

from argosy.builds.category import Category
from argosy.builds.errors import classify
from argosy.errors import Terminal, Transient


def of_step(output: str, exit_code: int = 1) -> Transient | Terminal:
    """What is made of a step that failed after it had printed `output`."""
    timed = "".join(f"#7 1.5 {line}\n" for line in output.splitlines())
    failed = f'process "/bin/sh -c make" did not complete successfully: exit code: {exit_code}'
    log = f"#7 [2/2] RUN make\n{timed}#7 ERROR: {failed}\n------\n > [2/2] RUN make:\n------\nERROR: failed to solve: "
    return classify(log + failed + "\n", "ui")


# What the programs print: the lines that count of real runs of npm, pip, uv, cargo, Maven and apt, and what the
# documentation and sources of the others have.
UNRESOLVED = [
    ("npm", "npm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree"),
    ("npm", "npm error code ETARGET\nnpm error notarget No matching version found for left-pad@99.9.9."),
    ("npm", "npm ERR! code E404\nnpm ERR! 404 Not Found - GET https://npm.example/left-padd"),
    ("npm", "npm error `npm ci` can only install packages when your package.json and package-lock.json are in sync."),
    ("yarn", 'error Couldn\'t find any versions for "left-pad" that matches "99"'),
    ("yarn", "➤ YN0028: The lockfile would have been modified by this install, which is explicitly forbidden."),
    ("pnpm", " ERR_PNPM_NO_MATCHING_VERSION  No matching version found for left-pad@99.9.9"),
    ("pnpm", " ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with frozen-lockfile"),
    ("pip", "ERROR: Cannot install a==1 and b==2 because these package versions have conflicting dependencies."),
    ("pip", "ERROR: No matching distribution found for httpx==99.9"),
    ("uv", "error: No solution found when resolving dependencies:"),
    ("poetry", "Because app depends on httpx (99.9) which doesn't match any versions, version solving failed."),
    ("maven", "[ERROR] Failed to execute goal on project b: Could not resolve dependencies for project a:b:jar:1"),
    ("gradle", "> Could not resolve all files for configuration ':compileClasspath'.\n   > Could not find a:b:99."),
    ("go", "go: example.com/a@v9.9.9: reading example.com/a/go.mod at revision v9.9.9: unknown revision v9.9.9"),
    ("go", "main.go:3:8: no required module provides package example.com/a; to add it:"),
    ("apt", "E: Unable to locate package no-such-package"),
    ("apt", "E: Version '99.9' for 'curl' was not found"),
    ("apk", "ERROR: unable to select packages:\n  no-such-package (no such package):"),
    ("dnf", "Error: Unable to find a match: no-such-package"),
    ("cargo", 'error: failed to select a version for the requirement `serde = "^99"`'),
    ("bundler", "Could not find gem 'rails (= 99)' in rubygems repository https://gems.example/"),
    ("composer", "Your requirements could not be resolved to an installable set of packages."),
    ("nuget", "/src/App.csproj : error NU1102: Unable to find package Serilog with version (>= 99.0.0)"),
]
CUT_OFF = [
    "npm error code ENOTFOUND\nnpm error network request to http://registry.invalid/left-pad failed",
    "npm error code ECONNREFUSED\nnpm error FetchError: request to http://127.0.0.1:9/left-pad failed",
    "npm ERR! code E503",
    'error An unexpected error occurred: "https://r/left-pad: getaddrinfo EAI_AGAIN r".',
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError()': /simple/httpx/\n"
    "ERROR: Could not find a version that satisfies the requirement httpx (from versions: none)\n"
    "ERROR: No matching distribution found for httpx",
    "error: Request failed after 3 retries\n  cause: client error (Connect)\n  cause: tcp connect error",
    "[ERROR] Failed to execute goal on project b: Could not resolve dependencies for project a:b:jar:1: Could not "
    "transfer artifact junit:junit:pom:4 from/to central (https://r): transfer failed: Unknown host r: not known",
    "> Could not resolve all files for configuration ':compileClasspath'.\n   > java.net.UnknownHostException: r",
    'go: example.com/a@v1.0.0: Get "https://proxy/a": dial tcp: lookup proxy on 10.0.0.2:53: no such host',
    "W: Failed to fetch http://deb.example/x  Temporary failure resolving 'deb.example'\n"
    "E: Unable to locate package curl",
    "WARNING: fetching https://mirror.example/APKINDEX.gz: temporary error (try again later)\n"
    "ERROR: unable to select packages:\n  curl (no such package):",
    "warning: spurious network error (1 try remaining): [6] Could not resolve hostname\n"
    "error: failed to get `serde` as a dependency of package `x v0.1.0`",
    "Could not reach host gems.example. Check your network connection and try again.\nCould not find gem 'rails'",
    "curl error 6 while downloading https://packages.example/packages.json",
    "/src/App.csproj : error NU1301: Unable to load the service index for source https://nuget.example/v3/index.json",
]


@pytest.mark.parametrize(("manager", "output"), UNRESOLVED)
def test_dependencies_that_do_not_resolve_are_a_kind_of_their_own(manager: str, output: str) -> None:
    error = of_step(f"installing\n{output}\n")
    assert (type(error), error.category) == (Terminal, Category.DEPENDENCIES)
    assert f"what {manager} is asked for" in (error.remedy or "")
    assert output.splitlines()[-1].strip() in error.message


@pytest.mark.parametrize("output", CUT_OFF)
def test_a_package_manager_that_reaches_no_server_stays_a_matter_of_the_network(output: str) -> None:
    error = of_step(output)
    assert (type(error), error.category) == (Transient, Category.NETWORK)


@pytest.mark.parametrize(
    "output",
    [
        "npm error code ELIFECYCLE\nnpm error errno 2",
        "--- FAIL: TestGet (0.00s)\n    get_test.go:7: dial tcp 127.0.0.1:5432: connect: connection refused",
        "java.net.SocketTimeoutException: Read timed out\nTests run: 4, Failures: 0, Errors: 1",
        "AssertionError: status code: 503 != 200",
        "test_orders.py::test_total FAILED",
        "main.c:3: error: expected ';' before 'return'",
    ],
)
def test_tests_and_compilers_that_fail_are_the_builds_own_failure(output: str) -> None:
    error = of_step(output)
    assert (type(error), error.category) == (Terminal, Category.DOCKER)


@pytest.mark.parametrize(
    ("output", "exit_code"),
    [
        ("", 137),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", 134),
        ("java.lang.OutOfMemoryError: Java heap space", 1),
        ("npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write", 1),
        ("cc1plus: fatal error: Killed signal terminated program cc1plus", 1),
    ],
)
def test_a_lack_of_memory_or_disk_may_pass(output: str, exit_code: int) -> None:
    error = of_step(output, exit_code)
    assert (type(error), error.category) == (Transient, Category.RESOURCES)
