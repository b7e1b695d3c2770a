"""The SQLite file itself: made private, opened alone, migrated, examined; its errors as ours."""

import os
import stat
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

import apsw

from deconflict.errors import (
    ConfigurationError,
    StoreBrokenError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreInUseError,
    StoreSlotTakenError,
    StoreVersionError,
)

__all__ = [
    "check_container",
    "configure",
    "migrate",
    "migrations",
    "prepare_file",
    "require_safe_sqlite",
    "translated",
]

APPLICATION_ID: Final = 0x6463666C  # "dcfl" in the file's header: a record of ours
OLDEST_SAFE_SQLITE: Final = (3, 51, 3)  # the WAL-reset bug is fixed here, sqlite.org/wal.html
OWNER_ONLY: Final = 0o600


def require_safe_sqlite(version: str) -> None:
    """Raise unless this SQLite keeps what it commits.

    Raises:
        ConfigurationError: the version is below 3.51.3, whose predecessors may lose commits when
            the write-ahead log is reset.

    >>> require_safe_sqlite("3.54.1")
    """
    if tuple(int(part) for part in version.split(".")) < OLDEST_SAFE_SQLITE:
        raise ConfigurationError(
            "this SQLite may lose commits (WAL-reset bug)",
            given=f"SQLite {version}",
            expected="3.51.3 or newer",
            remedy="install apsw 3.54.1 or newer from its wheel, which brings its own SQLite",
        )


def prepare_file(path: Path, *, create: bool) -> None:
    """Make the file new and private, or require that it is there and make it private.

    Raises:
        StoreError: it exists and should not, is missing and should not be, or is out of reach.
    """
    try:
        if create:
            # Private from its first moment; SQLite gives its write-ahead log the same mode.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))
        elif stat.S_IMODE(path.stat().st_mode) != OWNER_ONLY:
            path.chmod(OWNER_ONLY)
    except FileExistsError as error:
        raise StoreError(
            "a record exists here already",
            given=str(path),
            expected="no such file",
            remedy="open it, or move it away: a record is never overwritten",
        ) from error
    except FileNotFoundError as error:
        raise StoreError(
            "the record or its folder is missing",
            given=str(path),
            expected="an existing folder" if create else "an existing record",
            remedy="restore it: a node that starts from an empty record could sign a second"
            " message for a slot it has used",
        ) from error
    except OSError as error:
        raise StoreError(
            f"the record cannot be reached: {error.strerror}",
            given=str(path),
            expected="a file this account owns",
            remedy="check the owner and mode of the file and its folder",
        ) from error


def configure(connection: apsw.Connection) -> None:
    """Take the file alone and set how it is written.

    Raises:
        apsw.Error: it is held by another, or not a database.
    """
    connection.set_busy_timeout(0)  # whoever comes second is told at once
    for pragma, value in (
        ("locking_mode", "EXCLUSIVE"),
        ("journal_mode", "WAL"),
        ("synchronous", "FULL"),
        ("fullfsync", "ON"),  # macOS: fsync alone does not reach the platter
        ("checkpoint_fullfsync", "ON"),
        ("foreign_keys", "ON"),
        ("trusted_schema", "OFF"),
        ("cell_size_check", "ON"),
    ):
        connection.pragma(pragma, value)
    # The exclusive lock is taken by the first transaction and kept until the connection closes.
    connection.execute("BEGIN IMMEDIATE; COMMIT")


def migrations() -> tuple[str, ...]:
    """The scripts that lead from an empty file to this version's schema, in order."""
    folder = resources.files("deconflict.store") / "migrations"
    scripts = sorted(
        (item for item in folder.iterdir() if item.name.endswith(".sql")), key=lambda i: i.name
    )
    return tuple(script.read_text(encoding="utf-8") for script in scripts)


