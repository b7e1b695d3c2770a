"""What a plan fills of a grid's plane: tubes and areas in whole numbers.

Everything that rounds, rounds outward, and from here on there are whole numbers only: what is
committed to is what an arbiter computes again, byte for byte. Bounds: a leg is cut into pieces;
a piece of length L, flown at constant speed along a geodesic, is nowhere farther from the straight
piece between its ends than L²/8R, R the least radius of curvature of the ellipsoid (the error of
linear interpolation, its second derivative being the curvature); that, and two roundings to a
millimetre, is added to what the plan itself leaves open.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.geodesy import along, inverse
from deconflict.airspace.geometry import Geometry
from deconflict.airspace.outline import Circle, Corridor, Outline, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Trajectory, Waypoint
from deconflict.airspace.volume import Volume
from deconflict.errors import InvalidAltitudeError, InvalidGeometryError
from deconflict.sealed.grid import Grid
from deconflict.sealed.plane import CURVATURE_RADIUS_M, Plane

__all__ = ["Area", "Conversions", "Knot", "Point", "Tube", "filled"]

Point = tuple[int, int]  # x and y on the plane, mm
Conversions = Mapping[AltitudeReference, tuple[int, int]]
"""From each reference, the least and most to add to an altitude to have it in the grid's, tmm."""

MOST_KNOTS: Final = 1_000_000
_ROUNDED_MM: Final = 3  # two ends rounded to a millimetre each way, and what floats lose
_BEND_SHARE: Final = 1_000  # of a cell's side, that a piece may bend


@dataclass(frozen=True, slots=True)
class Knot:
    """Where a tube's middle is at one instant; between knots it is straight and even."""

    at_ms: int
    x_mm: int
    y_mm: int
    altitude_tmm: int


@dataclass(frozen=True, slots=True)
class Tube:
    """A flight: knots in order of time, and how far from them it may be.

    Attributes:
        knots: at least two, times increasing.
        aside_mm: to any side, by everything that is not exact.
        below_tmm: how much lower than its knots say.
        above_tmm: how much higher.
        shift_ms: how much the whole plan may be early or late.
    """

    knots: tuple[Knot, ...]
    aside_mm: int
    below_tmm: int
    above_tmm: int
    shift_ms: int


@dataclass(frozen=True, slots=True)
class Area:
    """A volume: what lies within ``aside_mm`` of paths, and inside a ring, for a time.

    Attributes:
        paths: straight pieces, each of two points, which may be one.
        ring: a closed ring whose inside belongs to it too; empty for none.
        aside_mm: as of a tube.
        lower_tmm: the lowest altitude.
        upper_tmm: the highest.
        start_ms: the first instant.
        end_ms: the last.
    """

    paths: tuple[tuple[Point, Point], ...]
    ring: tuple[Point, ...]
    aside_mm: int
    lower_tmm: int
    upper_tmm: int
    start_ms: int
    end_ms: int


def filled(geometry: Geometry, grid: Grid, conversions: Conversions) -> tuple[Tube | Area, ...]:
    """Return what a declaration's geometry fills of the plane of a grid.

    Args:
        geometry: a trajectory, or volumes.
        grid: only its plane, its altitudes and the side of its cells count here.
        conversions: from other references of altitude to the grid's, as the terms name them.

    Raises:
        InvalidAltitudeError: its altitudes cannot be compared with the grid's.
        InvalidGeometryError: it reaches to the other half of the Earth.
    """
    plane = Plane(grid.origin)
    if isinstance(geometry, Trajectory):
        return (_tube(geometry, grid, plane, conversions),)
    return tuple(_area(volume, grid, plane, conversions) for volume in geometry)


# ---- flights ---------------------------------------------------------------------------------


def _tube(trajectory: Trajectory, grid: Grid, plane: Plane, conversions: Conversions) -> Tube:
    least, most = _conversion(trajectory.reference, grid, conversions)
    containment = trajectory.containment
    bend_mm = 0
    knots = [_knot(plane, trajectory.waypoints[0])]
    for start, end in pairwise(trajectory.waypoints):
        length_m, azimuth_deg, _ = inverse(start.position, end.position)
        parts = _parts(length_m, grid, most=end.at_ms - start.at_ms)
        for part in range(1, parts):
            # The instant is whole and the place is that of the instant, so no time is lost.
            at_ms = start.at_ms + (end.at_ms - start.at_ms) * part // parts
            share = (at_ms - start.at_ms) / (end.at_ms - start.at_ms)
            x_mm, y_mm = _along(plane, start.position, azimuth_deg, length_m * share)
            climb = (end.altitude_tmm - start.altitude_tmm) * (at_ms - start.at_ms)
            altitude = start.altitude_tmm + climb // (end.at_ms - start.at_ms)
            knots.append(Knot(at_ms, x_mm, y_mm, altitude))
        knots.append(_knot(plane, end))
        if len(knots) > MOST_KNOTS:
            raise InvalidGeometryError(
                "this flight is too long and winding for the cells of the grid",
                given=f"more than {MOST_KNOTS:,} pieces",
                expected="a flight within the theatre",
                remedy="declare it openly, or in parts: it is NOT CHECKED",
            )
        bend_mm = max(bend_mm, _bend_mm(length_m, parts, end.at_ms - start.at_ms))
    return Tube(
        tuple(knots),
        aside_mm=containment.lateral_mm + bend_mm + _ROUNDED_MM,
        # An altitude between waypoints is rounded down by less than a tenth of a millimetre.
        below_tmm=containment.vertical_tmm - least,
        above_tmm=containment.vertical_tmm + most + 1,
        shift_ms=containment.time_ms,
    )


