"""Threads that prove signatures of a record behind a walk along it, and how damage is named."""

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from deconflict.errors import InvalidDocumentError, StoreDamagedError, VerificationError
from deconflict.line.checkpoint import Checkpoint, Origin, cosignature_time_s, open_checkpoint
from deconflict.line.envelope import SealedEnvelope
from deconflict.line.keys import VerifyKey
from deconflict.line.log import verify_signatures
from deconflict.line.receipt import SealedReceipt, open_receipt
from deconflict.line.statement import Signature
from deconflict.line.tree import TreeHead
from deconflict.store.base import CheckpointRow, EntryRow, ReceiptRow

__all__ = ["CHUNKS_AHEAD", "REMEDY", "KeysByParty", "Provers", "damaged"]

KeysByParty = Mapping[str, Mapping[str, VerifyKey]]  # party -> key id -> key, past keys too

CHUNKS_AHEAD: Final = 4  # a thread, read and not yet proven: memory stays small
REMEDY: Final = "stop the node, keep the file as it is, and restore a verified copy"


class Provers:
    """Threads that verify signatures a few chunks behind the walk."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="verify")
        self._ahead = threads * CHUNKS_AHEAD
        self._running: deque[Future[None]] = deque()

    def prove_entries(
        self, rows: Sequence[tuple[EntryRow, SealedEnvelope]], keys: Mapping[str, VerifyKey]
    ) -> None:
        self._take(self._pool.submit(_prove_entries, rows, keys))

    def prove_receipts(
        self, rows: Sequence[ReceiptRow], author: str, keys: Mapping[str, VerifyKey]
    ) -> None:
        self._take(self._pool.submit(_prove_receipts, rows, author, keys))

    def prove_checkpoints(
        self, rows: Sequence[CheckpointRow], cosigner: str | None, keys: KeysByParty
    ) -> None:
        self._take(self._pool.submit(_prove_checkpoints, rows, cosigner, keys))

    def _take(self, future: Future[None]) -> None:
        self._running.append(future)
        while len(self._running) > self._ahead:
            self._running.popleft().result()

    def wait(self) -> None:
        """Return when everything handed over is proven; raise what is not."""
        while self._running:
            self._running.popleft().result()

    def close(self) -> None:
        """Let the threads go, proven or not."""
        self._pool.shutdown(cancel_futures=True)


def _prove_entries(
    rows: Sequence[tuple[EntryRow, SealedEnvelope]], keys: Mapping[str, VerifyKey]
) -> None:
    try:
        verify_signatures([sealed for _, sealed in rows], keys)
    except VerificationError as error:
        found = {id(sealed) for sealed in getattr(error, "evidence", ())}
        row = next(row for row, sealed in rows if id(sealed) in found)
        raise damaged(row, str(error)) from error


def _prove_receipts(rows: Sequence[ReceiptRow], author: str, keys: Mapping[str, VerifyKey]) -> None:
    for row in rows:
        sealed = SealedReceipt(row.data, Signature(row.algorithm, row.key_id, row.signature))
        try:
            receipt = open_receipt(sealed, keys)
        except (VerificationError, InvalidDocumentError) as error:
            raise damaged(row, str(error)) from error
        said = (receipt.line, receipt.sender, receipt.to, receipt.epoch, receipt.seq, receipt.hash)
        if said != (row.line_id, row.party, author, row.epoch, row.seq, row.hash):
            raise damaged(row, "the receipt's words are not those of its row")


def _prove_checkpoints(
    rows: Sequence[CheckpointRow], cosigner: str | None, keys: KeysByParty
) -> None:
    for row in rows:
        try:
            checkpoint, note = open_checkpoint(row.note, keys.get(row.party, {}))
            if cosigner is not None:
                time_s = cosignature_time_s(note, cosigner, keys.get(cosigner, {}))
                if time_s != row.cosigned_utc_s:
                    raise damaged(row, "it was cosigned at another time than its row says")
        except (VerificationError, InvalidDocumentError) as error:
            raise damaged(row, str(error)) from error
        origin = Origin(row.line_id, row.party, row.epoch)
        if checkpoint != Checkpoint(origin, TreeHead(row.size, row.root)):
            raise damaged(row, "the checkpoint's words are not those of its row")


def damaged(row: EntryRow | ReceiptRow | CheckpointRow, why: str) -> StoreDamagedError:
    """Return the error that says of which line, party and number a row does not verify."""
    if isinstance(row, CheckpointRow):
        what, number = "checkpoint over entries up to", row.size
    else:
        what, number = "entry" if isinstance(row, EntryRow) else "receipt for entry", row.seq
    return StoreDamagedError(
        f"{row.party}'s {what} {number} on line {row.line_id} does not verify: {why}",
        given=f"line {row.line_id}, party {row.party}, number {number}, epoch {row.epoch}",
        remedy=REMEDY,
    )
