"""What is known of a message's way, and which kinds of message move it along."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from deconflict.line.precedence import Precedence

__all__ = ["Delivery", "DeliveryState", "KindRule", "KindRules"]


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
        precedence: used when a draft names none.
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
