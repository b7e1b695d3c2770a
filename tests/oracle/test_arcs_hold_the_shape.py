"""Arcs drawn as edges hold all of the true shape, and reach no farther beyond it than is said.

The judge is pyproj (GeographicLib) and shapely: the true arc and every edge are sampled densely on
the ellipsoid and laid out by azimuth and distance from the arc's centre.
"""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deconflict.airspace import Position
from deconflict.formats.pasted import read_pasted
from deconflict.formats.pasted.arcs import Arc, excess_m, ring_around

pyproj = pytest.importorskip("pyproj")
shapely = pytest.importorskip("shapely")
GEOD = pyproj.Geod(ellps="WGS84")
ROUNDED_M = 0.03  # places are whole 1e-7 degrees, and both ends of the true arc are such places
PER_EDGE = 40
PER_DEGREE = 8


def laid_out(center: Position, lon_deg: Sequence[float], lat_deg: Sequence[float]) -> np.ndarray:
    count = len(lon_deg)
    azimuth, _, distance_m = GEOD.inv(
        [center.lon_deg] * count, [center.lat_deg] * count, lon_deg, lat_deg
    )
    turn = np.radians(azimuth)
    return np.stack([distance_m * np.sin(turn), distance_m * np.cos(turn)], axis=1)


def edge(one: Position, other: Position) -> list[tuple[float, float]]:
    between = GEOD.npts(one.lon_deg, one.lat_deg, other.lon_deg, other.lat_deg, PER_EDGE)
    return [(one.lon_deg, one.lat_deg), *between]


def polygon_of(center: Position, places: Sequence[Position]) -> "shapely.Polygon":
    points = [
        point
        for one, other in zip(places, [*places[1:], places[0]], strict=True)
        for point in edge(one, other)
    ]
    lon_deg, lat_deg = zip(*points, strict=True)
    return shapely.Polygon(laid_out(center, lon_deg, lat_deg))


def true_points(arc: Arc) -> list[tuple[float, float]]:
    """Sample the arc: azimuth and distance from its centre go evenly from start to end."""
    center = arc.center
    (first_deg, last_deg), _, (first_m, last_m) = GEOD.inv(
        [center.lon_deg] * 2,
        [center.lat_deg] * 2,
        [arc.start.lon_deg, arc.end.lon_deg],
        [arc.start.lat_deg, arc.end.lat_deg],
    )
    turn_deg = (last_deg - first_deg) % 360.0
    if not arc.clockwise:
        turn_deg -= 360.0
    count = max(8, int(abs(turn_deg) * PER_DEGREE))
    share = np.linspace(0.0, 1.0, count)
    lon_deg, lat_deg, _ = GEOD.fwd(
        [center.lon_deg] * count,
        [center.lat_deg] * count,
        first_deg + turn_deg * share,
        first_m + (last_m - first_m) * share,
    )
    return list(zip(lon_deg, lat_deg, strict=True))


def true_polygon(center: Position, parts: Sequence[Position | Arc]) -> "shapely.Polygon":
    points: list[tuple[float, float]] = []
    for part in parts:
        ahead = part.start if isinstance(part, Arc) else part
        if points:  # the edge that leads here
            last = Position.from_degrees(points[-1][1], points[-1][0])
            points += edge(last, ahead)[1:]
        points += true_points(part) if isinstance(part, Arc) else [(part.lon_deg, part.lat_deg)]
    first = parts[0].start if isinstance(parts[0], Arc) else parts[0]
    points += edge(Position.from_degrees(points[-1][1], points[-1][0]), first)[1:]
    lon_deg, lat_deg = zip(*points, strict=True)
    return shapely.Polygon(laid_out(center, lon_deg, lat_deg))


def at(center: Position, azimuth_deg: float, distance_m: float) -> Position:
    lon_deg, lat_deg, _ = GEOD.fwd(center.lon_deg, center.lat_deg, azimuth_deg, distance_m)
    return Position.from_degrees(lat_deg, lon_deg)


