"""How much of one peer's talk is looked at: so much a second, and what it saved up while quiet.

A peer whose key is pinned may still be broken, or mean to keep this node from hearing others. Who
has used up its ration waits, request by request; of a request that had its turn a part is always
looked at. (Were it not, a peer that says again what got no receipt would use up its ration by
saying it, and never be heard.) What is left of a request that would wait too long is not looked
at and not lost: it stays without a receipt at its author, who says it again.
"""

from collections.abc import Iterable
from typing import Final

from deconflict.line.envelope import SealedEnvelope
from deconflict.line.packets import Packet, Question

__all__ = [
    "SAVED_UP",
    "UNITS_PER_S",
    "Ration",
    "asked_once",
    "cost_of_body",
    "cost_of_packets",
    "in_turns",
]

# A packet costs one unit, and one more for each so many bytes of its envelope; a request costs one,
# and one more for each so many bytes, which have to be read before anything in them can be refused.
PACKET_BYTES: Final = 4 * 1024
BODY_BYTES: Final = 32 * 1024
# A busy line needs ten messages. 200 with the receipts for what answers them come in 100 requests
# or more, as fast as the machines are: some 400 units. Where it is more, requests wait some
# milliseconds, and each brings more.
UNITS_PER_S: Final = 400
SAVED_UP: Final = 2_000  # after a cut line everything comes at once
AT_ONCE: Final = 32  # looked at before anybody else has a turn
# What answers a question is read from the disk, up to 128 entries. With its request 80 a second: a
# record that is asked for as a whole comes at 65 (docs/limits.md).
QUESTION_UNITS: Final = 4


def cost_of_packets(packets: Iterable[Packet]) -> int:
    """Return how many units packets cost together."""
    return sum(map(_cost_of, packets))


def cost_of_body(size: int) -> int:
    """Return how many units a request of so many bytes costs."""
    return 1 + size // BODY_BYTES


def in_turns(packets: Iterable[Packet]) -> list[list[Packet]]:
    """Return packets in the parts that are looked at in one turn each.

    A part costs :data:`AT_ONCE` units at most, or as much as its only packet.
    """
    made: list[list[Packet]] = []
    room = 0
    for packet in packets:
        cost = _cost_of(packet)
        if cost > room:
            made.append([])
            room = AT_ONCE
        made[-1].append(packet)
        room -= cost
    return made


def asked_once(packets: Iterable[Packet]) -> list[Packet]:
    """Return the packets of one request without the questions behind its first.

    A node asks one, and again when it has no answer (``specs/packets.md`` §7). An answer has up to
    a megabyte of entries: a request of a thousand questions asks for a gigabyte, at once.
    """
    kept: list[Packet] = []
    asked = False
    for packet in packets:
        if isinstance(packet, Question):
            if asked:
                continue
            asked = True
        kept.append(packet)
    return kept


class Ration:
    """The ration of one peer. Time is an argument: milliseconds of the monotonic clock."""

    def __init__(self, now_ms: int, per_s: int = UNITS_PER_S, saved_up: int = SAVED_UP) -> None:
        self._per_s = per_s
        self._most_thousandths = saved_up * 1_000
        # In thousandths, of which one millisecond brings a whole number: nothing is rounded away.
        self._thousandths = self._most_thousandths
        self._filled_ms = now_ms

    def use(self, units: int) -> None:
        """Use up so many units; what is not there is owed, and waited for before the next."""
        self._thousandths -= units * 1_000

    def wait_ms(self, now_ms: int) -> int:
        """Return how long it is until one unit is there; 0 when one is."""
        self._fill(now_ms)
        missing = max(0, 1_000 - self._thousandths)
        return -(-missing // self._per_s)

    def _fill(self, now_ms: int) -> None:
        gained = max(0, now_ms - self._filled_ms) * self._per_s
        self._thousandths = min(self._thousandths + gained, self._most_thousandths)
        self._filled_ms = max(self._filled_ms, now_ms)


def _cost_of(packet: Packet) -> int:
    if isinstance(packet, Question):
        return QUESTION_UNITS
    size = len(packet.data) if isinstance(packet, SealedEnvelope) else 0
    return 1 + size // PACKET_BYTES
