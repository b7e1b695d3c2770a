"""The accounts file as a database: its tables, its privacy, one durable change at a time."""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from deconflict.errors import (
    ConfigurationError,
    DeconflictError,
    StoreDamagedError,
    StoreError,
    StoreInUseError,
    StoreVersionError,
)

__all__ = ["AccountsFile"]

_VERSION: Final = 3
_SCHEMA: Final = """
CREATE TABLE account (
    name TEXT PRIMARY KEY, desk TEXT NOT NULL, password BLOB NOT NULL,
    disabled INTEGER NOT NULL, created_utc_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE account_role (
    account TEXT NOT NULL REFERENCES account(name), role TEXT NOT NULL,
    PRIMARY KEY (account, role)
) STRICT, WITHOUT ROWID;
CREATE TABLE session (
    token_sha256 BLOB PRIMARY KEY, account TEXT NOT NULL REFERENCES account(name),
    created_utc_ms INTEGER NOT NULL, expires_utc_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_account ON session(account);
CREATE TABLE failure (
    account TEXT PRIMARY KEY, count INTEGER NOT NULL, last_utc_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE trail (
    entry_id INTEGER PRIMARY KEY, at_utc_ms INTEGER NOT NULL, account TEXT NOT NULL,
    event TEXT NOT NULL, by TEXT NOT NULL
) STRICT;
"""
# Of version 2: who waits for a second person to be let in.
_ENROLMENT: Final = """
CREATE TABLE enrolment (
    enrolment_id TEXT PRIMARY KEY, what TEXT NOT NULL, subject TEXT NOT NULL,
    data BLOB NOT NULL, by TEXT NOT NULL,
    at_utc_ms INTEGER NOT NULL, expires_utc_ms INTEGER NOT NULL
) STRICT;
"""
# Of version 3: languages, what became of a session, passkeys, and what tells this file from others.
_CONSOLE: Final = """
ALTER TABLE account ADD COLUMN language TEXT;
ALTER TABLE session ADD COLUMN signed_off_utc_ms INTEGER;
ALTER TABLE session ADD COLUMN taken_over_utc_ms INTEGER;
ALTER TABLE session ADD COLUMN passkey_id TEXT;
CREATE TABLE passkey (
    credential_id BLOB PRIMARY KEY, passkey_id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES account(name), name TEXT NOT NULL, rp_id TEXT NOT NULL,
    public_key BLOB NOT NULL, sign_count INTEGER NOT NULL, synced INTEGER NOT NULL,
    created_utc_ms INTEGER NOT NULL, used_utc_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX passkey_by_account ON passkey(account, name);
CREATE TABLE passkey_holder (
    account TEXT PRIMARY KEY REFERENCES account(name), user_handle BLOB NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
CREATE TABLE file_tag (tag TEXT NOT NULL) STRICT;
INSERT INTO file_tag VALUES (lower(hex(randomblob(4))));
"""


class AccountsFile:
    """The file as those use it who keep something in it; from any thread.

    Args:
        path: the file; made with mode 0600 if it is not there.
        now: the time in UTC milliseconds.

    Attributes:
        tag: eight hex digits drawn when the file was made, by which it is told from others.

    Raises:
        ConfigurationError: the file can be read or written by others.
        StoreVersionError: the file was written by a newer deconflict.
        StoreDamagedError: it is no accounts file.
    """

    def __init__(self, path: Path, *, now: Callable[[], int]) -> None:
        self._path = path
        self.now = now
        make_private(path)
        # Two connections: who asks for a token never waits for a writer, here or in another
        # process (WAL), so the node may look tokens up between two packets.
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._changes = 0
        self._writer = connect(path)
        with self.write() as db:
            migrate(db)
        self._reader = connect(path)
        self.tag: str = self.read("SELECT tag FROM file_tag")[0][0]

    def close(self) -> None:
        """Close the file."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()

    def stamp(self) -> tuple[int, int, int]:
        """Return what differs after a change by any process, if not made in the same clock tick.

        A change made here shows in any case.
        """
        return (*change_stamp(self._path), self._changes)

    def read(self, sql: str, *values: object) -> list[Any]:
        """Return the rows of one question."""
        with self._read_lock:
            return self._reader.execute(sql, values).fetchall()

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        """Begin one durable change, all of it or nothing."""
        with Transaction(self._writer, self._write_lock) as db:
            yield db
        self._changes += 1

    def note(self, db: apsw.Connection, account: str, event: str, by: str) -> None:
        """Write one line of the trail within a change."""
        db.execute(
            "INSERT INTO trail (at_utc_ms, account, event, by) VALUES (?, ?, ?, ?)",
            (self.now(), account, event, by),
        )


class Transaction:
    """One durable change, alone in this process and among all processes."""

    def __init__(self, db: apsw.Connection, lock: threading.Lock) -> None:
        self._db = db
        self._lock = lock

    def __enter__(self) -> apsw.Connection:
        self._lock.acquire()
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except apsw.Error as error:
            self._lock.release()
            raise _store_error(error) from error
        return self._db

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: Any
    ) -> None:
        try:
            if kind is None:
                self._db.execute("COMMIT")
                return
        except apsw.Error as failed:
            raise _store_error(failed) from failed
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._lock.release()
        if isinstance(error, apsw.Error):
            raise _store_error(error) from error


def _store_error(error: apsw.Error) -> DeconflictError:
    if isinstance(error, apsw.BusyError):
        return StoreInUseError("another process holds the accounts file", remedy="try again")
    if isinstance(error, apsw.NotADBError | apsw.CorruptError):
        return StoreDamagedError(
            "this is not an accounts file", remedy="put it aside and add the accounts anew"
        )
    return StoreError(
        "the accounts file cannot be written",
        given=type(error).__name__,
        remedy="look at the disk: is it full or read-only?",
    )


def make_private(path: Path) -> None:
    """Make the file for its owner alone, or refuse it if others may read or write it.

    Raises:
        ConfigurationError: it cannot be opened, is a link, or is open to others.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise ConfigurationError(
            "the accounts file cannot be opened", given=f"{path}: {error.strerror}"
        ) from error
    if mode & 0o077:
        raise ConfigurationError(
            "the accounts file is open to others",
            given=f"{path} has mode {mode:04o}",
            expected="mode 0600",
            remedy=f"chmod 600 {path}",
        )


def connect(path: Path) -> apsw.Connection:
    """Return a connection that shares the file with other processes.

    Raises:
        StoreDamagedError: it is no database.
        StoreInUseError: another process keeps it locked.
    """
    db = apsw.Connection(str(path))
    try:
        db.set_busy_timeout(5000)
        db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
    except apsw.Error as error:
        db.close()
        raise _store_error(error) from error
    return db


def change_stamp(path: Path) -> tuple[int, int]:
    """Return what differs after a change by any process, if not made in the same clock tick."""
    try:
        written = os.stat(f"{path}-wal")
    except OSError:
        return (0, 0)
    return (written.st_mtime_ns, written.st_size)


def migrate(db: apsw.Connection) -> None:
    """Make the tables that are missing, inside the caller's transaction.

    Raises:
        StoreVersionError: the file was written by a newer deconflict.
    """
    version = db.pragma("user_version")
    if version > _VERSION:
        raise StoreVersionError(
            "the accounts file was written by a newer deconflict",
            given=f"version {version}",
            expected=f"version {_VERSION}",
            remedy="use the newer deconflict",
        )
    for added in (_SCHEMA, _ENROLMENT, _CONSOLE)[version:]:
        db.execute(added)
    if version < _VERSION:
        db.pragma("user_version", _VERSION)
