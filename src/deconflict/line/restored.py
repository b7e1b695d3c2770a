"""What a line machine starts from: who speaks with whom, and what the disk holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from deconflict.errors import BrokenChainError, ConfigurationError
from deconflict.line.alerts import Alert
from deconflict.line.envelope import Envelope
from deconflict.line.key_ring import KeyRing, OwnKeys
from deconflict.line.keys import SigningKey, VerifyKey
from deconflict.line.receipt import SealedReceipt, open_receipt
from deconflict.line.resync import WHOLE, Silence
from deconflict.line.statement import ChainPoint, hash_of
from deconflict.line.tree import CompactRange, GrowingTree
from deconflict.line.witness import CosignedState

__all__ = ["LineIdentity", "Restored", "RestoredTree", "TreeBuilder"]


@dataclass(frozen=True, slots=True)
class LineIdentity:
    """Who speaks with whom, under which keys.

    Attributes:
        line_id: from :func:`deconflict.line.keys.line_id`.
        own: own party.
        peer: the other party.
        own_key: signs what is said now; the peer knows its public half, or will with the next
            entry.
        peer_ring: the peer's keys as its chain brought them.
        own_ring: the own keys as the own chain brought them.
        own_keys: their secret halves.

    Raises:
        ConfigurationError: the two parties or their keys are one and the same.
    """

    line_id: str
    own: str
    peer: str
    own_key: SigningKey
    peer_ring: KeyRing
    own_ring: KeyRing
    own_keys: OwnKeys

    def __post_init__(self) -> None:
        if self.own == self.peer or self.own_key.key_id in self.peer_ring.ever:
            raise ConfigurationError(
                "a line needs two parties with a key each",
                given=f"{self.own} and {self.peer}",
                remedy="pin the peer's own invitation, not this node's",
            )

    @property
    def peer_keys(self) -> Mapping[str, VerifyKey]:
        """The peer's key in force, by its id: what comes now is verified with that."""
        return self.peer_ring


@dataclass(frozen=True, slots=True)
class RestoredTree:
    """The tree over one chain on disk.

    Attributes:
        tree: over every entry of it, agreed up to the last one cosigned.
        kept: the last cosigned checkpoint of it that was stored; None before the first.
    """

    tree: GrowingTree
    kept: CosignedState | None = None


