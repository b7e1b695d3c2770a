"""The signed JSON form of a geometry: whole numbers and strings only (specs/declaration.md)."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from deconflict import _kernel
from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.geometry import MAX_VOLUMES, Geometry, check_volumes
from deconflict.airspace.instant import TimeSpan, format_utc, parse_utc
from deconflict.airspace.outline import Circle, Corridor, Outline, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.ring import MAX_VERTICES
from deconflict.airspace.trajectory import (
    MAX_WAYPOINTS,
    Containment,
    Trajectory,
    Waypoint,
    of_sound_plan,
)
from deconflict.airspace.volume import Volume
from deconflict.airspace.where import located, parse_each
from deconflict.errors import InvalidDocumentError

__all__ = [
    "band_to_wire",
    "geometry_from_wire",
    "geometry_to_wire",
    "outline_to_wire",
    "position_from_wire",
    "position_to_wire",
    "sound_span",
    "span_to_wire",
]

_Item = TypeVar("_Item")
_MAX_INTEGER: Final = 2**53 - 1  # RFC 8785 section 3.2.2.3: larger ones are not exact everywhere


def geometry_to_wire(geometry: Geometry) -> dict[str, object]:
    """Return the geometry as the JSON value that is signed.

    ``geometry_from_wire`` gives back an equal geometry.
    """
    if isinstance(geometry, Trajectory):
        containment = geometry.containment
        return {
            "trajectory": {
                "reference": geometry.reference.value,
                "waypoints": [
                    {
                        "at_utc": format_utc(waypoint.at_ms),
                        **position_to_wire(waypoint.position),
                        "altitude_tmm": waypoint.altitude_tmm,
                    }
                    for waypoint in geometry.waypoints
                ],
                "containment": {
                    "lateral_mm": containment.lateral_mm,
                    "vertical_tmm": containment.vertical_tmm,
                    "time_ms": containment.time_ms,
                },
            }
        }
    return {"volumes": [_volume_to_wire(volume) for volume in check_volumes(geometry)]}


def geometry_from_wire(value: object) -> Geometry:
    """Return the geometry that a JSON value says.

    Every key must be there and no other; nothing is filled in. Equal times at one place are not
    merged here: a signed form says each waypoint once.

    Raises:
        InvalidDocumentError: a key is missing or unknown, or a value has the wrong JSON type; the
            text names the path, as in ``volumes[0].outline.circle``.
        InvalidPositionError: a coordinate out of range.
        InvalidAltitudeError: an altitude, band or reference that cannot be.
        InvalidTimeError: an instant or span that cannot be.
        InvalidGeometryError: a shape that cannot be.
    """
    kind, inner = _one_of(value, "geometry", "trajectory", "volumes")
    if kind == "trajectory":
        with located("trajectory"):
            return _trajectory(inner)
    with located("volumes"):
        return check_volumes(_array(inner, _volume, MAX_VOLUMES))


def sound_span(value: object) -> TimeSpan | None:
    """Return the span of the geometry that a JSON value says, when a quick look finds it sound.

    ``geometry_from_wire`` reads every such value, and what it reads has this span. None says
    nothing: so it is for all volumes, and for a trajectory out of the common.
    """
    if type(value) is not dict or len(value) != 1:
        return None
    span = _kernel.sound_span(value.get("trajectory"))
    return None if span is None else TimeSpan(*span)


def position_to_wire(position: Position) -> dict[str, int]:
    """Return ``{"lat_e7": …, "lon_e7": …}``."""
    return {"lat_e7": position.lat_e7, "lon_e7": position.lon_e7}


def position_from_wire(value: object) -> Position:
    """Return the position that ``{"lat_e7": …, "lon_e7": …}`` says.

    Raises:
        InvalidDocumentError: not such an object.
        InvalidPositionError: a coordinate out of range.
    """
    members = _object(value, "lat_e7", "lon_e7")
    return Position(_integer(members, "lat_e7"), _integer(members, "lon_e7"))


def band_to_wire(band: AltitudeBand) -> dict[str, object]:
    """Return ``{"reference": …, "lower_tmm": …, "upper_tmm": …}``, null for an open limit."""
    return {
        "reference": band.reference.value,
        "lower_tmm": band.lower_tmm,
        "upper_tmm": band.upper_tmm,
    }


def span_to_wire(span: TimeSpan) -> dict[str, object]:
    """Return ``{"start_utc": …, "end_utc": …}``."""
    return {"start_utc": format_utc(span.start_ms), "end_utc": format_utc(span.end_ms)}


def _volume_to_wire(volume: Volume) -> dict[str, object]:
    return {
        "outline": outline_to_wire(volume.outline),
        "band": band_to_wire(volume.band),
        "span": span_to_wire(volume.span),
    }


def outline_to_wire(outline: Outline) -> dict[str, object]:
    """Return an object of one key, the shape: ``circle``, ``polygon`` or ``corridor``."""
    match outline:
        case Circle(center, radius_mm):
            return {"circle": {"center": position_to_wire(center), "radius_mm": radius_mm}}
        case Polygon(vertices):
            return {"polygon": {"vertices": [position_to_wire(vertex) for vertex in vertices]}}
        case Corridor(path, half_width_mm):
            return {
                "corridor": {
                    "path": [position_to_wire(place) for place in path],
                    "half_width_mm": half_width_mm,
                }
            }


def _trajectory(value: object) -> Trajectory:
    members = _object(value, "reference", "waypoints", "containment")
    found = _kernel.sound_plan(value)
    if found is not None:
        rows, around = found
        return of_sound_plan(_reference(members), rows, Containment(*around))
    with located(".containment"):
        limits = _object(members["containment"], "lateral_mm", "vertical_tmm", "time_ms")
        containment = Containment(
            _integer(limits, "lateral_mm"),
            _integer(limits, "vertical_tmm"),
            _integer(limits, "time_ms"),
        )
    reference = _reference(members)
    with located(".waypoints"):
        waypoints = _array(members["waypoints"], _waypoint, MAX_WAYPOINTS)
    return Trajectory(reference, waypoints, containment)


def _waypoint(value: object) -> Waypoint:
    members = _object(value, "at_utc", "lat_e7", "lon_e7", "altitude_tmm")
    return Waypoint(
        _instant(members, "at_utc"),
        Position(_integer(members, "lat_e7"), _integer(members, "lon_e7")),
        _integer(members, "altitude_tmm"),
    )


def _volume(value: object) -> Volume:
    members = _object(value, "outline", "band", "span")
    with located(".outline"):
        outline = _outline(members["outline"])
    with located(".band"):
        band = _object(members["band"], "reference", "lower_tmm", "upper_tmm")
        altitudes = AltitudeBand(
            _reference(band), _open_integer(band, "lower_tmm"), _open_integer(band, "upper_tmm")
        )
    with located(".span"):
        span = _object(members["span"], "start_utc", "end_utc")
        times = TimeSpan(_instant(span, "start_utc"), _instant(span, "end_utc"))
    return Volume(outline, altitudes, times)


def _outline(value: object) -> Outline:
    kind, inner = _one_of(value, "outline", "circle", "polygon", "corridor")
    with located(f".{kind}"):
        if kind == "circle":
            members = _object(inner, "center", "radius_mm")
            with located(".center"):
                center = position_from_wire(members["center"])
            return Circle(center, _integer(members, "radius_mm"))
        if kind == "polygon":
            members = _object(inner, "vertices")
            with located(".vertices"):
                vertices = _array(members["vertices"], position_from_wire, MAX_VERTICES)
            return Polygon(vertices)
        members = _object(inner, "path", "half_width_mm")
        with located(".path"):
            path = _array(members["path"], position_from_wire, MAX_VERTICES)
        return Corridor(path, _integer(members, "half_width_mm"))


def _object(value: object, *keys: str) -> Mapping[str, object]:
    """Return the object if it has exactly these keys."""
    if type(value) is dict and len(value) == len(keys) and all(map(value.__contains__, keys)):
        return value
    if not isinstance(value, Mapping):
        raise InvalidDocumentError(
            "an object is needed here",
            given=_shown(value),
            expected=f"an object with {_list(keys)}",
        )
    missing = [key for key in keys if key not in value]
    unknown = sorted(str(key) for key in value if key not in keys)
    if missing or unknown:
        said = [f"missing {_list(missing)}"] if missing else []
        said += [f"unknown {_list(unknown[:5])}"] if unknown else []
        raise InvalidDocumentError(
            " and ".join(said),
            given=f"an object with {len(value)} keys",
            expected=f"exactly the keys {_list(keys)}",
        )
    return value


def _one_of(value: object, name: str, *kinds: str) -> tuple[str, object]:
    """Return the only member of an object that must have exactly one of these keys."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((kind, inner),) = value.items()
        if kind in kinds:
            return kind, inner
    given = _list([str(key) for key in list(value)[:5]]) if isinstance(value, Mapping) else ""
    raise InvalidDocumentError(
        f"{name} is of no known kind",
        given=given or _shown(value),
        expected=f"an object with one key of {_list(kinds)}",
    )


