"""What a third witness must never forget: whom it cosigns for, and the last it cosigned of each.

One SQLite file of its own, no record of messages. A state replaces no other than the one it was
judged against, and never one that is larger: the statement that writes it says so, and so does the
schema, whatever the code above does. Several threads and processes may hold the file open at once
(`witness add-line` beside `witness serve`).

**What a crash leaves**: the state before or the state after, on the disk before anything is signed.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from deconflict.errors import (
    LineStateError,
    StoreBrokenError,
    StoreDamagedError,
    StoreFullError,
    StoreInUseError,
    StoreSlotTakenError,
)
from deconflict.line.checkpoint import Checkpoint, Origin
from deconflict.line.keys import VerifyKey
from deconflict.line.tree import TreeHead
from deconflict.line.witness import CosignedState
from deconflict.store.sqlite_file import prepare_file, require_safe_sqlite
from deconflict.store.sqlite_rows import row_check

__all__ = ["MOST_CHAINS", "MOST_CONTRADICTIONS", "Author", "Contradiction", "WitnessLedger"]

APPLICATION_ID: Final = 0x64636678  # "dcfx" in the file's header: the ledger of a witness
BUSY_MS: Final = 5_000
# Each epoch of a party is a chain of its own, and what is cosigned of it is kept for ever. A party
# opens one after each restore, so this lasts for ages; one that opens more fills its own room only.
MOST_CHAINS: Final = 1_000
MOST_CONTRADICTIONS: Final = 64  # of one chain: whoever forks by the thousand is shown by one

_SCHEMA: Final = """
CREATE TABLE authors (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    line_id TEXT NOT NULL,
    party TEXT NOT NULL,
    public BLOB NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 0),
    revokes INTEGER NOT NULL CHECK (revokes IN (0, 1)),
    added_utc_ms INTEGER NOT NULL,
    row_check BLOB NOT NULL,
    UNIQUE (line_id, party, public)
) STRICT;

-- One row a chain: the last state that was made durable, so that it could be cosigned.
CREATE TABLE chains (
    origin TEXT PRIMARY KEY NOT NULL,
    line_id TEXT NOT NULL,
    party TEXT NOT NULL,
    epoch TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 1),
    previous_size INTEGER NOT NULL CHECK (previous_size >= 0 AND previous_size < size),
    root BLOB NOT NULL,
    note BLOB NOT NULL,
    cosigned_utc_s INTEGER NOT NULL,
    row_check BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What an author signed and this witness refused, beside what it had cosigned then.
CREATE TABLE contradictions (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    origin TEXT NOT NULL,
    reason TEXT NOT NULL,
    note BLOB NOT NULL,
    note_sha256 TEXT NOT NULL,
    kept BLOB,
    at_utc_ms INTEGER NOT NULL,
    row_check BLOB NOT NULL,
    UNIQUE (origin, note_sha256)
) STRICT;

CREATE TRIGGER chains_begin BEFORE INSERT ON chains WHEN new.previous_size <> 0
BEGIN SELECT RAISE(ABORT, 'a chain begins with nothing cosigned'); END;

CREATE TRIGGER chains_grow BEFORE UPDATE ON chains
WHEN new.origin <> old.origin OR new.previous_size <> old.size OR new.size <= old.size
BEGIN SELECT RAISE(ABORT, 'what is cosigned only grows'); END;

CREATE TRIGGER chains_keep BEFORE DELETE ON chains
BEGIN SELECT RAISE(ABORT, 'what was cosigned is never forgotten'); END;

CREATE TRIGGER contradictions_keep BEFORE DELETE ON contradictions
BEGIN SELECT RAISE(ABORT, 'a contradiction is never deleted'); END;

