"""The same check by hand, as someone at home in shapely and NumPy would write it.

Ten-minute slabs of time; in each an STRtree over the legs' boxes on an azimuthal equidistant plane,
padded by half the minimum; of the pairs it gives, the common time, the quadratic of two straight
motions on Earth-centred chords, and the linear stretch of altitude, all in NumPy.

It takes each leg for one chord. That is good to centimetres while legs are short (36 km: 4 cm
against 5 NM); it bounds and settles nothing beyond that.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from bench.conflicts import Conflicts, joined
from bench.workloads import CENTRE_DEG, EARTH_RADIUS_M, Flights, Workload

__all__ = ["ecef_m", "screened"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WGS84_A_M: Final = 6_378_137.0  # NIMA TR8350.2
WGS84_E2: Final = (2 - 1 / 298.257223563) / 298.257223563
SLAB_S: Final = 600.0
PAD_SHARE: Final = 0.505  # half the minimum, and a hundredth for the plane
PAD_M: Final = 100.0  # what a leg bends away from its straight line on the plane: less than 10 m


def ecef_m(lat_deg: FloatArray, lon_deg: FloatArray) -> FloatArray:
    """Return points of the ellipsoid as Earth-centred coordinates, shape ``(n, 3)``."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    n = WGS84_A_M / np.sqrt(1 - WGS84_E2 * np.sin(lat) ** 2)
    across = n * np.cos(lat)
    return np.column_stack(
        (across * np.cos(lon), across * np.sin(lon), n * (1 - WGS84_E2) * np.sin(lat))
    )


@dataclass(frozen=True, slots=True)
class Legs:
    """One row a leg, by start: whose, from when to when, where and how high at first, how fast."""

    flight: IntArray
    start_s: FloatArray
    end_s: FloatArray
    place_m: FloatArray
    velocity_mps: FloatArray
    altitude_ft: FloatArray
    climb_fps: FloatArray
    box_m: FloatArray


def legs_of(made: Flights, lateral_m: float) -> Legs:
    """Return the legs of all flights, each with its padded box on the plane."""
    first = np.ones(len(made.time_s), dtype=bool)
    first[made.offsets[1:] - 1] = False
    begin = np.flatnonzero(first)
    flight = np.repeat(np.arange(len(made)), np.diff(made.offsets) - 1)
    order = np.argsort(made.time_s[begin], kind="stable")
    begin, flight = begin[order], flight[order]
    end = begin + 1
    place_m = ecef_m(made.lat_deg, made.lon_deg)
    lasts_s = made.time_s[end] - made.time_s[begin]
    x, y, pad_m = _on_plane(made, lateral_m)
    return Legs(
        flight=flight,
        start_s=made.time_s[begin],
        end_s=made.time_s[end],
        place_m=place_m[begin],
        velocity_mps=(place_m[end] - place_m[begin]) / lasts_s[:, None],
        altitude_ft=made.altitude_ft[begin],
        climb_fps=(made.altitude_ft[end] - made.altitude_ft[begin]) / lasts_s,
        box_m=np.stack(
            (
                np.minimum(x[begin], x[end]) - pad_m,
                np.minimum(y[begin], y[end]) - pad_m,
                np.maximum(x[begin], x[end]) + pad_m,
                np.maximum(y[begin], y[end]) + pad_m,
            )
        ),
    )


def _on_plane(made: Flights, lateral_m: float) -> tuple[FloatArray, FloatArray, float]:
    """Return the waypoints on a plane about the middle of the workload, and the boxes' pad."""
    lat, lon = np.radians(made.lat_deg), np.radians(made.lon_deg)
    lat0, lon0 = np.radians(CENTRE_DEG)
    ahead = np.cos(lat) * np.cos(lon - lon0)
    east = np.cos(lat) * np.sin(lon - lon0)
    north = np.cos(lat0) * np.sin(lat) - np.sin(lat0) * ahead
    sine = np.hypot(east, north)
    angle = np.arctan2(sine, np.sin(lat0) * np.sin(lat) + np.cos(lat0) * ahead)
    scale = EARTH_RADIUS_M * angle / np.maximum(sine, 1e-12)
    # Across the radius the plane is too long by angle / sin(angle): 3 % at 2,800 km.
    farthest = float(angle.max())
    pad_m = max(PAD_SHARE, 0.5 * farthest / np.sin(farthest)) * lateral_m + PAD_M
    return east * scale, north * scale, pad_m


