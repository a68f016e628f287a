"""What is the user's own: neither read nor changed by a stack and the releases on it."""

from __future__ import annotations

from tests.e2e.store import SERVICES, Store
from tests.users_home import UsersHome


def test_nothing_of_the_users_is_read_or_changed(adopted: Store, users_home: UsersHome) -> None:
    # The session's stack was started from that home, where reading anything leads nowhere; and it has released.
    assert all(adopted.digest(name, reference.tag) for name, reference in adopted.references().items())
    assert {each.service for each in adopted.verified()} == {*SERVICES}
    assert users_home.changed() == set()


def test_a_file_that_is_new_changed_or_lost_is_seen(users_home: UsersHome) -> None:
    new, changed = users_home.folder / ".docker" / "buildx" / "current", users_home.folder / ".netrc"
    new.parent.mkdir()
    new.touch()
    before = changed.read_bytes()
    changed.write_bytes(before + b"\n")
    try:
        assert users_home.changed() == {".docker/buildx/current", ".netrc"}
        changed.unlink()
        assert users_home.changed() == {".docker/buildx/current", ".netrc"}
    finally:
        new.unlink()
        changed.write_bytes(before)
    assert users_home.changed() == set()
