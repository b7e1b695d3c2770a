"""When two flights are within the vertical minimum: rationals, so exactly the minimum is apart."""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
from bench.bench_screen import TMM_PER_FOOT
from bench.workloads import Flights

__all__ = ["Altitudes"]

Stretch = tuple[Fraction, Fraction]


@dataclass(frozen=True, eq=False)
class Altitudes:
    """The altitudes of a set of flights whose times are whole milliseconds."""

    made: Flights

    def stretches_within(self, i: int, j: int, vertical_tmm: int) -> list[Stretch]:
        """Return the open stretches (seconds) with the altitude difference below the minimum.

        Stretches that touch are one if the difference is below the minimum there too.
        """
        (times_a, _), (times_b, _) = a, b = self._ramp(i), self._ramp(j)
        begin, end = max(times_a[0], times_b[0]), min(times_a[-1], times_b[-1])
        if begin >= end:
            return []
        times = sorted({t for t in times_a + times_b if begin < t < end} | {begin, end})
        rises = [_at(*a, t) - _at(*b, t) for t in times]
        found: list[Stretch] = []
        for k in range(len(times) - 1):
            stretch = _below(times[k], times[k + 1], rises[k], rises[k + 1], vertical_tmm)
            if stretch is None:
                continue
            if found and found[-1][1] == stretch[0] and abs(rises[k]) < vertical_tmm:
                stretch = (found.pop()[0], stretch[1])
            found.append(stretch)
        return [(begin / 1_000, end / 1_000) for begin, end in found]

    @cache  # noqa: B019 -- lives as long as the test that asks
    def _ramp(self, k: int) -> tuple[list[int], list[int]]:
        """Return times (milliseconds) and altitudes (tenths of a millimetre) of one flight."""
        own = slice(int(self.made.offsets[k]), int(self.made.offsets[k + 1]))
        at_ms = np.round(self.made.time_s[own] * 1e3).astype(np.int64).tolist()
        tmm = np.round(self.made.altitude_ft[own] * TMM_PER_FOOT).astype(np.int64).tolist()
        points = sorted(set(zip(at_ms, tmm, strict=True)))
        return [t for t, _ in points], [h for _, h in points]


def _at(times: list[int], tmm: list[int], t: int) -> Fraction | int:
    k = min(bisect_right(times, t) - 1, len(times) - 2)
    if tmm[k] == tmm[k + 1]:
        return tmm[k]
    return tmm[k] + Fraction((tmm[k + 1] - tmm[k]) * (t - times[k]), times[k + 1] - times[k])


def _below(
    t0: int, t1: int, rise0: Fraction | int, rise1: Fraction | int, vertical_tmm: int
) -> Stretch | None:
    """Return the open stretch of one linear piece, or None."""
    if rise0 == rise1:
        return (Fraction(t0), Fraction(t1)) if abs(rise0) < vertical_tmm else None
    if min(rise0, rise1) >= vertical_tmm or max(rise0, rise1) <= -vertical_tmm:
        return None
    slope = Fraction(rise1 - rise0) / (t1 - t0)
    crossings = sorted(t0 + (h - rise0) / slope for h in (-vertical_tmm, vertical_tmm))
    begin, end = max(Fraction(t0), crossings[0]), min(Fraction(t1), crossings[1])
    return (begin, end) if begin < end else None
