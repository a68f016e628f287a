"""Whatever the files of a repository say, what is proposed loads, and says no more than was meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from argosy.config import load
from argosy.discovery.document import written
from argosy.discovery.proposal import propose
from argosy.settings.text import problems
from tests.discovery.repository import application, chart, made

HOSTILE = [
    "$(id)", "../../etc", "/etc", "-rf", "a\nservices: {evil: {}}", "a # b",
    "a\x1b[31m", "{x}", "}", "", " ", "ü", "A:b",
    "a..b", "true", "~", "*", "x" * 300, "'", '"', "\u2028x", "a\0b",
]  # fmt: skip
WORKFLOW = """\
on: {{push: {{branches: [{0}]}}}}
env: {{AWS_REGION: {0}, X: {0}}}
jobs:
  a:
    steps:
      - uses: dorny/paths-filter@v3
        with: {{filters: {1}}}
      - uses: docker/build-push-action@v6
        with:
          context: {0}
          file: src/ui/Dockerfile
          target: {0}
          platforms: {0}
          tags: "$REGISTRY/${{{{ env.X }}}}-${{service}}"
"""


@pytest.mark.parametrize("word", HOSTILE)
def test_what_is_proposed_loads_whatever_stands_in_the_files(tmp_path: Path, word: str) -> None:
    quoted = json.dumps(word)
    filters = json.dumps(f"ui: {quoted}\ncart: [{quoted}, 'src/cart/**']\n{quoted}: 'src/ui/**'\n")
    files = {f"src/{name}/Dockerfile": f"FROM {word}\nCOPY {word} x {word} /\n" for name in ("ui", "cart")}
    for name in ("ui", "cart"):
        files |= chart(f"src/{name}/chart", quoted, quoted, "values.yaml", "values-dev.yaml")
        path = f"src/{name}/chart"
        files |= {f"argocd/{name}.yaml": application(quoted, path, quoted, quoted)}
        files |= {f"argocd/good-{name}.yaml": application(f"x-{name}", path, quoted)}
    files |= {".github/workflows/x.yml": WORKFLOW.format(quoted, filters)}
    files |= {"x.tf": f'resource "aws_ecr_repository" "x" {{ name = {quoted} }}\nregion = {quoted}\n'}
    proposal = propose(made(tmp_path, files))
    text = written(proposal, ".argosy/schema.json")
    assert problems(text.encode()) == ()
    assert len(load(text.encode()).services) == 2
    assert "evil" not in load(text.encode()).services
    assert all(note.why.isprintable() for note in proposal.notes)
    assert all(line.isprintable() for line in text.splitlines())
