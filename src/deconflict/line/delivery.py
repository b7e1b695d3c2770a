"""What is known of a message's way, and which kinds of message move it along."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from deconflict.errors import NotFoundError
from deconflict.line.precedence import Precedence

__all__ = ["Delivery", "DeliveryBook", "DeliveryState", "KindRule", "KindRules", "counts_as"]


class DeliveryState(StrEnum):
    """How far an own message has come. No state implies a later one; none implies consent."""

    QUEUED = "QUEUED"  # its slot is taken; it has not left
    SENT = "SENT"  # it left at least once
    LACKED = "LACKED"  # the peer's signed receipt says it is durable there
    SEEN = "SEEN"  # it stood on the screen of a desk there
    LOADED = "LOADED"  # the unit that acts holds it
    CLOSED = "CLOSED"  # answered
    EXPIRED = "EXPIRED"  # its time passed without a receipt
    REFUSED = "REFUSED"  # the peer signed why it does not log it
    SAID_AGAIN = "SAID_AGAIN"  # the peer never held it; it was said again in a later epoch


@dataclass(frozen=True, slots=True)
class Delivery:
    """State of one own message, with its escalation beside it.

    Attributes:
        state: how far it has come.
        escalated: highest rung of the ladder raised so far; 0 when none was.
        reason: why it was refused; empty otherwise.
    """

    state: DeliveryState
    escalated: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KindRule:
    """What the line must know of a kind of message; what it means is nobody's business here.

    Attributes:
        precedence: used when a draft names none; of a FLASH kind none is less (:func:`counts_as`).
        needs_seen: somebody at the other side must have it on a screen in time.
        needs_answer: the other side must answer in time.
        closes: it answers the message that ``ref`` names, if the other party wrote that.
        marks_seen: it says that the message ``ref`` stood on a screen.
        marks_loaded: it says that the unit that acts holds the message ``ref``.
        extends: it grants the answer to ``ref`` its whole time again, once.
    """

    precedence: Precedence
    needs_seen: bool = False
    needs_answer: bool = False
    closes: bool = False
    marks_seen: bool = False
    marks_loaded: bool = False
    extends: bool = False


KindRules: TypeAlias = Mapping[str, KindRule]


def counts_as(kind: str, stated: Precedence, rules: KindRules) -> Precedence:
    """Return as how urgent a message counts: as its author wrote, and of a FLASH kind as FLASH.

    Whoever called a cease request ROUTINE would have it receipted, leave the other desk four hours
    without a sound, and could prove afterwards that it was asked.
    """
    rule = rules.get(kind)
    return Precedence.FLASH if rule is not None and rule.precedence is Precedence.FLASH else stated


_REMEMBERED: Final = 4_096  # settled deliveries beyond this are the store's to tell

_S = DeliveryState
_AFTER_RECEIPT = frozenset({_S.SEEN, _S.LOADED, _S.CLOSED})
# A late receipt leaves EXPIRED standing: the peer logged it DELAYED, unless it says it was seen.
_MAY_FOLLOW: Final[Mapping[DeliveryState, frozenset[DeliveryState]]] = {
    _S.QUEUED: _AFTER_RECEIPT | {_S.SENT, _S.LACKED, _S.EXPIRED, _S.REFUSED},
    _S.SENT: _AFTER_RECEIPT | {_S.LACKED, _S.EXPIRED, _S.REFUSED},
    _S.REFUSED: _AFTER_RECEIPT | {_S.LACKED, _S.EXPIRED},
    _S.LACKED: _AFTER_RECEIPT,
    _S.EXPIRED: _AFTER_RECEIPT,
    _S.SEEN: frozenset({_S.LOADED, _S.CLOSED}),
    _S.LOADED: frozenset({_S.CLOSED}),
    _S.CLOSED: frozenset(),
}


class DeliveryBook:
    """Deliveries of own messages that memory still tells.

    Everything still owed is kept, and the last few thousand settled ones.

    Args:
        is_owed: tells whether anything is still owed about a message.
    """

    def __init__(self, is_owed: Callable[[str], bool]) -> None:
        self._is_owed: Final = is_owed
        self._by_hash: dict[str, Delivery] = {}
        self._changed: dict[str, Delivery] = {}

    def begin(self, message_hash: str, delivery: Delivery) -> None:
        """Remember a new own message."""
        while len(self._by_hash) >= _REMEMBERED:
            oldest = next(iter(self._by_hash))
            if self._is_owed(oldest):
                break  # memory keeps it, and what came after it
            del self._by_hash[oldest]
        self._by_hash[message_hash] = self._changed[message_hash] = delivery

    def advance(self, message_hash: str, state: DeliveryState, reason: str = "") -> None:
        """Move a message on; never back, and nothing that memory let go."""
        before = self._by_hash.get(message_hash)
        if before is not None and state in _MAY_FOLLOW[before.state]:
            self._change(message_hash, Delivery(state, before.escalated, reason))

    def escalate(self, message_hash: str, level: int) -> None:
        """Note the highest rung raised about a message."""
        before = self._by_hash.get(message_hash)
        if before is not None and level > before.escalated:
            self._change(message_hash, Delivery(before.state, level, before.reason))

    def find(self, message_hash: str) -> Delivery:
        """Return how far a message has come.

        Raises:
            NotFoundError: not an own message, or settled so long ago that the store must tell.
        """
        delivery = self._by_hash.get(message_hash)
        if delivery is None:
            raise NotFoundError(
                "memory holds no delivery of this message",
                given=message_hash[:16],
                remedy="read its entry and the receipts from the store",
            )
        return delivery

    def changes(self) -> dict[str, Delivery]:
        """Return, once, what changed since the last call."""
        changed, self._changed = self._changed, {}
        return changed

    def _change(self, message_hash: str, delivery: Delivery) -> None:
        self._by_hash[message_hash] = self._changed[message_hash] = delivery
