"""The command lines of a build: no secret is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argosy.builds.builders import BuilderHost
from argosy.builds.clients import ENGINE, Client
from argosy.builds.request import BuildRequest
from argosy.errors import Terminal


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one build: where it names the image's digest, and the secrets that it mounts."""

    digest: Path
    secrets: Mapping[str, Path] = field(default_factory=dict)
    ssh: Path | None = None


def through_buildx(request: BuildRequest, client: Client, host: BuilderHost, files: Files) -> list[str]:
    """A build by buildx of the context on its standard input, pushed from the builder."""
    build, limits = request.service.build, request.service.build.limits
    options = {
        **_common(request, files),
        "metadata-file": [str(files.digest)],
        "output": [_output(request, client)],
        "platform": [",".join(request.service.build_context.platform)] if _platforms(request) else [],
        "build-context": [f"{name}={place}" for name, place in request.contexts.items()],
        "cache-from": [f"type=registry,ref={each}" for each in request.cache.imports],
        "cache-to": [_cache(request.cache.export)] if request.cache.export and client.pushes else [],
        # With provenance, which has times in it, the same content would have another digest at every push.
        "provenance": [f"mode={build.provenance}" if build.provenance else "false"],
        "sbom": [_sbom(build.sbom)] if build.sbom else [],
        "cgroup-parent": [limits.cgroup_parent] if limits.cgroup_parent else [],
        "shm-size": [str(limits.shm_size)] if limits.shm_size else [],
        "ulimit": [f"{name}={count}" for name, count in limits.ulimits],
    }
    fresh = ["--no-cache", "--pull"] if request.fresh else []
    return [*client.words, "build", *host.options, "--progress=plain", *fresh, *_flags(options), "-"]


def inside(request: BuildRequest, client: Client, files: Files, folder: Path) -> list[str]:
    """A build of the context in `folder` by the BuildKit inside a docker client; pushed where BuildKit pushes."""
    options = {
        **_common(request, files),
        "file": [str(folder / request.dockerfile)],
        "iidfile": [str(files.digest)],
        "output": [_output(request, client)] if client.pushes else [],
        "tag": [] if client.pushes else [str(reference) for reference in request.references],
        "platform": [",".join(request.service.build_context.platform)] if _platforms(request) else [],
    }
    fresh = ["--no-cache", "--pull"] if request.fresh else []
    return [client.program, "build", "--progress=plain", *fresh, *_flags(options), str(folder)]


def refuse_what_it_cannot(request: BuildRequest, client: Client) -> None:
    """Raise Terminal where `client` cannot build what is asked for, naming what it lacks."""
    build, context = request.service.build, request.service.build_context
    several = len(context.platform) > 1
    plain = {
        "several platforms": several,
        "build.contexts, build.from and build.resolve": bool(request.contexts),
        "attestations": bool(build.provenance or build.sbom),
        "build.limits": bool(build.limits.cgroup_parent or build.limits.shm_size or build.limits.ulimits),
    }
    if not client.buildx and any(plain.values()):
        lacks = " and ".join(what for what, wanted in plain.items() if wanted)
        raise Terminal(
            f"the docker client on the worker has no buildx, without which it cannot do {lacks}",
            service=request.service.name,
            remedy="install docker-buildx (docker-buildx-plugin) where the worker runs",
        )
    if not client.pushes and (several or build.provenance or build.sbom):
        raise Terminal(
            f"the engine's image store cannot hold {'several platforms' if several else 'attestations'}",
            service=request.service.name,
            remedy='let the engine use the containerd image store ("features": {"containerd-snapshotter": true})',
        )


def _common(request: BuildRequest, files: Files) -> dict[str, list[str]]:
    target = request.service.build_context.target_stage
    return {
        "file": [request.dockerfile],
        "target": [target] if target else [],
        "build-arg": [f"{name}={value}" for name, value in request.arguments.items()],
        "label": [f"{name}={value}" for name, value in request.all_labels.items()],
        "secret": [f"id={name},src={path}" for name, path in files.secrets.items()],
        "ssh": [f"default={files.ssh}"] if files.ssh else [],
    }


def _output(request: BuildRequest, client: Client) -> str:
    names = ",".join(map(str, request.references))
    fields = ["type=image", f'"name={names}"' if "," in names else f"name={names}"]
    if not client.pushes:
        return ",".join([*fields, "push=true"])
    # BuildKit takes nothing for yes. Where buildx reads a yes it lets the engine push once more, from an image store
    # that has no need of the image.
    fields += ["push=" if client.buildx and client.driver == ENGINE else "push=true", "store=false"]
    if request.epoch is not None:
        fields.append(f"source-date-epoch={request.epoch}")
        fields += ["rewrite-timestamp=true"] if client.rewrites and not _on_other_images(request) else []
    return ",".join(fields)


def _on_other_images(request: BuildRequest) -> bool:
    """Whether a named context is an image: BuildKit would rewrite its layers too, which are then shared no more."""
    return any(place.startswith("docker-image://") for place in request.contexts.values())


def _cache(reference: str) -> str:
    # ECR wants a cache that looks like an image. What a later build could have taken over must not end this one.
    kept = "mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true"
    return f"type=registry,ref={reference},{kept}"


def _sbom(asked: str) -> str:
    return "true" if asked == "true" else f"generator={asked}"


def _platforms(request: BuildRequest) -> bool:
    return bool(request.service.build_context.platform)


def _flags(options: Mapping[str, list[str]]) -> list[str]:
    return [f"--{name}={value}" for name, values in options.items() for value in values]
