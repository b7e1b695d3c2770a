"""The record in one SQLite file: apsw's own SQLite, write-ahead log, a flush for every commit.

One connection, held exclusively: no second process can even read the file while a node runs, so
no other SQLite (an old one has the WAL-reset bug) can checkpoint behind our back. Threads share
the connection under a lock.

**Why one failed write ends everything.** After a failed ``fsync`` Linux marks the pages clean: the
next ``fsync`` succeeds although the earlier pages never reached the disk (Rebello and others, "Can
Applications Recover from fsync Failures?", USENIX ATC 2020). SQLite would carry on. So after any
I/O error this object answers nothing but `StoreBrokenError`: no receipt can be built on a page
that is only in memory. Opening again replays the write-ahead log and flushes everything found in
it before a row is handed out.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import apsw
from msgspec import structs

from deconflict.errors import StoreBrokenError, StoreDamagedError, StoreError, StoreInUseError
from deconflict.store.base import (
    DELAYED_NOTE,
    Batch,
    CheckpointRow,
    EntryRow,
    EventRow,
    EvidenceRow,
    HeadRow,
    LineRow,
    NoteRow,
    ReceiptRow,
    TermsRow,
)
from deconflict.store.sqlite_file import (
    check_container,
    configure,
    migrate,
    migrations,
    prepare_file,
    require_safe_sqlite,
    translated,
)
from deconflict.store.sqlite_rows import (
    Heads,
    checkpoint_from,
    entries_from,
    event_from,
    evidence_from,
    line_from,
    note_from,
    receipt_from,
    require_events,
    terms_from,
    write_batch,
)

__all__ = ["SqliteStore"]

# 16 MB of write-ahead log. At SQLite's own 1,000 pages a busy node stopped for 15 to 25 ms at each
# second's end; pages written several times meanwhile are copied once.
CHECKPOINT_AT_PAGES: Final = 4_000
STATEMENTS_PREPARED: Final = 256  # those of many rows have a text for each of some lengths
CHAINS_REMEMBERED: Final = 1_024
REMEMBERED: Final = 2_048  # entries, most of them near 1 kB; 140 MB if each had 64 KiB
PAGE_ROWS: Final = 500  # rows an iterator holds at once: 32 MB if every entry has 64 KiB

_ENTRY: Final = (
    "c.line_id, c.party, c.epoch, e.seq, e.hash, e.data, e.algorithm, e.key_id, e.signature,"
    " e.logged_utc_ms, e.delayed, e.row_check"
    " FROM entries AS e JOIN chains AS c ON c.chain_id = e.chain_id "
)
_ENTRIES_WITH: Final = (
    f"SELECT {_ENTRY} WHERE c.line_id = ? AND c.party = ? AND c.epoch = ?"
    " AND e.seq > ? AND e.seq <= ? AND instr(e.data, ?) ORDER BY e.seq"
)
_RECEIPT: Final = (
    "c.line_id, CASE c.party WHEN l.own_party THEN l.peer_party ELSE l.own_party END, c.epoch,"
    " r.seq, r.hash, r.data, r.algorithm, r.key_id, r.signature, r.stored_utc_ms, r.row_check"
    " FROM receipts AS r JOIN chains AS c ON c.chain_id = r.chain_id"
    " JOIN lines AS l ON l.line_id = c.line_id "
)
_CHECKPOINT: Final = (
    "c.line_id, c.party, c.epoch, k.size, k.previous_size, k.root, k.note, k.cosigned_utc_s,"
    " k.stored_utc_ms, k.row_check"
    " FROM checkpoints AS k JOIN chains AS c ON c.chain_id = k.chain_id "
)
_TERMS: Final = (
    "line_id, terms_hash, party, data, algorithm, key_id, signature, stored_utc_ms, row_check"
    " FROM terms "
)
_EVIDENCE: Final = (
    "line_id, reason, hash, data, algorithm, key_id, signature, stored_utc_ms, row_check"
    " FROM evidence "
)
_LAST_SEQ: Final = 2**63 - 1  # of a column of integers
_EVENT: Final = "event_id, at_utc_ms, kind, data, row_check FROM events "
_LINE: Final = "line_id, own_party, peer_party, created_utc_ms, terms_hash, row_check FROM lines "

_Row = TypeVar("_Row")
_Decode = Callable[[tuple[Any, ...]], _Row]
_DecodePage = Callable[[list[tuple[Any, ...]]], list[_Row]]


class SqliteStore:
    """A `deconflict.store.base.Store` in one SQLite file; there stands what each method promises.

    >>> store = SqliteStore.open(":memory:")
    >>> store.commit(Batch(lines=[LineRow("11", "blue", "red", 0)]))
    >>> [row.peer_party for row in store.lines()]
    ['red']
    >>> store.close()
    """

    def __init__(self, connection: apsw.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._lock = threading.Lock()
        self._closed = False
        self._broken = ""  # why, once it is
        self._recent: dict[str, EntryRow] = {}  # the last entries made durable, as they stand
        self._heads: Heads = {}  # of chains written to; nobody else writes them
        self._delayed: set[str] | None = None  # hashes of entries with a note that says so
        self._wal_pages = 0
        self._still = False  # the file is to stay as it is
        self._copied = threading.Lock()  # by one at a time
        # Replaces SQLite's automatic checkpoint, which hides its errors.
        connection.set_wal_hook(self._note_wal_pages)

    @classmethod
    def open(cls, path: Path | str, *, create: bool = False, vfs: str | None = None) -> Self:
        """Open the record, alone, with its schema brought up to date.

        Args:
            path: the file, or ``":memory:"`` for a record that ends with the object.
            create: True makes a new file and refuses one that exists; False refuses a missing
                file, because a node that starts from an empty record could sign a second
                message for a slot it has used.
            vfs: name of a registered SQLite VFS, the disk to use; None for the system's.

        Raises:
            StoreInUseError: another process holds it.
            StoreVersionError: a newer deconflict wrote it.
            StoreDamagedError: it is no record of ours, or not readable as one.
            StoreError: it is missing, exists already, or cannot be opened.
            ConfigurationError: this SQLite is not safe to use.
        """
        require_safe_sqlite(apsw.sqlite_lib_version())
        name = str(path)
        in_memory = name == ":memory:"
        if not in_memory:
            prepare_file(Path(path), create=create)
        try:
            connection = apsw.Connection(
                name,
                flags=apsw.SQLITE_OPEN_READWRITE,
                vfs=vfs,
                statementcachesize=STATEMENTS_PREPARED,
            )
        except apsw.Error as error:
            raise translated(error, name) from error
        try:
            configure(connection)
            migrate(connection, name, migrations(), new=create or in_memory)
            # What replaying the write-ahead log brought back may never have been flushed: the
            # process before us may have been killed between write and fsync. A receipt may rest
            # on any row handed out from now on, so flush all of it first.
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as error:
            connection.close()
            raise translated(error, name) from error
        except BaseException:
            connection.close()
            raise
        return cls(connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._connection.close()

    def commit(self, batch: Batch) -> None:
        with self._access() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                if len(self._heads) > CHAINS_REMEMBERED:
                    self._heads.clear()
                write_batch(connection, batch, self._heads)
                connection.execute("COMMIT")
            except BaseException:
                self._heads.clear()  # they may have run ahead of the record
                if connection.in_transaction:  # after some errors SQLite has rolled back itself
                    connection.execute("ROLLBACK")
                raise
            self._remember(batch)
            if self._wal_pages >= CHECKPOINT_AT_PAGES and not self._still:
                try:
                    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                except apsw.FullError:
                    # The batch is durable in the write-ahead log, which goes on growing; when
                    # that finds no room either, a commit says so.
                    return

    @contextmanager
    def still(self, *, wait_s: float = -1) -> Iterator[None]:
        """Leave the file as it is within, for another process to copy; others go on meanwhile.

        It has then all that was durable at the beginning. What is committed within stays in the
        write-ahead log. This process must not copy it: to close the file would give up its locks.

        Args:
            wait_s: how long to wait for another copy that is made; -1: for as long as it takes.

        Raises:
            StoreInUseError: another copy is made all the while.
            StoreError: the record cannot be written.
        """
        # A second one would write the log into the file that the first one has half copied.
        if not self._copied.acquire(timeout=wait_s):
            raise StoreInUseError(
                "a copy of the record is made just now",
                given=self._name,
                remedy="try again in a minute",
            )
        try:
            with self._access() as connection:
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                self._wal_pages = 0
                self._still = True
            yield
        finally:
            self._still = False
            self._copied.release()

    @property
    def log_pages(self) -> int:
        """How long the write-ahead log is; it grows for as long as :meth:`still` lasts."""
        return self._wal_pages

    def tell_while_it_works(self, steps: int, told: Callable[[], None]) -> None:
        """Have ``told`` called again and again within statements that last long.

        Args:
            steps: of SQLite's machine from one call to the next.
            told: must not use the record.
        """

        def still_wanted() -> bool:
            told()
            return False  # True would break the statement off

        with self._access() as connection:
            connection.set_progress_handler(still_wanted, steps)

    def check_storage(self) -> None:
        with self._access() as connection:
            check_container(connection, self._name, migrations())
        lines = {line.line_id for line in self.lines()}
        for line_id in lines:
            self.terms(line_id)
        self.notes()
        for _ in self._paged(
            f"SELECT position, {_EVIDENCE} WHERE position > ? ORDER BY position LIMIT ?",
            (),
            _each(evidence_from),
        ):
            pass
        events = f"SELECT event_id, {_EVENT} WHERE event_id > ? ORDER BY event_id LIMIT ?"
        for _ in self._paged(events, (), _checked_events):
            pass

    def lines(self) -> tuple[LineRow, ...]:
        return self._all(f"SELECT {_LINE} ORDER BY position", (), line_from)

    def line(self, line_id: str) -> LineRow | None:
        return self._first(f"SELECT {_LINE} WHERE line_id = ?", (line_id,), line_from)

    def terms(self, line_id: str) -> tuple[TermsRow, ...]:
        return self._all(
            f"SELECT {_TERMS} WHERE line_id = ? ORDER BY position", (line_id,), terms_from
        )

    def entries(
        self,
        line_id: str,
        party: str,
        *,
        epoch: str | None = None,
        after_seq: int = 0,
        limit: int | None = None,
    ) -> Iterator[EntryRow]:
        chains = (
            self._paged(
                f"SELECT e.seq, {_ENTRY} WHERE e.chain_id = ? AND e.seq > ? ORDER BY e.seq LIMIT ?",
                (chain_id,),
                self._entries,
                after=after_seq,
            )
            for chain_id, author, begun in self._chains(line_id)
            if author == party and epoch in (None, begun)
        )
        return islice(chain.from_iterable(chains), limit)

    def entry(self, entry_hash: str) -> EntryRow | None:
        # What is answered is mostly recent, and whoever asks must not wait for a flush under way.
        recent = None if self._closed or self._broken else self._recent.get(entry_hash)
        if recent is not None:
            return recent
        return self._first(f"SELECT {_ENTRY} WHERE e.hash = ?", (entry_hash,), self._entry)

    def entry_at(self, line_id: str, party: str, epoch: str, seq: int) -> EntryRow | None:
        return self._first(
            f"SELECT {_ENTRY} WHERE c.line_id = ? AND c.party = ? AND c.epoch = ? AND e.seq = ?",
            (line_id, party, epoch, seq),
            self._entry,
        )

    def entries_with(
        self, line_id: str, party: str, epoch: str, text: bytes, *, after_seq: int, up_to_seq: int
    ) -> tuple[EntryRow, ...]:
        return self._all(
            _ENTRIES_WITH,
            (line_id, party, epoch, after_seq, up_to_seq, text),
            self._entry,
        )

    def unsigned(self, line_id: str, party: str) -> tuple[EntryRow, ...]:
        return self._all(
            f"SELECT {_ENTRY} WHERE c.line_id = ? AND c.party = ? AND e.signature IS NULL"
            " ORDER BY e.chain_id, e.seq",
            (line_id, party),
            self._entry,
        )

    def count(self, line_id: str, party: str) -> int:
        return sum(head.length for head in self.heads(line_id) if head.party == party)

    def heads(self, line_id: str) -> tuple[HeadRow, ...]:
        heads = {row.party: row for row in self._ends(line_id)}
        return tuple(heads[party] for party in sorted(heads))

    def epochs(self, line_id: str, party: str) -> tuple[HeadRow, ...]:
        return tuple(row for row in self._ends(line_id) if row.party == party)

    def receipts(
        self, line_id: str, party: str, *, epoch: str | None = None, after_seq: int = 0
    ) -> Iterator[ReceiptRow]:
        return chain.from_iterable(
            self._paged(
                f"SELECT r.seq, {_RECEIPT} WHERE r.chain_id = ? AND r.seq > ?"
                " ORDER BY r.seq LIMIT ?",
                (chain_id,),
                _each(receipt_from),
                after=after_seq,
            )
            for chain_id, author, begun in self._chains(line_id)
            if author != party and epoch in (None, begun)
        )

    def latest_receipt(
        self, line_id: str, party: str, *, epoch: str | None = None, up_to_seq: int | None = None
    ) -> ReceiptRow | None:
        most = _LAST_SEQ if up_to_seq is None else up_to_seq
        for chain_id, author, begun in reversed(self._chains(line_id)):
            if author != party and epoch in (None, begun):
                row = self._first(
                    f"SELECT {_RECEIPT} WHERE r.chain_id = ? AND r.seq <= ?"
                    " ORDER BY r.seq DESC LIMIT 1",
                    (chain_id, most),
                    receipt_from,
                )
                if row is not None:
                    return row
        return None

    def checkpoints(
        self, line_id: str, party: str, *, epoch: str | None = None, after_size: int = 0
    ) -> Iterator[CheckpointRow]:
        return chain.from_iterable(
            self._paged(
                f"SELECT k.size, {_CHECKPOINT} WHERE k.chain_id = ? AND k.size > ?"
                " ORDER BY k.size LIMIT ?",
                (chain_id,),
                _each(checkpoint_from),
                after=after_size,
            )
            for chain_id, author, begun in self._chains(line_id)
            if author == party and epoch in (None, begun)
        )

    def latest_checkpoint(self, line_id: str, party: str) -> CheckpointRow | None:
        for chain_id, author, _ in reversed(self._chains(line_id)):
            if author == party:
                row = self._first(
                    f"SELECT {_CHECKPOINT} WHERE k.chain_id = ? ORDER BY k.size DESC LIMIT 1",
                    (chain_id,),
                    checkpoint_from,
                )
                if row is not None:
                    return row
        return None

    def evidence(self, line_id: str) -> Iterator[EvidenceRow]:
        return self._paged(
            f"SELECT position, {_EVIDENCE} WHERE line_id = ? AND position > ?"
            " ORDER BY position LIMIT ?",
            (line_id,),
            _each(evidence_from),
        )

    def events(self, after_id: int, *, limit: int | None = None) -> Iterator[EventRow]:
        events = self._paged(
            f"SELECT event_id, {_EVENT} WHERE event_id > ? ORDER BY event_id LIMIT ?",
            (),
            _each(event_from),
            after=after_id,
        )
        return islice(events, limit)

    def last_event_id(self) -> int:
        ((last,),) = self._all("SELECT coalesce(max(event_id), 0) FROM events", (), tuple)
        return int(last)

    def notes(self, prefix: str = "") -> tuple[NoteRow, ...]:
        return self._all(
            "SELECT key, value, row_check FROM notes WHERE substr(key, 1, length(?1)) = ?1"
            " ORDER BY key",
            (prefix,),
            note_from,
        )

    def note(self, key: str) -> bytes | None:
        row = self._first(
            "SELECT key, value, row_check FROM notes WHERE key = ?", (key,), note_from
        )
        return None if row is None else row.value

    def _entry(self, values: tuple[Any, ...]) -> EntryRow:
        (row,) = self._entries([values])
        return row

    def _entries(self, page: list[tuple[Any, ...]]) -> list[EntryRow]:
        """Return entries, with what was found of them once they were durable."""
        rows = entries_from(page)
        if self._delayed is None:
            named = self._connection.execute(
                "SELECT substr(key, ?) FROM notes WHERE key GLOB ?",
                (len(DELAYED_NOTE) + 1, DELAYED_NOTE + "*"),
            )
            self._delayed = {row[0] for row in named}
        if not self._delayed:
            return rows
        return [
            structs.replace(row, delayed=True) if row.hash in self._delayed else row for row in rows
        ]

    def _remember(self, batch: Batch) -> None:
        for entry in batch.entries:
            self._recent[entry.hash] = entry
        for late in batch.delayed:
            self._recent.pop(late.hash, None)
        if batch.delayed:
            self._delayed = None  # read again with the next entry
        for signed in batch.signatures:
            known = self._recent.get(signed.hash)
            if known is not None:
                self._recent[signed.hash] = structs.replace(known, signature=signed.signature)
        for _ in range(len(self._recent) - REMEMBERED):
            del self._recent[next(iter(self._recent))]

    def _ends(self, line_id: str) -> Iterator[HeadRow]:
        """Yield the last entry of each chain of this line, in the order they were begun."""
        lengths: dict[str, int] = {}
        for party, epoch, seq, entry_hash in self._all(
            "SELECT party, epoch, seq, hash FROM chains WHERE line_id = ? ORDER BY chain_id",
            (line_id,),
            tuple,
        ):
            lengths[party] = lengths.get(party, 0) + seq
            yield HeadRow(line_id, party, epoch, seq, entry_hash, lengths[party])

    def _chains(self, line_id: str) -> tuple[tuple[int, str, str], ...]:
        """Id, party and epoch of each chain of this line, in the order they were begun."""
        return self._all(
            "SELECT chain_id, party, epoch FROM chains WHERE line_id = ? ORDER BY chain_id",
            (line_id,),
            tuple,
        )

    def _note_wal_pages(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _all(self, sql: str, values: tuple[Any, ...], decode: _Decode[_Row]) -> tuple[_Row, ...]:
        with self._access() as connection:
            return tuple(decode(row) for row in connection.execute(sql, values).fetchall())

    def _first(self, sql: str, values: tuple[Any, ...], decode: _Decode[_Row]) -> _Row | None:
        rows = self._all(sql, values, decode)
        return rows[0] if rows else None

    def _paged(
        self, sql: str, values: tuple[Any, ...], decode: _DecodePage[_Row], *, after: int = 0
    ) -> Iterator[_Row]:
        """Yield rows a page at a time; the first column is what the next page begins after."""
        while True:
            with self._access() as connection:
                page: list[tuple[Any, ...]] = connection.execute(
                    sql, (*values, after, PAGE_ROWS)
                ).fetchall()
                rows = decode([row[1:] for row in page])
            yield from rows
            if len(page) < PAGE_ROWS:
                return
            after = page[-1][0]

    @contextmanager
    def _access(self) -> Iterator[apsw.Connection]:
        """Lend the connection to one thread; an error that ends all trust is remembered."""
        with self._lock:
            if self._closed:
                raise StoreError(f"the record {self._name} is closed", remedy="open it again")
            if self._broken:
                raise StoreBrokenError(
                    f"the record {self._name} failed earlier ({self._broken})",
                    remedy="start again: the record is verified before anything is sent",
                )
            try:
                yield self._connection
            except apsw.Error as error:
                failure = translated(error, self._name)
                if isinstance(failure, StoreBrokenError | StoreDamagedError):
                    self._break(failure)
                raise failure from error
            except UnicodeDecodeError as error:
                damage = StoreDamagedError(
                    f"the record {self._name} is damaged: a text in it is not UTF-8",
                    remedy="keep the file as it is, and restore a verified copy",
                )
                self._break(damage)
                raise damage from error
            except StoreDamagedError as error:
                self._break(error)
                raise

    def _break(self, error: StoreError) -> None:
        self._broken = error.problem
        # Closing must not copy the write-ahead log into the file on the word of a flush that lied.
        self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)


def _each(decode: _Decode[_Row]) -> _DecodePage[_Row]:
    """Return what decodes a page row by row."""
    return lambda page: [decode(row) for row in page]


def _checked_events(page: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    require_events(page)
    return page
