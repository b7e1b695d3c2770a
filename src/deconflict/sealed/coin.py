"""The coin that picks runs to be opened: each side has half of it, fixed in its HELLO.

Neither can steer it. Both halves are committed to before a byte of the plans is sent, and shown
once the run is over; who does not show its half has failed the audit that it might have called.
"""

import hashlib
from typing import Final

from deconflict.sealed.hello import Hello, commitment

__all__ = ["opens", "picked"]

_COIN: Final = b"deconflict/1 sealed coin\n"
_WHOLE: Final = 1_000  # what a rate is counted in


def opens(hello: Hello, coin: bytes) -> bool:
    """True exactly when this is the half that the HELLO commits to."""
    return commitment("coin", coin, b"") == hello.coin


def picked(halves: dict[bytes, bytes], per_mille: int) -> bool:
    """True exactly when a run is picked to be opened.

    Args:
        halves: of both sides, by the hash of its HELLO.
        per_mille: how many of a thousand runs are.

    >>> halves = {bytes(32): bytes([1] * 32), bytes([9] * 32): bytes([2] * 32)}
    >>> picked(halves, 0), picked(halves, 1_000)
    (False, True)
    """
    one, other = (halves[name] for name in sorted(halves))
    drawn = hashlib.sha256(_COIN + one + other).digest()
    # Of 2**64 equally likely numbers, so many are picked: whole numbers, the same on both sides.
    return int.from_bytes(drawn[:8], "big") < per_mille * 2**64 // _WHOLE
