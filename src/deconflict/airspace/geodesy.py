"""Distances and directions on the WGS84 ellipsoid, by the compiled kernel."""

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from deconflict import _kernel
from deconflict.airspace.position import Position

__all__ = ["Inverse", "along", "direct", "distance", "farthest_mm", "inverse", "middle", "split"]

_MOST_UM_PER_E7: Final = 11_170  # a²/b · π/180 = 111,694.0 m a degree


class Inverse(NamedTuple):
    """The shortest geodesic from a to b."""

    distance_m: float
    azimuth_ab_deg: float
    """Direction at a towards b, true, in [0, 360)."""
    azimuth_ba_deg: float
    """Direction at b back towards a, true, in [0, 360)."""


def inverse(a: Position, b: Position) -> Inverse:
    """Return length and directions of the geodesic between two positions.

    Equal positions are 0 m apart; their directions then mean nothing.

    Source: C. F. F. Karney, Algorithms for geodesics, J. Geodesy 87 (2013).

    >>> round(inverse(Position(0, 0), Position(0, 10_000_000)).distance_m, 3)
    111319.491
    """
    distance_m, forward_a_deg, forward_b_deg = _kernel.geodesic_inverse(
        a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg
    )
    return Inverse(distance_m, forward_a_deg % 360.0, (forward_b_deg + 180.0) % 360.0)


def distance(a: Position, b: Position) -> float:
    """Return the length in metres of the geodesic between two positions.

    >>> round(distance(Position(0, 0), Position(0, 10_000_000)), 3)
    111319.491
    """
    return _kernel.geodesic_inverse(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)[0]


def farthest_mm(a: Position, b: Position) -> int:
    """Return a length in millimetres that the geodesic between two positions is not above.

    That of a way along a meridian and then along a parallel. A degree of either is at most
    111,694 m on WGS84, that of a meridian at a pole. For a quick look: on a usual leg it is up to
    two thirds too long, across the antimeridian of no use.

    >>> farthest_mm(Position(0, 0), Position(0, 10_000_000))
    111700000
    """
    e7 = abs(a.lat_e7 - b.lat_e7) + abs(a.lon_e7 - b.lon_e7)
    return -(-e7 * _MOST_UM_PER_E7 // 1000)


def direct(start: Position, azimuth_deg: float, distance_m: float) -> Position:
    """Return where a geodesic ends that leaves ``start`` in a true direction, rounded to 1e-7°.

    >>> direct(Position(0, 0), 90.0, 111_319.491)
    Position(lat_e7=0, lon_e7=10000000)
    """
    return Position.from_degrees(*along(start, azimuth_deg, distance_m))


def along(start: Position, azimuth_deg: float, distance_m: float) -> tuple[float, float]:
    """Return the same as (lat_deg, lon_deg), not rounded: on the geodesic and not beside it."""
    lat_deg, lon_deg, _ = _kernel.geodesic_direct(
        start.lat_deg, start.lon_deg, azimuth_deg, distance_m
    )
    return lat_deg, lon_deg


def split(a: Position, b: Position, *, longest_m: float) -> tuple[float, list[tuple[float, float]]]:
    """Return the geodesic's length and (lat_deg, lon_deg) of a and of points on the way to b.

    The points divide it evenly into parts shorter than ``longest_m``; b itself is left out. They
    are not rounded, so that they lie on the geodesic and not beside it.
    """
    length_m, azimuth_deg, _ = inverse(a, b)
    parts = int(length_m // longest_m) + 1
    points = [(a.lat_deg, a.lon_deg)]
    points += [along(a, azimuth_deg, length_m * part / parts) for part in range(1, parts)]
    return length_m, points


def middle(places: Iterable[Position]) -> Position:
    """Return the direction of the mean of the places as points on a sphere.

    Neither the antimeridian nor a pole is special; without places it means nothing.

    >>> middle([Position.from_degrees(10, 179), Position.from_degrees(10, -179)]).lon_deg
    -180.0
    """
    x = y = z = 0.0
    for place in places:
        lat, lon = math.radians(place.lat_deg), math.radians(place.lon_deg)
        x += math.cos(lat) * math.cos(lon)
        y += math.cos(lat) * math.sin(lon)
        z += math.sin(lat)
    return Position.from_degrees(
        math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))
    )
