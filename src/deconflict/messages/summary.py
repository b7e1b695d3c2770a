"""A geometry in the few numbers that people say, read back and compare.

The reference point is the centre of the first circle, the first vertex of a polygon, the first
place of a corridor or the first waypoint. The reach is how far from it the geometry's stated
points go, radius and width included; with it, a slip in any one point shows.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from deconflict.airspace.altitude import AltitudeBand
from deconflict.airspace.geodesy import distance, farthest_mm
from deconflict.airspace.geometry import Geometry
from deconflict.airspace.outline import Circle, Corridor
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Trajectory

__all__ = ["Summary", "stated_points", "summarise"]


@dataclass(frozen=True, slots=True)
class Summary:
    """Where, how far, at which altitudes, in how many parts.

    ``band`` holds the lowest floor and highest ceiling of the parts whose altitudes have the same
    reference as the first part's. ``parts`` counts waypoints or volumes.
    """

    position: Position
    reach_mm: int
    band: AltitudeBand
    parts: int


def summarise(geometry: Geometry) -> Summary:
    """Return the summary of a geometry. Both sides get the same from the same declaration."""
    points = list(stated_points(geometry))
    position, reach_mm = points[0]
    # The farthest is most often the last, and most of the others then surely lie nearer.
    for place, around_mm in reversed(points):
        if farthest_mm(position, place) + around_mm > reach_mm:
            reach_mm = max(reach_mm, math.ceil(distance(position, place) * 1000) + around_mm)
    if isinstance(geometry, Trajectory):
        altitudes = [waypoint.altitude_tmm for waypoint in geometry.waypoints]
        band = AltitudeBand(geometry.reference, min(altitudes), max(altitudes))
        return Summary(position, reach_mm, band, len(geometry.waypoints))
    reference = geometry[0].band.reference
    bands = [volume.band for volume in geometry if volume.band.reference is reference]
    floors = [band.lower_tmm for band in bands if band.lower_tmm is not None]
    ceilings = [band.upper_tmm for band in bands if band.upper_tmm is not None]
    band = AltitudeBand(
        reference,
        min(floors) if len(floors) == len(bands) else None,
        max(ceilings) if len(ceilings) == len(bands) else None,
    )
    return Summary(position, reach_mm, band, len(geometry))


def stated_points(geometry: Geometry) -> Iterator[tuple[Position, int]]:
    """Yield every place the geometry names, with the distance around it that it covers, mm."""
    if isinstance(geometry, Trajectory):
        for waypoint in geometry.waypoints:
            yield waypoint.position, geometry.containment.lateral_mm
        return
    for volume in geometry:
        match volume.outline:
            case Circle(center, radius_mm):
                yield center, radius_mm
            case Corridor(path, half_width_mm):
                for place in path:
                    yield place, half_width_mm
            case polygon:
                for place in polygon.vertices:
                    yield place, 0
