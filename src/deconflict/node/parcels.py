"""Which packets of a line go into a parcel: what the network would carry, as far as it fits.

Nothing here counts as sent. A message that was carried is receipted when its receipt comes, by
whatever way, and is said on the network as before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from deconflict.errors import InvalidInputError, LineStateError, NotFoundError
from deconflict.line.key_ring import OwnKeys
from deconflict.line.moment import Now
from deconflict.line.packets import MAX_BODY_PACKETS, Packet, encode_packets
from deconflict.line.receipt import SealedReceipt
from deconflict.line.witness import Cosigned, Submission
from deconflict.node.line import Line
from deconflict.node.rows import sealed_again
from deconflict.store.base import EntryRow, Store

__all__ = ["Chosen", "Standing", "choose", "standing"]

_MAX_ENVELOPES: Final = MAX_BODY_PACKETS - 3  # receipt, cosignature, checkpoint


@dataclass(frozen=True, slots=True)
class Standing:
    """What a line has to say besides its messages, read in one turn with how far those reach."""

    receipt: SealedReceipt | None
    receipt_seq: int
    cosignature: Cosigned | None
    checkpoint: Submission | None
    epoch: str | None
    receipted_seq: int
    sealed_seq: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """What goes into a parcel.

    Attributes:
        rows: the messages.
        packets: they, and what goes with them, in the order in which they are to be heard.
        checkpoint: whether a checkpoint is among them; ``cosignature`` likewise.
        left_out: how many messages did not fit; they follow the last one that does.
        left_out_bytes: how long the first of those would have been, as a packet.
    """

    rows: tuple[EntryRow, ...]
    packets: tuple[Packet, ...]
    checkpoint: bool
    cosignature: bool
    left_out: int
    left_out_bytes: int


def standing(line: Line, now: Now) -> Standing:
    """Return what can leave now. Own slots beyond ``sealed_seq`` must not."""
    machine = line.machine
    head, receipted, logged = machine.own_head, machine.own_receipted, machine.peer_logged
    return Standing(
        receipt=machine.receipt_now(),
        receipt_seq=0 if logged is None else logged.seq,
        cosignature=machine.checkpoints.answer(),
        checkpoint=machine.checkpoints.at_hand(now),
        epoch=None if head is None else head.epoch,
        receipted_seq=0 if receipted is None else receipted.seq,
        sealed_seq=machine.own_sealed_seq,
    )


def choose(
    store: Store,
    line: Line,
    keys: OwnKeys,
    state: Standing,
    *,
    since_seq: int | None,
    message: str | None,
    max_bytes: int,
) -> Chosen:
    """Return the packets of a parcel of at most ``max_bytes``, in the chain's order.

    All that the peer has not receipted; or from ``since_seq`` on, receipted or not; or one message
    alone. Messages go first, then the proofs, where they fit. May be called from any thread.

    Raises:
        InvalidInputError: no such number, or not even the receipt fits.
        NotFoundError: the message is none of ours on this line.
        LineStateError: the message may not leave yet.
    """
    room = max_bytes
    first: list[Packet] = [] if state.receipt is None else [state.receipt]
    room -= len(encode_packets(first))
    if room < 0:
        raise InvalidInputError(
            "nothing fits into so small a parcel",
            given=f"{max_bytes:,} bytes",
            expected=f"at least {max_bytes - room:,}",
        )
    if message is not None:
        rows: Iterable[EntryRow] = (_own_row(store, line, state, message),)
        last_seq = None
    else:
        rows = _rows(store, line, state, since_seq)
        last_seq = state.sealed_seq
    taken: list[EntryRow] = []
    envelopes: list[Packet] = []
    left_out = left_out_bytes = 0
    for row in rows:
        sealed = sealed_again(row, keys)
        size = len(encode_packets([sealed]))
        if size > room or len(taken) == _MAX_ENVELOPES:
            # The peer logs in order, so what follows a message that is left out waits for it.
            left_out, left_out_bytes = 1 if last_seq is None else last_seq - row.seq + 1, size
            break
        room -= size
        taken.append(row)
        envelopes.append(sealed)
    proofs: list[Packet] = []
    if message is None and not left_out:
        for packet in (state.cosignature, state.checkpoint):
            if packet is not None and (size := len(encode_packets([packet]))) <= room:
                proofs.append(packet)
                room -= size
    return Chosen(
        rows=tuple(taken),
        packets=(*first, *envelopes, *proofs),
        checkpoint=any(isinstance(packet, Submission) for packet in proofs),
        cosignature=any(isinstance(packet, Cosigned) for packet in proofs),
        left_out=left_out,
        left_out_bytes=left_out_bytes,
    )


def _rows(store: Store, line: Line, state: Standing, since_seq: int | None) -> Iterator[EntryRow]:
    since = state.receipted_seq + 1 if since_seq is None else since_seq
    if since < 1 or since > state.sealed_seq + 1:
        raise InvalidInputError(
            "no message of ours has this number",
            given=str(since),
            expected=f"1 to {state.sealed_seq}" if state.sealed_seq else "none was sent yet",
        )
    if state.epoch is None:
        return
    for row in store.entries(line.line_id, line.book.own, epoch=state.epoch, after_seq=since - 1):
        if row.seq > state.sealed_seq:
            return
        yield row


def _own_row(store: Store, line: Line, state: Standing, message: str) -> EntryRow:
    row = store.entry(message)
    if row is None or row.line_id != line.line_id or row.party != line.book.own:
        raise NotFoundError(
            "this is no message of ours on this line",
            given=message[:16],
            remedy="look it up with: deconflict log",
        )
    if row.epoch == state.epoch and row.seq > state.sealed_seq:
        raise LineStateError(
            "this message is not signed yet", given=message[:16], remedy="ask again in a second"
        )
    return row
