"""Every pair of flights, every pair of legs, no index: which losses are sure, which are possible.

An own reckoning beside the kernel's. Legs are cut at geodesic points by `pyproj`, each piece is a
chord in Earth-centred coordinates, pieces are paired by nothing but common time, and each pair is
solved in float64. What the chords may hide is put on both sides: a loss is

- sure while the chords are nearer than the minimum less the slack: it must be reported;
- possible while they are nearer than the minimum plus the slack: nothing else may be a loss;
- allowed while they are nearer than that and the kernel's own stated ε: a reported stretch of time
  may reach so far.

**Slack.** A piece of length L strays from its chord by at most s = L²/8R along the surface's normal
and e = L³/48R² across it. Take two points a distance d apart along the straight line between them,
and let the offsets of the two pieces be α₁n₁ + τ₁ and α₂n₂ + τ₂ with 0 ≤ α ≤ s, |τ| ≤ e. Normals
turn by at most d/R over d and each leans on that line by at most d/2R·(1 + d/R), so the offsets
change the distance by at most s·d/R·(1 + d/R) + 2e to first order, and by at most (s + 2e)²/2d' to
second, d' the lesser distance. R is the least radius of curvature.

**Ground and straight.** A geodesic of length D bends at most 1/R per metre, so its ends are at
least 2R sin(D/2R) apart (Schur); a plane one that bends at least 1/R₂ has them at most
2R₂ sin(D/2R₂) apart, and a hundredth of the shortening is left for its twist.

Pairs that are possible and not sure are cut finer and asked again: `settled`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from bench.conflicts import Conflicts, joined
from bench.flown import WGS84
from bench.workloads import Flights
from numpy.typing import NDArray

__all__ = ["Losses", "all_pairs", "chord_bounds_m", "kernel_slack_m", "settled", "slack_m"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

R_M: Final = 6_335_439.0  # least radius of curvature of WGS84: a(1 - e²)
R2_M: Final = 6_399_594.0  # the greatest: a²/b
A_M: Final = 6_378_137.0
E2: Final = (2 - 1 / 298.257223563) / 298.257223563
LONGEST_PIECE_M: Final = 50_000.0
COARSEST_SLACK_M: Final = 0.5  # pieces are shortened until the slack is no more
FINE_PIECE_M: Final = 500.0
ROUNDING_M: Final = 1e-6
TMM_PER_FOOT: Final = 3_048
NEARLY_TMM: Final = 1e-3  # altitudes of climbing legs are not told apart below a tenth of a micron
BLOCK: Final = 60_000  # leg pairs taken at once: what the processor's cache holds


@dataclass(frozen=True, slots=True)
class Losses:
    """Losses that must be reported, and those that may be.

    Attributes:
        sure: under the minima by more than the slack.
        possible: under the minima, or over by less than the slack.
        allowed: under the minima, or over by less than the slack and the kernel's stated ε.
        slack_m: of the longest piece.
        leg_pairs: pairs of pieces that share time, all of them looked at.
    """

    sure: Conflicts
    possible: Conflicts
    allowed: Conflicts
    slack_m: float
    leg_pairs: int

    def open_pairs(self) -> set[tuple[int, int]]:
        """Return the pairs that the slack leaves open."""
        return self.possible.pairs() - self.sure.pairs()


def slack_m(lateral_m: float, longest_m: float) -> float:
    """Return what chords of pieces this long may hide about a distance at the minimum."""
    s, e = longest_m**2 / (8 * R_M), longest_m**3 / (48 * R_M**2)
    first = s * lateral_m / R_M * (1 + lateral_m / R_M) + 2 * e
    nearest = max(lateral_m - first - s, lateral_m / 2)
    return first + (s + 2 * e) ** 2 / (2 * nearest) + ROUNDING_M


def chord_bounds_m(lateral_m: float, longest_m: float) -> tuple[float, float]:
    """Return the chord distance below which a loss is sure, and that above which none is possible.

    For chords of pieces of at most ``longest_m``.
    """
    slack = slack_m(lateral_m, longest_m)
    inner_m = 2 * R_M * np.sin(lateral_m / (2 * R_M)) - slack
    outer_m = lateral_m - 0.99 * (lateral_m - 2 * R2_M * np.sin(lateral_m / (2 * R2_M))) + slack
    return float(inner_m), float(outer_m)


def kernel_slack_m(lateral_m: float) -> float:
    """Return the ε that docs/reference/separation.md allows the kernel."""
    return max(min(0.25, lateral_m / 1e4), 5e-3)


def piece_m(lateral_m: float) -> float:
    """Return how long pieces may be."""
    longest_m = LONGEST_PIECE_M
    while slack_m(lateral_m, longest_m) > COARSEST_SLACK_M:
        longest_m /= 2
    return longest_m


@dataclass(frozen=True, slots=True)
class Pieces:
    """One row a piece of leg, by start: where the flight is at its start, and how fast."""

    flight: IntArray
    start_s: FloatArray
    end_s: FloatArray
    place_m: FloatArray  # shape (3, n): one coordinate lies together
    velocity_mps: FloatArray
    altitude_tmm: FloatArray
    climb: FloatArray  # tenths of a millimetre a second; 0 exactly when level
    low_tmm: FloatArray
    high_tmm: FloatArray
    longest_m: float


def pieces_of(made: Flights, longest_m: float) -> Pieces:
    """Return the legs of all flights, cut at geodesic points into pieces of at most this length."""
    inner = np.ones(len(made.time_s), dtype=bool)
    inner[made.offsets[1:] - 1] = False
    inner[:-1] &= np.diff(made.time_s) != 0  # one waypoint said twice is no leg
    begin = np.flatnonzero(inner)
    flight = np.searchsorted(made.offsets, begin, side="right") - 1
    lon, lat = made.lon_deg, made.lat_deg
    azimuth, _, length = WGS84.inv(lon[begin], lat[begin], lon[begin + 1], lat[begin + 1])
    parts = np.maximum(np.ceil(length / longest_m), 1).astype(np.int64)
    leg = np.repeat(np.arange(len(begin)), parts)
    part = np.arange(len(leg)) - np.repeat(np.cumsum(parts) - parts, parts)

    def place_m(number: IntArray) -> FloatArray:
        share = number / parts[leg]
        cut_lon, cut_lat, _ = WGS84.fwd(
            lon[begin][leg], lat[begin][leg], azimuth[leg], share * length[leg]
        )
        # The ends are the waypoints themselves, not their image by two geodesic solutions.
        for known, at in ((0, begin), (parts[leg], begin + 1)):
            ends = number == known
            cut_lat, cut_lon = (
                np.where(ends, lat[at][leg], cut_lat),
                np.where(ends, lon[at][leg], cut_lon),
            )
        return ecef_m(cut_lat, cut_lon)

    def time_s(number: IntArray) -> FloatArray:
        first, last = made.time_s[begin][leg], made.time_s[begin + 1][leg]
        return np.where(number == parts[leg], last, first + (last - first) * (number / parts[leg]))

    start_s, end_s = time_s(part), time_s(part + 1)
    first_m, last_m = place_m(part), place_m(part + 1)
    tmm = np.round(made.altitude_ft * TMM_PER_FOOT)
    climb = (tmm[begin + 1] - tmm[begin]) / (made.time_s[begin + 1] - made.time_s[begin])
    altitude = tmm[begin][leg] + climb[leg] * (start_s - made.time_s[begin][leg])
    order = np.argsort(start_s, kind="stable")
    return Pieces(
        flight=flight[leg][order],
        start_s=start_s[order],
        end_s=end_s[order],
        place_m=first_m[:, order],
        velocity_mps=((last_m - first_m) / (end_s - start_s))[:, order],
        altitude_tmm=altitude[order],
        climb=climb[leg][order],
        low_tmm=np.minimum(tmm[begin], tmm[begin + 1])[leg][order],
        high_tmm=np.maximum(tmm[begin], tmm[begin + 1])[leg][order],
        longest_m=float((length / parts).max()),
    )


def ecef_m(lat_deg: FloatArray, lon_deg: FloatArray) -> FloatArray:
    """Return points of the ellipsoid as Earth-centred coordinates, shape ``(3, n)``."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    n = A_M / np.sqrt(1 - E2 * np.sin(lat) ** 2)
    across = n * np.cos(lat)
    return np.stack((across * np.cos(lon), across * np.sin(lon), n * (1 - E2) * np.sin(lat)))


