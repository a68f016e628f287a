"""A proposal written out as a commented `argosy.yaml`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from argosy.discovery.factoring import Factored, factored
from argosy.discovery.notes import Note
from argosy.discovery.proposal import Environment, Proposal
from argosy.discovery.services import Service
from argosy.settings.build import DefaultsConfig
from argosy.settings.chart import USUAL_FOLDER
from argosy.settings.registry import PLACEHOLDER_ACCOUNT
from argosy.yaml_files.data import resolved

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./@+-]*")
_WIDTH = 118
_HEAD = (
    "# What Argosy releases of this repository, from where to where. Written by `argosy init`; it is yours now.",
    "# `argosy config check` says what is wrong with it, `argosy config show` what it comes to.",
    "version: 1",
)


def written(proposal: Proposal, schema: str) -> str:
    """The text of `argosy.yaml`; `schema` is where editors find its schema, from the file's own folder."""
    parts = (
        [f"# yaml-language-server: $schema={schema}", *_HEAD],
        _registry(proposal),
        *_services(proposal),
        _argocd(proposal),
        _environments(proposal),
    )
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part) + "\n"


def _told(notes: Sequence[Note], section: str, indent: str = "") -> Iterator[str]:
    """What could not be decided about a section, as comments."""
    for note in notes:
        if note.key.partition(".")[0] == section:
            about = note.key if "." in note.key else ""
            yield f"{indent}# TODO: {about + ': ' if about else ''}{note.why}"


def _registry(proposal: Proposal) -> Iterator[str]:
    registry = proposal.registry
    yield "# The registry that images are pushed to. {service} stands for the name of a service, here and below."
    yield from _told(proposal.notes, "registry")
    yield "registry:"
    if registry.host:
        yield "  type: oci"
        yield f"  endpoint: {scalar(registry.host)}"
    else:
        yield "  type: ecr"
        comment = "   # TODO: a placeholder" if registry.account_id == PLACEHOLDER_ACCOUNT else ""
        yield f'  account_id: "{registry.account_id}"{comment}'
        yield f"  region: {scalar(registry.region or '')}"
    yield f"  repository: {scalar(registry.repository)}"


def _services(proposal: Proposal) -> tuple[list[str], list[str]]:
    """The sections `defaults` and `services`."""
    services = proposal.services
    usual = {"path": DefaultsConfig().path, "dockerfile": DefaultsConfig().dockerfile, "chart": USUAL_FOLDER}
    paths = {each.name: each.path for each in services}
    common: dict[str, Factored] = {
        "path": factored(paths),
        "dockerfile": factored({each.name: each.dockerfile for each in services}, paths),
        "chart": factored({each.name: each.chart.path for each in services}, paths),
    }
    context = factored({each.name: each.context for each in services}, paths)
    platforms = {each.platforms for each in services}
    build = [f"context: {scalar(context.template)}"] if context.template not in {None, "{path}"} else []
    if len(platforms) == 1 and services[0].platforms:
        build.append(f"platforms: {flow(services[0].platforms)}")
    defaults = ["# What holds for each service that says nothing else.", "defaults:"]
    defaults += [f"  {key}: {scalar(each.template or usual[key])}" for key, each in common.items()]
    defaults += [f"  build: {{{', '.join(build)}}}"] if build else []
    listed = ["# The services. A service is built when what its image is made of has changed: the files of its build",
              "# context, the Dockerfile and the build settings. Its chart is not among them."]  # fmt: skip
    listed += [*_told(proposal.notes, "services"), *_told(proposal.notes, "defaults"), "services:"]
    for service in services:
        own = {key: _own(each, service.name, usual[key], service) for key, each in common.items()}
        told = context if context.template else Factored("{path}", {
            each.name: each.context for each in services if each.context != each.path
        })  # fmt: skip
        listed += _service(service, {key: value for key, value in own.items() if value}, told, len(platforms) > 1)
    return defaults, listed


def _own(common: Factored, name: str, usual: str, service: Service) -> str | None:
    """The value that a service has to say itself."""
    value = common.own.get(name)
    if common.template is None and value == usual.replace("{path}", service.path).replace("{service}", name):
        return None
    return value


def _service(service: Service, own: Mapping[str, str], contexts: Factored, platforms: bool) -> Iterator[str]:
    build = []
    if service.name in contexts.own:
        build.append(f"context: {scalar(contexts.own[service.name])}")
    if service.target:
        build.append(f"target: {scalar(service.target)}")
    if platforms and service.platforms:
        build.append(f"platforms: {flow(service.platforms)}")
    if service.bases:
        build.append(f"from: {flow(service.bases)}")
    rows = [f"{key}: {scalar(value)}" for key, value in own.items()]
    rows += [f"filters: {flow(service.filters)}"] if service.filters else []
    rows += [f"build: {{{', '.join(build)}}}"] if build else []
    short = f"  {scalar(service.name)}: {{{', '.join(rows)}}}"
    if len(rows) < 2 and len(short) <= _WIDTH:
        yield short
    else:
        yield f"  {scalar(service.name)}:"
        yield from (f"    {row}" for row in rows)


def _argocd(proposal: Proposal) -> Iterator[str]:
    yield from _told(proposal.notes, "argocd")
    if proposal.application:
        yield "# The Argo CD application that brings a service up."
        yield "argocd:"
        yield f"  application: {scalar(proposal.application)}"
    else:
        yield "# No Argo CD application was found, so nothing is watched. With one, releases are verified:"
        yield '# argocd: {application: "{service}"}'


def _environments(proposal: Proposal) -> Iterator[str]:
    yield "# Where releases come from (source) and where their references are written (target: the values file beside"
    yield "# each chart). `sign: ssh` in a target signs the release commits."
    yield from _told(proposal.notes, "environments")
    yield "environments:"
    for environment in proposal.environments:
        yield from _environment(environment)


def _environment(environment: Environment) -> Iterator[str]:
    yield f"  {scalar(environment.name)}:"
    yield f"    source: {{branch: {scalar(environment.branch)}}}"
    yield f"    target: {{branch: {scalar(environment.branch)}, values: {scalar(environment.values)}}}"
    if environment.repository:
        yield f"    registry: {{repository: {scalar(environment.repository)}}}"
    if environment.application:
        yield f"    argocd: {{application: {scalar(environment.application)}}}"


def scalar(text: str) -> str:
    """`text` as a YAML scalar that reads as this string, in quotes where it needs them."""
    plain = _PLAIN.fullmatch(text) and isinstance(resolved(text), str)
    return text if plain else json.dumps(text, ensure_ascii=False)


def flow(values: Sequence[str]) -> str:
    """The list of `values` on one line."""
    return f"[{', '.join(map(scalar, values))}]"
