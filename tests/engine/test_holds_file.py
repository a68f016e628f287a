"""The file of holds as it is written: entries come and go, and nothing else of it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import ConfigurationError, Terminal
from argosy.holds import holds
from argosy.holds.file import added, without
from argosy.models import Hold

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
UI = Hold("ui", "dev", "it loses baskets", "Ada Lovelace", NOW)
CART = Hold("cart", "prod", "tomorrow: a fair", "Bob", NOW, NOW + timedelta(days=1), "1" * 64, "1", "2" * 40)
BLOCK = """\
# Ask Ada before you touch this.
version: 1

holds:
  # the fair
  - service: cart  # the one in prod
    environment: prod
    reason: "tomorrow: a fair"
    who: 'Bob'
    since: 2026-11-24T12:00:00+00:00
    # it may end earlier
    until: 2026-11-25T12:00:00+00:00

# that is all
"""
FLOW = "{service: cart, environment: prod, reason: x, who: y, since: '2026-11-24T12:00:00Z'}"
SHAPES = {
    "block": BLOCK,
    "windows": BLOCK.replace("\n", "\r\n"),
    "marked": "\ufeff" + BLOCK,
    "no newline at the end": BLOCK.rstrip().removesuffix("\n\n# that is all"),
    "no indentation": 'version: 1\nholds:\n- service: cart\n  environment: prod\n  reason: x\n  who: y\n'
    "  since: 2026-11-24T12:00:00+00:00\n",
    "flow entries": f"holds:\n  - {FLOW} # z\n",
    "flow": f"holds: [{FLOW}]\nversion: 1\n",
    "flow over lines": "holds: [\n  # one\n  {service: cart, environment: prod, reason: x, who: y,\n"
    "   since: '2026-11-24T12:00:00Z'}, # two\n]\n",
    "holds first": "holds:\n  - service: cart\n    environment: prod\n    who: y\n    since: 2026-11-24T12:00:00Z\n"
    "    reason: |\n      several\n      lines\n\nversion: 1\n",
    "blank end": "holds:\n  - service: cart\n    environment: prod\n    reason: x\n    who: y\n"
    "    since: 2026-11-24T12:00:00Z\n    until:\nversion: 1\n",
}  # fmt: skip


@pytest.fixture(params=SHAPES, name="text")
def _text(request: pytest.FixtureRequest) -> bytes:
    return SHAPES[request.param].encode()


def lines(text: bytes) -> list[bytes]:
    return [line.rstrip() for line in text.splitlines()]


def test_an_entry_goes_behind_those_that_stand_there_and_every_line_of_theirs_stays(text: bytes) -> None:
    edited = added(text, [UI])
    assert [hold.service for hold in holds.parse(edited)] == ["cart", "ui"]
    assert holds.parse(edited)[1] == UI
    if b"holds: [" not in text:
        kept = iter(lines(edited))
        assert all(line in kept for line in lines(text)), "a line is gone, or moved"


def test_what_was_added_and_taken_out_again_leaves_the_file_as_it_was(text: bytes) -> None:
    back = without(added(text, [UI, replace(UI, environment="prod")]), lambda hold: hold.service == "ui")
    assert back.rstrip() == text.rstrip()


def test_the_last_entry_taken_out_leaves_comments_and_an_empty_list_that_takes_the_next_one(text: bytes) -> None:
    emptied = without(text, lambda _: True)
    assert holds.parse(emptied) == ()
    for comment in (b"# Ask Ada", b"# the fair", b"# that is all", b"# one", b"# two"):
        assert (comment in emptied) == (comment in text)
    assert holds.parse(added(emptied, [UI])) == (UI,)


@pytest.mark.parametrize("text", [None, b"", b"# nothing yet\n", b"---\n", b"[]\n", b"version: 1\n", b"version: 1"])
def test_a_file_that_is_not_there_or_holds_nothing_is_begun(text: bytes | None) -> None:
    edited = added(text, [UI, CART])
    assert holds.parse(edited) == (UI, CART)
    assert (b"# nothing yet" in edited) == (b"# nothing yet" in (text or b""))


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("flow", [False, True])
def test_any_one_of_several_goes_and_the_others_stay_in_their_order(number: int, flow: bool) -> None:
    three = [replace(UI, service=name) for name in ("a", "b", "c")]
    start = b"version: 1\nholds: [{service: a, environment: dev, reason: it loses baskets, who: Ada Lovelace, since: '"
    begun = start + NOW.isoformat().encode() + b"'}]\n" if flow else added(None, three[:1])
    text = added(begun, three[1:])
    assert holds.parse(text) == tuple(three)
    left = [hold for hold in three if hold != three[number]]
    assert holds.parse(without(text, lambda hold: hold == three[number])) == tuple(left)


def test_nothing_to_add_and_nothing_to_take_out_is_the_same_file(text: bytes) -> None:
    assert added(text, []) == text == without(text, lambda _: False)


def test_line_ends_of_windows_stay_its_own() -> None:
    edited = added(SHAPES["windows"].encode(), [UI])
    assert edited.count(b"\n") == edited.count(b"\r\n")


@pytest.mark.parametrize(
    "text", ["{version: 1, holds: []}\n", "holds:\n  - &a {service: x, environment: dev}\n", "version: 2\n"]
)
def test_a_file_that_is_wrong_or_leaves_no_place_is_refused_and_not_guessed_at(text: str) -> None:
    with pytest.raises((Terminal, ConfigurationError), match=r"holds\.yaml"):
        added(text.encode(), [UI])


zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=8))])
texts = st.text(min_size=1, max_size=40)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=zones)  # noqa: DTZ001 # it wants bare bounds
written = st.builds(
    Hold,
    service=texts,
    environment=texts,
    reason=texts,
    who=texts,
    since=moments,
    until=st.none() | moments,
    commit=st.none() | st.from_regex(r"\A[0-9a-f]{40}\Z"),
)


@given(shape=st.sampled_from(sorted(SHAPES)), entries=st.lists(written, min_size=1, max_size=3))
def test_whatever_people_write_reads_back_as_they_wrote_it(shape: str, entries: list[Hold]) -> None:
    edited = added(SHAPES[shape].encode(), entries)
    assert holds.parse(edited)[-len(entries) :] == tuple(entries)
