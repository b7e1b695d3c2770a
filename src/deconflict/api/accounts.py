"""The operators' accounts, their sessions and the trail of both, in a file of its own.

Accounts are kept apart from the evidence: who was on watch is not the peer's business. The node
and the command line may hold the file at once. Tokens and passwords are stored as hashes only.
"""

import hashlib
import re
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import apsw
import msgspec

from deconflict.api.accounts_file import (
    Transaction,
    change_stamp,
    connect,
    make_private,
    migrate,
)
from deconflict.api.passwords import (
    NOBODYS_PASSWORD,
    check_password_rules,
    hash_password,
    password_matches,
)
from deconflict.errors import (
    InvalidInputError,
    LineStateError,
    NotAuthenticatedError,
    NotFoundError,
    TooManyAttemptsError,
)
from deconflict.node.actor import Actor, Role, parse_roles

__all__ = ["Account", "Accounts", "NewAccount", "Session", "TrailEntry"]

SESSION_MS: Final = 12 * 3600 * 1000  # a session ends with the watch
FREE_ATTEMPTS: Final = 5
# The wait doubles with each wrong password, to a minute and no further: a guesser gets 1,440
# attempts a day, which a password by the rules survives, and cannot shut a desk out for an hour.
LONGEST_WAIT_S: Final = 60
KEPT_REFUSALS: Final = 100_000
KEPT_FAILURES: Final = 10_000

# A token that was good a moment ago is good while nobody has changed the file. Times of files are
# coarse, so it is looked up again after a second whatever they say.
_SEEN_MS: Final = 1_000
_MOST_SEEN: Final = 1_024
_CLOCKS_APART_MS: Final = 60_000  # a session may begin so much later than now: clocks are slewed
_FOR_EVER_MS: Final = 2**52

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
_DESK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Account:
    """An account as others may see it."""

    name: str
    roles: frozenset[Role]
    desk: str
    disabled: bool
    created_utc_ms: int