def migrate(connection: apsw.Connection, name: str, scripts: Sequence[str], *, new: bool) -> None:
    """Bring the schema up to date, each step in one transaction with its number.

    Raises:
        StoreVersionError: the file has more steps behind it than there are scripts.
        StoreDamagedError: the file is no record of ours.
        apsw.Error: a script failed; the schema stands as the step before left it.
    """
    version = connection.pragma("user_version")
    if not new and connection.pragma("application_id") != APPLICATION_ID:
        raise StoreDamagedError(
            "this file is no deconflict record, or its header is damaged",
            given=name,
            remedy="give the right file; if making it was interrupted and it was never used,"
            " delete it and make it again",
        )
    if version > len(scripts):
        raise StoreVersionError(
            "the record was written by a newer deconflict",
            given=f"schema {version} in {name}",
            expected=f"schema {len(scripts)} or older",
            remedy="start the newer version again",
        )
    for number, script in enumerate(scripts[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(script)
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", number)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def check_container(connection: apsw.Connection, name: str, scripts: Sequence[str]) -> None:
    """Raise `StoreDamagedError` if pages, indexes, the schema or whole rows are lost or changed.

    Args:
        connection: on the file.
        name: the file, for the error.
        scripts: the migrations that made its schema.
    """

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    faults = [str(fault) for (fault,) in rows("PRAGMA integrity_check") if fault != "ok"]
    faults += [f"{row[0]} refers to a missing {row[2]}" for row in rows("PRAGMA foreign_key_check")]
    pristine = apsw.Connection(":memory:")
    try:
        migrate(pristine, ":memory:", scripts, new=True)
        schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
        if rows(schema) != pristine.execute(schema).fetchall():
            faults.append("the schema is not the one that was made")
    finally:
        pristine.close()
    for table, key in (
        ("lines", "position"),
        ("terms", "position"),
        ("chains", "chain_id"),
        ("entries", "position"),
        ("receipts", "position"),
        ("checkpoints", "position"),
        ("evidence", "position"),
        ("events", "event_id"),
    ):
        # Numbers are given from 1 and nothing is ever deleted. SQLite keeps the highest apart.
        ((count, lowest, highest, given),) = rows(
            f"SELECT count(*), min({key}), max({key}), (SELECT max(seq) FROM sqlite_sequence"  # noqa: S608 (names from the list above)
            f" WHERE name = '{table}') FROM {table}"
        )
        if (count, lowest, highest) != ((given, 1, given) if given else (0, None, None)):
            faults.append(f"{table}: {given or 0} rows were written, {count} are there")
    if faults:
        raise StoreDamagedError(
            f"the record {name} is damaged: {'; '.join(faults[:5])}",
            remedy="stop the node, keep the file as it is, and restore a verified copy",
        )


def translated(error: apsw.Error, name: str) -> StoreError:
    """Return SQLite's error as the leaf of our tree that says what to do about it."""
    words = f"{type(error).__name__}: {error}"
    if isinstance(error, apsw.ConstraintError):
        if getattr(error, "extendedresult", 0) in (
            apsw.SQLITE_CONSTRAINT_UNIQUE,
            apsw.SQLITE_CONSTRAINT_PRIMARYKEY,
            apsw.SQLITE_CONSTRAINT_ROWID,
        ):
            return StoreSlotTakenError(
                f"the record holds something else under this name: {words}",
                remedy="nothing was written; look at what is stored before asking again",
            )
        return StoreError(f"the record refuses this row: {words}", remedy="nothing was written")
    if isinstance(error, apsw.FullError):
        return StoreFullError(
            f"there is no room for the record {name}",
            remedy="free disk space; nothing of this batch was written",
        )
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return StoreInUseError(
            f"another process holds the record {name}",
            remedy="stop the other deconflict (or SQLite shell) that has it open",
        )
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return StoreDamagedError(
            f"the record {name} is damaged: {words}",
            remedy="keep the file as it is, and restore a verified copy",
        )
    return StoreBrokenError(
        f"reading or writing the record {name} failed: {words}",
        remedy="check the disk, start again: the record is verified before anything is sent",
    )