def all_pairs(
    made: Flights, lateral_m: float, vertical_tmm: int, longest_m: float | None = None
) -> Losses:
    """Return the losses among all flights, by looking at every pair of pieces that share time."""
    pieces = pieces_of(made, longest_m or piece_m(lateral_m))
    slack = slack_m(lateral_m, pieces.longest_m)
    inner_m, outer_m = chord_bounds_m(lateral_m, pieces.longest_m)
    allowed_m = outer_m + kernel_slack_m(lateral_m)
    sure, possible, allowed = [_nothing()], [_nothing()], [_nothing()]
    leg_pairs = 0
    for a, b, count in _near_in_altitude(pieces, vertical_tmm):
        leg_pairs += count
        a, b = _nearer_than(pieces, a, b, allowed_m)
        if len(a):
            sure.append(_under(pieces, a, b, inner_m, vertical_tmm, -NEARLY_TMM))
            possible.append(_under(pieces, a, b, outer_m, vertical_tmm, NEARLY_TMM))
            allowed.append(_under(pieces, a, b, allowed_m, vertical_tmm, NEARLY_TMM))
    return Losses(_merged(sure), _merged(possible), _merged(allowed), slack, leg_pairs)


def settled(made: Flights, losses: Losses, lateral_m: float, vertical_tmm: int) -> Losses:
    """Return the losses with the pairs that the slack left open asked again in 500 m pieces."""
    sure, possible = losses.sure, losses.possible
    for i, j in sorted(losses.open_pairs()):
        finer = all_pairs(_only(made, (i, j)), lateral_m, vertical_tmm, FINE_PIECE_M)
        sure = _with(sure, finer.sure, i, j)
        possible = _with(_without(possible, i, j), finer.possible, i, j)
    return replace(losses, sure=sure, possible=possible)


