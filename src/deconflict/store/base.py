"""What any store must keep and promise: the rows, the batch, and the interface of a store.

A store keeps the record of one party's node: the signed entries of both chains of each line, the
receipts, cosigned checkpoints, evidence of misbehaviour, the signed terms, the desks' events and
small local notes. SQLite implements it (``sqlite.py``).

Three promises carry the line's safety (``specs/bundle.md`` and the line's own specifications
build on them):

- ``commit`` is all or nothing, and durable when it returns;
- one slot ``(line, party, epoch, seq)`` holds one entry for ever: a second one is refused here even
  if every check above failed;
- what was committed is handed out whole and in the order of the log.

Rows are structs made in C: a start makes one for each message of the record, and a frozen dataclass
sets its fields one by one through the interpreter.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import msgspec

from deconflict.line.statement import ChainPoint

__all__ = [
    "DELAYED_NOTE",
    "Batch",
    "CheckpointRow",
    "DelayedRow",
    "EntryRow",
    "EventRow",
    "EvidenceRow",
    "HeadRow",
    "LineRow",
    "NoteRow",
    "ReceiptRow",
    "SignatureRow",
    "Store",
    "TermsRow",
    "WholeChain",
]

DELAYED_NOTE: Final = "entry-delayed/"  # a note of this name: that entry was late once durable


class LineRow(msgspec.Struct, frozen=True):
    """One line as this node keeps it. Committing it again replaces what was there.

    ``terms_hash`` names the terms in force; their text and both signatures are `TermsRow` rows.
    """

    line_id: str
    own_party: str
    peer_party: str
    created_utc_ms: int
    terms_hash: str | None = None


class TermsRow(msgspec.Struct, frozen=True):
    """One party's signature over one text of terms. Terms agreed by both have two such rows."""

    line_id: str
    terms_hash: str
    party: str  # who signed
    data: bytes  # the exact bytes signed
    algorithm: str
    key_id: str
    signature: bytes
    stored_utc_ms: int


class EntryRow(msgspec.Struct, frozen=True):
    """One entry of one party's chain on one line, as it was signed and received.

    ``signature`` is None only for an own entry whose slot is durable and whose signature has not
    been stored yet: the slot comes first, so that a crash can never lead to two signed things for
    one slot.
    """

    line_id: str
    party: str  # the author
    epoch: str
    seq: int  # 1, 2, 3 ...
    hash: str  # SHA-256 of ``data``, hex: the message's name
    data: bytes  # the exact bytes signed
    algorithm: str
    key_id: str
    signature: bytes | None
    logged_utc_ms: int
    delayed: bool = False  # expired when it came, or was durable: kept, never acted on


class DelayedRow(msgspec.Struct, frozen=True):
    """An entry of a peer that is stored already and was late by the time it was durable."""

    hash: str


class SignatureRow(msgspec.Struct, frozen=True):
    """The signature of an own entry that is stored already, named by its hash."""

    hash: str
    signature: bytes


class ReceiptRow(msgspec.Struct, frozen=True):
    """A cumulative receipt: ``party`` states that it holds the other's chain up to ``seq``.

    Only receipts that say more than the last one are worth storing: a second receipt by the same
    party for the same slot is refused.
    """

    line_id: str
    party: str  # who signed the receipt
    epoch: str  # of the chain receipted
    seq: int
    hash: str  # of the entry at ``seq``
    data: bytes  # the exact bytes signed
    algorithm: str
    key_id: str
    signature: bytes
    stored_utc_ms: int


class CheckpointRow(msgspec.Struct, frozen=True):
    """A checkpoint of one chain, cosigned by the other party or about to be.

    Of the own chain: what the peer cosigned. Of the peer's: the state that has to be durable before
    we cosign, so the cosignature is not in ``note``; it follows from the row. A row replaces no
    other than the one it was judged against (compare and swap), and all are kept.
    """

    line_id: str
    party: str  # the author of the chain
    epoch: str
    size: int  # it covers the entries 1 to ``size``
    previous_size: int  # of the row before it, 0 for none
    root: bytes
    note: bytes  # the exact signed note
    cosigned_utc_s: int  # the time in the cosignature, seconds since 1970
    stored_utc_ms: int


class EvidenceRow(msgspec.Struct, frozen=True):
    """Something received that is no part of the record and must not be lost.

    ``reason`` is a short fixed word: orphan, fork, refused, ... Committing what is there already
    (same line, hash and signature) changes nothing: the first arrival stands.
    """

    line_id: str
    reason: str
    hash: str  # SHA-256 of ``data``, hex
    data: bytes
    algorithm: str
    key_id: str
    signature: bytes  # empty when it came unsigned
    stored_utc_ms: int


class EventRow(msgspec.Struct, frozen=True):
    """One event of the desks' live stream. ``event_id`` grows by exactly one from 1."""

    event_id: int
    at_utc_ms: int
    kind: str
    data: bytes  # JSON


class NoteRow(msgspec.Struct, frozen=True):
    """A small piece of local state under a name; ``value`` None removes it."""

    key: str
    value: bytes | None


class HeadRow(msgspec.Struct, frozen=True):
    """The last entry of one party's chain on one line, and how many entries the chain has."""

    line_id: str
    party: str
    epoch: str
    seq: int
    hash: str
    length: int  # over all epochs


class WholeChain(msgspec.Struct, frozen=True):
    """A chain of which the record lacks nothing any more. No row: the guard is told (`guard.py`).

    Attributes:
        line_id: the line.
        party: the author.
        head: its last entry; None where it has none.
    """

    line_id: str
    party: str
    head: ChainPoint | None


