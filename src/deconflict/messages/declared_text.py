"""What a declaration covers, in sentences: a circle, a path, a flight, or several parts of them.

The figures that are read back (`deconflict.messages.summary`) are a circle around the first place
that is named. That finds a slip, and it is no picture of a corridor or a flight: so a desk reads
where it begins and ends, how many places it has and how far it may be from them.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from deconflict.airspace.geodesy import distance, middle
from deconflict.airspace.geometry import Geometry
from deconflict.airspace.instant import TimeSpan, format_utc
from deconflict.airspace.outline import Circle, Corridor, Outline
from deconflict.airspace.trajectory import Trajectory, Waypoint
from deconflict.airspace.wire import band_to_wire, position_to_wire
from deconflict.messages.declaration import Declaration
from deconflict.messages.kinds import Kind
from deconflict.messages.summary import summarise

__all__ = ["declared_sentences"]

MOST_PARTS: Final = 3  # an alert is read in seconds; the rest is counted

Sentence = tuple[str, dict[str, Any]]


def declared_sentences(kind: Kind, declaration: Declaration) -> Iterator[Sentence]:
    """Yield the names of the phrases that say a declaration, each with its values.

    The first says who, what, how high and when, and leaves the party out: the caller knows it. The
    last says the place and the reach that are to be read back.
    """
    geometry = declaration.geometry
    summary = summarise(geometry)
    values: dict[str, Any] = {
        "purpose": declaration.purpose.value,
        "declaration": declaration.declaration_id,
        "levels": band_to_wire(summary.band),
        **_span(declaration.span),
    }
    if kind is not Kind.NOTIFY:
        values["revision"] = declaration.revision
    readback = {"where": position_to_wire(summary.position), "reach": summary.reach_mm}
    if _is_circle(geometry):
        yield kind.value, values | readback  # the one case in which these say all of it
        return
    yield f"{kind.value}_PARTS", values
    yield from _parts(geometry)
    yield "PLACE_AND_REACH", readback


def _parts(geometry: Geometry) -> Iterator[Sentence]:
    if isinstance(geometry, Trajectory):
        yield _trajectory(geometry)
        return
    for number, volume in enumerate(geometry[:MOST_PARTS], start=1):
        if len(geometry) > 1:
            part = {"number": number, "parts": len(geometry), "levels": band_to_wire(volume.band)}
            yield "PART", part | _span(volume.span)
        yield _outline(volume.outline)
    if len(geometry) > MOST_PARTS:
        yield "MORE_PARTS", {"parts": len(geometry) - MOST_PARTS}


def _is_circle(geometry: Geometry) -> bool:
    return (
        not isinstance(geometry, Trajectory)
        and len(geometry) == 1
        and isinstance(geometry[0].outline, Circle)
    )


def _trajectory(flight: Trajectory) -> Sentence:
    first, last = flight.waypoints[0], flight.waypoints[-1]
    return "TRAJECTORY", {
        "first": position_to_wire(first.position),
        "first_level": _level(flight, first),
        "start": format_utc(first.at_ms),
        "last": position_to_wire(last.position),
        "last_level": _level(flight, last),
        "end": format_utc(last.at_ms),
        "waypoints": len(flight.waypoints),
        "lateral": flight.containment.lateral_mm,
        "vertical": flight.containment.vertical_tmm,
        "shift": flight.containment.time_ms,
    }


def _outline(outline: Outline) -> Sentence:
    match outline:
        case Circle(center, radius_mm):
            return "CIRCLE", {"where": position_to_wire(center), "radius": radius_mm}
        case Corridor(path, half_width_mm):
            return "CORRIDOR", {
                "first": position_to_wire(path[0]),
                "last": position_to_wire(path[-1]),
                "places": len(path),
                "half": half_width_mm,
                "length": round(sum(distance(a, b) for a, b in pairwise(path)) * 1000),
            }
        case polygon:
            centre = middle(polygon.vertices)
            farthest_m = max(distance(centre, corner) for corner in polygon.vertices)
            return "POLYGON", {
                "corners": len(polygon.vertices),
                "centre": position_to_wire(centre),
                "reach": math.ceil(farthest_m * 1000),
            }


def _level(flight: Trajectory, waypoint: Waypoint) -> dict[str, Any]:
    return {"reference": flight.reference.value, "tmm": waypoint.altitude_tmm}


def _span(span: TimeSpan) -> dict[str, str]:
    return {"start": format_utc(span.start_ms), "end": format_utc(span.end_ms)}