def _array(value: object, parse: Callable[[object], _Item], limit: int) -> tuple[_Item, ...]:
    if not isinstance(value, list | tuple):
        raise InvalidDocumentError("an array is needed here", given=_shown(value))
    if len(value) > limit:
        raise InvalidDocumentError(
            "the array is too long", given=f"{len(value)} items", expected=f"at most {limit}"
        )
    return tuple(parse_each(value, parse))


def _integer(members: Mapping[str, object], key: str) -> int:
    value = members[key]
    if type(value) is not int:
        raise InvalidDocumentError(f"{key} is no whole number", given=_shown(value))
    if abs(value) > _MAX_INTEGER:
        raise InvalidDocumentError(
            f"{key} is beyond any value it can have", expected="a number of at most 15 digits"
        )
    return value


def _open_integer(members: Mapping[str, object], key: str) -> int | None:
    return None if members[key] is None else _integer(members, key)


def _instant(members: Mapping[str, object], key: str) -> int:
    value = members[key]
    if not isinstance(value, str):
        raise InvalidDocumentError(
            f"{key} is no text", given=_shown(value), expected="UTC as 2015-09-30T06:12:00.000Z"
        )
    with located(f".{key}"):
        return parse_utc(value)


def _reference(members: Mapping[str, object]) -> AltitudeReference:
    value = members["reference"]
    if isinstance(value, str) and value in AltitudeReference.__members__:
        return AltitudeReference[value]
    raise InvalidDocumentError(
        "unknown altitude reference", given=_shown(value), expected="W84, AMSL, FL or AGL"
    )


def _shown(value: object) -> str:
    if isinstance(value, Mapping | list | tuple):
        return f"{'an object' if isinstance(value, Mapping) else 'an array'} of {len(value)}"
    return f"{value!r:.60}"


def _list(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"{name:.40}" for name in names)
