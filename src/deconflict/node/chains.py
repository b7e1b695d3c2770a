"""One party's chain in the record, as both sides have it: on the way, without what was left behind.

A chain has epochs. Each later one begins with an entry that names which entry of an earlier one it
follows, so the way to the head is found from the head. What an author had said behind that entry,
and its peer never held, stands in the record still; it is not on the way, and was said again.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from deconflict.errors import StoreDamagedError
from deconflict.line.envelope import SealedEnvelope, read_envelope
from deconflict.line.epoch import opening_of
from deconflict.line.key_ring import OwnKeys
from deconflict.line.statement import ChainPoint
from deconflict.node.rows import sealed_again
from deconflict.store.base import EntryRow, ReceiptRow, Store

__all__ = ["StoredChain", "Stretch", "heard_last", "receipt_on_way", "way_of"]


class Stretch(NamedTuple):
    """The part of one epoch that is on the way: slots 1 to ``last_seq``."""

    epoch: str
    last_seq: int


def way_of(
    store: Store, line_id: str, party: str, known: tuple[Stretch, ...] = ()
) -> tuple[Stretch, ...]:
    """Return a chain's way through its epochs, the first one first; empty for no chain.

    Args:
        store: the record.
        line_id: the line.
        party: the author.
        known: the way as it was before: what its last epoch follows is not read again.

    Raises:
        StoreDamagedError: an epoch follows an entry that is not in the record.
    """
    epochs = store.epochs(line_id, party)
    way: list[Stretch] = []
    end = ChainPoint(epochs[-1].epoch, epochs[-1].seq, epochs[-1].hash) if epochs else None
    while end is not None:
        held = store.entry_at(line_id, party, end.epoch, end.seq)
        first = store.entry_at(line_id, party, end.epoch, 1)
        if held is None or held.hash != end.hash or first is None or len(way) > len(epochs):
            raise StoreDamagedError(
                f"an epoch of {party}'s chain follows an entry that the record lacks",
                given=f"slot {end.seq} of epoch {end.epoch}",
                remedy="stop the node, keep the file as it is, and restore a verified copy",
            )
        way.append(Stretch(end.epoch, end.seq))
        if known and end.epoch == known[-1].epoch:
            return (*known[:-1], *reversed(way))
        opening = opening_of(read_envelope(first.data))
        end = None if opening is None else opening.follows
    return tuple(reversed(way))


def receipt_on_way(store: Store, line_id: str, own: str, peer: str) -> ReceiptRow | None:
    """Return the receipt of the peer that says most of the own chain as both sides have it.

    One for what was left behind says nothing any more: the peer lost it, and was told it again.
    """
    for stretch in reversed(way_of(store, line_id, own)):
        found = store.latest_receipt(line_id, peer, epoch=stretch.epoch, up_to_seq=stretch.last_seq)
        if found is not None:
            return found
    return None


def heard_last(store: Store, line_id: str, party: str) -> ChainPoint | None:
    """Return what the newest own entry that cites the peer's chain says it heard; None for none.

    A deaf node cites nothing, so it may lie some entries back.
    """
    for head in reversed(store.epochs(line_id, party)):
        for seq in range(head.seq, 0, -1):
            row = store.entry_at(line_id, party, head.epoch, seq)
            heard = None if row is None else read_envelope(row.data).heard
            if heard is not None:
                return heard
    return None


class StoredChain:
    """A chain as an asker may have it: durable, signed, in the order both sides agree on.

    Args:
        store: the record.
        line_id: the line.
        party: the author.
        own_keys: sign own entries again whose signature is not stored yet, to the same bytes.
        known: its way as it was before.

    Attributes:
        way: its way now.
    """

    def __init__(
        self,
        store: Store,
        line_id: str,
        party: str,
        own_keys: OwnKeys,
        known: tuple[Stretch, ...] = (),
    ) -> None:
        self._store = store
        self._line_id = line_id
        self._party = party
        self._own_keys = own_keys
        self.way = way_of(store, line_id, party, known)

    @property
    def length(self) -> int:
        """How many entries stand on the way."""
        return sum(stretch.last_seq for stretch in self.way)

    def holds(self, point: ChainPoint) -> bool:
        """True exactly when this very entry stands on the way."""
        row = self._store.entry_at(self._line_id, self._party, point.epoch, point.seq)
        return (
            row is not None
            and row.hash == point.hash
            and any(s.epoch == point.epoch and point.seq <= s.last_seq for s in self.way)
        )

    def after(self, point: ChainPoint | None) -> Iterator[SealedEnvelope]:
        """Yield what stands behind an entry that is held, in order; None begins at the first."""
        return (sealed_again(row, self._own_keys) for row in self.rows_after(point))

    def rows_after(self, point: ChainPoint | None) -> Iterator[EntryRow]:
        """Yield the same as they are stored."""
        reached = point is None
        for stretch in self.way:
            first = 0
            if not reached and point is not None:
                if stretch.epoch != point.epoch:
                    continue
                reached, first = True, point.seq
            yield from self._store.entries(
                self._line_id,
                self._party,
                epoch=stretch.epoch,
                after_seq=first,
                limit=max(stretch.last_seq - first, 0),
            )

    def rows_behind(self, position: int) -> Iterator[EntryRow]:
        """Yield what stands behind so many entries of the way."""
        for stretch in self.way:
            first = min(position, stretch.last_seq)
            position -= first
            yield from islice(
                self._store.entries(
                    self._line_id, self._party, epoch=stretch.epoch, after_seq=first
                ),
                stretch.last_seq - first,
            )

    def rows_with(self, text: bytes, start: int, end: int) -> tuple[EntryRow, ...]:
        """Return those in whose bytes a text stands, behind ``start`` entries and up to ``end``."""
        found: list[EntryRow] = []
        for stretch in self.way:
            after, up_to = min(start, stretch.last_seq), min(end, stretch.last_seq)
            start, end = start - after, end - up_to
            if after < up_to:
                found += self._store.entries_with(
                    *(self._line_id, self._party, stretch.epoch, text),
                    after_seq=after,
                    up_to_seq=up_to,
                )
        return tuple(found)

    def row_behind(self, position: int) -> EntryRow | None:
        """Return the one that stands right behind so many entries of the way; None for none."""
        for stretch in self.way:
            if position < stretch.last_seq:
                return self._store.entry_at(self._line_id, self._party, stretch.epoch, position + 1)
            position -= stretch.last_seq
        return None