def _knot(plane: Plane, waypoint: Waypoint) -> Knot:
    x_mm, y_mm = _place(plane, waypoint.position)
    return Knot(waypoint.at_ms, x_mm, y_mm, waypoint.altitude_tmm)


def _parts(length_m: float, grid: Grid, most: int) -> int:
    longest_m = math.sqrt(8.0 * CURVATURE_RADIUS_M * grid.cell_mm / 1e3 / _BEND_SHARE)
    return max(1, min(math.ceil(length_m / longest_m), most))


def _bend_mm(length_m: float, parts: int, lasts_ms: int = 0) -> int:
    """How far a piece bends from straight, the longest one after its instants were made whole."""
    piece_m = length_m / parts * (1.0 + (parts / lasts_ms if lasts_ms else 0.0))
    return math.ceil(piece_m**2 / (8.0 * CURVATURE_RADIUS_M) * 1e3)


# ---- volumes ---------------------------------------------------------------------------------


def _area(volume: Volume, grid: Grid, plane: Plane, conversions: Conversions) -> Area:
    lower_tmm, upper_tmm = _levels(volume.band, grid, conversions)
    paths, ring, aside_mm = _outline(volume.outline, grid, plane)
    return Area(
        paths,
        ring,
        aside_mm + _ROUNDED_MM,
        lower_tmm,
        upper_tmm,
        volume.span.start_ms,
        volume.span.end_ms,
    )


def _outline(
    outline: Outline, grid: Grid, plane: Plane
) -> tuple[tuple[tuple[Point, Point], ...], tuple[Point, ...], int]:
    match outline:
        case Circle(center, radius_mm):
            middle = _place(plane, center)
            return ((middle, middle),), (), radius_mm
        case Corridor(path, half_width_mm):
            points, bend_mm = _way(path, grid, plane)
            return tuple(pairwise(points)), (), half_width_mm + bend_mm
        case Polygon(vertices):
            points, bend_mm = _way((*vertices, vertices[0]), grid, plane)
            return tuple(pairwise(points)), tuple(points[:-1]), bend_mm


def _way(places: tuple[Position, ...], grid: Grid, plane: Plane) -> tuple[list[Point], int]:
    points, bend_mm = [_place(plane, places[0])], 0
    for start, end in pairwise(places):
        length_m, azimuth_deg, _ = inverse(start, end)
        parts = _parts(length_m, grid, most=1_000_000)
        points += [
            _along(plane, start, azimuth_deg, length_m * part / parts) for part in range(1, parts)
        ]
        points.append(_place(plane, end))
        bend_mm = max(bend_mm, _bend_mm(length_m, parts))
    return points, bend_mm


# ---- altitudes and places --------------------------------------------------------------------


def _levels(band: AltitudeBand, grid: Grid, conversions: Conversions) -> tuple[int, int]:
    """Return lowest and highest altitude; the surface and no limit are the grid's own rims.

    What flies lower or higher than those is refused at its own side, so no meeting is lost.
    """
    lower = grid.floor_tmm
    upper = grid.ceiling_tmm
    if band.lower_tmm is not None or band.upper_tmm is not None:
        least, most = _conversion(band.reference, grid, conversions)
        lower = lower if band.lower_tmm is None else band.lower_tmm + least
        upper = upper if band.upper_tmm is None else band.upper_tmm + most
    return lower, upper


def _conversion(
    reference: AltitudeReference, grid: Grid, conversions: Conversions
) -> tuple[int, int]:
    if reference == grid.reference:
        return (0, 0)
    known = conversions.get(reference)
    if known is None:
        raise InvalidAltitudeError(
            "an altitude cannot be compared with those of the grid",
            given=f"{reference}, on a grid of {grid.reference}",
            expected="a conversion between the two that the terms name",
            remedy="declare it openly, or agree on the conversion: it is NOT CHECKED",
        )
    return known


def _place(plane: Plane, position: Position) -> Point:
    return _shown(plane, position.lat_deg, position.lon_deg)


def _along(plane: Plane, start: Position, azimuth_deg: float, distance_m: float) -> Point:
    return _shown(plane, *along(start, azimuth_deg, distance_m))


def _shown(plane: Plane, lat_deg: float, lon_deg: float) -> Point:
    found = plane.place_mm(lat_deg, lon_deg)
    if found is None:
        raise InvalidGeometryError(
            "a place lies on the other half of the Earth than the grid",
            given=f"{lat_deg:.4f}, {lon_deg:.4f}",
            expected="places within the theatre",
            remedy="leave it out of this check: it is NOT CHECKED",
        )
    return found
