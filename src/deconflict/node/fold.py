"""What the record of one line implies, read entry by entry; and, behind any of them, as values.

A start reads both chains in the order in which their authors knew them. What was read up to some
entry may be kept (:class:`KeptFold`), and another start may go on from there, for as long as the
record still says the same of that part. Whether it does is asked here: where an entry was left
behind since, was called delayed, or would now be read at another place of the order, what was kept
is of no use, and the whole record is read.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from deconflict.errors import InvalidDocumentError
from deconflict.line.alert_fold import AlertFold, KeptAlerts
from deconflict.line.envelope import Envelope
from deconflict.line.keys import VerifyKey
from deconflict.line.precedence import DEFAULT_TIMERS
from deconflict.line.statement import ChainPoint
from deconflict.messages.kinds import KIND_RULES
from deconflict.node.book import KeptBook, LineBook
from deconflict.node.chains import Stretch, way_of
from deconflict.node.logged import decoded, read_body
from deconflict.node.recall import Recall
from deconflict.store.base import DELAYED_NOTE, EntryRow, Store

__all__ = ["KeptFold", "LineFold", "without_reference"]

_FORGET_EVERY: Final = 1_024  # entries
_LONG_OVER_MS: Final = 3_600_000

Entries = Callable[[str], Iterator[EntryRow]]  # of a party's chain, in the order of the log
_Read = tuple[EntryRow, Envelope]


class KeptFold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the record of a line implies up to one entry of each chain.

    Attributes:
        line_id: the line.
        keys: ids of all keys that each party had: what they signed of terms was counted.
        ways: of each party, its epochs in order, each with the last number read.
        heads: of each party, the last entry read.
        taken: of the peer's epochs, the last number read.
        trailing: the last entry, where it is the peer's and was read because of ours none was left.
        receipted: the newest receipt of the peer that was known then.
        covered: whether that is for an entry that was not read yet.
        open_own: own entries that it does not cover, oldest first, each with its epoch.
        delayed: of which entries a note of the record says that they were late.
        book: what a desk can see, and what further entries act on.
        alerts: what is owed.
    """

    line_id: str
    keys: Mapping[str, tuple[str, ...]]
    ways: Mapping[str, tuple[Stretch, ...]]
    heads: Mapping[str, ChainPoint]
    taken: Mapping[str, int]
    trailing: ChainPoint | None
    receipted: ChainPoint | None
    covered: bool
    open_own: tuple[tuple[str, str], ...]
    delayed: tuple[str, ...]
    book: KeptBook
    alerts: KeptAlerts


