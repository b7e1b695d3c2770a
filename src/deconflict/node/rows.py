"""Signed things of a line as the rows they are stored in, and back."""

from deconflict.errors import StoreDamagedError
from deconflict.line.envelope import SealedEnvelope, seal_envelope
from deconflict.line.incoming import IncomingEntry
from deconflict.line.key_ring import OwnKeys
from deconflict.line.keys import ALGORITHM
from deconflict.line.moment import Now
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.receipt import SealedReceipt, read_receipt
from deconflict.line.restored import LineIdentity
from deconflict.line.statement import ChainPoint, Signature
from deconflict.store.base import EntryRow, ReceiptRow

__all__ = [
    "entry_row",
    "heard_row",
    "receipt_row",
    "sealed_again",
    "sealed_of",
    "sealed_receipt",
    "slot_row",
]


def entry_row(
    line_id: str,
    party: str,
    point: ChainPoint,
    sealed: SealedEnvelope,
    logged_utc_ms: int,
    *,
    delayed: bool = False,
) -> EntryRow:
    """Return the row of a signed entry in its slot."""
    return EntryRow(
        line_id=line_id,
        party=party,
        epoch=point.epoch,
        seq=point.seq,
        hash=point.hash,
        data=sealed.data,
        algorithm=sealed.signature.algorithm,
        key_id=sealed.signature.key_id,
        signature=sealed.signature.value,
        logged_utc_ms=logged_utc_ms,
        delayed=delayed,
    )


def heard_row(line_id: str, party: str, entry: IncomingEntry) -> EntryRow:
    """Return the row of an entry that ``party`` said, as it came."""
    return entry_row(
        line_id, party, entry.point, entry.sealed, entry.received_utc_ms, delayed=entry.delayed
    )


def slot_row(identity: LineIdentity, entry: OutgoingEntry, now: Now) -> EntryRow:
    """Return the row of an own slot that was taken, and is not signed yet."""
    return EntryRow(
        line_id=identity.line_id,
        party=identity.own,
        epoch=entry.epoch,
        seq=entry.seq,
        hash=entry.hash,
        data=entry.data,
        algorithm=ALGORITHM,
        key_id=identity.own_ring.signer_of(entry.envelope).key_id,
        signature=None,
        logged_utc_ms=now.utc_ms,
    )


def receipt_row(line_id: str, party: str, sealed: SealedReceipt, now: Now) -> ReceiptRow:
    """Return the row of a receipt that ``party`` signed."""
    receipt = read_receipt(sealed.data)
    return ReceiptRow(
        line_id=line_id,
        party=party,
        epoch=receipt.epoch,
        seq=receipt.seq,
        hash=receipt.hash,
        data=sealed.data,
        algorithm=sealed.signature.algorithm,
        key_id=sealed.signature.key_id,
        signature=sealed.signature.value,
        stored_utc_ms=now.utc_ms,
    )


def sealed_of(row: EntryRow) -> SealedEnvelope:
    """Return a stored entry as it was signed.

    Raises:
        StoreDamagedError: its signature is missing.
    """
    if row.signature is None:
        raise StoreDamagedError(
            "an entry of the record has no signature",
            given=f"{row.party}, slot {row.seq}",
            remedy="start the node: it signs its own durable slots again",
        )
    return SealedEnvelope(row.data, Signature(row.algorithm, row.key_id, row.signature))


def sealed_again(row: EntryRow, keys: OwnKeys) -> SealedEnvelope:
    """Return a durable entry as it was signed; one without its signature, an own one, once more.

    Ed25519 makes the same signature again, with the key that the row names.
    """
    return (
        seal_envelope(row.data, keys.named(row.key_id)) if row.signature is None else sealed_of(row)
    )


def sealed_receipt(row: ReceiptRow) -> SealedReceipt:
    """Return a stored receipt as it was signed."""
    return SealedReceipt(row.data, Signature(row.algorithm, row.key_id, row.signature))