@dataclass(frozen=True, slots=True)
class Session:
    """A login that was granted; the token is shown here once and stored nowhere in clear."""

    token: str
    expires_utc_ms: int
    actor: Actor

    def __repr__(self) -> str:
        return f"Session(account={self.actor.account!r}, expires_utc_ms={self.expires_utc_ms})"


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One thing that happened to an account: login, refusal, change, and by whom."""

    entry_id: int
    at_utc_ms: int
    account: str
    event: str
    by: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """A token that was looked up a moment ago, and how the file stood then."""

    actor: Actor
    stamp: tuple[int, int]
    at_utc_ms: int
    until_utc_ms: int

    def holds(self, stamp: tuple[int, int], now: int) -> bool:
        return self.stamp == stamp and self.at_utc_ms <= now < self.until_utc_ms


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
        monotonic_ms: Callable[[], int] = _monotonic_ms,
    ) -> None:
        self._path = path
        self._monotonic_ms = monotonic_ms
        # When each session seen here ends, whatever is made of the other clock meanwhile.
        self._ends_ms: dict[bytes, int] = {}
        self._seen: dict[bytes, _Seen] = {}
        self._now = now
        self._random_bytes = random_bytes
        make_private(path)
        # Two connections: who asks for a token never waits for a writer, here or in another
        # process (WAL), so the node may look tokens up between two packets.
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._hash_lock = threading.Lock()
        self._writer = connect(path)
        with self._write() as db:
            migrate(db)
        self._reader = connect(path)

    def close(self) -> None:
        """Close the file; sessions stay valid."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()

    # -- accounts -------------------------------------------------------------------------

    def add(self, name: str, password: str, *, roles: Iterable[str], desk: str, by: str) -> Account:
        """Make an account.

        Raises:
            InvalidInputError: the name, desk, roles or password break a rule, or the name is taken.
        """
        new = self.prepare(name, password, roles=roles, desk=desk)
        with self._write() as db:
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
            "INSERT INTO account VALUES (?, ?, ?, 0, ?)", (new.name, new.desk, new.password, now)
        )
        for role in new.roles:
            db.execute("INSERT INTO account_role VALUES (?, ?)", (new.name, role))
        self.note(db, new.name, "account added: " + ", ".join(new.roles), by)
        return Account(
            new.name, parse_roles(new.roles), new.desk, disabled=False, created_utc_ms=now
        )

    def hashed(self, name: str, password: str) -> bytes:
        """Return the stored form of a new password; raises InvalidInputError for a weak one."""
        check_password_rules(password, account=name)
        return self._hash(password)

    def list(self) -> tuple[Account, ...]:
        """Return all accounts by name."""
        with self._read_lock:
            rows: list[Any] = self._reader.execute(
                "SELECT name, (SELECT group_concat(role) FROM account_role WHERE account = name),"
                " desk, disabled, created_utc_ms FROM account ORDER BY name"
            ).fetchall()
        return tuple(
            Account(name, _roles(roles), desk, bool(disabled), created)
            for name, roles, desk, disabled, created in rows
        )

    def disable(self, name: str, *, by: str) -> None:
        """End the account's sessions and let it log in no more.

        Raises:
            NotFoundError: there is no such account.
            LineStateError: it is the last administrator that is not disabled.
        """
        with self._write() as db:
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
            self.note(db, name, "account disabled", by)

    def enable(self, name: str, *, by: str) -> None:
        """Let a disabled account log in again.

        Raises:
            NotFoundError: there is no such account.
        """
        with self._write() as db:
            self.put_enabled(db, name, by=by)

    def put_enabled(self, db: apsw.Connection, name: str, *, by: str) -> None:
        """Do as :meth:`enable` within a change."""
        self._known(db, name)
        db.execute("UPDATE account SET disabled = 0 WHERE name = ?", (name,))
        self.note(db, name, "account enabled", by)

    def set_password(self, name: str, password: str, *, by: str) -> None:
        """Give the account another password and end its sessions.

        Raises:
            NotFoundError: there is no such account.
            InvalidInputError: the password breaks a rule.
        """
        hashed = self.hashed(name, password)
        with self._write() as db:
            self.put_password(db, name, hashed, by=by)

    def put_password(self, db: apsw.Connection, name: str, hashed: bytes, *, by: str) -> None:
        """Do as :meth:`set_password` within a change, with a password that is hashed."""
        self._known(db, name)
        db.execute("UPDATE account SET password = ? WHERE name = ?", (hashed, name))
        db.execute("DELETE FROM session WHERE account = ?", (name,))
        db.execute("DELETE FROM failure WHERE account = ?", (name,))
        self.note(db, name, "password changed", by)

    def change_password(self, name: str, old: str, new: str) -> None:
        """Give an account another password at its own wish, and end its sessions.

        Raises:
            NotAuthenticatedError: the old password is wrong; counted as :meth:`log_in` does.
            InvalidInputError: the new password breaks a rule.
        """
        check_password_rules(new, account=name)
        self._prove(name, old)
        self.set_password(name, new, by=name)

    # -- sessions -------------------------------------------------------------------------

    def log_in(self, name: str, password: str) -> Session:
        """Return a new session for the right name and password.

        Takes tens of milliseconds and 32 MiB, one at a time: call it in a thread.

        Raises:
            NotAuthenticatedError: name or password are wrong, or the account is disabled; the
                error does not say which.
            TooManyAttemptsError: too many wrong ones; the password was not looked at.
        """
        return self._open_session(name, event="login", by=name, proven=self._prove(name, password))

    def prove(self, name: str, password: str) -> Actor:
        """Return whose name and password these are; no session is opened.

        Raises:
            NotAuthenticatedError, TooManyAttemptsError: as :meth:`log_in`.
        """
        self._prove(name, password)
        with self._write() as db:
            db.execute("DELETE FROM failure WHERE account = ?", (name,))
        account = next(each for each in self.list() if each.name == name)
        return Actor(name, account.roles, account.desk)

    def issue(self, name: str, *, by: str) -> Session:
        """Return a new session without a password, for whoever may read this file anyway.

        Raises:
            NotFoundError: there is no such account, or it is disabled.
        """
        return self._open_session(name, event="token issued", by=by, proven=None)

    def authenticate(self, token: str) -> Actor:
        """Return who holds this token.

        A session ends when either clock says so: setting the UTC clock back prolongs none. One that
        this process did not begin is given what the UTC clock leaves of it, and none is believed
        that would begin only later.

        Raises:
            NotAuthenticatedError: the token is unknown, ended or expired, or its account disabled.
        """
        if _TOKEN.fullmatch(token):
            digest, now, stamp = _digest(token), self._now(), change_stamp(self._path)
            held = self._seen.get(digest)
            if self._is_over(digest):
                self._seen.pop(digest, None)
                with self._write() as db:
                    db.execute("DELETE FROM session WHERE token_sha256 = ?", (digest,))
            elif held is not None and held.holds(stamp, now):
                return held.actor
            known = digest in self._ends_ms
            most_ms = _FOR_EVER_MS if known else SESSION_MS + _CLOCKS_APART_MS
            with self._read_lock:
                row = self._reader.execute(
                    "SELECT name, desk,"
                    " (SELECT group_concat(role) FROM account_role WHERE account = name),"
                    " expires_utc_ms"
                    " FROM session JOIN account ON name = session.account"
                    " WHERE token_sha256 = ? AND expires_utc_ms > ? AND expires_utc_ms <= ?"
                    " AND NOT disabled",
                    (digest, now, now + most_ms),
                ).fetchone()
            self._seen.pop(digest, None)
            if row:
                name, desk, roles, expires_utc_ms = row
                self._begins(digest, expires_utc_ms - now)
                actor = Actor(name, _roles(roles), desk)
                if len(self._seen) >= _MOST_SEEN:
                    self._seen.clear()
                self._seen[digest] = _Seen(actor, stamp, now, min(now + _SEEN_MS, expires_utc_ms))
                return actor
        raise NotAuthenticatedError("this login is not valid or has expired", remedy="log in again")

    def log_out(self, token: str) -> None:
        """End the session of this token; nothing happens if it has ended already."""
        with self._write() as db:
            account = _one(
                db,
                "DELETE FROM session WHERE token_sha256 = ? RETURNING account",
                _digest(token),
            )
            if account:
                self.note(db, account, "logout", account)

    def trail(self, *, before: int | None = None, limit: int = 200) -> tuple[TrailEntry, ...]:
        """Return what happened to accounts, newest first, below entry ``before``."""
        with self._read_lock:
            rows: list[Any] = self._reader.execute(
                "SELECT entry_id, at_utc_ms, account, event, by FROM trail"
                " WHERE entry_id < ? ORDER BY entry_id DESC LIMIT ?",
                (2**62 if before is None else before, limit),
            ).fetchall()
        return tuple(TrailEntry(*row) for row in rows)

    # -- who waits to be let in (enrolments.py) ---------------------------------------------

    def enrolments(self) -> tuple[Any, ...]:
        """Return the rows of who waits to be let in, the oldest first."""
        with self._read_lock:
            rows: list[Any] = self._reader.execute(
                "SELECT enrolment_id, what, subject, data, by, at_utc_ms, expires_utc_ms"
                " FROM enrolment ORDER BY at_utc_ms, enrolment_id"
            ).fetchall()
        return tuple(rows)

    @contextmanager
    def changing(self) -> Iterator[apsw.Connection]:
        """Begin one durable change of the file, all of it or nothing."""
        with self._write() as db:
            yield db

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
        with self._read_lock:
            row = self._reader.execute(
                "SELECT password FROM account WHERE name = ? AND NOT disabled", (name,)
            ).fetchone()
        stored: bytes = row[0] if row else NOBODYS_PASSWORD
        with self._hash_lock:
            matches = password_matches(stored, password)
        if not matches or row is None:
            with self._write() as db:
                self.note(db, _shown(name), "login refused", "")
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
        with self._write() as db:
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

    def _open_session(self, name: str, *, event: str, by: str, proven: bytes | None) -> Session:
        token = urlsafe_b64encode(self._random_bytes(32)).rstrip(b"=").decode()
        now = self._now()
        with self._write() as db:
            row = db.execute(
                "SELECT desk, password,"
                " (SELECT group_concat(role) FROM account_role WHERE account = name)"
                " FROM account WHERE name = ? AND NOT disabled",
                (name,),
            ).fetchone()
            # Disabled, or given another password, while the old one was being looked at.
            if proven is not None and (row is None or row[1] != proven):
                self._wrong()
            if row is None:
                raise NotFoundError("there is no such account, or it is disabled", given=name[:40])
            db.execute("DELETE FROM session WHERE expires_utc_ms <= ?", (now,))
            db.execute(
                "INSERT INTO session VALUES (?, ?, ?, ?)",
                (_digest(token), name, now, now + SESSION_MS),
            )
            db.execute("DELETE FROM failure WHERE account = ?", (name,))
            self._prune(db)
            self.note(db, name, event, by)
        self._begins(_digest(token), SESSION_MS)
        return Session(token, now + SESSION_MS, Actor(name, _roles(row[2]), row[0]))

    def _begins(self, digest: bytes, left_ms: int) -> None:
        """Note for how long a session seen for the first time may last."""
        at_ms = self._monotonic_ms()
        if digest not in self._ends_ms:
            self._ends_ms[digest] = at_ms + min(left_ms, SESSION_MS)

    def _is_over(self, digest: bytes) -> bool:
        ends_ms = self._ends_ms.get(digest)
        return ends_ms is not None and self._monotonic_ms() >= ends_ms

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

    def note(self, db: apsw.Connection, account: str, event: str, by: str) -> None:
        """Write one line of the trail within a change."""
        db.execute(
            "INSERT INTO trail (at_utc_ms, account, event, by) VALUES (?, ?, ?, ?)",
            (self._now(), account, event, by),
        )

    @staticmethod
    def _known(db: apsw.Connection, name: str) -> None:
        if not _one(db, "SELECT 1 FROM account WHERE name = ?", name):
            raise NotFoundError("there is no such account", given=name[:40])

    @contextmanager
    def _write(self) -> Iterator[apsw.Connection]:
        with Transaction(self._writer, self._write_lock) as db:
            yield db
        self._seen.clear()


def _one(db: apsw.Connection, sql: str, *values: object) -> Any:
    row = db.execute(sql, values).fetchone()
    return row[0] if row else None


def _roles(joined: str | None) -> frozenset[Role]:
    return frozenset(Role(role) for role in (joined or "").split(",") if role)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _shown(name: str) -> str:
    # What was typed as a name may have been a password typed one field too early.
    return name if _NAME.fullmatch(name) else "(not a name)"