class LineFold:
    """One line, as far as its record was read.

    Args:
        store: the record.
        line_id: the line.
        own: our party.
        peer: the other.
        keys: of both parties, by key id: whose signature over terms counts.
        receipted: up to which own entry the peer has receipted.

    Attributes:
        ways: of each party, the epochs on the way to its head, each with its last number.
        heads: of each party, the last entry read.
        open_own: own entries that no receipt covers, oldest first, each with its epoch.
        book: what the entries read imply.
        alerts: what they leave owed.
        is_lasting: False where an entry was read that cites one which the record lacks: another
            entry may come before it, so nothing from there on can be kept.
    """

    def __init__(
        self,
        store: Store,
        line_id: str,
        own: str,
        peer: str,
        keys: Mapping[str, Mapping[str, VerifyKey]],
        receipted: ChainPoint | None,
    ) -> None:
        self._store = store
        self._line_id = line_id
        self._own, self._peer = own, peer
        self._keys = {party: tuple(sorted(keys[party])) for party in (own, peer)}
        self.ways = {party: dict(way_of(store, line_id, party)) for party in (own, peer)}
        self.heads: dict[str, ChainPoint] = {}
        self.open_own: dict[str, str] = {}
        self.book = LineBook(line_id, own, peer, keys)
        self.alerts = AlertFold(rules=KIND_RULES, timers=DEFAULT_TIMERS, was_met=self._was_met)
        self.is_lasting = True
        self._taken: dict[str, int] = {}
        self._trailing: ChainPoint | None = None
        self._receipted = receipted
        self._covered = receipted is not None  # until the entry receipted last has been read

    def read(self, entries: Entries) -> Iterator[EntryRow]:
        """Read on to the end, and yield each entry once it was taken.

        Args:
            entries: gives a party's chain; what was read before is passed over.

        Raises:
            InvalidDocumentError: behind what was kept stands what belongs before its end.
        """
        chains = [decoded(self._on_way(party, entries(party))) for party in (self._own, self._peer)]
        for row, envelope in self._both(chains):
            self._take(row, envelope)
            yield row

    def kept(self) -> KeptFold | None:
        """Return all of it as values; None where it may not be kept."""
        if not self.is_lasting:
            return None
        return KeptFold(
            line_id=self._line_id,
            keys=self._keys,
            ways={party: tuple(self._read_way(party)) for party in self.heads},
            heads=dict(self.heads),
            taken=dict(self._taken),
            trailing=self._trailing,
            receipted=self._receipted,
            covered=self._covered,
            open_own=tuple(self.open_own.items()),
            delayed=self._delayed(),
            book=self.book.kept(),
            alerts=self.alerts.kept(),
        )

    def take_up(self, kept: KeptFold) -> None:
        """Go on from what was kept; only of one that is new.

        Raises:
            InvalidDocumentError: the record does not say the same of that part any more, or the
                peer's newest receipt is older than the one known then.
        """
        if kept.line_id != self._line_id or not {self._own, self._peer}.issuperset(kept.heads):
            raise _unfit("it is of another line")
        if kept.keys != self._keys:
            raise _unfit("a key was changed since")
        for party, head in kept.heads.items():
            self._require_on_way(party, head, kept.ways.get(party, ()))
        self.heads.update(kept.heads)
        self._require_same_delays(kept.delayed)
        self._taken.update(kept.taken)
        self._trailing = kept.trailing
        self.open_own.update(kept.open_own)
        self.book.take_up(kept.book, Recall(self._store, self._line_id, self._own, self._peer))
        self.alerts.take_up(kept.alerts)
        newest, self._receipted, self._covered = self._receipted, kept.receipted, kept.covered
        self.renew(newest)

    def renew(self, receipted: ChainPoint | None) -> None:
        """Take a newer receipt of the peer than was known when the entries were read.

        Raises:
            InvalidDocumentError: it is an older one.
        """
        if receipted == self._receipted:
            return
        if receipted is None or self._covered:
            raise _unfit("the peer had receipted more")
        within = receipted.hash in self.open_own
        if not within and not self._is_ahead(receipted):
            raise _unfit("the peer had receipted more")
        covered = []
        for message_hash in self.open_own:
            covered.append(message_hash)
            if message_hash == receipted.hash:
                break
        self.alerts.receipted(covered)
        for message_hash in covered:
            del self.open_own[message_hash]
        self._receipted, self._covered = receipted, not within

    # ---- inside ----------------------------------------------------------------------------

    def _take(self, row: EntryRow, envelope: Envelope) -> None:
        own = row.party == self._own
        point = self.heads[row.party] = ChainPoint(row.epoch, row.seq, row.hash)
        receipted = self._covered
        if own:
            if not receipted:
                self.open_own[row.hash] = row.epoch
            self._covered = receipted and point != self._receipted
        taken = self.book.take(
            envelope,
            row.hash,
            read_body(envelope),
            own=own,
            delayed=row.delayed,
            logged_ms=row.logged_utc_ms,
            told=False,
        )
        if row.seq % _FORGET_EVERY == 0:
            # As it was while the node ran: what was over then was taken out then. What was
            # over for less than this may have alerts that only the first look closes.
            self.book.end_past(row.logged_utc_ms - _LONG_OVER_MS)
            self.book.picture.pass_over_gone()
        self.alerts.take(
            envelope if taken.acts else without_reference(envelope),
            row.hash,
            own=own,
            delayed=row.delayed,
            receipted=not own or receipted,
        )

    def _both(self, chains: list[Iterator[_Read]]) -> Iterator[_Read]:
        """Yield our chain and the peer's, each entry after everything its author had heard.

        The chains cite each other (``heard``), so this order is the record's, not the clocks'. What
        stands in it stays where it is however the chains go on, but for what is read when of our
        chain nothing is left (``trailing``), or of the peer's the entry that ours cites.
        """
        waiting = [next(chain, None) for chain in chains]
        self._require_behind(waiting[0])
        while True:
            own, peer = waiting
            # What we cite we hold, so our own entry waits for it. A peer may cite what we never
            # said: it waits as long as others can go on, and no longer, or a lie would stop our
            # start.
            own_is_free = own is not None and self._is_heard(own[1], self._taken)
            side = 0 if own_is_free or peer is None else 1
            head = waiting[side]
            if head is None:
                return
            self.is_lasting = self.is_lasting and (side == 1 or own_is_free)
            row = head[0]
            if side == 1:
                self._taken[row.epoch] = row.seq
            trails = side == 1 and own is None
            self._trailing = ChainPoint(row.epoch, row.seq, row.hash) if trails else None
            yield head
            waiting[side] = next(chains[side], None)

    @staticmethod
    def _is_heard(envelope: Envelope, taken: Mapping[str, int]) -> bool:
        heard = envelope.heard
        return heard is None or heard.seq <= taken.get(heard.epoch, 0)

    def _require_behind(self, own: _Read | None) -> None:
        """Return when our next entry is to be read behind the peer's that were read last."""
        last = self._trailing
        if own is None or last is None:
            return
        if self._is_heard(own[1], {**self._taken, last.epoch: last.seq - 1}):
            raise _unfit("an entry of ours belongs before its end")

    def _on_way(self, party: str, rows: Iterator[EntryRow]) -> Iterator[EntryRow]:
        """Yield the entries of a chain that no fresh epoch left behind; read it to its end."""
        way, head = self.ways[party], self.heads.get(party)
        order = {epoch: number for number, epoch in enumerate(way)}
        begun = (-1, 0) if head is None else (order[head.epoch], head.seq)
        return (
            row
            for row in rows
            if row.seq <= way.get(row.epoch, 0) and (order[row.epoch], row.seq) > begun
        )

    def _read_way(self, party: str) -> Iterator[Stretch]:
        head = self.heads[party]
        for epoch, last_seq in self.ways[party].items():
            if epoch == head.epoch:
                yield Stretch(epoch, head.seq)
                return
            yield Stretch(epoch, last_seq)

    def _require_on_way(self, party: str, head: ChainPoint, way: tuple[Stretch, ...]) -> None:
        now = [Stretch(epoch, last) for epoch, last in self.ways[party].items()][: len(way)]
        held = self._store.entry_at(self._line_id, party, head.epoch, head.seq)
        if (
            held is None
            or held.hash != head.hash
            or len(now) != len(way)
            or way[-1] != (head.epoch, head.seq)
            or now[:-1] != list(way[:-1])
            or now[-1].epoch != head.epoch
            or now[-1].last_seq < head.seq
        ):
            raise _unfit(f"an entry of {party} is not on its chain's way")

    def _require_same_delays(self, known: tuple[str, ...]) -> None:
        present = set(self._delayed())
        if not present.issuperset(known):
            raise _unfit("an entry was called late and is not any more")
        if any(self._was_met(message_hash) for message_hash in present.difference(known)):
            raise _unfit("an entry was called late since")

    def _delayed(self) -> tuple[str, ...]:
        return tuple(
            note.key.removeprefix(DELAYED_NOTE) for note in self._store.notes(DELAYED_NOTE)
        )

    def _was_met(self, message_hash: str) -> bool:
        row = self._store.entry(message_hash)
        head = None if row is None or row.line_id != self._line_id else self.heads.get(row.party)
        if row is None or head is None:
            return False
        way = list(self.ways[row.party])
        on_way = row.seq <= self.ways[row.party].get(row.epoch, 0)
        return on_way and (way.index(row.epoch), row.seq) <= (way.index(head.epoch), head.seq)

    def _is_ahead(self, point: ChainPoint) -> bool:
        """True exactly when an own entry stands on the way, behind what was read."""
        way, head = list(self.ways[self._own]), self.heads.get(self._own)
        if point.seq > self.ways[self._own].get(point.epoch, 0):
            return False
        begun = (-1, 0) if head is None else (way.index(head.epoch), head.seq)
        return (way.index(point.epoch), point.seq) > begun


def without_reference(envelope: Envelope) -> Envelope:
    """Return what the line may act on of a message that does nothing to the one it cites."""
    return msgspec.structs.replace(envelope, ref=None)


def _unfit(why: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        f"what was kept of the record does not fit it: {why}",
        remedy="nothing: the whole record is read instead",
    )
