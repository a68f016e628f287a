"""What a build would meet in the build contexts: what a run refuses there, and links that lead nowhere in an image."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from argosy.doctor.findings import Finding, Level, of_error
from argosy.doctor.tracked import Checkout
from argosy.environment import Environment
from argosy.errors import ArgosyError
from argosy.inputs.content import InputFile
from argosy.inputs.snapshot import Snapshot
from argosy.models import Service

_WHAT = "build context"
_LEAVE_OUT = "leave it out with .dockerignore"


@dataclass(frozen=True, slots=True)
class Contexts:
    """The build contexts of an environment, read from the commit that is checked out as a run reads them."""

    checkout: Checkout
    snapshot: Snapshot | None

    @classmethod
    def of(cls, checkout: Checkout, environment: Environment) -> Contexts:
        """Those of `environment`; none are known before the first commit."""
        commit = checkout.commit
        return cls(checkout, Snapshot(checkout.git, commit, environment.written) if commit else None)

    def check(self, service: Service) -> Iterator[Finding]:
        """What there is to say of the service's contexts, without what `.dockerignore` leaves out of them."""
        if self.snapshot is None:
            return
        context = service.build_context
        try:
            inputs = self.snapshot.inputs(service)
        except ArgosyError as error:
            yield of_error(_WHAT, context.path, error)
            return
        yield from self._files(service, context.path, inputs.files)
        folders = dict(context.contexts)
        for named in inputs.contexts:
            yield from self._files(service, folders[named.name], named.files)

    def _files(self, service: Service, root: str, files: Sequence[InputFile]) -> Iterator[Finding]:
        for file in files:
            path = posixpath.normpath(posixpath.join(root, file.path))
            if file.mode == "submodule":
                why = f"{service.name}: a submodule, whose files are not in this repository"
                yield Finding(Level.WRONG, _WHAT, path, why, f"commit its files, or {_LEAVE_OUT}")
            elif file.mode == "link" and self.checkout.leads_out(path, root):
                why = f"{service.name}: a symbolic link out of its build context, which stays a link in the image"
                remedy = f"commit the file itself, or {_LEAVE_OUT}, unless it is meant for the image"
                yield Finding(Level.WARNING, _WHAT, path, why, remedy)
