"""When the credentials of a registry are asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from argosy.errors import Terminal, Transient
from argosy.registries.login import Login, RegistryCredentials

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HALF_A_DAY = timedelta(hours=12)


class Issuer:
    """Gives a new password at each call, good for `life`, by a clock of its own."""

    def __init__(self, life: timedelta | None = HALF_A_DAY) -> None:
        self.life, self.now, self.given = life, NOON, 0
        self.failure: Exception | None = None

    def __call__(self) -> RegistryCredentials:
        if self.failure:
            raise self.failure
        self.given += 1
        end = self.now + self.life if self.life is not None else None
        return RegistryCredentials("AWS", SecretStr(f"token {self.given}"), end)

    def login(self) -> Login:
        return Login(self, lambda: self.now)


def password(login: Login) -> str:
    found = login.current()
    assert found is not None
    return found.password.get_secret_value()


@pytest.mark.parametrize(
    ("life", "still", "too_late"),
    [
        (HALF_A_DAY, timedelta(hours=10, minutes=47), timedelta(hours=10, minutes=49)),
        (timedelta(minutes=20), timedelta(minutes=14), timedelta(minutes=16)),
        (timedelta(seconds=10), timedelta(seconds=4), timedelta(seconds=6)),
    ],
)
def test_a_token_is_asked_for_once_and_again_before_it_expires(
    life: timedelta, still: timedelta, too_late: timedelta
) -> None:
    issuer = Issuer(life)
    login = issuer.login()
    seen = []
    for moment in (timedelta(), still, too_late):
        issuer.now = NOON + moment
        seen.append(password(login))
    assert seen == ["token 1", "token 1", "token 2"]


@pytest.mark.parametrize("life", [None, timedelta(days=-4000)])
def test_a_token_without_an_end_or_that_had_ended_when_it_was_issued_is_used_as_it_is(life: timedelta | None) -> None:
    issuer = Issuer(life)
    login = issuer.login()
    assert password(login) == "token 1"
    issuer.now += timedelta(days=3)
    assert password(login) == "token 1"


def test_a_token_that_cannot_be_renewed_is_used_to_its_end() -> None:
    issuer = Issuer()
    login = issuer.login()
    assert password(login) == "token 1"
    issuer.failure = Transient("AWS is down")
    issuer.now = NOON + HALF_A_DAY - timedelta(minutes=1)
    assert password(login) == "token 1"
    issuer.now = NOON + HALF_A_DAY
    with pytest.raises(Transient, match="AWS is down"):
        login.current()
    issuer.failure = None
    assert password(login) == "token 2"


def test_a_refusal_to_renew_is_told() -> None:
    issuer = Issuer()
    login = issuer.login()
    login.current()
    issuer.failure, issuer.now = Terminal("no"), NOON + timedelta(hours=11)
    with pytest.raises(Terminal, match="no"):
        login.current()


def test_threads_that_need_it_at_once_ask_once() -> None:
    issuer, together = Issuer(), threading.Barrier(8, timeout=60)
    login = issuer.login()

    def ask(_: int) -> str:
        together.wait()
        return password(login)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"token 1"}


def test_in_place_of_a_refused_token_there_is_one_new_one_for_all() -> None:
    issuer = Issuer()
    login = issuer.login()
    refused = login.current()
    assert refused is not None
    others = [login.other_than(refused) for _ in range(3)]
    assert [other and other.password.get_secret_value() for other in others] == ["token 2"] * 3


def test_a_refusal_that_may_have_another_reason_renews_no_new_token() -> None:
    issuer = Issuer()
    login = issuer.login()
    refused = login.current()
    assert refused is not None
    assert login.other_than(refused, old=True) is None
    issuer.now += timedelta(minutes=2)
    assert login.other_than(refused, old=True) == login.current() != refused


def test_a_password_that_stays_the_same_has_no_other() -> None:
    fixed = RegistryCredentials("bot", SecretStr("a password"))
    login = Login.of(fixed)
    assert (login.current(), login.other_than(fixed)) == (fixed, None)
    assert Login.of(None).current() is None


@pytest.mark.parametrize(
    ("life", "lasts"),
    [(None, True), (timedelta(hours=1), True), (timedelta(minutes=10), False), (timedelta(-1), True)],
)
def test_credentials_last_where_they_end_later_or_not_at_all_or_had_ended_when_they_were_issued(
    life: timedelta | None, *, lasts: bool
) -> None:
    login = Issuer(life).login()
    assert login.lasting(1800) == (login.current() if lasts else None)


def test_a_registry_that_is_open_to_all_needs_nothing_that_lasts() -> None:
    assert Login.of(None).lasting(60) is None
