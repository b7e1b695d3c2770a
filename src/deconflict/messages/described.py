"""Where a declaration is, in plain words: what was typed, said the other way round (R38).

A slip in a figure looks like any other figure. "35 km north-east of the airfield" does not.
Whole or half given, an area is described by its shape, its size and the nearest agreed landmark.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from deconflict.airspace.altitude import AltitudeBand
from deconflict.airspace.geodesy import inverse, middle
from deconflict.airspace.instant import TimeSpan, format_utc
from deconflict.airspace.landmark import Landmark, bearing_from
from deconflict.airspace.notation import echo
from deconflict.airspace.outline import Circle, Corridor, Outline, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.wire import band_to_wire
from deconflict.messages.phrases import wording
from deconflict.messages.values import ValueType, Wording, write_value

__all__ = ["describe_band", "describe_place", "describe_shape", "describe_span", "describe_track"]

_AT_M: Final = 50.0  # nearer than this a place is the landmark's own
_COMPASS: Final = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def describe_place(place: Position, landmarks: Sequence[Landmark], language: str) -> str:
    """Return a place as seen from the nearest landmark; its degrees where there is none.

    >>> airfield = Landmark("the airfield", Position(350_000_000, 400_000_000))
    >>> describe_place(Position(352_000_000, 402_000_000), [airfield], "en")
    'a place 15.51 NM (28.72 km) north-east of the airfield'
    """
    words = wording(language)
    seen = bearing_from(landmarks, place)
    if seen is None:
        return _filled(words, "PLACE", {"where": echo(place).dms})
    if seen.distance_m < _AT_M:
        return _filled(words, "AT_LANDMARK", {"landmark": seen.landmark.name})
    point = _COMPASS[round(seen.bearing_deg / 45.0) % 8]
    return _filled(
        words,
        "FROM_LANDMARK",
        {
            "distance": write_value(ValueType.DISTANCE, seen.distance_mm, words),
            "compass": _texts(words)[point],
            "landmark": seen.landmark.name,
        },
    )


def describe_shape(
    shape: Outline | str | None,
    places: Sequence[Position],
    landmarks: Sequence[Landmark],
    language: str,
) -> str:
    """Return what an outline is and where.

    Args:
        shape: the outline; or ``circle`` or ``corridor`` whose reach is not said yet; or None for
            places of which the shape is not said yet.
        places: those it names, at least one.
        landmarks: agreed ones.
        language: of the reader.

    >>> describe_shape(Circle(Position(0, 0), 9_000_000), [Position(0, 0)], [], "en")
    'a circle of 4.86 NM (9.00 km) around 00°00\\'00.0000"N 000°00\\'00.0000"E'
    """
    words = wording(language)
    first, last = (describe_place(place, landmarks, language) for place in (places[0], places[-1]))
    values: dict[str, Any] = {
        "where": first,
        "last": last,
        "count": len(places),
        "length": write_value(ValueType.DISTANCE, _length_mm(places), words),
    }
    match shape:
        case Circle(_, radius_mm):
            reach = write_value(ValueType.DISTANCE, radius_mm, words)
            return _filled(words, "CIRCLE", values | {"reach": reach})
        case Corridor(_, half_width_mm):
            reach = write_value(ValueType.DISTANCE, half_width_mm, words)
            return _filled(words, "CORRIDOR", values | {"reach": reach})
        case Polygon(vertices):
            center = middle(vertices)
            reach_mm = max(round(inverse(center, each).distance_m * 1000) for each in vertices)
            about = {
                "where": describe_place(center, landmarks, language),
                "reach": write_value(ValueType.DISTANCE, reach_mm, words),
            }
            return _filled(words, "POLYGON", values | about)
        case "circle":
            return _filled(words, "CIRCLE_OPEN", values)
        case "corridor":
            return _filled(words, "CORRIDOR_OPEN", values)
    return _filled(words, "PLACES", values)


def describe_track(places: Sequence[Position], landmarks: Sequence[Landmark], language: str) -> str:
    """Return from where to where a flight goes, and how far it flies."""
    words = wording(language)
    return _filled(
        words,
        "FLIGHT",
        {
            "where": describe_place(places[0], landmarks, language),
            "last": describe_place(places[-1], landmarks, language),
            "length": write_value(ValueType.DISTANCE, _length_mm(places), words),
        },
    )


def describe_band(band: AltitudeBand, language: str) -> str:
    """Return from which altitude to which."""
    return write_value(ValueType.BAND, band_to_wire(band), wording(language))


def describe_span(span: TimeSpan, language: str) -> str:
    """Return from when to when, and how long that is."""
    words = wording(language)
    return _filled(
        words,
        "SPAN",
        {
            "start": write_value(ValueType.TIME, format_utc(span.start_ms), words),
            "end": write_value(ValueType.TIME, format_utc(span.end_ms), words),
            "duration": write_value(ValueType.DURATION, span.duration_ms, words),
        },
    )


def _length_mm(places: Sequence[Position]) -> int:
    return round(1000 * sum(inverse(one, other).distance_m for one, other in pairwise(places)))


def _texts(words: Wording) -> Mapping[str, str]:
    found: Mapping[str, str] = words["terms"]["described"]
    return found


def _filled(words: Wording, name: str, values: Mapping[str, Any]) -> str:
    return _texts(words)[name].format_map(values)
