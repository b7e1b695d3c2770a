"""Clocks that are wrong, jump, run twice through a second, or flicker; and a monotonic one."""

import random
from collections.abc import Callable

from tests.simulation.setting import EPOCH_UTC_MS

from deconflict.line.moment import Now

END_OF_32_BITS_MS = 2**31 * 1_000  # 19 January 2038
FARTHEST_MS = 288_000
STROBE_MS = 1_500


class SimulatedClock:
    """One party's two clocks. UTC may do anything; the monotonic one only starts somewhere else.

    ``changed_at_ms`` tells, on the true clock, when UTC last did anything but run.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._offset_ms = rng.choice((0, 0, -FARTHEST_MS, 700, FARTHEST_MS))
        self.monotonic_offset_ms = rng.choice((0, -FARTHEST_MS, 10**9))
        self._strobes = False
        self.changed_at_ms = -(10**12)
        self.faults = 0

    def now(self, at_ms: int) -> Now:
        return Now(self.utc_ms(at_ms), at_ms + self.monotonic_offset_ms)

    def utc_ms(self, at_ms: int) -> int:
        flicker = FARTHEST_MS if self._strobes and at_ms // STROBE_MS % 2 else 0
        return max(0, EPOCH_UTC_MS + at_ms + self._offset_ms + flicker)

    def is_steady_since(self, at_ms: int) -> bool:
        return not self._strobes and self.changed_at_ms < at_ms

    def fail(self, at_ms: int) -> None:
        """Do one of the things that clocks have done."""
        happenings: tuple[Callable[[int], None], ...] = (
            self._jump,
            self._to_1970,
            self._to_2038,
            self._leap,
            self._strobe,
            self._corrected,
            self._corrected,
        )
        self._strobes = False
        self._rng.choice(happenings)(at_ms)
        self.changed_at_ms = at_ms
        self.faults += 1

    def _jump(self, at_ms: int) -> None:
        self._offset_ms = self._rng.randint(-FARTHEST_MS, FARTHEST_MS)

    def _to_1970(self, at_ms: int) -> None:
        self._offset_ms = -EPOCH_UTC_MS - at_ms

    def _to_2038(self, at_ms: int) -> None:
        # Two seconds before a signed 32-bit second overflows, so that the run crosses it.
        self._offset_ms = END_OF_32_BITS_MS - 2_000 - EPOCH_UTC_MS - at_ms

    def _leap(self, at_ms: int) -> None:
        self._offset_ms -= 1_000

    def _strobe(self, at_ms: int) -> None:
        self._strobes = True

    def _corrected(self, at_ms: int) -> None:
        self._offset_ms = 0