class Batch(msgspec.Struct, frozen=True):
    """What becomes durable together or not at all.

    Written in the order of the fields, so a batch may bring a line and its first entries at once.

    ``whole`` names chains of which the record lacks nothing any more once this batch is in it.
    """

    lines: Sequence[LineRow] = ()
    terms: Sequence[TermsRow] = ()
    entries: Sequence[EntryRow] = ()
    signatures: Sequence[SignatureRow] = ()
    receipts: Sequence[ReceiptRow] = ()
    checkpoints: Sequence[CheckpointRow] = ()
    evidence: Sequence[EvidenceRow] = ()
    events: Sequence[EventRow] = ()
    notes: Sequence[NoteRow] = ()
    whole: Sequence[WholeChain] = ()
    delayed: Sequence[DelayedRow] = ()


class Store(Protocol):
    """Durable keeper of the record. Every method may be called from any thread.

    Iterators read in pages: their memory does not grow with the record, and rows committed while
    one is running may or may not appear in it. Every method raises `StoreError` leaves:

    - `StoreSlotTakenError`: a slot or name already holds something else; nothing was written;
    - `StoreFullError`: no room; nothing was written, and the store stays usable;
    - `StoreBrokenError`: reading or writing failed. Whether the batch is durable is unknown, and
      this object refuses every further call: open again and verify before speaking;
    - `StoreDamagedError`: what was read is not what was written.
    """

    def commit(self, batch: Batch) -> None:
        """Make the whole batch durable, or raise and leave the record as it was."""

    def close(self) -> None:
        """Give the record back; every later call raises. Closing twice is harmless."""

    def check_storage(self) -> None:
        """Raise `StoreDamagedError` if the container, not its meaning, is damaged.

        Finds lost pages, broken indexes, missing rows (except notes) and changed local columns;
        ``verify.verify_store`` calls it and then proves the signed content.
        """

    def lines(self) -> tuple[LineRow, ...]:
        """Every line, oldest first."""

    def line(self, line_id: str) -> LineRow | None:
        """The line of this id."""

    def terms(self, line_id: str) -> tuple[TermsRow, ...]:
        """Every signature over terms of this line, in the order stored."""

    def entries(
        self,
        line_id: str,
        party: str,
        *,
        epoch: str | None = None,
        after_seq: int = 0,
        limit: int | None = None,
    ) -> Iterator[EntryRow]:
        """One party's chain in the order of the log.

        Args:
            line_id: the line.
            party: the author.
            epoch: only this epoch; None for all, in the order they were begun.
            after_seq: only entries whose number is above this.
            limit: at most so many; None for all.
        """

    def entry(self, entry_hash: str) -> EntryRow | None:
        """The entry of this name."""

    def entry_at(self, line_id: str, party: str, epoch: str, seq: int) -> EntryRow | None:
        """The entry in this slot."""

    def entries_with(
        self, line_id: str, party: str, epoch: str, text: bytes, *, after_seq: int, up_to_seq: int
    ) -> tuple[EntryRow, ...]:
        """Those of a stretch of one epoch in whose bytes a text stands, in the order of the log.

        The rest of the stretch is looked at and not read: it is neither checked nor returned.
        Nothing else is served meanwhile, so a caller asks for some thousand slots at a time.
        """

    def unsigned(self, line_id: str, party: str) -> tuple[EntryRow, ...]:
        """Entries whose slot is durable and whose signature is not stored, in the log's order."""

    def count(self, line_id: str, party: str) -> int:
        """How many entries this party's chain has."""

    def heads(self, line_id: str) -> tuple[HeadRow, ...]:
        """The last entry of each party's chain that has one, ordered by party."""

    def epochs(self, line_id: str, party: str) -> tuple[HeadRow, ...]:
        """The last entry of each epoch of one party's chain, in the order they were begun."""

    def receipts(
        self,
        line_id: str,
        party: str,
        *,
        epoch: str | None = None,
        after_seq: int = 0,
    ) -> Iterator[ReceiptRow]:
        """The receipts this party signed, in the order of the log they receipt.

        Args: as of :meth:`entries`, of the entries receipted.
        """

    def latest_receipt(
        self, line_id: str, party: str, *, epoch: str | None = None, up_to_seq: int | None = None
    ) -> ReceiptRow | None:
        """The receipt by this party that says most: newest epoch, highest number.

        Args:
            line_id, party: whose.
            epoch: only of this one; None for all.
            up_to_seq: only for entries whose number is not above this.
        """

    def checkpoints(
        self, line_id: str, party: str, *, epoch: str | None = None, after_size: int = 0
    ) -> Iterator[CheckpointRow]:
        """The cosigned checkpoints of this party's chain, in the order of the log.

        Args:
            line_id, party: the chain.
            epoch: only this epoch; None for all, in the order they were begun.
            after_size: only those that cover more entries.
        """

    def latest_checkpoint(self, line_id: str, party: str) -> CheckpointRow | None:
        """The one that covers most of this party's chain: newest epoch, largest size."""

    def evidence(self, line_id: str) -> Iterator[EvidenceRow]:
        """What was kept as evidence on this line, in the order stored."""

    def events(self, after_id: int, *, limit: int | None = None) -> Iterator[EventRow]:
        """Events with an id above ``after_id``, in order."""

    def last_event_id(self) -> int:
        """The id of the last event, 0 when there is none."""

    def notes(self, prefix: str = "") -> tuple[NoteRow, ...]:
        """Notes whose key begins with ``prefix``, ordered by key."""

    def note(self, key: str) -> bytes | None:
        """The value under this key."""
