"""The operators' accounts and the trail of what became of them, in a file of its own.

Accounts are kept apart from the evidence: who was on watch is not the peer's business. The node
and the command line may hold the file at once. Tokens and passwords are stored as hashes only.
"""

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import apsw
import msgspec

from deconflict.api.accounts_file import AccountsFile
from deconflict.api.passwords import (
    NOBODYS_PASSWORD,
    check_password_rules,
    hash_password,
    password_matches,
)
from deconflict.api.sessions import SESSION_MS, Session, Sessions, monotonic_ms, roles_of
from deconflict.errors import (
    InvalidInputError,
    LineStateError,
    NotAuthenticatedError,
    NotFoundError,
    TooManyAttemptsError,
)
from deconflict.messages.words import LANGUAGES
from deconflict.node.actor import Actor, Role, parse_roles

__all__ = ["SESSION_MS", "Account", "Accounts", "NewAccount", "Session", "TrailEntry"]

FREE_ATTEMPTS: Final = 5
# The wait doubles with each wrong password, to a minute and no further: a guesser gets 1,440
# attempts a day, which a password by the rules survives, and cannot shut a desk out for an hour.
LONGEST_WAIT_S: Final = 60
KEPT_REFUSALS: Final = 100_000
KEPT_FAILURES: Final = 10_000

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
_DESK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class Account:
    """An account as others may see it."""

    name: str
    roles: frozenset[Role]
    desk: str
    disabled: bool
    created_utc_ms: int
    language: str


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One thing that happened to an account: login, refusal, change, and by whom."""

    entry_id: int
    at_utc_ms: int
    account: str
    event: str
    by: str


class NewAccount(msgspec.Struct, frozen=True):
    """An account that can be made; ``password`` is the stored form."""

    name: str
    desk: str
    roles: tuple[str, ...]
    password: bytes

    def __repr__(self) -> str:
        return f"NewAccount(name={self.name!r}, roles={self.roles!r})"


class Accounts:
    """The accounts file. Every method may be called from any thread.

    Args:
        path: the file; made with mode 0600 if it is not there.
        now: the time in UTC milliseconds.
        random_bytes: a source fit for keys, such as ``os.urandom``.
        monotonic_ms: a clock that nobody sets.
        language: in which an account is told things that has chosen none: the node's.

    Attributes:
        file: where all of it is kept.
        sessions: who is logged in.

    Raises:
        ConfigurationError: the file can be read or written by others.
        StoreVersionError: the file was written by a newer deconflict.
        StoreDamagedError: it is no accounts file.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        monotonic_ms: Callable[[], int] = monotonic_ms,
        language: str = LANGUAGES[0],
    ) -> None:
        self._now = now
        self._language = language
        self._hash_lock = threading.Lock()
        self.file = AccountsFile(path, now=now)
        self.sessions = Sessions(
            self.file, random_bytes=random_bytes, monotonic_ms=monotonic_ms, language=language
        )

    def close(self) -> None:
        """Close the file; sessions stay valid."""
        self.file.close()

    # -- accounts -------------------------------------------------------------------------

    def add(self, name: str, password: str, *, roles: Iterable[str], desk: str, by: str) -> Account:
        """Make an account.

        Raises:
            InvalidInputError: the name, desk, roles or password break a rule, or the name is taken.
        """
        new = self.prepare(name, password, roles=roles, desk=desk)
        with self.file.write() as db:
            return self.put(db, new, by=by)

    def prepare(self, name: str, password: str, *, roles: Iterable[str], desk: str) -> NewAccount:
        """Return an account that can be made, without its password; raises as :meth:`add`."""
        if not _NAME.fullmatch(name):
            raise InvalidInputError(
                "this account name cannot be used",
                given=name[:40],
                expected="2 to 32 of a-z 0-9 . _ -, a letter or digit first",
            )
        if not _DESK.fullmatch(desk):
            raise InvalidInputError(
                "this desk name cannot be used", given=desk[:40], expected="such as watch-desk"
            )
        granted = parse_roles(roles)
        if any(account.name == name for account in self.list()):
            raise InvalidInputError("this account exists already", given=name)
        return NewAccount(name, desk, tuple(sorted(granted)), self.hashed(name, password))

    def put(self, db: apsw.Connection, new: NewAccount, *, by: str) -> Account:
        """Make a prepared account within a change.

        Raises:
            InvalidInputError: the name is taken.
        """
        now = self._now()
        if _one(db, "SELECT 1 FROM account WHERE name = ?", new.name):
            raise InvalidInputError("this account exists already", given=new.name)
        db.execute(
            "INSERT INTO account (name, desk, password, disabled, created_utc_ms)"
            " VALUES (?, ?, ?, 0, ?)",
            (new.name, new.desk, new.password, now),
        )
        for role in new.roles:
            db.execute("INSERT INTO account_role VALUES (?, ?)", (new.name, role))
        self.file.note(db, new.name, "account added: " + ", ".join(new.roles), by)
        return Account(
            new.name,
            parse_roles(new.roles),
            new.desk,
            disabled=False,
            created_utc_ms=now,
            language=self._language,
        )

    def hashed(self, name: str, password: str) -> bytes:
        """Return the stored form of a new password; raises InvalidInputError for a weak one."""
        check_password_rules(password, account=name)
        return self._hash(password)

    def list(self) -> tuple[Account, ...]:
        """Return all accounts by name."""
        rows = self.file.read(
            "SELECT name, (SELECT group_concat(role) FROM account_role WHERE account = name),"
            " desk, disabled, created_utc_ms, language FROM account ORDER BY name"
        )
        return tuple(
            Account(
                name, roles_of(roles), desk, bool(disabled), created, language or self._language
            )
            for name, roles, desk, disabled, created, language in rows
        )

    def disable(self, name: str, *, by: str) -> None:
        """End the account's sessions and let it log in no more.

        Raises:
            NotFoundError: there is no such account.
            LineStateError: it is the last administrator that is not disabled.
        """
        with self.file.write() as db:
            self._known(db, name)
            others = _one(
                db,
                "SELECT count(*) FROM account JOIN account_role ON account = name"
                " WHERE role = ? AND NOT disabled AND name <> ?",
                Role.ADMINISTRATOR.value,
                name,
            )
            is_administrator = _one(
                db,
                "SELECT 1 FROM account_role WHERE account = ? AND role = ?",
                name,
                Role.ADMINISTRATOR.value,
            )
            if is_administrator and not others:
                raise LineStateError(
                    "this is the last administrator",
                    given=name,
                    remedy="add another administrator first",
                )
            db.execute("UPDATE account SET disabled = 1 WHERE name = ?", (name,))
            db.execute("DELETE FROM session WHERE account = ?", (name,))
            self.file.note(db, name, "account disabled", by)

    def enable(self, name: str, *, by: str) -> None:
        """Let a disabled account log in again.

        Raises:
            NotFoundError: there is no such account.
        """
        with self.file.write() as db:
            self.put_enabled(db, name, by=by)

    def put_enabled(self, db: apsw.Connection, name: str, *, by: str) -> None:
        """Do as :meth:`enable` within a change."""
        self._known(db, name)
        db.execute("UPDATE account SET disabled = 0 WHERE name = ?", (name,))
        self.file.note(db, name, "account enabled", by)

    def set_password(self, name: str, password: str, *, by: str) -> None:
        """Give the account another password and end its sessions.

        Raises:
            NotFoundError: there is no such account.
            InvalidInputError: the password breaks a rule.
        """
        hashed = self.hashed(name, password)
        with self.file.write() as db:
            self.put_password(db, name, hashed, by=by)

    def put_password(self, db: apsw.Connection, name: str, hashed: bytes, *, by: str) -> None:
        """Do as :meth:`set_password` within a change, with a password that is hashed."""
        self._known(db, name)
        db.execute("UPDATE account SET password = ? WHERE name = ?", (hashed, name))
        db.execute("DELETE FROM session WHERE account = ?", (name,))
        db.execute("DELETE FROM failure WHERE account = ?", (name,))
        self.file.note(db, name, "password changed", by)

    def change_password(self, name: str, old: str, new: str) -> None:
        """Give an account another password at its own wish, and end its sessions.

        Raises:
            NotAuthenticatedError: the old password is wrong; counted as :meth:`log_in` does.
            InvalidInputError: the new password breaks a rule.
        """
        check_password_rules(new, account=name)
        self._prove(name, old)
        self.set_password(name, new, by=name)

    def set_language(self, name: str, language: str | None, *, by: str) -> None:
        """Let an account be told things in this language; None for the node's.

        Raises:
            InvalidInputError: nothing here speaks it.
            NotFoundError: there is no such account.
        """
        if language is not None and language not in LANGUAGES:
            raise InvalidInputError(
                "this is no language of deconflict",
                given=ascii(language[:20]),
                expected="one of " + ", ".join(LANGUAGES),
            )
        with self.file.write() as db:
            self._known(db, name)
            db.execute("UPDATE account SET language = ? WHERE name = ?", (language, name))
            self.file.note(db, name, f"language: {language or 'of the node'}", by)

    # -- coming on watch ------------------------------------------------------------------

    def log_in(self, name: str, password: str, *, browser: bool = False) -> Session:
        """Return a new session for the right name and password.

        Takes tens of milliseconds and 32 MiB, one at a time: call it in a thread.

        Args:
            name: of the account.
            password: its own.
            browser: True for a session that is proven by two secrets, see :mod:`sessions`.

        Raises:
            NotAuthenticatedError: name or password are wrong, or the account is disabled; the
                error does not say which.
            TooManyAttemptsError: too many wrong ones; the password was not looked at.
        """
        proven = self._prove(name, password)
        with self.file.write() as db:
            # Disabled, or given another password, while the old one was being looked at.
            held: Any = db.execute(
                "SELECT password FROM account WHERE name = ? AND NOT disabled", (name,)
            ).fetchone()
            if held is None or held[0] != proven:
                self._wrong()
            self._forget_failures(db, name)
            return self.sessions.put(db, name, event="login", by=name, browser=browser)

    def prove(self, name: str, password: str) -> Actor:
        """Return whose name and password these are; no session is opened.

        Raises:
            NotAuthenticatedError, TooManyAttemptsError: as :meth:`log_in`.
        """
        self._prove(name, password)
        with self.file.write() as db:
            db.execute("DELETE FROM failure WHERE account = ?", (name,))
        account = next(each for each in self.list() if each.name == name)
        return Actor(name, account.roles, account.desk, account.language)

    def issue(self, name: str, *, by: str) -> Session:
        """Return a new session without a password, for whoever may read this file anyway.

        Raises:
            NotFoundError: there is no such account, or it is disabled.
        """
        with self.file.write() as db:
            self._forget_failures(db, name)
            return self.sessions.put(db, name, event="token issued", by=by)

    def authenticate(self, proof: str) -> Actor:
        """Return whose session this is; raises as :meth:`Sessions.authenticate`."""
        return self.sessions.authenticate(proof)

    def log_out(self, proof: str) -> None:
        """End a session; nothing happens if it has ended already."""
        self.sessions.log_out(proof)

    def trail(self, *, before: int | None = None, limit: int = 200) -> tuple[TrailEntry, ...]:
        """Return what happened to accounts, newest first, below entry ``before``."""
        rows = self.file.read(
            "SELECT entry_id, at_utc_ms, account, event, by FROM trail"
            " WHERE entry_id < ? ORDER BY entry_id DESC LIMIT ?",
            2**62 if before is None else before,
            limit,
        )
        return tuple(TrailEntry(*row) for row in rows)

    # -- inside ---------------------------------------------------------------------------

    def _hash(self, password: str) -> bytes:
        with self._hash_lock:
            return hash_password(password)

    def _prove(self, name: str, password: str) -> bytes:
        """Return the stored form of the account's password when this is the password."""
        # Counted as wrong before it is looked at: guesses sent at once, also to another process,
        # then cannot share one attempt.
        refused_for_s = self._count_attempt(name)
        if refused_for_s:
            raise TooManyAttemptsError("too many wrong passwords", retry_after_s=refused_for_s)
        rows = self.file.read("SELECT password FROM account WHERE name = ? AND NOT disabled", name)
        stored: bytes = rows[0][0] if rows else NOBODYS_PASSWORD
        with self._hash_lock:
            matches = password_matches(stored, password)
        if not matches or not rows:
            with self.file.write() as db:
                self.file.note(db, _shown(name), "login refused", "")
            self._wrong()
        return stored

    @staticmethod
    def _wrong() -> NoReturn:
        raise NotAuthenticatedError(
            "account name or password is wrong", remedy="check both, then try again"
        )

    def _count_attempt(self, name: str) -> int:
        """Count an attempt and return 0, or return the seconds it has to wait, uncounted."""
        now = self._now()
        with self.file.write() as db:
            row = db.execute(
                "SELECT count, last_utc_ms FROM failure WHERE account = ?", (_shown(name),)
            ).fetchone()
            count: int
            last: int
            count, last = row or (0, now)
            if count >= FREE_ATTEMPTS:
                wait_ms: int = 1000 * min(2 ** min(count - FREE_ATTEMPTS, 16), LONGEST_WAIT_S)
                # A clock that was set back must not lengthen the wait.
                left_ms = min(last + wait_ms - now, wait_ms)
                if left_ms > 0:
                    return -(-left_ms // 1000)
            db.execute(
                "INSERT OR REPLACE INTO failure VALUES (?, ?, ?)", (_shown(name), count + 1, now)
            )
        return 0

    def _forget_failures(self, db: apsw.Connection, name: str) -> None:
        db.execute("DELETE FROM failure WHERE account = ?", (name,))
        self._prune(db)

    def _prune(self, db: apsw.Connection) -> None:
        # A guesser with many names may not fill the disk; what was granted or changed stays.
        db.execute(
            "DELETE FROM trail WHERE event = 'login refused'"
            " AND entry_id <= (SELECT max(entry_id) FROM trail) - ?",
            (KEPT_REFUSALS,),
        )
        db.execute(
            "DELETE FROM failure WHERE account NOT IN"
            " (SELECT account FROM failure ORDER BY last_utc_ms DESC LIMIT ?)",
            (KEPT_FAILURES,),
        )

    @staticmethod
    def _known(db: apsw.Connection, name: str) -> None:
        if not _one(db, "SELECT 1 FROM account WHERE name = ?", name):
            raise NotFoundError("there is no such account", given=name[:40])


def _one(db: apsw.Connection, sql: str, *values: object) -> Any:
    row = db.execute(sql, values).fetchone()
    return row[0] if row else None


def _shown(name: str) -> str:
    # What was typed as a name may have been a password typed one field too early.
    return name if _NAME.fullmatch(name) else "(not a name)"