def holds(center: Position, parts: Sequence[Position | Arc]) -> None:
    drawn, true = polygon_of(center, ring_around(parts)), true_polygon(center, parts)
    assert drawn.buffer(ROUNDED_M).covers(true)
    radii_m = [arc.radii_m for arc in parts if isinstance(arc, Arc)]
    farthest_m = max(map(max, radii_m))
    bound_m = excess_m(farthest_m) + max(abs(a - b) for a, b in radii_m)
    # The samples' own chords lie inside the arc, and shapely rounds a corner by chords as well.
    bound_m += farthest_m * (1.0 - np.cos(np.radians(0.5 / PER_DEGREE))) + 1e-4 * bound_m
    assert true.buffer(bound_m + ROUNDED_M, quad_segs=64).covers(drawn)


CENTERS = st.builds(
    Position, st.integers(-750_000_000, 750_000_000), st.integers(-1_800_000_000, 1_799_999_999)
)
RADII_M = st.floats(200.0, 400_000.0)
TURNS_DEG = st.floats(20.0, 330.0)


@settings(max_examples=60, deadline=None)
@given(CENTERS, RADII_M, st.floats(0.0, 359.0), TURNS_DEG, st.booleans())
@example(Position(0, 0), 500_000.0 * 0.99, 0.0, 300.0, True)
@example(Position(700_000_000, -1_800_000_000), 400_000.0, 90.0, 170.0, False)
def test_a_slice_of_a_circle_is_held(
    center: Position, radius_m: float, from_deg: float, turn_deg: float, clockwise: bool
) -> None:
    to_deg = from_deg + (turn_deg if clockwise else -turn_deg)
    arc = Arc(center, at(center, from_deg, radius_m), at(center, to_deg, radius_m), clockwise)
    holds(center, [center, arc])


@settings(max_examples=60, deadline=None)
@given(CENTERS, RADII_M, st.floats(0.1, 0.9), st.floats(0.0, 359.0), TURNS_DEG, st.booleans())
def test_a_sector_between_two_arcs_is_held(
    center: Position,
    radius_m: float,
    inner: float,
    from_deg: float,
    turn_deg: float,
    clockwise: bool,
) -> None:
    to_deg = from_deg + (turn_deg if clockwise else -turn_deg)
    a, b = (at(center, deg, radius_m) for deg in (from_deg, to_deg))
    c, d = (at(center, deg, radius_m * inner) for deg in (to_deg, from_deg))
    holds(center, [Arc(center, a, b, clockwise), Arc(center, c, d, not clockwise)])


@settings(max_examples=40, deadline=None)
@given(CENTERS, RADII_M, st.floats(0.9, 1.1), st.floats(0.0, 359.0), TURNS_DEG)
def test_an_arc_whose_ends_are_not_equally_far_is_held(
    center: Position, radius_m: float, other: float, from_deg: float, turn_deg: float
) -> None:
    start, end = at(center, from_deg, radius_m), at(center, from_deg + turn_deg, radius_m * other)
    holds(center, [center, Arc(center, start, end, True)])


def test_an_airspace_of_openair_holds_the_circle_it_states() -> None:
    text = (
        "AC Q\nV X=35:00:00 N 040:00:00 E\nDA 10,0,180\nV D=+\nDA 10,180,360\n"
        "AC Q\nV D=-\nDB 35:10:00 N 040:00:00 E,34:50:00 N 040:00:00 E\nDP 35:00:00 N 040:05:00 E\n"
    )
    whole, half = read_pasted(text.encode()).drafts
    center = Position(350_000_000, 400_000_000)
    drawn = polygon_of(center, whole.places)
    assert drawn.buffer(ROUNDED_M).covers(shapely.Point(0, 0).buffer(18_520.0, quad_segs=500))
    assert drawn.within(shapely.Point(0, 0).buffer(18_520.0 + excess_m(18_520.0), quad_segs=500))
    west = shapely.Point(-10_000.0, 0.0)
    assert polygon_of(center, half.places).covers(west)
