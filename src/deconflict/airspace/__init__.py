"""Where and when, as values: positions, altitudes, times, outlines, volumes, trajectories.

A value that exists is valid: constructors refuse what cannot be, with the reason. Nothing here
knows of parties, reads a clock or touches a disk.
"""

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.geometry import Geometry, check_volumes, span_of
from deconflict.airspace.instant import TimeSpan, format_utc, parse_utc
from deconflict.airspace.outline import Circle, Corridor, Outline, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Containment, Trajectory, Waypoint, merge_repeated
from deconflict.airspace.volume import Volume
from deconflict.airspace.wire import geometry_from_wire, geometry_to_wire

__all__ = [
    "AltitudeBand",
    "AltitudeReference",
    "Circle",
    "Containment",
    "Corridor",
    "Geometry",
    "Outline",
    "Polygon",
    "Position",
    "TimeSpan",
    "Trajectory",
    "Volume",
    "Waypoint",
    "check_volumes",
    "format_utc",
    "geometry_from_wire",
    "geometry_to_wire",
    "merge_repeated",
    "parse_utc",
    "span_of",
]