class TreeBuilder:
    """Works out the tree over a chain while its entries are read, in their order.

    Args:
        kept: the last checkpoint of it that was cosigned.
    """

    def __init__(self, kept: CosignedState | None = None) -> None:
        self._kept: Final = kept
        self._agreed: Final = CompactRange()
        self._agreed_size: Final = 0 if kept is None else kept.head.size
        self._later: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Take the leaf of the next entry."""
        if self._agreed.size < self._agreed_size:
            self._agreed.add(leaf)
        else:
            self._later.append(leaf)

    def finish(self) -> RestoredTree:
        """Return the tree over all of them.

        Raises:
            BrokenChainError: what was cosigned is not the tree over the first of these entries.
        """
        kept = self._kept
        if kept is not None and self._agreed.head != kept.head:
            raise BrokenChainError(
                "the entries held are not the ones that a cosigned checkpoint covers",
                given=f"{self._agreed.size} entries, root {self._agreed.head.root.hex()[:16]}…",
                expected=f"{kept.head.size} entries, root {kept.head.root.hex()[:16]}…",
                remedy="the database is damaged or an old copy: do not speak; restore the newest",
            )
        tree = GrowingTree(self._agreed)
        for leaf in self._later:
            tree.add(leaf)
        return RestoredTree(tree, kept)


@dataclass(frozen=True, slots=True)
class Restored:
    """What the disk holds when a node starts. Everything in it is durable and was verified.

    Attributes:
        own_head: last slot of the own chain.
        own_entries: exact bytes of the own entries of the present epoch after the last receipt,
            in order; earlier ones may stand before them.
        last_receipt: the newest receipt of the peer for the present epoch that was stored.
        peer_head: exact bytes of the last entry of the peer's chain.
        peer_head_received_utc_ms: the time stored with it.
        alerts: alerts that were open, from :meth:`LineMachine.open_alerts` or
            :class:`~deconflict.line.alert_fold.AlertFold`. Own entries without a receipt are
            watched whether they stand here or not.
        own_tree: over the own chain; None only where that has no entry.
        peer_tree: over the peer's chain; None only where that has no entry.
        own_earlier: hashes of own entries of earlier epochs that no receipt of the peer covers.
        own_agreed: the last entry of earlier epochs that one covers, as :attr:`own_earlier`.
        own_way: the own chain's epochs in their order, each with its last number on the way to
            the head; empty where it has one or none.
        own_reopened: whether the present epoch was opened by an EPOCH entry.
        silence: what is not to be done, because the record may lack something.
        alerts_since_utc_ms: since when the limits of `alerts` run by the record: when a message was
            logged, or the STANDBY that gave its answer time again. Where it is not said, a limit
            runs from the start at the latest.
    """

    own_head: ChainPoint | None = None
    own_entries: tuple[bytes, ...] = ()
    last_receipt: SealedReceipt | None = None
    peer_head: bytes | None = None
    peer_head_received_utc_ms: int = 0
    alerts: tuple[Alert, ...] = ()
    own_tree: RestoredTree | None = None
    peer_tree: RestoredTree | None = None
    own_earlier: tuple[str, ...] = ()
    own_agreed: ChainPoint | None = None
    own_way: Mapping[str, int] = field(default_factory=dict)
    own_reopened: bool = False
    silence: Silence = WHOLE
    alerts_since_utc_ms: Mapping[str, int] = field(default_factory=dict)

    def read_own_entries(self) -> list[tuple[Envelope, bytes]]:
        """Return :attr:`own_entries`, each with what it says."""
        return [(_decoded(data), data) for data in self.own_entries]

    def peer_logged(self) -> ChainPoint | None:
        """Return the slot of :attr:`peer_head`; None when the peer never spoke."""
        if self.peer_head is None:
            return None
        envelope = _decoded(self.peer_head)
        return ChainPoint(envelope.epoch, envelope.seq, hash_of(self.peer_head))

    def own_receipted(self, peer_keys: Mapping[str, VerifyKey]) -> ChainPoint | None:
        """Return the furthest own slot that stored words of the peer cover: receipt or ``heard``.

        A ``heard`` counts here as it did when it was heard: where it names an own entry by epoch
        and hash. One that contradicts the own log is logged all the same, for its author said it;
        it must neither end an alarm nor keep this node from starting.

        Raises:
            UnknownKeyError, BadSignatureError: the stored receipt does not verify.
            BrokenChainError: the receipt covers more than the own log holds.
        """
        points = []
        if self.last_receipt is not None:
            receipted = open_receipt(self.last_receipt, peer_keys).point
            head_seq = 0 if self.own_head is None else self.own_head.seq
            if receipted.seq > head_seq:
                raise BrokenChainError(
                    "the peer holds more of this node's log than the node itself",
                    given=f"own log up to slot {head_seq}",
                    expected=f"slot {receipted.seq}",
                    remedy="the database is an old copy: do not speak; restore the newest one",
                )
            points.append(receipted)
        if self.peer_head is not None and (heard := _decoded(self.peer_head).heard) is not None:
            own = (_decoded(data) for data in self.own_entries)
            said = {
                ChainPoint(envelope.epoch, envelope.seq, hash_of(data))
                for envelope, data in zip(own, self.own_entries, strict=True)
            }
            # What is older than the entries held here is older than the receipt beside them.
            if heard in said:
                points.append(heard)
        return max(points, key=lambda point: point.seq, default=None)


def _decoded(data: bytes) -> Envelope:
    # From the own, verified disk: canonical form was checked when it was written.
    return msgspec.json.decode(data, type=Envelope)
