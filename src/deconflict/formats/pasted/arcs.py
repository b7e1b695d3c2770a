"""Arcs of circles as parts of a polygon that holds all of the true shape, with the excess bounded.

A polygon has geodesic edges and no arcs. Where the shape lies on the centre's side of an arc, the
edges run outside it, each touching a slightly larger circle; where it lies on the other side, they
are chords of a slightly smaller one, inside it. Either way the polygon covers all of the shape, and
reaches beyond it by no more than :func:`excess_m` (docs/reference/pasted-formats.md, proven by
sampling in the tests).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from deconflict.airspace.geodesy import direct, inverse, middle
from deconflict.airspace.position import Position
from deconflict.errors import InvalidGeometryError
from deconflict.units import METRES_PER_NAUTICAL_MILE

__all__ = ["MAX_ARC_RADIUS_M", "STEP_DEG", "Arc", "excess_m", "ring_around"]

STEP_DEG: Final = 5.0
MAX_ARC_RADIUS_M: Final = 500_000.0
# Room for what a sphere leaves out of the ellipsoid: a circle of 500 km differs from a plane one in
# the shape of its small steps by less than a tenth of this.
_ROOM: Final = 1e-4
# Positions are whole 1e-7 degrees: 5.6 mm off at most in each direction, at both ends of an edge.
_ROUNDING_M: Final = 0.05
_MEAN_RADIUS_M: Final = 6_371_008.8
_SAME_RADIUS_M: Final = 1.0


@dataclass(frozen=True, slots=True)
class Arc:
    """A part of a circle, from one place to another around a centre.

    The distance from the centre goes evenly from that of ``start`` to that of ``end``: files state
    both ends, rounded. Equal directions make a whole turn.
    """

    center: Position
    start: Position
    end: Position
    clockwise: bool

    @property
    def radii_m(self) -> tuple[float, float]:
        """Distance of the centre from start and end."""
        return (
            inverse(self.center, self.start).distance_m,
            inverse(self.center, self.end).distance_m,
        )

    def steps(self) -> list[tuple[float, float]]:
        """Return azimuth and radius along the true arc, both ends included, 5 degrees apart."""
        seen = inverse(self.center, self.start), inverse(self.center, self.end)
        turn_deg = (seen[1].azimuth_ab_deg - seen[0].azimuth_ab_deg) % 360.0
        if not self.clockwise:
            turn_deg = -((-turn_deg) % 360.0)
        if self.start == self.end or turn_deg == 0.0:
            turn_deg = 360.0 if self.clockwise else -360.0
        parts = max(1, math.ceil(abs(turn_deg) / STEP_DEG))
        return [
            (
                (seen[0].azimuth_ab_deg + turn_deg * part / parts) % 360.0,
                seen[0].distance_m + (seen[1].distance_m - seen[0].distance_m) * part / parts,
            )
            for part in range(parts + 1)
        ]


def excess_m(radius_m: float) -> float:
    """Return how far beyond an arc of this radius the polygon reaches at most, in metres.

    >>> round(excess_m(18_520.0), 1)
    19.6
    """
    return _outside(radius_m, STEP_DEG) - radius_m + _ROUNDING_M


def ring_around(parts: Sequence[Position | Arc]) -> tuple[Position, ...]:
    """Return the vertices of a polygon that holds all of a closed outline of places and arcs.

    Equal neighbours are said once; the first is not repeated at the end.

    Raises:
        InvalidGeometryError: an arc's radius is over 500 km, or nothing.
    """
    for part in parts:
        if isinstance(part, Arc):
            _check(part)
    counterclockwise = _runs_counterclockwise(parts)
    vertices: list[Position] = []
    for part in parts:
        places = [part] if isinstance(part, Position) else _edges(part, counterclockwise)
        for place in places:
            if not vertices or vertices[-1] != place:
                vertices.append(place)
    while len(vertices) > 1 and vertices[0] == vertices[-1]:
        vertices.pop()
    return tuple(vertices)


def _check(arc: Arc) -> None:
    for radius_m in arc.radii_m:
        if not 1.0 <= radius_m <= MAX_ARC_RADIUS_M:
            raise InvalidGeometryError(
                "the radius of an arc is out of range",
                given=f"{radius_m / METRES_PER_NAUTICAL_MILE:,.4g} NM",
                expected="1 m to 500 km (269 NM)",
            )


def _edges(arc: Arc, ring_counterclockwise: bool) -> list[Position]:
    steps = arc.steps()
    if arc.clockwise is ring_counterclockwise:  # the shape lies beyond the arc: chords, inside it
        inner = [
            direct(arc.center, azimuth_deg, max(0.0, radius_m * (1.0 - _ROOM) - _ROUNDING_M))
            for azimuth_deg, radius_m in steps[1:-1]
        ]
        return [arc.start, *inner, arc.end]
    outer: list[Position] = []
    for (azimuth_deg, radius_m), (next_deg, next_m) in pairwise(steps):
        turn_deg = (next_deg - azimuth_deg + 180.0) % 360.0 - 180.0
        half_way = azimuth_deg + turn_deg / 2.0
        outer.append(direct(arc.center, half_way, _outside(max(radius_m, next_m), abs(turn_deg))))
    # The ends are as stated: edges before and after are those of the document.
    return [arc.start, *outer, arc.end]


def _outside(radius_m: float, turn_deg: float) -> float:
    """Return how far out two tangents meet that touch a circle ``turn_deg`` apart.

    Source: the right-angled spherical triangle, Napier: tan r = tan R · cos(turn / 2).
    """
    angle = math.tan(radius_m / _MEAN_RADIUS_M) / math.cos(math.radians(turn_deg) / 2.0)
    return math.atan(angle) * _MEAN_RADIUS_M * (1.0 + _ROOM) + _ROUNDING_M


def _runs_counterclockwise(parts: Sequence[Position | Arc]) -> bool:
    """Say which way round the outline runs, seen from its middle, arcs followed along."""
    places: list[Position] = []
    for part in parts:
        if isinstance(part, Position):
            places.append(part)
        else:
            places += [direct(part.center, at_deg, r_m) for at_deg, r_m in part.steps()]
    center = middle(places)
    plane = []
    for place in places:
        seen = inverse(center, place)
        azimuth = math.radians(seen.azimuth_ab_deg)
        plane.append((seen.distance_m * math.sin(azimuth), seen.distance_m * math.cos(azimuth)))
    twice_area = sum(
        x * next_y - next_x * y
        for (x, y), (next_x, next_y) in zip(plane, [*plane[1:], plane[0]], strict=True)
    )
    return twice_area > 0.0
