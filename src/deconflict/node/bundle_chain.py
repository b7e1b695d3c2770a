"""One party's chain in a bundle while it is read: what of it is proven so far."""

from dataclasses import dataclass, field
from itertools import accumulate

from deconflict.errors import BrokenChainError, ForkedChainError
from deconflict.line.key_ring import KeyRing
from deconflict.line.keys import VerifyKey
from deconflict.line.log import ChainCheck
from deconflict.line.note import NoteKey
from deconflict.line.statement import ChainPoint
from deconflict.line.tree import HASH_BYTES
from deconflict.node.bundle_citations import Citations
from deconflict.node.bundle_quick import RecordTree

__all__ = ["RecordedChain"]


@dataclass(slots=True)
class RecordedChain:
    """What is known of one party's chain while it is read."""

    party: str
    ring: KeyRing
    check: ChainCheck | None = None
    epoch: str = ""
    hashes: dict[str, bytearray] = field(default_factory=dict)  # epoch -> hash of each entry
    follows: dict[str, ChainPoint | None] = field(default_factory=dict)  # epoch -> what before it
    trees: dict[str, RecordTree] = field(default_factory=dict)  # epoch -> tree over its entries
    cited: Citations = field(default_factory=Citations)  # what it says it holds of the other's
    told: set[str] = field(default_factory=set)  # keys that the quick reader was told of
    length: int = 0
    drills: int = 0
    delayed: int = 0
    cosigned: ChainPoint | None = None  # the last entry under the last cosigned checkpoint
    cosigned_s: int = 0
    checkpoints: int = 0
    seen: dict[str, list[tuple[ChainPoint, int]]] = field(default_factory=dict)  # by vkey
    _way: dict[str, int] | None = None
    _before: dict[str, int] = field(default_factory=dict)  # epoch on the way -> entries before it

    @property
    def first(self) -> VerifyKey:
        """The author's first key, which the reader trusts."""
        return self.ring.first

    def holds(self, point: ChainPoint) -> bool:
        """True exactly when the slot is in this chain, with this very entry."""
        return self.holds_at(point.epoch, point.seq, bytes.fromhex(point.hash))

    def holds_at(self, epoch: str, seq: int, name: bytes) -> bool:
        """As :meth:`holds`, for a slot and the 32 bytes of a hash."""
        start = (seq - 1) * HASH_BYTES
        return self.hashes.get(epoch, b"")[start : start + HASH_BYTES] == name

    def entry_at(self, epoch: str, seq: int) -> ChainPoint:
        """Return the entry of a slot that it has."""
        start = (seq - 1) * HASH_BYTES
        return ChainPoint(epoch, seq, self.hashes[epoch][start : start + HASH_BYTES].hex())

    def seen_of(self, key: NoteKey) -> list[tuple[ChainPoint, int]]:
        """What a third witness signed to have seen of it, each with the time."""
        return self.seen.get(key.to_text(), [])

    def way(self) -> dict[str, int]:
        """Its epochs, each with its last number on the way to the head, in their order.

        Asked for when all its entries were read.
        """
        if self._way is not None:
            return self._way
        way: dict[str, int] = {}
        epoch = self.epoch
        last = len(self.hashes.get(epoch, b"")) // HASH_BYTES
        while last:
            way[epoch] = last
            before = self.follows[epoch]
            epoch, last = ("", 0) if before is None else (before.epoch, before.seq)
        self._way = dict(reversed(way.items()))
        reached = accumulate(self._way.values(), initial=0)
        self._before = dict(zip(self._way, reached, strict=False))
        return self._way

    def position(self, point: ChainPoint) -> int | None:
        """How many entries lie on the way up to and including a point; None: it is not on it."""
        return self.place_of(point.epoch, point.seq)

    def place_of(self, epoch: str, seq: int) -> int | None:
        """As :meth:`position`, for a slot."""
        last = self.way().get(epoch)  # each citation asks, and there may be as many epochs
        return None if last is None or seq > last else self._before[epoch] + seq

    def require_held(self, point: ChainPoint, who: str) -> None:
        """Return when an entry that ``who`` names is in the record.

        Raises:
            ForkedChainError: the record holds another one in that slot.
            BrokenChainError: the record lacks the slot.
        """
        if self.holds(point):
            return
        slot = f"slot {point.seq} of {self.party}"
        if point.seq * HASH_BYTES <= len(self.hashes.get(point.epoch, b"")):
            raise ForkedChainError(
                f"{who} names another entry in {slot} than the record holds",
                given=point.hash,
                remedy="keep this bundle, and ask the other party for its own",
            )
        raise BrokenChainError(
            f"{who} names {slot}, which the record lacks",
            given=point.hash,
            remedy="the record was shortened: ask the other party for its own",
        )

    def require_place(self, point: ChainPoint, who: str) -> int:
        """Return how far along the chain an entry lies that the other side holds.

        Raises:
            BrokenChainError: a later epoch leaves it behind, which what is held cannot be.
        """
        place = self.position(point)
        if place is None:
            raise BrokenChainError(
                f"{who} names an entry that {self.party}'s later epoch leaves behind",
                given=f"slot {point.seq} of epoch {point.epoch}",
                expected="no epoch that begins before what the other side held",
                remedy="keep this bundle, and ask the other party for its own",
            )
        return place
