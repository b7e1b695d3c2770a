"""A disk that can be copied and put back: chains in epochs, receipts, and the guard beside it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.simulation.setting import LineViolationError

from deconflict.line.checkpoint import entry_leaf
from deconflict.line.envelope import SealedEnvelope, read_envelope
from deconflict.line.epoch import opening_of
from deconflict.line.incoming import IncomingEntry
from deconflict.line.receipt import SealedReceipt
from deconflict.line.restored import RestoredTree, TreeBuilder
from deconflict.line.statement import ChainPoint


class Chain:
    """One chain on disk, in epochs, each in the order it was begun."""

    def __init__(self) -> None:
        self.epochs: dict[str, list[SealedEnvelope]] = {}
        self.received: dict[str, tuple[int, bool]] = {}

    def add(self, sealed: SealedEnvelope, received_utc_ms: int = 0, delayed: bool = False) -> None:
        envelope = read_envelope(sealed.data)
        self.epochs.setdefault(envelope.epoch, []).append(sealed)
        if envelope.seq != len(self.epochs[envelope.epoch]):
            raise LineViolationError(f"slot {envelope.seq} is not the next on disk")
        self.received[sealed.hash] = (received_utc_ms, delayed)

    def at(self, epoch: str, seq: int) -> SealedEnvelope | None:
        known = self.epochs.get(epoch, [])
        return known[seq - 1] if 1 <= seq <= len(known) else None

    def has(self, point: ChainPoint) -> bool:
        sealed = self.at(point.epoch, point.seq)
        return sealed is not None and sealed.hash == point.hash

    @property
    def head(self) -> ChainPoint | None:
        if not self.epochs:
            return None
        epoch = next(reversed(self.epochs))
        return ChainPoint(epoch, len(self.epochs[epoch]), self.epochs[epoch][-1].hash)

    def heard_last(self) -> ChainPoint | None:
        """As ``node.chains.heard_last``."""
        for epoch in reversed(list(self.epochs.values())):
            for sealed in reversed(epoch):
                heard = read_envelope(sealed.data).heard
                if heard is not None:
                    return heard
        return None

    def way(self) -> dict[str, int]:
        way: dict[str, int] = {}
        end = self.head
        while end is not None:
            way[end.epoch] = end.seq
            opening = opening_of(read_envelope(self.epochs[end.epoch][0].data))
            end = None if opening is None else opening.follows
        return dict(reversed(way.items()))

    # -- as a ChainReader -----------------------------------------------------------------------

    def holds(self, point: ChainPoint) -> bool:
        return self.has(point) and point.seq <= self.way().get(point.epoch, 0)

    def after(self, point: ChainPoint | None) -> Iterator[SealedEnvelope]:
        reached = point is None
        for epoch, last in self.way().items():
            first = 0
            if not reached and point is not None:
                if epoch != point.epoch:
                    continue
                reached, first = True, point.seq
            yield from self.epochs[epoch][first:last]


@dataclass
class Durable:
    """All that a disk holds."""

    own: Chain = field(default_factory=Chain)
    peer: Chain = field(default_factory=Chain)
    receipts: list[SealedReceipt] = field(default_factory=list)


@dataclass
class Guard:
    """The file beside the disk: how far each chain is signed, and whether it lacks something."""

    points: dict[str, ChainPoint | None] = field(default_factory=dict)
    mute: set[str] = field(default_factory=set)


@dataclass
class Commit:
    """One transaction, and what may happen once it is durable and the guard has moved."""

    own: list[SealedEnvelope] = field(default_factory=list)
    peer: list[IncomingEntry] = field(default_factory=list)
    receipts: list[SealedReceipt] = field(default_factory=list)
    whole: dict[str, ChainPoint | None] = field(default_factory=dict)
    then: list[Callable[[], None]] = field(default_factory=list)


def point_of(sealed: SealedEnvelope) -> ChainPoint:
    """Return the place of an entry in its chain."""
    envelope = read_envelope(sealed.data)
    return ChainPoint(envelope.epoch, envelope.seq, sealed.hash)


def tree_of(chain: Chain) -> RestoredTree:
    """Return the tree of a chain's present epoch, as a start builds it."""
    builder = TreeBuilder()
    if chain.head is not None:
        for sealed in chain.epochs[chain.head.epoch]:
            builder.add(entry_leaf(sealed.hash, sealed.signature.value))
    return builder.finish()
