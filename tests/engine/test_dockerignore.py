"""`.dockerignore`: the rules are those of Docker's documentation and of its pattern matcher's own tests."""

from __future__ import annotations

import pytest

from argosy.errors import Terminal
from argosy.inputs.dockerignore import rule

RULES = [
    ("docs", "docs/a/b.md", True),
    ("docs", "docs", True),
    ("docs", "docs2/a", False),
    ("docs", "a/docs/b", False),
    ("**/*.tmp", "a/b/c.tmp", True),
    ("**/*.tmp", "c.tmp", True),
    ("*.tmp", "a/c.tmp", False),
    ("*/temp*", "somedir/temporary.txt", True),
    ("*/temp*", "somedir/temp/x/y", True),
    ("*/*/temp*", "somedir/subdir/temporary.txt", True),
    ("*/*/temp*", "somedir/temporary.txt", False),
    ("temp?", "tempa/x", True),
    ("temp?", "temp/x", False),
    ("# docs\n", "docs/a", False),
    (" # docs", "# docs", True),
    ("docs\n!docs/keep", "docs/keep", False),
    ("docs\n!docs/keep", "docs/keep/a", False),
    ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
    ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", False),
    ("/docs/", "docs/a", True),
    ("./docs/../docs//a", "docs/a", True),
    (".dockerignore", ".dockerignore", True),
    ("docs", ".dockerignore", False),
    (".", "a", False),
    ("/", "a", False),
    ("..", "a", False),
    ("*", "a/b", True),
    ("*\n!a/b", "a/b", False),
    ("*\n!a/b", "a/c", True),
    ("**", "a/b/c", True),
    ("**/node_modules", "node_modules/x/y.js", True),
    ("**/node_modules", "web/app/node_modules/x/y.js", True),
    ("**/node_modules\n!**/node_modules/keep", "web/app/node_modules/keep/y.js", False),
    ("**/node_modules/**", "web/node_modules/x", True),
    ("a/**/b", "a/b", True),
    ("a/**/b", "a/x/y/b/c", True),
    ("a/**", "a", False),
    ("a/**", "a/x", True),
    ("**.pyc", "a/b.pyc", True),
    ("**/a", "xa", False),
    ("a[b-d]e", "ace", True),
    ("a[^b-d]e", "ace", False),
    ("a[^b-d]e", "aze", True),
    ("a[[]e", "a[e", True),
    (r"a\*e", "a*e", True),
    (r"a\*e", "axe", False),
    ("a+(b).{c}$|^d", "a+(b).{c}$|^d", True),
    ("! docs/keep", "docs/keep", False),
    ("docs\n! docs/keep", "docs/keep", False),
    ("docs\r\nb\r\n", "docs", True),
    ("\ufeffdocs", "docs", True),
    ("a\u2028b", "a\u2028b", True),
    ("caf\u00e9", "caf\u00e9", True),
]


@pytest.mark.parametrize(("rules", "path", "left_out"), RULES)
def test_dockerignore_rules_are_dockers_own(rules: str, path: str, left_out: bool) -> None:
    assert rule(rules.encode())(path) is left_out


@pytest.mark.parametrize("line", ["a[", "a\\", "!", "[]a]"])
def test_what_docker_refuses_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(Terminal, match=r"src/ui/\.dockerignore:2: "):
        rule(f"docs\n{line}\n".encode(), "src/ui/.dockerignore")