def _nothing() -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0)


def _merged(parts: list[tuple[IntArray, IntArray, FloatArray, FloatArray]]) -> Conflicts:
    i, j, t_in_s, t_out_s = (np.concatenate(column) for column in zip(*parts, strict=True))
    return joined(np.minimum(i, j), np.maximum(i, j), t_in_s, t_out_s)


def _near_in_altitude(
    pieces: Pieces, vertical_tmm: int
) -> Iterator[tuple[IntArray, IntArray, int]]:
    """Yield all pairs of pieces that share time, less those whose altitudes never come near.

    A piece shares time with those that start no later than it and end after, which lie together
    in the order of starts; so each pair is met once, at the one of it that starts first.
    """
    last = np.searchsorted(pieces.start_s, pieces.end_s, side="left")
    count, k = len(pieces.flight), 0
    while k < count:
        width = max(int(last[k]) - k, 1)
        rows = min(max(BLOCK // width, 1), count - k)
        until = int(last[k : k + rows].max())
        a, b = np.arange(k, k + rows), slice(k + 1, max(until, k + 1))
        common = (b.start + np.arange(b.stop - b.start) > a[:, None]) & (
            pieces.start_s[b] < pieces.end_s[a, None]
        )
        looked = int(np.count_nonzero(common))
        common &= pieces.low_tmm[b] - pieces.high_tmm[a, None] < vertical_tmm
        common &= pieces.low_tmm[a, None] - pieces.high_tmm[b] < vertical_tmm
        common &= pieces.flight[b] != pieces.flight[a, None]
        row, column = np.nonzero(common)
        yield row + k, column + k + 1, looked
        k += rows


def _relative(
    pieces: Pieces, a: IntArray, b: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return common start and length (seconds), and how b lies and moves seen from a then."""
    start_s = np.maximum(pieces.start_s[a], pieces.start_s[b])
    length_s = np.minimum(pieces.end_s[a], pieces.end_s[b]) - start_s
    u, w = pieces.velocity_mps[:, a], pieces.velocity_mps[:, b]
    place = (pieces.place_m[:, b] + w * (start_s - pieces.start_s[b])) - (
        pieces.place_m[:, a] + u * (start_s - pieces.start_s[a])
    )
    return start_s, length_s, place, w - u


def _nearer_than(
    pieces: Pieces, a: IntArray, b: IntArray, reach_m: float
) -> tuple[IntArray, IntArray]:
    """Return the pairs whose chords come nearer than this at some common instant."""
    _, length_s, place, velocity = _relative(pieces, a, b)
    square = (velocity * velocity).sum(axis=0)
    along = -(place * velocity).sum(axis=0)
    t_s = np.clip(along / np.where(square > 0, square, 1.0), 0.0, length_s)
    nearest = place + velocity * t_s
    near = (nearest * nearest).sum(axis=0) < (reach_m + ROUNDING_M) ** 2
    return a[near], b[near]


def _under(
    pieces: Pieces,
    a: IntArray,
    b: IntArray,
    reach_m: float,
    vertical_tmm: int,
    nearly_tmm: float,
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Return flights, beginning and end of each stretch under both limits."""
    start_s, length_s, place, velocity = _relative(pieces, a, b)
    low, high = np.zeros(len(a)), length_s
    climb = pieces.climb[b] - pieces.climb[a]
    rise = (pieces.altitude_tmm[b] + pieces.climb[b] * (start_s - pieces.start_s[b])) - (
        pieces.altitude_tmm[a] + pieces.climb[a] * (start_s - pieces.start_s[a])
    )
    level = (pieces.climb[a] == 0) & (pieces.climb[b] == 0)
    # Level against level is exact: 3,048,000 apart is apart, whatever the slack of climbing legs.
    limit = np.where(level, float(vertical_tmm), vertical_tmm + nearly_tmm)
    with np.errstate(divide="ignore", invalid="ignore"):
        one, two = (-limit - rise) / climb, (limit - rise) / climb
    steady = climb == 0
    kept = ~steady | (np.abs(rise) < limit)
    low = np.where(steady, low, np.fmax(low, np.fmin(one, two)))
    high = np.where(steady, high, np.fmin(high, np.fmax(one, two)))

    square = (velocity * velocity).sum(axis=0)
    half = (place * velocity).sum(axis=0)
    rest = (place * place).sum(axis=0) - reach_m**2
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = -half / square
        # The nearest point's own distance, not half² - square·rest: that loses every digit.
        nearest = place + velocity * middle
        width = np.sqrt(np.maximum(reach_m**2 - (nearest * nearest).sum(axis=0), 0.0) / square)
    still = ~np.isfinite(middle) | ~np.isfinite(width)
    kept &= np.where(still, rest < 0, width > 0)
    low = np.where(still, low, np.fmax(low, middle - width))
    high = np.where(still, high, np.fmin(high, middle + width))
    kept &= low < high
    return (
        pieces.flight[a][kept],
        pieces.flight[b][kept],
        (start_s + low)[kept],
        (start_s + high)[kept],
    )


def _only(made: Flights, chosen: tuple[int, ...]) -> Flights:
    """Return these flights of a set, numbered anew."""
    rows = [np.arange(made.offsets[k], made.offsets[k + 1]) for k in chosen]
    take = np.concatenate(rows)
    return Flights(
        np.concatenate(([0], np.cumsum([len(r) for r in rows]))),
        made.time_s[take],
        made.lat_deg[take],
        made.lon_deg[take],
        made.altitude_ft[take],
    )


def _without(conflicts: Conflicts, i: int, j: int) -> Conflicts:
    keep = (conflicts.i != i) | (conflicts.j != j)
    return Conflicts(
        conflicts.i[keep], conflicts.j[keep], conflicts.t_in_s[keep], conflicts.t_out_s[keep]
    )


def _with(conflicts: Conflicts, finer: Conflicts, i: int, j: int) -> Conflicts:
    """Return the stretches with those of the two flights added that were numbered 0 and 1."""
    count = len(finer)
    return joined(
        np.append(conflicts.i, np.full(count, i)),
        np.append(conflicts.j, np.full(count, j)),
        np.append(conflicts.t_in_s, finer.t_in_s),
        np.append(conflicts.t_out_s, finer.t_out_s),
    )
