"""Rows in and out of SQLite: each is written with a check over its columns and read against it.

The check finds accidents in what no signature covers (times, flags, local notes). Only the
signature of an entry lies outside it, because it arrives after the row.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import apsw

from deconflict._kernel import first_changed_row, row_check
from deconflict.errors import StoreDamagedError, StoreError, StoreSlotTakenError
from deconflict.store.base import (
    DELAYED_NOTE,
    Batch,
    CheckpointRow,
    DelayedRow,
    EntryRow,
    EventRow,
    EvidenceRow,
    LineRow,
    NoteRow,
    ReceiptRow,
    SignatureRow,
    TermsRow,
)
from deconflict.store.sqlite_many import Statement, write_rows

__all__ = [
    "Heads",
    "checkpoint_from",
    "entries_from",
    "event_from",
    "evidence_from",
    "line_from",
    "note_from",
    "receipt_from",
    "require_events",
    "row_check",
    "terms_from",
    "write_batch",
]


# Line, party and epoch of a chain: its id, number and hash of its last entry.
Heads: TypeAlias = dict[tuple[str, str, str], tuple[int, int, str]]

_HASH, _DATA, _SIGNATURE = 4, 5, 8  # columns of an entry
_OUTSIDE = (_DATA, _SIGNATURE)

_ENTRIES = Statement(
    "INSERT INTO entries (chain_id, seq, hash, data, algorithm, key_id, signature,"
    " logged_utc_ms, delayed, row_check) VALUES {rows}"
)
_SIGNATURES = Statement(
    "WITH signed (hash, signature) AS (VALUES {rows})"
    " UPDATE entries SET signature = signed.signature FROM signed"
    " WHERE entries.hash = signed.hash AND entries.signature IS NULL"
)
_EVENTS = Statement("INSERT INTO events (event_id, at_utc_ms, kind, data, row_check) VALUES {rows}")
_NOTES = Statement(
    "INSERT INTO notes (key, value, row_check) VALUES {rows} ON CONFLICT (key)"
    " DO UPDATE SET value = excluded.value, row_check = excluded.row_check"
)
_NOTES_GONE = Statement("DELETE FROM notes WHERE key IN (VALUES {rows})")


def _require(
    rows: Sequence[tuple[Any, ...]], name: Callable[[tuple[Any, ...]], str], **columns: Any
) -> None:
    """Raise `StoreDamagedError` naming the first row that is not what was written."""
    changed = first_changed_row(rows, **columns)
    if changed is not None:
        raise _damaged(name(rows[changed]))


def _damaged(what: str) -> StoreDamagedError:
    return StoreDamagedError(
        f"the record is damaged: {what} is not what was written",
        remedy="stop the node, keep the file as it is, and restore a verified copy",
    )


def line_from(values: tuple[Any, ...]) -> LineRow:
    """Return the row, or raise `StoreDamagedError`."""
    _require([values], lambda row: f"line {row[0]}")
    return LineRow(*values[:-1])


def terms_from(values: tuple[Any, ...]) -> TermsRow:
    """Return the row, or raise `StoreDamagedError`."""
    _require([values], lambda row: f"{row[2]}'s signature of terms {row[1]} of line {row[0]}")
    return TermsRow(*values[:-1])


def entries_from(rows: Sequence[tuple[Any, ...]]) -> list[EntryRow]:
    """Return the rows, or raise `StoreDamagedError` naming line, party and number of the first."""

    def name(row: tuple[Any, ...]) -> str:
        return f"entry {row[3]} of {row[1]} on line {row[0]}"

    # The hash stands for the data, and no check covers the signature, which comes later.
    _require(rows, name, outside=_OUTSIDE, named=(_DATA, _HASH))
    return [EntryRow(*(*row[:10], bool(row[10]))) for row in rows]


def receipt_from(values: tuple[Any, ...]) -> ReceiptRow:
    """Return the row, or raise `StoreDamagedError` naming line, party and number."""
    _require([values], lambda row: f"{row[1]}'s receipt for entry {row[3]} on line {row[0]}")
    return ReceiptRow(*values[:-1])


def checkpoint_from(values: tuple[Any, ...]) -> CheckpointRow:
    """Return the row, or raise `StoreDamagedError` naming line, party and size."""
    _require(
        [values], lambda row: f"the checkpoint of {row[3]} entries of {row[1]} on line {row[0]}"
    )
    return CheckpointRow(*values[:-1])


def evidence_from(values: tuple[Any, ...]) -> EvidenceRow:
    """Return the row, or raise `StoreDamagedError`."""
    _require([values], lambda row: f"evidence {row[2]} of line {row[0]}")
    row = EvidenceRow(*values[:-1])
    if hashlib.sha256(row.data).hexdigest() != row.hash:
        raise _damaged(f"evidence {row.hash} of line {row.line_id}")
    return row


def event_from(values: tuple[Any, ...]) -> EventRow:
    """Return the row, or raise `StoreDamagedError`."""
    require_events([values])
    return EventRow(*values[:-1])


def require_events(rows: Sequence[tuple[Any, ...]]) -> None:
    """Raise `StoreDamagedError` naming the first event that is not what was written."""
    _require(rows, lambda row: f"event {row[0]}")


def note_from(values: tuple[Any, ...]) -> NoteRow:
    """Return the row, or raise `StoreDamagedError`."""
    _require([values], lambda row: f"note {row[0]}")
    return NoteRow(*values[:-1])


def _entry_check(row: EntryRow) -> bytes:
    return row_check(
        row.line_id,
        row.party,
        row.epoch,
        row.seq,
        row.hash,
        row.algorithm,
        row.key_id,
        row.logged_utc_ms,
        int(row.delayed),
    )


def write_batch(connection: apsw.Connection, batch: Batch, heads: Heads) -> None:
    """Write every row of the batch inside the caller's transaction.

    Args:
        connection: in a transaction.
        batch: what to write.
        heads: those of this record's chains that are known already, moved along with it. After
            an error they are no longer those of the record.

    Raises:
        StoreSlotTakenError: a slot or name already holds something else.
        StoreError: a row contradicts the record or itself.
        apsw.Error: SQLite refused or failed.
    """
    for line in batch.lines:
        _write_line(connection, line)
    for terms in batch.terms:
        _write_terms(connection, terms)
    chains = _Chains(connection, heads)
    write_rows(
        connection, _ENTRIES, [_entry_values(connection, chains, row) for row in batch.entries]
    )
    chains.write_heads()
    _write_signatures(connection, batch.signatures)
    for receipt in batch.receipts:
        _write_receipt(connection, chains, receipt)
    for checkpoint in batch.checkpoints:
        _write_checkpoint(connection, chains, checkpoint)
    for evidence in batch.evidence:
        _write_evidence(connection, evidence)
    write_rows(connection, _EVENTS, [_event_values(row) for row in batch.events])
    _write_notes(connection, batch.notes)
    _write_delayed(connection, batch.delayed)


class _Chains:
    """The heads of the chains a batch touches, read where unknown and written back once."""

    def __init__(self, connection: apsw.Connection, heads: Heads) -> None:
        self._connection = connection
        self._heads = heads
        self._moved: set[tuple[str, str, str]] = set()

    def head(self, line_id: str, party: str, epoch: str) -> tuple[int, int, str] | None:
        """Chain id, number and hash of the last entry; None before the first."""
        key = (line_id, party, epoch)
        if key not in self._heads:
            row = self._connection.execute(
                "SELECT chain_id, seq, hash FROM chains"
                " WHERE line_id = ? AND party = ? AND epoch = ?",
                key,
            ).fetchone()
            if row is None:
                return None
            self._heads[key] = row
        return self._heads[key]

    def begin(self, line_id: str, party: str, epoch: str) -> tuple[int, int, str]:
        self._connection.execute(
            "INSERT INTO chains (line_id, party, epoch, seq, hash) VALUES (?, ?, ?, 0, '')",
            (line_id, party, epoch),
        )
        head = (self._connection.last_insert_rowid(), 0, "")
        self._heads[line_id, party, epoch] = head
        return head

    def advance(self, entry: EntryRow, chain_id: int) -> None:
        key = (entry.line_id, entry.party, entry.epoch)
        self._heads[key] = (chain_id, entry.seq, entry.hash)
        self._moved.add(key)

    def write_heads(self) -> None:
        for key in self._moved:
            chain_id, seq, entry_hash = self._heads[key]
            self._connection.execute(
                "UPDATE chains SET seq = ?, hash = ? WHERE chain_id = ?",
                (seq, entry_hash, chain_id),
            )


def _write_line(connection: apsw.Connection, row: LineRow) -> None:
    stored = connection.execute(
        "SELECT own_party, peer_party, created_utc_ms FROM lines WHERE line_id = ?", (row.line_id,)
    ).fetchone()
    columns = (row.line_id, row.own_party, row.peer_party, row.created_utc_ms, row.terms_hash)
    if stored is None:
        connection.execute(
            "INSERT INTO lines (line_id, own_party, peer_party, created_utc_ms, terms_hash,"
            " row_check) VALUES (?, ?, ?, ?, ?, ?)",
            (*columns, row_check(*columns)),
        )
    elif stored == columns[1:4]:
        connection.execute(
            "UPDATE lines SET terms_hash = ?, row_check = ? WHERE line_id = ?",
            (row.terms_hash, row_check(*columns), row.line_id),
        )
    else:
        raise StoreSlotTakenError(
            f"line {row.line_id} is kept already with other parties or another beginning",
            given=f"{row.own_party}, {row.peer_party}, {row.created_utc_ms}",
            expected=f"{stored[0]}, {stored[1]}, {stored[2]}",
            remedy="only the terms in force of a line can change",
        )


def _write_terms(connection: apsw.Connection, row: TermsRow) -> None:
    columns = (
        row.line_id,
        row.terms_hash,
        row.party,
        row.data,
        row.algorithm,
        row.key_id,
        row.signature,
        row.stored_utc_ms,
    )
    connection.execute(
        "INSERT INTO terms (line_id, terms_hash, party, data, algorithm, key_id, signature,"
        " stored_utc_ms, row_check) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*columns, row_check(*columns)),
    )


def _entry_values(connection: apsw.Connection, chains: _Chains, row: EntryRow) -> tuple[Any, ...]:
    """Return what is written of an entry, once it is found to be the next of its chain."""
    _require_named(row.hash, row.data)
    chain_id, last_seq, _ = chains.head(row.line_id, row.party, row.epoch) or chains.begin(
        row.line_id, row.party, row.epoch
    )
    if row.seq <= last_seq:
        raise _slot_taken(connection, row, chain_id)
    if row.seq != last_seq + 1:
        raise StoreError(
            f"entry {row.seq} of {row.party} on line {row.line_id} does not follow the one before",
            given=f"number {row.seq}",
            expected=f"number {last_seq + 1}",
            remedy="hold it until the gap is filled",
        )
    chains.advance(row, chain_id)
    return (
        chain_id,
        row.seq,
        row.hash,
        row.data,
        row.algorithm,
        row.key_id,
        row.signature,
        row.logged_utc_ms,
        int(row.delayed),
        _entry_check(row),
    )


def _slot_taken(connection: apsw.Connection, row: EntryRow, chain_id: int) -> StoreSlotTakenError:
    stored = connection.execute(
        "SELECT hash FROM entries WHERE chain_id = ? AND seq = ?", (chain_id, row.seq)
    ).fetchone()
    slot = f"slot {row.seq} of {row.party} on line {row.line_id}"
    if stored == (row.hash,):
        return StoreSlotTakenError(
            f"{slot} holds this very entry already",
            given=row.hash,
            remedy="receipt a duplicate again, never log it again",
        )
    return StoreSlotTakenError(
        f"{slot} holds another entry",
        given=row.hash,
        expected=stored[0] if stored else "",
        remedy="keep both as evidence: two signed things for one slot prove a fork",
    )


def _write_signatures(connection: apsw.Connection, rows: Sequence[SignatureRow]) -> None:
    signed = write_rows(connection, _SIGNATURES, [(row.hash, row.signature) for row in rows])
    if signed != len(rows):
        # The transaction is going to be rolled back; until then this finds which one to name.
        named = (row.hash for row in rows if not _is_signed_by(connection, row))
        raise _not_waiting(next(named, None) or f"{rows[0].hash} or one behind it")


def _is_signed_by(connection: apsw.Connection, row: SignatureRow) -> bool:
    found = connection.execute(
        "SELECT 1 FROM entries WHERE hash = ? AND signature = ?", (row.hash, row.signature)
    ).fetchone()
    return found is not None


def _not_waiting(name: str) -> StoreSlotTakenError:
    return StoreSlotTakenError(
        f"entry {name} is not waiting for a signature",
        expected="the hash of an entry stored without one",
        remedy="store the entry first, and its signature once",
    )


def _write_delayed(connection: apsw.Connection, rows: Sequence[DelayedRow]) -> None:
    # Beside the entry, which is never changed; the store reads both together.
    for row in rows:
        known = connection.execute("SELECT 1 FROM entries WHERE hash = ?", (row.hash,)).fetchone()
        if known is None:
            raise StoreError(
                f"entry {row.hash} is not in the record, so it cannot be called delayed",
                remedy="store the entry first",
            )
    _write_notes(connection, [NoteRow(DELAYED_NOTE + row.hash, b"") for row in rows])


def _write_receipt(connection: apsw.Connection, chains: _Chains, row: ReceiptRow) -> None:
    author = connection.execute(
        "SELECT CASE ? WHEN own_party THEN peer_party WHEN peer_party THEN own_party END"
        " FROM lines WHERE line_id = ?",
        (row.party, row.line_id),
    ).fetchone()
    head = chains.head(row.line_id, author[0], row.epoch) if author and author[0] else None
    stored = None
    if head is not None:
        stored = connection.execute(
            "SELECT hash FROM entries WHERE chain_id = ? AND seq = ?", (head[0], row.seq)
        ).fetchone()
    if head is None or stored != (row.hash,):
        raise StoreError(
            f"{row.party}'s receipt for entry {row.seq} on line {row.line_id} is not of our log",
            given=row.hash,
            expected=stored[0] if stored else "an entry that is stored",
            remedy="keep it as evidence",
        )
    columns = (
        row.line_id,
        row.party,
        row.epoch,
        row.seq,
        row.hash,
        row.data,
        row.algorithm,
        row.key_id,
        row.signature,
        row.stored_utc_ms,
    )
    connection.execute(
        "INSERT INTO receipts (chain_id, seq, hash, data, algorithm, key_id, signature,"
        " stored_utc_ms, row_check) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (head[0], *columns[3:], row_check(*columns)),
    )


def _write_checkpoint(connection: apsw.Connection, chains: _Chains, row: CheckpointRow) -> None:
    head = chains.head(row.line_id, row.party, row.epoch)
    if head is None or row.size > head[1]:
        raise StoreError(
            f"a checkpoint covers more of {row.party}'s chain on line {row.line_id} than is stored",
            given=f"size {row.size}",
            expected=f"at most {0 if head is None else head[1]}",
            remedy="store the entries first",
        )
    # Compare and swap, in the transaction of the write: a state that was judged against another
    # one than stands here would let one witness cosign two trees side by side.
    ((kept,),) = connection.execute(
        "SELECT coalesce(max(size), 0) FROM checkpoints WHERE chain_id = ?", (head[0],)
    ).fetchall()
    if kept != row.previous_size:
        raise StoreSlotTakenError(
            f"another checkpoint of {row.party}'s chain on line {row.line_id} came in between",
            given=f"size {row.size} after {row.previous_size}",
            expected=f"after {kept}",
            remedy="judge it again against the one that is kept",
        )
    columns = (
        row.line_id,
        row.party,
        row.epoch,
        row.size,
        row.previous_size,
        row.root,
        row.note,
        row.cosigned_utc_s,
        row.stored_utc_ms,
    )
    connection.execute(
        "INSERT INTO checkpoints (chain_id, size, previous_size, root, note, cosigned_utc_s,"
        " stored_utc_ms, row_check) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (head[0], *columns[3:], row_check(*columns)),
    )


def _write_evidence(connection: apsw.Connection, row: EvidenceRow) -> None:
    _require_named(row.hash, row.data)
    name = (row.line_id, row.hash, row.signature)
    # Asked first instead of ON CONFLICT: an ignored insert would still use up a position, and a
    # gap in the positions reads as a lost row.
    if connection.execute(
        "SELECT 1 FROM evidence WHERE line_id = ? AND hash = ? AND signature = ?", name
    ).fetchone():
        return
    columns = (
        row.line_id,
        row.reason,
        row.hash,
        row.data,
        row.algorithm,
        row.key_id,
        row.signature,
        row.stored_utc_ms,
    )
    connection.execute(
        "INSERT INTO evidence (line_id, reason, hash, data, algorithm, key_id, signature,"
        " stored_utc_ms, row_check) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*columns, row_check(*columns)),
    )


def _event_values(row: EventRow) -> tuple[Any, ...]:
    columns = (row.event_id, row.at_utc_ms, row.kind, row.data)
    return (*columns, row_check(*columns))


def _write_notes(connection: apsw.Connection, rows: Sequence[NoteRow]) -> None:
    last = {row.key: row.value for row in rows}  # only what is said of a key last remains of it
    write_rows(connection, _NOTES_GONE, [(key,) for key, value in last.items() if value is None])
    write_rows(
        connection,
        _NOTES,
        [(key, value, row_check(key, value)) for key, value in last.items() if value is not None],
    )


def _require_named(name: str, data: bytes) -> None:
    if hashlib.sha256(data).hexdigest() != name:
        raise StoreError(
            "the hash does not name these bytes",
            given=name,
            expected="SHA-256 of the data, lower-case hex",
            remedy="hash the exact bytes that were signed",
        )
