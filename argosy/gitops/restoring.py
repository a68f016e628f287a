"""Writing a rollback: the earlier references and the holds that keep them, in one commit by compare and swap."""

from __future__ import annotations

from collections.abc import Sequence

from argosy import state, trailers
from argosy.gitops.proposals import Proposal
from argosy.gitops.release_edits import Edits
from argosy.gitops.writer import Writer
from argosy.holds import holds
from argosy.holds.file import added, missing
from argosy.models import Hold, Release, WriteBack
from argosy.rollback import Restoration


def restore(
    writer: Writer, source_sha: str, restorations: Sequence[Restoration], because: str, by_hand: Sequence[Hold] = ()
) -> WriteBack:
    """Put every service back that still carries what it was to be taken back from; the others are left out.

    `source_sha` is the tip of the source branch, which the next hand is measured by; the holds `by_hand` are written
    down with those of the restorations. Raises as `Writer.land` does, and ConfigurationError where the file of holds
    is wrong.
    """

    def propose(head: str) -> tuple[Proposal | None, Edits]:
        found = _edits(writer, head, restorations)
        names = {each.service.name for each in found.recorded}
        text = writer.mirror.git.file(head, holds.FILE)
        wanted = [each.hold for each in restorations if each.name in names]
        new = missing(text, [*wanted, *(hold for hold in by_hand if hold.service in names)])
        if not found.files and (found.ours or not new):
            return None, found
        name = writer.environment.name
        files = found.files | ({holds.FILE: added(text, new)} if new else {})
        if not found.files:
            return Proposal(files, trailers.hold_message(name, "Hold", new, writer.run)), found
        return Proposal(files, trailers.message(name, source_sha, found.recorded, writer.run, because)), found

    return writer.settled(*writer.land(propose))


def _edits(writer: Writer, head: str, restorations: Sequence[Restoration]) -> Edits:
    git, found = writer.mirror.git, Edits()
    reader = state.Reader.open(git, writer.environment, head, writer.source_tip())
    readings = reader.read_all([each.service for each in restorations])
    found.left_out |= {name: str(error) for name, error in readings.failures.items()}
    for each in restorations:
        now = readings.released.get(each.name)
        if now is None:
            continue
        if now.reference not in {each.current, each.reference}:
            found.left_out[each.name] = f"it was set to {now.reference} meanwhile; look, and run again"
            continue
        if now.record and now.record.run == writer.run and now.reference == each.reference:
            found.ours = now.record.commit
        release = Release(each.service, now.reference, each.reference, each.record.content, each.manifest_digest)
        found.add(git, head, release)
    return found.checked(writer.render_check, git, head)
