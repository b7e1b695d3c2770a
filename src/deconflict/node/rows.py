"""Signed things of a line as the rows they are stored in."""

from deconflict.line.envelope import SealedEnvelope
from deconflict.line.moment import Now
from deconflict.line.receipt import SealedReceipt, read_receipt
from deconflict.line.statement import ChainPoint
from deconflict.store.base import EntryRow, ReceiptRow

__all__ = ["entry_row", "receipt_row"]


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