def screened(made: Flights, workload: Workload) -> Conflicts:
    """Return every pair of flights under both minima, and when."""
    legs = legs_of(made, workload.lateral_m)
    start_s, end_s, flight = legs.start_s, legs.end_s, legs.flight
    longest_s = float((end_s - start_s).max())
    found = []
    for slab_s in np.arange(np.floor(start_s[0] / SLAB_S), start_s[-1] / SLAB_S + 1) * SLAB_S:
        # A pair belongs to the slab in which the later of its two legs starts.
        low, middle, high = np.searchsorted(start_s, (slab_s - longest_s, slab_s, slab_s + SLAB_S))
        if middle == high:
            continue
        boxes = shapely.box(*legs.box_m[:, low:high])
        later, other = shapely.STRtree(boxes).query(boxes[middle - low :])
        later += middle
        other += low
        keep = (other < later) & (end_s[other] > start_s[later]) & (flight[other] != flight[later])
        found.append(_under(legs, later[keep], other[keep], workload))
    i, j, t_in_s, t_out_s = (np.concatenate(column) for column in zip(*found, strict=True))
    return joined(np.minimum(i, j), np.maximum(i, j), t_in_s, t_out_s)


def _under(
    legs: Legs, a: IntArray, b: IntArray, workload: Workload
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Return the pairs of legs that come under both minima: flights, from when, to when."""
    origin = np.maximum(legs.start_s[a], legs.start_s[b])
    low = np.zeros(len(a))
    high = np.minimum(legs.end_s[a], legs.end_s[b]) - origin
    since_a, since_b = origin - legs.start_s[a], origin - legs.start_s[b]

    height = (legs.altitude_ft[a] + legs.climb_fps[a] * since_a) - (
        legs.altitude_ft[b] + legs.climb_fps[b] * since_b
    )
    climb = legs.climb_fps[a] - legs.climb_fps[b]
    with np.errstate(divide="ignore", invalid="ignore"):
        one = (-workload.vertical_ft - height) / climb
        two = (workload.vertical_ft - height) / climb
    level = climb == 0
    apart = level & (np.abs(height) >= workload.vertical_ft)
    low = np.where(level, low, np.fmax(low, np.fmin(one, two)))
    high = np.where(level, high, np.fmin(high, np.fmax(one, two)))
    keep = ~apart & (low < high)
    a, b, origin, low, high = a[keep], b[keep], origin[keep], low[keep], high[keep]
    since_a, since_b = since_a[keep], since_b[keep]

    place = (legs.place_m[a] + legs.velocity_mps[a] * since_a[:, None]) - (
        legs.place_m[b] + legs.velocity_mps[b] * since_b[:, None]
    )
    velocity = legs.velocity_mps[a] - legs.velocity_mps[b]
    square = np.einsum("ij,ij->i", velocity, velocity)
    half = np.einsum("ij,ij->i", place, velocity)
    rest = np.einsum("ij,ij->i", place, place) - workload.lateral_m**2
    root = half * half - square * rest
    still = square == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        width = np.sqrt(np.maximum(root, 0.0))
        one, two = (-half - width) / square, (-half + width) / square
    under = np.where(still, rest < 0, root > 0)
    low = np.where(still, low, np.fmax(low, one))
    high = np.where(still, high, np.fmin(high, two))
    keep = under & (low < high)
    a, b, origin = a[keep], b[keep], origin[keep]
    return legs.flight[a], legs.flight[b], origin + low[keep], origin + high[keep]
