"""Where the environments of a configuration are written: how, in which repository, and that no two write one file."""

from __future__ import annotations

import posixpath

from argosy.config import Configuration
from argosy.services import chart_path, contradiction, image_keys, target_chart_path
from argosy.settings.environment import TargetConfig
from argosy.settings.target_mode import Mode


def mode(name: str, target: TargetConfig) -> Mode:
    """How a commit gets to the target of the environment called `name`; raises Contradiction where that cannot be."""
    place = ("environments", name, "target")
    if target.mode == "github-api" and target.sign:
        raise contradiction(
            f"{name} is to be signed with a key of ours, and GitHub signs what it commits itself",
            "leave target.sign out, or set another target.mode", *place, "sign",
        )  # fmt: skip
    if target.auto_merge and target.mode not in {"pull-request", "auto"}:
        raise contradiction(
            f"{name} is to merge pull requests, and with mode {target.mode} there are none",
            "set target.mode to pull-request or auto, or leave target.auto_merge out", *place, "auto_merge",
        )  # fmt: skip
    return target.mode


def target_repository(name: str, target: TargetConfig) -> str | None:
    """The block of the repository of the target where that is one of its own; raises as `mode` does."""
    if target.chart and not target.repository:
        raise contradiction(
            f"{name} names the charts of another repository in target.chart, and no repository",
            "name it in target.repository; in the repository that is released from, `chart` names them",
            "environments", name, "target", "chart",
        )  # fmt: skip
    return target.repository


def written(configuration: Configuration) -> frozenset[str]:
    """Every values file that some environment writes to the repository which is released from.

    Raises ConfigurationError where two write the same key of one, in whatever repository.
    """
    charts = {
        service: (chart_path(configuration, service), image_keys(configuration, service).paths)
        for service in configuration.services
    }
    writers: dict[tuple[str | None, str, str, str], tuple[str, str]] = {}
    for name, environment in configuration.environments.items():
        target = environment.target
        for service, (usual, paths) in charts.items():
            chart = target_chart_path(configuration, environment, service) if target.chart else usual
            values = posixpath.normpath(f"{chart}/{target.values}")
            for path in paths:
                other = writers.setdefault((target.repository, target.branch, values, path), (service, name))
                if other != (service, name):
                    raise contradiction(
                        f"{' in '.join(other)} and {service} in {name} both write {values} on {target.branch}",
                        "give one of them another target.values, target.branch, chart or chart.keys",
                        "environments", name, "target",
                    )  # fmt: skip
    return frozenset(values for repository, _, values, _ in writers if repository is None)
