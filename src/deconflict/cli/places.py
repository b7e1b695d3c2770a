"""A geometry whole, line by line: each place in all notations, with its altitude and its time."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from deconflict.airspace import (
    AltitudeBand,
    Circle,
    Corridor,
    Geometry,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    format_utc,
)
from deconflict.airspace.landmark import Landmark, bearing_from
from deconflict.airspace.notation import echo
from deconflict.airspace.wire import band_to_wire
from deconflict.cli.output import clean, count, metres, when
from deconflict.messages.phrases import wording
from deconflict.messages.values import ValueType, write_value

__all__ = ["geometry_lines", "place_words"]

LANGUAGE: Final = "en"  # that of the command line


def geometry_lines(
    geometry: Geometry, landmarks: Sequence[Landmark] = (), *, most: int | None = None
) -> Iterator[str]:
    """Yield all that a geometry says, a line each; deeper lines are indented.

    Args:
        geometry: what is declared.
        landmarks: the nearest of them is named at each place.
        most: so many places are shown and the rest counted; None for all.
    """
    places = list(_trajectory_places(geometry) if isinstance(geometry, Trajectory) else ())
    if isinstance(geometry, Trajectory):
        held = geometry.containment
        yield f"trajectory of {count(len(places), 'waypoint')}"
        yield (
            f"  {_written(ValueType.DISTANCE, held.lateral_mm)} aside, "
            f"{_written(ValueType.HEIGHT, held.vertical_tmm)} above or below, "
            f"{_written(ValueType.DURATION, held.time_ms)} early or late"
        )
        yield from _listed(places, landmarks, most)
        return
    for volume in geometry:
        yield _shape(volume)
        yield f"  {_band(volume.band)}"
        yield f"  {_span(volume.span)}"
        yield from _listed([("", place) for place in _stated(volume)], landmarks, most)


def place_words(position: Position, landmarks: Sequence[Landmark]) -> list[str]:
    """Return a place in every notation, and as seen from the nearest landmark."""
    written = echo(position)
    lines = [written.decimal, written.dms, written.mgrs]
    seen = bearing_from(landmarks, position)
    if seen is not None:
        lines.append(
            f"{metres(seen.distance_m)} on {round(seen.bearing_deg) % 360:03d}° true from "
            f"{clean(seen.landmark.name)}"
        )
    return lines


def _listed(
    places: Sequence[tuple[str, Position]], landmarks: Sequence[Landmark], most: int | None
) -> Iterator[str]:
    for number, (words, place) in enumerate(places[:most], start=1):
        where = " · ".join(place_words(place, landmarks))
        yield f"  {number}. {words}{where}" if len(places) > 1 else f"  {words}{where}"
    if most is not None and len(places) > most:
        yield f"  ... and {count(len(places) - most, 'more place')}"


def _trajectory_places(flight: Trajectory) -> Iterator[tuple[str, Position]]:
    for waypoint in flight.waypoints:
        level = {"reference": flight.reference.value, "tmm": waypoint.altitude_tmm}
        at = when(format_utc(waypoint.at_ms))
        yield f"{at}, {_written(ValueType.ALTITUDE, level)}: ", waypoint.position


def _shape(volume: Volume) -> str:
    match volume.outline:
        case Circle(_, radius_mm):
            return f"circle of {_written(ValueType.DISTANCE, radius_mm)} around"
        case Corridor(path, half_width_mm):
            half = _written(ValueType.DISTANCE, half_width_mm)
            return f"corridor {half} to each side of a path of {count(len(path), 'place')}"
        case polygon:
            return f"polygon of {count(len(polygon.vertices), 'corner')}"


def _stated(volume: Volume) -> Sequence[Position]:
    match volume.outline:
        case Circle(center, _):
            return (center,)
        case Corridor(path, _):
            return path
        case polygon:
            return polygon.vertices


def _band(band: AltitudeBand) -> str:
    return _written(ValueType.BAND, band_to_wire(band))


def _span(span: TimeSpan) -> str:
    return f"from {when(format_utc(span.start_ms))} to {when(format_utc(span.end_ms))}"


def _written(kind: ValueType, value: Any) -> str:
    return write_value(kind, value, wording(LANGUAGE))
