"""The accounts file: who may log in, for how long, and what is kept of it."""

import hashlib
import os
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from deconflict.api.accounts import FREE_ATTEMPTS, LONGEST_WAIT_S, SESSION_MS, Accounts
from deconflict.api.accounts_file import _ENROLMENT, _SCHEMA
from deconflict.api.passwords import NOBODYS_PASSWORD, hash_password, password_matches
from deconflict.errors import (
    ConfigurationError,
    InvalidInputError,
    LineStateError,
    NotAuthenticatedError,
    NotFoundError,
    SessionEndedError,
    StoreDamagedError,
    StoreVersionError,
    TooManyAttemptsError,
)
from deconflict.node.actor import Role

PASSWORD = "a long evening at sea"


class Clock:
    def __init__(self) -> None:
        self.utc_ms = 1_443_600_000_000

    def __call__(self) -> int:
        return self.utc_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def two_accounts(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file with two accounts, made once because hashing is slow on purpose."""
    path = tmp_path_factory.mktemp("accounts") / "accounts.sqlite"
    made = Accounts(path, now=Clock(), random_bytes=os.urandom)
    made.add("chief", PASSWORD, roles=["administrator"], desk="office", by="setup")
    made.add("watch1", PASSWORD, roles=["watch_officer", "auditor"], desk="watch", by="chief")
    made.close()
    return path.read_bytes()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock, two_accounts: bytes) -> Iterator[Accounts]:
    path = tmp_path / "accounts.sqlite"
    path.touch(mode=0o600)
    path.write_bytes(two_accounts)
    opened = Accounts(path, now=clock, random_bytes=os.urandom)
    yield opened
    opened.close()


def guess(accounts: Accounts, name: str = "watch1") -> None:
    with pytest.raises(NotAuthenticatedError) as refused:
        accounts.log_in(name, "not the password")
    assert not isinstance(refused.value, TooManyAttemptsError)


def test_a_login_gives_a_token_that_names_account_roles_and_desk(accounts: Accounts) -> None:
    session = accounts.log_in("watch1", PASSWORD)
    actor = accounts.authenticate(session.token)
    assert (actor.account, actor.desk) == ("watch1", "watch")
    assert actor.roles == {Role.WATCH_OFFICER, Role.AUDITOR}
    assert actor == session.actor


def test_a_token_is_256_random_bits_and_never_shown_in_a_repr(accounts: Accounts) -> None:
    session = accounts.log_in("watch1", PASSWORD)
    assert len(session.token) == 43
    assert session.token not in repr(session)
    assert session.token != accounts.log_in("watch1", PASSWORD).token


def test_a_session_ends_with_the_watch(accounts: Accounts, clock: Clock) -> None:
    session = accounts.log_in("watch1", PASSWORD)
    clock.utc_ms += SESSION_MS - 1
    accounts.authenticate(session.token)
    clock.utc_ms += 1
    with pytest.raises(NotAuthenticatedError):
        accounts.authenticate(session.token)


def test_logging_out_ends_this_session_alone(accounts: Accounts) -> None:
    one, other = (accounts.log_in("watch1", PASSWORD) for _ in range(2))
    accounts.log_out(one.token)
    accounts.log_out(one.token)
    with pytest.raises(NotAuthenticatedError):
        accounts.authenticate(one.token)
    accounts.authenticate(other.token)


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 10_000, "é" * 43, "' OR 1=1 --"])
def test_tokens_nobody_was_given_are_refused(accounts: Accounts, token: str) -> None:
    with pytest.raises(NotAuthenticatedError):
        accounts.authenticate(token)


def test_unknown_account_and_wrong_password_get_the_same_answer(accounts: Accounts) -> None:
    answers = []
    for name in ("watch1", "watch2", "no such name!"):
        with pytest.raises(NotAuthenticatedError) as refused:
            accounts.log_in(name, "not the password")
        answers.append(str(refused.value))
    assert len(set(answers)) == 1


def test_a_disabled_account_neither_logs_in_nor_keeps_its_session(accounts: Accounts) -> None:
    session = accounts.log_in("watch1", PASSWORD)
    accounts.disable("watch1", by="chief")
    with pytest.raises(NotAuthenticatedError):
        accounts.authenticate(session.token)
    with pytest.raises(NotAuthenticatedError):
        accounts.log_in("watch1", PASSWORD)
    with pytest.raises(NotFoundError):
        accounts.issue("watch1", by="chief")
    accounts.enable("watch1", by="chief")
    with pytest.raises(NotAuthenticatedError):
        accounts.authenticate(session.token)
    accounts.log_in("watch1", PASSWORD)


def test_the_last_administrator_cannot_be_disabled(accounts: Accounts) -> None:
    with pytest.raises(LineStateError, match="last administrator"):
        accounts.disable("chief", by="chief")
    accounts.add("chief2", PASSWORD, roles=["administrator"], desk="office", by="chief")
    accounts.disable("chief", by="chief2")
    with pytest.raises(LineStateError):
        accounts.disable("chief2", by="chief2")


def test_two_administrators_disabling_each_other_leave_one(
    accounts: Accounts, tmp_path: Path, clock: Clock
) -> None:
    accounts.add("chief2", PASSWORD, roles=["administrator"], desk="office", by="chief")
    other = Accounts(tmp_path / "accounts.sqlite", now=clock, random_bytes=os.urandom)
    refused = []

    def disable(opened: Accounts, name: str) -> None:
        try:
            opened.disable(name, by="each other")
        except LineStateError:
            refused.append(name)

    threads = [
        threading.Thread(target=disable, args=(accounts, "chief")),
        threading.Thread(target=disable, args=(other, "chief2")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert len(refused) == 1


def test_guessing_has_to_wait_even_with_the_right_password(
    accounts: Accounts, clock: Clock
) -> None:
    for _ in range(FREE_ATTEMPTS):
        guess(accounts)
    with pytest.raises(TooManyAttemptsError) as refused:
        accounts.log_in("watch1", PASSWORD)
    assert refused.value.retry_after_s == 1
    clock.utc_ms += 1000
    guess(accounts)
    with pytest.raises(TooManyAttemptsError) as refused:
        accounts.log_in("watch1", PASSWORD)
    assert refused.value.retry_after_s == 2
    clock.utc_ms += 2000
    accounts.log_in("watch1", PASSWORD)
    for _ in range(FREE_ATTEMPTS):  # a right password starts the count anew
        guess(accounts)


def test_the_wait_ends_within_a_minute_and_survives_a_clock_set_back(
    accounts: Accounts, clock: Clock
) -> None:
    for _ in range(FREE_ATTEMPTS + 8):
        guess(accounts)
        clock.utc_ms += 1000 * LONGEST_WAIT_S
    guess(accounts)
    clock.utc_ms -= 86_400_000
    with pytest.raises(TooManyAttemptsError) as refused:
        accounts.log_in("watch1", PASSWORD)
    assert refused.value.retry_after_s == LONGEST_WAIT_S


def test_names_that_do_not_exist_are_slowed_down_alike(accounts: Accounts) -> None:
    for _ in range(FREE_ATTEMPTS):
        guess(accounts, "watch9")
    with pytest.raises(TooManyAttemptsError):
        accounts.log_in("watch9", "not the password")


def test_guessing_one_account_leaves_open_sessions_and_others_alone(accounts: Accounts) -> None:
    session = accounts.log_in("watch1", PASSWORD)
    for _ in range(FREE_ATTEMPTS):
        guess(accounts)
    accounts.authenticate(session.token)
    accounts.log_in("chief", PASSWORD)


def test_guesses_sent_at_once_do_not_share_an_attempt(accounts: Accounts) -> None:
    looked_at = []

    def attempt() -> None:
        try:
            accounts.log_in("watch1", "not the password")
        except TooManyAttemptsError:
            return
        except NotAuthenticatedError:
            looked_at.append(1)

    threads = [threading.Thread(target=attempt) for _ in range(3 * FREE_ATTEMPTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked_at) == FREE_ATTEMPTS


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("b7!kz q9", "too short"),
        ("watch2watch2", "account's name"),
        ("WATCH2-watch2", "account's name"),
        ("aaaaaaaaaaaabbbb", "too few"),
        ("x1y2z3" * 200, "too long"),
    ],
)
def test_weak_passwords_are_refused_and_not_repeated(
    accounts: Accounts, password: str, words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words) as refused:
        accounts.add("watch2", password, roles=["watch_officer"], desk="watch", by="chief")
    assert password not in str(refused.value)


def test_one_password_typed_on_two_keyboards_is_the_same(accounts: Accounts) -> None:
    accounts.add("dezh1", "случа\u0439ный вечер", roles=["watch_officer"], desk="watch", by="chief")
    accounts.log_in("dezh1", "случа\u0438\u0306ный вечер")


@pytest.mark.parametrize("name", ["", "a", "Watch", "-watch", "w" * 33, "a b", "wätch", "a\n"])
def test_account_names_are_plain(accounts: Accounts, name: str) -> None:
    with pytest.raises(InvalidInputError, match="account name"):
        accounts.add(name, PASSWORD, roles=["watch_officer"], desk="watch", by="chief")


def test_a_taken_name_and_a_bad_desk_are_refused(accounts: Accounts) -> None:
    with pytest.raises(InvalidInputError, match="exists already"):
        accounts.add("watch1", PASSWORD, roles=["watch_officer"], desk="watch", by="chief")
    with pytest.raises(InvalidInputError, match="desk name"):
        accounts.add("watch2", PASSWORD, roles=["watch_officer"], desk="<b>", by="chief")


def test_another_password_ends_every_session(accounts: Accounts) -> None:
    session = accounts.log_in("watch1", PASSWORD)
    accounts.set_password("watch1", "another long evening", by="chief")
    with pytest.raises(NotAuthenticatedError):
        accounts.authenticate(session.token)
    with pytest.raises(NotAuthenticatedError):
        accounts.log_in("watch1", PASSWORD)
    accounts.log_in("watch1", "another long evening")
    with pytest.raises(NotFoundError):
        accounts.set_password("watch9", "another long evening", by="chief")


def test_changing_the_own_password_needs_the_old_one(accounts: Accounts) -> None:
    with pytest.raises(NotAuthenticatedError):
        accounts.change_password("watch1", "not the password", "another long evening")
    accounts.change_password("watch1", PASSWORD, "another long evening")
    accounts.log_in("watch1", "another long evening")


def test_the_trail_keeps_who_did_what_newest_first(accounts: Accounts) -> None:
    guess(accounts)
    session = accounts.log_in("watch1", PASSWORD)
    accounts.log_out(session.token)
    accounts.disable("watch1", by="chief")
    told = [(entry.account, entry.event, entry.by) for entry in accounts.trail()]
    assert told == [
        ("watch1", "account disabled", "chief"),
        ("watch1", "logout", "watch1"),
        ("watch1", "login", "watch1"),
        ("watch1", "login refused", ""),
        ("watch1", "account added: auditor, watch_officer", "chief"),
        ("chief", "account added: administrator", "setup"),
    ]
    newest = accounts.trail(limit=1)[0]
    assert accounts.trail(before=newest.entry_id, limit=1)[0].event == "logout"


def test_a_password_typed_as_the_name_is_not_kept(accounts: Accounts, tmp_path: Path) -> None:
    with pytest.raises(NotAuthenticatedError):
        accounts.log_in("My Secret Passphrase", "x")
    accounts.close()
    assert b"My Secret Passphrase" not in (tmp_path / "accounts.sqlite").read_bytes()


def test_the_file_holds_neither_password_nor_token(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "accounts.sqlite"
    accounts = Accounts(path, now=clock, random_bytes=os.urandom)
    accounts.add("watch1", PASSWORD, roles=["watch_officer"], desk="watch", by="setup")
    token = accounts.log_in("watch1", PASSWORD).token
    files = b"".join(found.read_bytes() for found in tmp_path.iterdir())
    accounts.close()
    assert PASSWORD.encode() not in files
    assert token.encode() not in files
    assert b"$argon2id$" in files


def test_a_name_nobody_has_costs_a_guesser_the_same_work() -> None:
    made, nobodys = (text.split(b"$")[1:4] for text in (hash_password("x" * 12), NOBODYS_PASSWORD))
    assert made == nobodys
    assert not password_matches(NOBODYS_PASSWORD, "")


def test_all_its_files_are_private(accounts: Accounts, tmp_path: Path) -> None:
    modes = {found.name: stat.S_IMODE(found.stat().st_mode) for found in tmp_path.iterdir()}
    assert modes == {
        "accounts.sqlite": 0o600,
        "accounts.sqlite-wal": 0o600,
        "accounts.sqlite-shm": 0o600,
    }


def test_a_file_open_to_others_is_refused(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "accounts.sqlite"
    path.touch()
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        Accounts(path, now=clock, random_bytes=os.urandom)


def test_a_link_or_a_missing_folder_is_refused(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path in (tmp_path / "link", tmp_path / "none" / "accounts.sqlite"):
        with pytest.raises(ConfigurationError):
            Accounts(path, now=clock, random_bytes=os.urandom)


def test_a_file_of_a_newer_version_or_another_kind_is_refused(tmp_path: Path, clock: Clock) -> None:
    newer = tmp_path / "newer.sqlite"
    Accounts(newer, now=clock, random_bytes=os.urandom).close()
    db = apsw.Connection(str(newer))
    db.pragma("user_version", 99)
    db.close()
    with pytest.raises(StoreVersionError):
        Accounts(newer, now=clock, random_bytes=os.urandom)
    noise = tmp_path / "noise.sqlite"
    noise.write_bytes(b"not a database at all" * 100)
    noise.chmod(0o600)
    with pytest.raises(StoreDamagedError):
        Accounts(noise, now=clock, random_bytes=os.urandom)


def test_a_file_of_the_second_version_is_taken_up_with_its_accounts_and_logins(
    tmp_path: Path, clock: Clock
) -> None:
    path, token = tmp_path / "accounts.sqlite", "A" * 43
    path.touch(mode=0o600)
    db = apsw.Connection(str(path))
    db.execute(_SCHEMA)
    db.execute(_ENROLMENT)
    db.execute("INSERT INTO account VALUES ('watch1', 'watch', x'00', 0, 1)")
    db.execute("INSERT INTO account_role VALUES ('watch1', 'watch_officer')")
    db.execute(
        "INSERT INTO session VALUES (?, 'watch1', ?, ?)",
        (hashlib.sha256(token.encode()).digest(), clock(), clock() + SESSION_MS),
    )
    db.pragma("user_version", 2)
    db.close()
    opened = Accounts(path, now=clock, random_bytes=os.urandom, language="ru")
    actor = opened.authenticate(token)
    assert (actor.account, actor.language, actor.signed_off_utc_ms) == ("watch1", "ru", None)
    assert re.fullmatch(r"[0-9a-f]{8}", opened.file.tag)
    opened.close()
    again = Accounts(path, now=clock, random_bytes=os.urandom)
    assert again.authenticate(token).language == "en"
    again.close()


def test_an_account_is_told_things_in_the_language_it_chose(accounts: Accounts) -> None:
    token = accounts.issue("watch1", by="chief").token
    assert accounts.authenticate(token).language == "en"
    accounts.set_language("watch1", "ru", by="watch1")
    assert accounts.authenticate(token).language == "ru"
    assert accounts.issue("watch1", by="chief").actor.language == "ru"
    assert accounts.prove("watch1", PASSWORD).language == "ru"
    assert [each.language for each in accounts.list()] == ["en", "ru"]
    accounts.set_language("watch1", None, by="watch1")
    assert accounts.authenticate(token).language == "en"
    with pytest.raises(InvalidInputError, match="no language"):
        accounts.set_language("watch1", "xx", by="watch1")
    with pytest.raises(NotFoundError):
        accounts.set_language("watch9", "ru", by="watch9")


def test_a_browser_proves_its_session_by_both_halves_and_the_file_holds_neither(
    accounts: Accounts, tmp_path: Path
) -> None:
    session = accounts.log_in("watch1", PASSWORD, browser=True)
    assert accounts.authenticate(session.proof) == session.actor
    assert session.csrf_token not in repr(session)
    other = accounts.log_in("watch1", PASSWORD, browser=True)
    for wrong in (
        session.token,
        session.csrf_token,
        f"{session.token}.",
        f".{session.csrf_token}",
        f"{session.csrf_token}.{session.token}",
        f"{session.token}.{other.csrf_token}",
        f"{other.token}.{session.csrf_token}",
        f"{session.token}{session.csrf_token}",
    ):
        with pytest.raises(NotAuthenticatedError):
            accounts.authenticate(wrong)
    files = b"".join(found.read_bytes() for found in tmp_path.iterdir())
    for half in (session.token, session.csrf_token):
        assert half.encode() not in files


def test_a_watch_taken_over_ends_what_another_process_sees_too(
    accounts: Accounts, tmp_path: Path, clock: Clock
) -> None:
    token = accounts.issue("watch1", by="chief").token
    other = Accounts(tmp_path / "accounts.sqlite", now=clock, random_bytes=os.urandom)
    assert other.authenticate(token).signed_off_utc_ms is None
    accounts.sessions.sign_off(["watch1"])
    clock.utc_ms += 1_000
    assert other.authenticate(token).signed_off_utc_ms == clock.utc_ms - 1_000
    accounts.sessions.sign_off(["watch1"])
    assert other.authenticate(token).signed_off_utc_ms == clock.utc_ms - 1_000
    accounts.sessions.end_watch("watch1", clock())
    with pytest.raises(SessionEndedError, match="took the watch over"):
        other.authenticate(token)
    clock.utc_ms += SESSION_MS
    with pytest.raises(NotAuthenticatedError, match="not valid or has expired"):
        other.authenticate(token)
    other.close()


def test_what_one_process_changes_another_sees_at_once(
    accounts: Accounts, tmp_path: Path, clock: Clock
) -> None:
    other = Accounts(tmp_path / "accounts.sqlite", now=clock, random_bytes=os.urandom)
    token = accounts.log_in("watch1", PASSWORD).token
    assert other.authenticate(token).account == "watch1"
    other.disable("watch1", by="chief")
    with pytest.raises(NotAuthenticatedError):
        accounts.authenticate(token)
    other.close()


def test_accounts_are_listed_without_secrets(accounts: Accounts) -> None:
    chief, watch = accounts.list()
    assert (chief.name, watch.name) == ("chief", "watch1")
    assert watch.roles == {Role.WATCH_OFFICER, Role.AUDITOR}
    assert not watch.disabled


def test_a_clock_set_back_prolongs_no_login(
    tmp_path: Path, clock: Clock, two_accounts: bytes
) -> None:
    path, monotonic = tmp_path / "accounts.sqlite", Clock()
    path.touch(mode=0o600)
    path.write_bytes(two_accounts)

    def opened() -> Accounts:
        return Accounts(path, now=clock, random_bytes=os.urandom, monotonic_ms=monotonic)

    first = opened()
    token = first.issue("watch1", by="chief").token
    monotonic.utc_ms += SESSION_MS - 1
    clock.utc_ms -= SESSION_MS
    first.authenticate(token)
    monotonic.utc_ms += 1
    with pytest.raises(NotAuthenticatedError):
        first.authenticate(token)
    first.close()
    again = opened()  # it was ended for good, also for a node that starts anew
    with pytest.raises(NotAuthenticatedError):
        again.authenticate(token)
    again.close()


def test_a_login_that_would_begin_only_later_is_not_believed(
    accounts: Accounts, clock: Clock, tmp_path: Path
) -> None:
    token = accounts.issue("watch1", by="chief").token
    clock.utc_ms -= 61_000
    other = Accounts(tmp_path / "accounts.sqlite", now=clock, random_bytes=os.urandom)
    with pytest.raises(NotAuthenticatedError):
        other.authenticate(token)
    other.close()
