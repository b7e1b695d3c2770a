"""Which declarations a check may take long over: what is large, and could be anywhere, any time."""

from typing import Final

from deconflict.airspace.outline import Circle, Corridor
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Trajectory
from deconflict.airspace.volume import Volume
from deconflict.separation import Extent
from deconflict.units import E7_PER_DEGREE

__all__ = ["is_heavy"]

# What a plan or an area of a day's traffic rarely is. Wrong either way costs time and no answer:
# what is heavy is looked at one by one, with an eye on how long it takes.
_POINTS: Final = 100
_REACH_MM: Final = 100_000_000
_WINDOW_MS: Final = 600_000
_ROUND_DEG: Final = 20.0
_VOLUMES: Final = 4


def is_heavy(extent: Extent) -> bool:
    """True exactly when a check of some like it may take longer than one turn of a node should."""
    shape = extent.geometry
    if isinstance(shape, Trajectory):
        room = shape.containment
        return (
            len(shape.waypoints) > _POINTS
            or room.time_ms > _WINDOW_MS
            or room.lateral_mm > _REACH_MM
            or _way_deg([waypoint.position for waypoint in shape.waypoints]) > _ROUND_DEG
        )
    return len(shape) > _VOLUMES or any(_is_large(volume) for volume in shape)


def _is_large(volume: Volume) -> bool:
    outline = volume.outline
    if isinstance(outline, Circle):
        return outline.radius_mm > _REACH_MM
    if isinstance(outline, Corridor):
        if outline.half_width_mm > _REACH_MM:
            return True
        places = outline.path
    else:
        places = (*outline.vertices, outline.vertices[0])
    return len(places) > _POINTS or _way_deg(places) > _ROUND_DEG


def _way_deg(places: "list[Position] | tuple[Position, ...]") -> float:
    """Return a length in degrees that no way of these places exceeds."""
    way_e7 = 0
    last = places[0]
    for place in places:  # each declaration that comes is asked for this: a plain loop takes half
        way_e7 += abs(place.lat_e7 - last.lat_e7) + abs(place.lon_e7 - last.lon_e7)
        last = place
    return way_e7 / E7_PER_DEGREE