CREATE TRIGGER contradictions_stand BEFORE UPDATE ON contradictions
BEGIN SELECT RAISE(ABORT, 'a contradiction is never changed'); END;
"""


class Author(msgspec.Struct, frozen=True):
    """One key under which one party speaks on one line.

    Attributes:
        line_id: the line.
        party: the party.
        public: the 32 bytes of the key.
        number: of the change that brought it; 0 for one that an invitation names.
        revokes: whether that change revoked the keys before it.
        added_utc_ms: when this witness was told of it.
    """

    line_id: str
    party: str
    public: bytes
    number: int
    revokes: bool
    added_utc_ms: int


class Contradiction(msgspec.Struct, frozen=True):
    """A checkpoint that was refused because it does not grow out of the one cosigned.

    Attributes:
        origin: the chain.
        reason: a short fixed word, the name of the error.
        note: the exact checkpoint, with its author's signature.
        kept: what was cosigned at that time; None for nothing.
        at_utc_ms: when it came.
    """

    origin: str
    reason: str
    note: bytes
    kept: bytes | None
    at_utc_ms: int


class WitnessLedger:
    """The durable state of a third witness. Every method may be called from any thread.

    Make one with :meth:`open`.
    """

    def __init__(self, connection: apsw.Connection, name: str) -> None:
        self._db = connection
        self._name = name
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, create: bool = False) -> "WitnessLedger":
        """Return the ledger in this file.

        Raises:
            ConfigurationError: this SQLite may lose commits.
            StoreError: it is not there, or there already, or cannot be used.
            StoreDamagedError: it is no ledger, or damaged.
        """
        require_safe_sqlite(apsw.sqlite_lib_version())
        prepare_file(path, create=create)
        with _translated(str(path)):
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        ledger = cls(connection, str(path))
        try:
            with _translated(str(path)):
                connection.set_busy_timeout(BUSY_MS)
                if create:
                    _make(connection)
                ledger._require_sound()
                for pragma, value in (
                    ("synchronous", "FULL"),  # of each connection, not of the file
                    ("fullfsync", "ON"),
                    ("checkpoint_fullfsync", "ON"),
                    ("trusted_schema", "OFF"),
                    ("cell_size_check", "ON"),
                ):
                    connection.pragma(pragma, value)
        except BaseException:
            connection.close()
            raise
        return ledger

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def add_author(
        self,
        line_id: str,
        party: str,
        key: VerifyKey,
        *,
        number: int = 0,
        revokes: bool = False,
        now_utc_ms: int,
    ) -> bool:
        """Take a key for whose checkpoints of a line this witness is willing to cosign.

        Args:
            line_id: the line.
            party: whose key.
            key: it.
            number: of the change that brought it; 0 for one that an invitation names.
            revokes: whether that change revokes: nothing under a key before it is cosigned any
                more, from the moment this returns, also when such a key is given again.
            now_utc_ms: now.

        Returns:
            True exactly when this was not known before.
        """
        with _translated(self._name), self._transaction() as db:
            found = db.execute(
                "SELECT number, revokes FROM authors"
                " WHERE line_id = ? AND party = ? AND public = ?",
                (line_id, party, key.public),
            ).fetchone()
            # A key keeps what is known of it: its invitation, given again, says less than its
            # change said.
            if found is not None and (number, revokes) <= (found[0], bool(found[1])):
                return False
            columns = (line_id, party, key.public, number, int(revokes), now_utc_ms)
            db.execute(
                "INSERT INTO authors (line_id, party, public, number, revokes, added_utc_ms,"
                " row_check) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (line_id, party, public) DO UPDATE SET number = excluded.number,"
                " revokes = excluded.revokes, added_utc_ms = excluded.added_utc_ms,"
                " row_check = excluded.row_check",
                (*columns, row_check(*columns)),
            )
        return True

    def authors(self) -> tuple[Author, ...]:
        """Every key ever taken, in the order added, revoked ones too."""
        return tuple(_author(row) for row in self._rows(f"{_AUTHORS} ORDER BY position"))

    def keys_of(self, line_id: str, party: str) -> dict[str, VerifyKey]:
        """The keys of a party on a line by key id, without those that a later one revoked.

        Empty for a line that is not known here.
        """
        rows = self._rows(
            f"{_AUTHORS} WHERE line_id = ? AND party = ? ORDER BY position", (line_id, party)
        )
        found = [_author(row) for row in rows]
        least = max((each.number for each in found if each.revokes), default=0)
        keys = [VerifyKey(each.public) for each in found if each.number >= least]
        return {key.key_id: key for key in keys}

    def kept(self, origin: Origin) -> CosignedState | None:
        """What was made durable last of a chain, None before the first."""
        found = self._rows(_CHAINS + " WHERE origin = ?", (origin.name,))
        return _state(found[0]) if found else None

    def chains(self) -> tuple[CosignedState, ...]:
        """The last state of every chain."""
        found = self._rows(_CHAINS + " ORDER BY line_id, party, origin")
        return tuple(_state(row) for row in found)

    def keep(self, state: CosignedState) -> None:
        """Make a judged state durable in the place of the one it was judged against.

        Raises:
            StoreSlotTakenError: another one is kept by now; nothing was written.
            LineStateError: this author has opened too many epochs; nothing was written.
            StoreBrokenError: whether it is durable is not known; nothing may be signed.
        """
        origin = state.checkpoint.origin
        columns = (
            origin.name,
            origin.line,
            origin.party,
            origin.epoch,
            state.head.size,
            state.previous_size,
            state.head.root,
            state.note,
            state.time_s,
        )
        with _translated(self._name), self._transaction() as db:
            count: Any = db.execute(
                "SELECT count(*) FROM chains WHERE line_id = ? AND party = ?", columns[1:3]
            ).get
            if state.previous_size == 0:
                if count >= MOST_CHAINS:
                    raise LineStateError(
                        f"{origin.party} has opened more epochs than this witness keeps",
                        given=f"{count}, line {origin.line}",
                        expected=f"at most {MOST_CHAINS}",
                        remedy="ask that party why; a new witness begins anew",
                    )
                db.execute(
                    "INSERT INTO chains (origin, line_id, party, epoch, size, previous_size, root,"
                    " note, cosigned_utc_s, row_check) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (origin) DO NOTHING",
                    (*columns, row_check(*columns)),
                )
            else:
                # Compare and swap in one statement: who was judged against another state than
                # stands here changes no row.
                db.execute(
                    "UPDATE chains SET size = ?, previous_size = ?, root = ?, note = ?,"
                    " cosigned_utc_s = ?, row_check = ? WHERE origin = ? AND size = ?",
                    (*columns[4:], row_check(*columns), origin.name, state.previous_size),
                )
            if db.changes() != 1:
                raise StoreSlotTakenError(
                    "another checkpoint of this chain came in between",
                    given=f"size {state.head.size} after {state.previous_size}",
                    remedy="judge it again against the one that is kept",
                )

    def contradicted(self, found: Contradiction) -> None:
        """Keep what an author signed and this witness refused; the same again changes nothing."""
        digest = hashlib.sha256(found.note).hexdigest()
        columns = (found.origin, found.reason, found.note, digest, found.kept, found.at_utc_ms)
        with _translated(self._name), self._transaction() as db:
            count: Any
            same: Any
            count, same = db.execute(
                "SELECT count(*), coalesce(sum(note_sha256 = ?), 0) FROM contradictions"
                " WHERE origin = ?",
                (digest, found.origin),
            ).get
            if same or count >= MOST_CONTRADICTIONS:
                return
            db.execute(
                "INSERT INTO contradictions (origin, reason, note, note_sha256, kept, at_utc_ms,"
                " row_check) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*columns, row_check(*columns)),
            )

    def contradictions(self) -> tuple[Contradiction, ...]:
        """Everything that was refused because it contradicts, in the order it came."""
        found = self._rows(
            "SELECT origin, reason, note, note_sha256, kept, at_utc_ms, row_check"
            " FROM contradictions ORDER BY position"
        )
        return tuple(Contradiction(*row[:3], *row[4:]) for row in found)

    def _rows(self, sql: str, bindings: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock, _translated(self._name):
            rows: list[tuple[Any, ...]] = self._db.execute(sql, bindings).fetchall()
        for row in rows:
            if row_check(*row[:-1]) != row[-1]:
                raise StoreDamagedError(
                    f"the ledger of the witness is damaged: a row of {row[0]} has changed",
                    given=self._name,
                    remedy=_NEVER_RESTORE,
                )
        return [row[:-1] for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _require_sound(self) -> None:
        db = self._db
        faults = [str(found) for (found,) in db.execute("PRAGMA integrity_check") if found != "ok"]
        if db.pragma("application_id") != APPLICATION_ID:
            faults.append("it is not the ledger of a witness")
        if faults:
            raise StoreDamagedError(
                f"the ledger of the witness is damaged: {'; '.join(faults[:3])}",
                given=self._name,
                remedy=_NEVER_RESTORE,
            )


_NEVER_RESTORE: Final = (
    "keep the file; do not put an old copy in its place, which would cosign what contradicts:"
    " make a new witness with a new key"
)
_AUTHORS: Final = (
    "SELECT line_id, party, public, number, revokes, added_utc_ms, row_check FROM authors"
)
_CHAINS: Final = (
    "SELECT origin, line_id, party, epoch, size, previous_size, root, note, cosigned_utc_s,"
    " row_check FROM chains"
)


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StoreInUseError(
            "another process writes the ledger of the witness all the time",
            given=name,
            remedy="end it, or try again",
        ) from error
    except apsw.FullError as error:
        raise StoreFullError(
            "there is no room for the ledger of the witness",
            given=name,
            remedy="free disk space; nothing was cosigned",
        ) from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise StoreDamagedError(
            f"the ledger of the witness is damaged: {type(error).__name__}",
            given=name,
            remedy=_NEVER_RESTORE,
        ) from error
    except apsw.Error as error:
        raise StoreBrokenError(
            f"reading or writing the ledger failed: {type(error).__name__}: {error}",
            given=name,
            remedy="check the disk, then start the witness again",
        ) from error


def _make(connection: apsw.Connection) -> None:
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "FULL")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_SCHEMA)
    connection.pragma("application_id", APPLICATION_ID)
    connection.execute("COMMIT")


def _author(row: tuple[Any, ...]) -> Author:
    line_id, party, public, number, revokes, added_utc_ms = row
    return Author(line_id, party, public, number, bool(revokes), added_utc_ms)


def _state(row: tuple[Any, ...]) -> CosignedState:
    _, line_id, party, epoch, size, previous_size, root, note, time_s = row
    checkpoint = Checkpoint(Origin(line_id, party, epoch), TreeHead(size, root))
    return CosignedState(checkpoint, note, time_s, previous_size)
