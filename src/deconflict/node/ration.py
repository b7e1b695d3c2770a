"""How much of one peer's talk is looked at: so much a second, and what it saved up while quiet.

A peer whose key is pinned may still be broken, or mean to keep this node from hearing others. What
goes beyond its ration is not looked at and not lost: it stays without a receipt at its author, who
says it again.
"""

from typing import Final

__all__ = ["PACKETS_PER_S", "SAVED_UP", "Ration"]

PACKETS_PER_S: Final = 250  # a busy line needs ten; two nodes on one machine reach 200
SAVED_UP: Final = 2_000  # after a cut line everything comes at once


class Ration:
    """The ration of one peer. Time is an argument: milliseconds of the monotonic clock."""

    def __init__(self, now_ms: int, per_s: int = PACKETS_PER_S, saved_up: int = SAVED_UP) -> None:
        self._per_s = per_s
        self._most_thousandths = saved_up * 1_000
        # In thousandths, of which one millisecond brings a whole number: nothing is rounded away.
        self._thousandths = self._most_thousandths
        self._filled_ms = now_ms

    def take(self, wanted: int, now_ms: int) -> int:
        """Return how many of the wanted packets may be looked at now; they are then used up."""
        self._fill(now_ms)
        taken = min(wanted, self._thousandths // 1_000)
        self._thousandths -= taken * 1_000
        return taken

    def wait_ms(self, now_ms: int) -> int:
        """Return how long it is until one packet may be looked at; 0 when one may."""
        self._fill(now_ms)
        missing = max(0, 1_000 - self._thousandths)
        return -(-missing // self._per_s)

    def _fill(self, now_ms: int) -> None:
        gained = max(0, now_ms - self._filled_ms) * self._per_s
        self._thousandths = min(self._thousandths + gained, self._most_thousandths)
        self._filled_ms = max(self._filled_ms, now_ms)
