"""A program called helm that renders simple charts as Helm does, and fails with its words; nobody imports it.

It knows `template NAME CHART --values FILE` and `version --short`, mappings of scalars in values, and
`{{ .Values.some.key }}` in templates. What it was asked is appended to the file `calls` beside it, as JSON.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def fail(words: str) -> None:
    """End as Helm does."""
    sys.stderr.write(f"Error: {words}\n")
    sys.exit(1)


def mapping(text: str) -> dict[str, Any]:
    """The mapping that some YAML is."""
    root: dict[str, Any] = {}
    open_ones = [(-1, root)]
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if not colon or key.lstrip().startswith(("#", "-")):
            continue
        depth = len(key) - len(key.lstrip())
        while open_ones[-1][0] >= depth:
            open_ones.pop()
        plain = value.strip().strip("\"'")
        made: Any = plain if value.strip() else {}
        open_ones[-1][1][key.strip()] = made
        if not value.strip():
            open_ones.append((depth, made))
    return root


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Both, the second where both have a key."""
    both = {key: merged(below[key], value) for key, value in above.items() if isinstance(below.get(key), dict)}
    return below | above | both


def rendered(name: str, place: str, text: str, values: dict[str, Any]) -> str:
    """A template, filled in."""

    def value(match: re.Match[str]) -> str:
        found: Any = values
        for key in match[1].split("."):
            if not isinstance(found, dict) or key not in found:
                line = text.count("\n", 0, match.start()) + 1
                fail(f"template: {name}/{place}:{line}:4: executing at <.Values.{match[1]}>: nil pointer evaluating")
            found = found[key]
        return str(found)

    if "{{ forever }}" in text:
        subprocess.run(["sleep", "300"], check=False)  # a child, as no template has one: it must go as well
    if "{{ flood }}" in text:
        while True:
            sys.stdout.write("- flood\n" * 1000)
    return re.sub(r"\{\{ \.Values\.([\w.]+) \}\}", value, text)


def template(name: str, chart: Path, file: Path) -> None:
    """Print what the chart renders to."""
    if not (chart / "Chart.yaml").is_file():
        fail("Chart.yaml file is missing")
    about = mapping((chart / "Chart.yaml").read_text())
    needed = [each for each in about.get("needs", "").split() if not (chart / "charts" / each).is_dir()]
    if needed:
        fail(
            "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to "
            f"fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {', '.join(needed)}"
        )
    values = merged(mapping((chart / "values.yaml").read_text()), mapping(file.read_text()))
    for place in sorted(chart.glob("templates/*.yaml")):
        short = f"templates/{place.name}"
        text = rendered(about["name"], short, place.read_text(), values)
        sys.stdout.write(f"---\n# Source: {about['name']}/{short}\n{text}")
    sys.stderr.write(f"coalesce.go:1: warning: {name} has nothing to be warned of\n")


def main() -> None:
    """Do what is asked."""
    asked = sys.argv[1:]
    chart = Path(asked[2]) if len(asked) > 2 else HERE
    files = sorted(str(path.relative_to(chart)) for path in chart.rglob("*")) if len(asked) > 2 else []
    call = {"asked": asked, "environment": dict(os.environ), "files": files, "folder": str(Path.cwd())}
    with (HERE / "calls").open("a") as calls:
        calls.write(json.dumps(call) + "\n")
    if asked == ["version", "--short"]:
        sys.stdout.write("v3.18.4+gd80839c\n")
    elif asked[:1] == ["template"] and asked[3:4] == ["--values"]:
        template(asked[1], chart, Path(asked[4]))
    else:
        fail(f'unknown command "{" ".join(asked)}" for "helm"')


if __name__ == "__main__":
    main()
