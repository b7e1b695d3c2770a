"""Nobody alone lets anybody in: accounts and peers are asked for by one and released by another."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from deconflict.api.accounts import Account, Accounts
from deconflict.api.accounts_file import _SCHEMA
from deconflict.api.enrolments import ASKED_MS, MOST_ASKED, Enrolment, Enrolments
from deconflict.errors import (
    InvalidInputError,
    LineStateError,
    NotAuthenticatedError,
    NotFoundError,
    NotPermittedError,
)
from deconflict.node.actor import Action, Actor, Role, allowed

START_MS = 1_443_593_520_000
PASSWORD = "a long evening at sea"
OTHER = "another long evening"


def actor(name: str, role: Role) -> Actor:
    return Actor(name, frozenset({role}), "watch")


ADMIN = actor("admin", Role.ADMINISTRATOR)
ADMIN_2 = actor("admin-2", Role.ADMINISTRATOR)
RELEASING = actor("releasing", Role.RELEASING_OFFICER)
PEOPLE = (ADMIN, ADMIN_2, RELEASING)


class Clock:
    def __init__(self) -> None:
        self.utc_ms = START_MS

    def __call__(self) -> int:
        return self.utc_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Iterator[Accounts]:
    made = Accounts(tmp_path / "accounts.sqlite", now=clock, random_bytes=os.urandom)
    for person in PEOPLE:
        made.add(person.account, PASSWORD, roles=person.roles, desk="watch", by="setup")
    made.add("watch", PASSWORD, roles=["watch_officer"], desk="watch", by="setup")
    yield made
    made.close()


def enrolments(accounts: Accounts, clock: Clock, *, persons: int = 2) -> Enrolments:
    return Enrolments(accounts, persons=persons, now=clock, random_bytes=os.urandom)


def ask_account(book: Enrolments, who: Actor = ADMIN, name: str = "night") -> Enrolment:
    asked = book.add_account(who, name, OTHER, roles=["watch_officer"], desk="watch")
    assert isinstance(asked, Enrolment)
    return asked


def names(accounts: Accounts) -> set[str]:
    return {account.name for account in accounts.list()}


def test_an_account_is_there_only_once_a_second_person_has_released_it(
    accounts: Accounts, clock: Clock
) -> None:
    book = enrolments(accounts, clock)
    asked = ask_account(book)
    assert "night" not in names(accounts)
    with pytest.raises(NotAuthenticatedError):
        accounts.log_in("night", OTHER)
    book.release(RELEASING, asked.enrolment_id)
    assert accounts.log_in("night", OTHER).actor.roles == {Role.WATCH_OFFICER}
    assert book.waiting() == ()


def test_where_one_person_is_enough_nothing_waits(accounts: Accounts, clock: Clock) -> None:
    book = enrolments(accounts, clock, persons=1)
    made = book.add_account(ADMIN, "night", OTHER, roles=["auditor"], desk="watch")
    assert isinstance(made, Account)
    assert book.set_password(ADMIN, "night", PASSWORD) is None
    accounts.disable("night", by="admin")
    assert book.enable(ADMIN, "night") is None
    assert accounts.log_in("night", PASSWORD)


@pytest.mark.parametrize("role", sorted(Role))
def test_who_may_ask_and_who_may_release_is_what_the_table_says(
    accounts: Accounts, clock: Clock, role: Role
) -> None:
    book = enrolments(accounts, clock)
    somebody = actor("somebody", role)
    if allowed({role}, Action.ADMINISTER):
        ask_account(book, somebody, "first")
    else:
        with pytest.raises(NotPermittedError):
            ask_account(book, somebody, "first")
        with pytest.raises(NotPermittedError):
            book.enable(somebody, "watch")
        with pytest.raises(NotPermittedError):
            book.set_password(somebody, "watch", OTHER)
    asked = ask_account(book, ADMIN, "second")
    if allowed({role}, Action.ENROL):
        book.release(somebody, asked.enrolment_id)
        assert book.ask_peer(somebody, "red", b"invitation").subject == "red"
    else:
        for act in (book.release, book.withdraw):
            with pytest.raises(NotPermittedError):
                act(somebody, asked.enrolment_id)
        with pytest.raises(NotPermittedError):
            book.ask_peer(somebody, "red", b"invitation")
        assert [each.subject for each in book.waiting()] == ["second"]


def test_nobody_releases_what_they_asked_for(accounts: Accounts, clock: Clock) -> None:
    book = enrolments(accounts, clock)
    for asked in (ask_account(book), book.ask_peer(ADMIN, "red", b"invitation")):
        with pytest.raises(NotPermittedError, match="cannot release"):
            book.release(ADMIN, asked.enrolment_id, pin=lambda _: pytest.fail("pinned"))
    assert len(book.waiting()) == 2


def test_no_administrator_alone_becomes_somebody_who_reads(
    accounts: Accounts, clock: Clock
) -> None:
    book = enrolments(accounts, clock)
    asked = book.set_password(ADMIN, "watch", OTHER)
    assert asked is not None
    with pytest.raises(NotAuthenticatedError):
        accounts.log_in("watch", OTHER)
    assert accounts.log_in("watch", PASSWORD)
    accounts.disable("watch", by="admin")
    again = book.enable(ADMIN, "watch")
    assert again is not None
    with pytest.raises(NotAuthenticatedError):
        accounts.log_in("watch", PASSWORD)
    book.release(ADMIN_2, again.enrolment_id)
    book.release(RELEASING, asked.enrolment_id)
    assert accounts.log_in("watch", OTHER)


def test_shutting_out_waits_for_nobody(accounts: Accounts) -> None:
    accounts.disable("watch", by="admin")
    with pytest.raises(NotAuthenticatedError):
        accounts.log_in("watch", PASSWORD)


def test_what_a_shut_out_account_asked_for_is_not_released(
    accounts: Accounts, clock: Clock
) -> None:
    book = enrolments(accounts, clock)
    asked = ask_account(book)
    accounts.disable("admin", by="admin-2")
    with pytest.raises(NotPermittedError, match="shut out"):
        book.release(RELEASING, asked.enrolment_id)
    book.withdraw(RELEASING, asked.enrolment_id)
    assert "night" not in names(accounts)


def test_what_nobody_releases_lapses_after_a_day(accounts: Accounts, clock: Clock) -> None:
    book = enrolments(accounts, clock)
    asked = ask_account(book)
    clock.utc_ms += ASKED_MS - 1
    assert book.waiting() == (asked,)
    clock.utc_ms += 1
    assert book.waiting() == ()
    with pytest.raises(NotFoundError):
        book.release(RELEASING, asked.enrolment_id)
    ask_account(book, name="day")
    assert any("night lapsed" in entry.event for entry in accounts.trail())


def test_the_trail_says_who_asked_who_released_and_when(accounts: Accounts, clock: Clock) -> None:
    book = enrolments(accounts, clock)
    asked = ask_account(book)
    clock.utc_ms += 60_000
    book.release(RELEASING, asked.enrolment_id)
    told = [(entry.event.split(":")[0], entry.by, entry.at_utc_ms) for entry in accounts.trail()]
    assert told[:3] == [
        ("account night released", "releasing", START_MS + 60_000),
        ("account added", "admin, releasing", START_MS + 60_000),
        ("account night asked for", "admin", START_MS),
    ]


def test_a_peer_is_pinned_by_the_second_person_and_not_through_the_api(
    accounts: Accounts, clock: Clock
) -> None:
    book = enrolments(accounts, clock)
    asked = book.ask_peer(RELEASING, "red", b"invitation")
    with pytest.raises(LineStateError, match="at the machine"):
        book.release(ADMIN, asked.enrolment_id)
    pinned: list[bytes] = []
    book.release(ADMIN, asked.enrolment_id, pin=pinned.append)
    assert pinned == [b"invitation"]
    assert book.waiting() == ()


def test_a_peer_whose_fingerprint_differs_for_the_second_person_still_waits(
    accounts: Accounts, clock: Clock
) -> None:
    def differs(_: bytes) -> None:
        raise InvalidInputError("this is no fingerprint")

    book = enrolments(accounts, clock)
    asked = book.ask_peer(RELEASING, "red", b"invitation")
    with pytest.raises(InvalidInputError):
        book.release(ADMIN, asked.enrolment_id, pin=differs)
    assert book.waiting() == (asked,)


def test_two_who_release_at_once_let_in_once(accounts: Accounts, clock: Clock) -> None:
    book = enrolments(accounts, clock)
    asked = ask_account(book)
    refused: list[Exception] = []

    def release(who: Actor) -> None:
        try:
            book.release(who, asked.enrolment_id)
        except (NotFoundError, InvalidInputError) as error:
            refused.append(error)

    threads = [threading.Thread(target=release, args=(who,)) for who in (RELEASING, ADMIN_2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert (
        sum(
            "account added" in entry.event and entry.account == "night"
            for entry in accounts.trail()
        )
        == 1
    )


def test_what_waits_outlives_the_process_and_its_password_is_no_text(
    accounts: Accounts, clock: Clock, tmp_path: Path
) -> None:
    asked = ask_account(enrolments(accounts, clock))
    again = Accounts(tmp_path / "accounts.sqlite", now=clock, random_bytes=os.urandom)
    try:
        (waiting,) = enrolments(again, clock).waiting()
        assert waiting == asked
        assert OTHER.encode() not in waiting.data
        assert OTHER not in repr(waiting)
    finally:
        again.close()


def test_what_breaks_a_rule_is_refused_to_who_asks(accounts: Accounts, clock: Clock) -> None:
    book = enrolments(accounts, clock)
    with pytest.raises(InvalidInputError):
        book.add_account(ADMIN, "night", "short", roles=["auditor"], desk="watch")
    with pytest.raises(InvalidInputError):
        book.add_account(ADMIN, "watch", OTHER, roles=["auditor"], desk="watch")
    with pytest.raises(NotFoundError):
        book.enable(ADMIN, "nobody")
    with pytest.raises(InvalidInputError):
        book.set_password(ADMIN, "watch", "short")
    assert book.waiting() == ()


def test_no_more_than_a_hundred_wait(accounts: Accounts, clock: Clock) -> None:
    book = enrolments(accounts, clock)
    for _ in range(MOST_ASKED):
        book.ask_peer(ADMIN, "red", b"invitation")
    with pytest.raises(LineStateError, match="too many wait"):
        book.ask_peer(ADMIN, "red", b"invitation")


def test_a_file_of_the_first_version_is_taken_up(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "old.sqlite"
    path.touch(mode=0o600)
    db = apsw.Connection(str(path))
    db.execute(_SCHEMA)
    db.pragma("user_version", 1)
    db.close()
    opened = Accounts(path, now=clock, random_bytes=os.urandom)
    try:
        opened.add("admin", PASSWORD, roles=["administrator"], desk="watch", by="setup")
        assert ask_account(enrolments(opened, clock)).subject == "night"
    finally:
        opened.close()
