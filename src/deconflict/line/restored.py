"""What a line machine starts from: who speaks with whom, and what the disk holds."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from deconflict.errors import BrokenChainError, ConfigurationError
from deconflict.line.alerts import Alert
from deconflict.line.envelope import Envelope
from deconflict.line.keys import SigningKey, VerifyKey
from deconflict.line.receipt import SealedReceipt, open_receipt
from deconflict.line.statement import ChainPoint, hash_of

__all__ = ["LineIdentity", "Restored"]


@dataclass(frozen=True, slots=True)
class LineIdentity:
    """Who speaks with whom, under which keys.

    Attributes:
        line_id: from :func:`deconflict.line.keys.line_id`.
        own: own party.
        peer: the other party.
        own_key: signs; its public half is pinned at the peer.
        peer_keys: the peer's pinned keys by key id.

    Raises:
        ConfigurationError: the two parties or their keys are one and the same.
    """

    line_id: str
    own: str
    peer: str
    own_key: SigningKey
    peer_keys: Mapping[str, VerifyKey]

    def __post_init__(self) -> None:
        if self.own == self.peer or self.own_key.key_id in self.peer_keys:
            raise ConfigurationError(
                "a line needs two parties with a key each",
                given=f"{self.own} and {self.peer}",
                remedy="pin the peer's own invitation, not this node's",
            )


@dataclass(frozen=True, slots=True)
class Restored:
    """What the disk holds when a node starts. Everything in it is durable and was verified.

    Attributes:
        own_head: last slot of the own chain.
        own_entries: exact bytes of the own entries after the last receipt, in order; earlier
            ones may stand before them.
        last_receipt: the newest receipt of the peer that was stored.
        peer_head: exact bytes of the last entry of the peer's chain.
        peer_head_received_utc_ms: the time stored with it.
        alerts: alerts that were open, from :meth:`LineMachine.open_alerts` or
            :func:`~deconflict.line.alerts.fold_alerts`. Own entries without a receipt are
            watched whether they stand here or not.
    """

    own_head: ChainPoint | None = None
    own_entries: tuple[bytes, ...] = ()
    last_receipt: SealedReceipt | None = None
    peer_head: bytes | None = None
    peer_head_received_utc_ms: int = 0
    alerts: tuple[Alert, ...] = ()

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

        Raises:
            UnknownKeyError, BadSignatureError: the stored receipt does not verify.
            BrokenChainError: it covers more than the own log holds.
        """
        points = []
        if self.last_receipt is not None:
            points.append(open_receipt(self.last_receipt, peer_keys).point)
        if self.peer_head is not None and (heard := _decoded(self.peer_head).heard) is not None:
            points.append(heard)
        head_seq = 0 if self.own_head is None else self.own_head.seq
        for point in points:
            if point.seq > head_seq:
                raise BrokenChainError(
                    "the peer holds more of this node's log than the node itself",
                    given=f"own log up to slot {head_seq}",
                    expected=f"slot {point.seq}",
                    remedy="the database is an old copy: do not speak; restore the newest one",
                )
        return max(points, key=lambda point: point.seq, default=None)


def _decoded(data: bytes) -> Envelope:
    # From the own, verified disk: canonical form was checked when it was written.
    return msgspec.json.decode(data, type=Envelope)
