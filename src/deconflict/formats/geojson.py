"""Declarations as GeoJSON (RFC 7946), in the profile of docs/reference/geojson-profile.md."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.geometry import MAX_VOLUMES, Geometry, check_volumes
from deconflict.airspace.instant import TimeSpan, parse_utc
from deconflict.airspace.outline import Circle, Corridor, Outline, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.quantity import (
    Altitude,
    OpenLimit,
    parse_altitude,
    parse_band,
    parse_duration,
    parse_height,
)
from deconflict.airspace.trajectory import Containment, Trajectory, Waypoint, merge_repeated
from deconflict.airspace.volume import Volume
from deconflict.airspace.where import located, parse_each
from deconflict.errors import (
    InvalidAltitudeError,
    InvalidDocumentError,
    InvalidGeometryError,
    InvalidPositionError,
)
from deconflict.formats.bounded_json import parse_json
from deconflict.formats.declaration_input import DeclarationInput
from deconflict.formats.members import (
    Members,
    array_of,
    distance_at,
    instant_at,
    object_of,
    only,
    optional_text_at,
    shown,
    text_at,
    text_of,
)
from deconflict.units import TMM_PER_METRE

__all__ = [
    "MAX_FEATURES",
    "check_collection",
    "declarations_of",
    "read_declarations",
    "read_feature",
]

MAX_FEATURES: Final = 100_000

_ABOUT: Final = frozenset({"purpose", "label", "declaration_id"})
_WHEN_AND_HOW_HIGH: Final = frozenset({"lower", "upper", "start_utc", "end_utc"})
_CONTAINMENT: Final = frozenset({"lateral", "vertical", "time"})
_COLLECTION_MEMBERS: Final = frozenset({"type", "features", "name", "bbox", "crs"})
_FEATURE_MEMBERS: Final = frozenset({"type", "geometry", "properties", "id", "bbox"})
_CRS84: Final = frozenset({"urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84"})


def read_declarations(data: bytes) -> tuple[DeclarationInput, ...]:
    """Return the declarations that a GeoJSON document says, in its order.

    A Feature is one declaration; a FeatureCollection holds 1 to 100,000 of them. All are read or
    none: the first fault refuses the document. Properties whose value is null count as absent, as
    table programs write them; ``id``, ``name`` and ``bbox`` say nothing here and are set aside.

    Raises:
        InvalidDocumentError: over 64 MiB, nested deeper than 16, a key said twice, no JSON, an
            unknown or missing member; the text names feature and path, as in
            ``features[3].properties.radius``.
        InvalidPositionError, InvalidAltitudeError, InvalidTimeError, InvalidGeometryError: what
            the document says cannot be; the path likewise.

    Source: RFC 7946; what it leaves open is said in docs/reference/geojson-profile.md.
    """
    return declarations_of(parse_json(data))


def declarations_of(value: object) -> tuple[DeclarationInput, ...]:
    """Return the same of a document that is parsed already.

    Raises:
        InvalidInputError: as `read_declarations`.
    """
    document = object_of(value)
    if document.get("type") == "Feature":
        return (_feature(document, 0),)
    if document.get("type") != "FeatureCollection":
        raise InvalidDocumentError(
            "the document is no declaration",
            given=f"type {shown(document.get('type'))}",
            expected="a GeoJSON Feature or FeatureCollection",
            remedy="put the geometry into a Feature with its purpose, altitudes and times",
        )
    check_collection(document)
    features = array_of(document.get("features"), "features", MAX_FEATURES)
    if not features:
        raise InvalidDocumentError("the document declares nothing", expected="at least one Feature")
    declarations: list[DeclarationInput] = []
    for index, feature in enumerate(features):
        declarations.append(read_feature(feature, index))
    return tuple(declarations)


def check_collection(members: Members) -> None:
    """Pass when a FeatureCollection says nothing beside its features that is not known.

    Raises:
        InvalidDocumentError: an unknown member, or positions in another system than WGS84.
    """
    only(members, _COLLECTION_MEMBERS)
    _check_crs(members.get("crs"))


def read_feature(feature: object, index: int) -> DeclarationInput:
    """Return the declaration that one Feature says; a refusal names it as ``features[index]``.

    Raises:
        InvalidInputError: as `read_declarations`.
    """
    with located(f"features[{index}]"):
        return _feature(object_of(feature), index)


def _feature(feature: Members, index: int) -> DeclarationInput:
    if feature.get("type") != "Feature":
        raise InvalidDocumentError(
            "this is no Feature", given=f"type {shown(feature.get('type'))}", expected="Feature"
        )
    only(feature, _FEATURE_MEMBERS)
    with located(".properties"):
        said = object_of(feature.get("properties"))
        properties = {key: value for key, value in said.items() if value is not None}
        purpose = text_at(properties, "purpose")
        label = optional_text_at(properties, "label")
        declaration_id = optional_text_at(properties, "declaration_id")
    feature_id = feature.get("id")
    if isinstance(feature_id, bool) or not isinstance(feature_id, str | int | float | None):
        raise InvalidDocumentError(
            "the id of the feature cannot be used", given=shown(feature_id), expected="text"
        )
    name = None if feature_id is None else str(feature_id)
    shape = object_of(feature.get("geometry"), "geometry")
    if shape.get("type") == "GeometryCollection":
        geometry = _collection(shape, properties)
    elif shape.get("type") == "LineString" and "times" in properties:
        geometry = _trajectory(shape, properties)
    else:
        geometry = (_volume(shape, properties, _ABOUT, ".geometry", ".properties"),)
    with located(".properties"):
        return DeclarationInput(purpose, geometry, label, declaration_id, index, name)


def _collection(shape: Members, properties: Members) -> Geometry:
    """Read several volumes: geometry n has its altitudes and times in properties.volumes[n]."""
    with located(".geometry"):
        only(shape, frozenset({"type", "geometries", "bbox"}))
        shapes = array_of(shape.get("geometries"), "geometries", MAX_VOLUMES)
    with located(".properties"):
        only(properties, _ABOUT | {"volumes"})
        settings = array_of(properties.get("volumes"), "volumes", MAX_VOLUMES)
        if len(settings) != len(shapes):
            raise InvalidDocumentError(
                "volumes and geometries differ in number",
                given=f"{len(settings)} volumes, {len(shapes)} geometries",
                expected="one entry of volumes for each geometry, in the same order",
            )
    volumes: list[Volume] = []
    for index, (one, setting) in enumerate(zip(shapes, settings, strict=True)):
        shape_path, setting_path = f".geometry.geometries[{index}]", f".properties.volumes[{index}]"
        with located(shape_path):
            inner = object_of(one)
        with located(setting_path):
            said = {key: value for key, value in object_of(setting).items() if value is not None}
        volumes.append(_volume(inner, said, frozenset(), shape_path, setting_path))
    with located(".geometry.geometries"):
        return check_volumes(tuple(volumes))


def _volume(
    shape: Members, said: Members, about: frozenset[str], shape_path: str, said_path: str
) -> Volume:
    kind = shape.get("type")
    extra = {"Point": {"radius"}, "LineString": {"half_width"}, "Polygon": set[str]()}
    if not isinstance(kind, str) or kind not in extra:
        with located(shape_path):
            raise InvalidDocumentError(
                "this type of geometry declares nothing",
                given=shown(kind),
                expected="Point, LineString, Polygon or a GeometryCollection of them",
                remedy="write each part as a Feature of its own, or as a GeometryCollection",
            )
    with located(said_path):
        only(said, about | _WHEN_AND_HOW_HIGH | extra[kind])
        band = _band(text_at(said, "lower"), text_at(said, "upper"))
        start_ms, end_ms = instant_at(said, "start_utc"), instant_at(said, "end_utc")
        with located(".start_utc/end_utc"):
            span = TimeSpan(start_ms, end_ms)
        reach_mm = distance_at(said, next(iter(extra[kind]))) if extra[kind] else 0
    with located(shape_path):
        only(shape, frozenset({"type", "coordinates", "bbox"}))
        return Volume(_outline(kind, shape.get("coordinates"), reach_mm), band, span)


def _band(lower: str, upper: str) -> AltitudeBand:
    try:
        return parse_band(lower, upper)
    except InvalidAltitudeError:
        # Which of the two cannot be read is said; else it is both that do not go together.
        for name, text in (("lower", lower), ("upper", upper)):
            with located(f".{name}"):
                parse_altitude(text)
        with located(".lower/upper"):
            raise


def _outline(kind: str, coordinates: object, reach_mm: int) -> Outline:
    if kind == "Point":
        with located(".coordinates"):
            center = _place(coordinates)
        return Circle(center, reach_mm)
    if kind == "LineString":
        return Corridor(_places(coordinates), reach_mm)
    with located(".coordinates"):
        rings = array_of(coordinates, "coordinates", 1_000)
        if len(rings) != 1:
            raise InvalidGeometryError(
                "a polygon has holes or no ring",
                given=f"{len(rings)} rings",
                expected="one ring: no part of a declared area is left out",
                remedy="declare the whole, or several volumes around the hole",
            )
    with located(".coordinates[0]"):
        places = _places(rings[0], path="")
        if len(places) < 4 or places[0] != places[-1]:
            raise InvalidGeometryError(
                "the ring is not closed",
                given=f"{len(places)} positions",
                expected="at least 4, the last equal to the first (RFC 7946, 3.1.6)",
            )
        return Polygon(places[:-1])


def _trajectory(shape: Members, properties: Members) -> Trajectory:
    with located(".geometry"):
        only(shape, frozenset({"type", "coordinates", "bbox"}))
        coordinates = array_of(shape.get("coordinates"), "coordinates", None)
    with located(".properties"):
        only(properties, _ABOUT | {"times", "altitudes", "containment"})
        times = array_of(properties["times"], "times", None)
        altitudes = properties.get("altitudes")
        heights = None if altitudes is None else array_of(altitudes, "altitudes", None)
        for name, items in (("times", times), ("altitudes", heights)):
            if items is not None and len(items) != len(coordinates):
                raise InvalidDocumentError(
                    f"{name} and coordinates differ in number",
                    given=f"{len(items)} {name}, {len(coordinates)} positions",
                    expected="one for each position",
                )
        containment = _containment(properties.get("containment"))
    places = parse_each(
        coordinates,
        partial(_place_and_height, needed=heights is None),
        ".geometry.coordinates",
    )
    flown = [Altitude(AltitudeReference.W84, height_tmm) for _, height_tmm in places]
    if heights is not None:
        flown = parse_each(heights, _flown_altitude, ".properties.altitudes")
    instants = parse_each(times, _instant_of, ".properties.times")
    waypoints = [
        Waypoint(at_ms, place, altitude.tmm)
        for at_ms, (place, _), altitude in zip(instants, places, flown, strict=True)
    ]
    references = list(dict.fromkeys(altitude.reference for altitude in flown))
    if len(references) > 1:
        with located(".properties.altitudes"):
            raise InvalidAltitudeError(
                "one trajectory measures altitude from different references",
                given=", ".join(references),
                expected="one reference throughout",
                remedy="declare a trajectory for each part",
            )
    with located(".geometry"):
        reference = references[0] if references else AltitudeReference.W84
        return Trajectory(reference, merge_repeated(waypoints), containment)


def _instant_of(value: object) -> int:
    return parse_utc(text_of(value, "the time"))


def _flown_altitude(value: object) -> Altitude:
    altitude = parse_altitude(text_of(value, "the altitude"))
    if isinstance(altitude, OpenLimit):
        raise InvalidAltitudeError(
            "a waypoint is at one altitude", given=altitude.value, expected="as FL350, 2500 ft AMSL"
        )
    return altitude


def _containment(value: object) -> Containment:
    if value is None:
        return Containment()
    with located(".containment"):
        said = {key: item for key, item in object_of(value).items() if item is not None}
        only(said, _CONTAINMENT)
        lateral_mm = distance_at(said, "lateral") if "lateral" in said else 0
        vertical_tmm = time_ms = 0
        if "vertical" in said:
            with located(".vertical"):
                vertical_tmm = parse_height(text_at(said, "vertical"))
        if "time" in said:
            with located(".time"):
                time_ms = parse_duration(text_at(said, "time"))
        return Containment(lateral_mm, vertical_tmm, time_ms)


def _places(coordinates: object, path: str = ".coordinates") -> tuple[Position, ...]:
    with located(path or "the ring"):
        items = array_of(coordinates, "coordinates", None)
    return tuple(parse_each(items, _place, path))


def _place(value: object) -> Position:
    numbers = _numbers(value)
    if len(numbers) != 2:
        raise InvalidDocumentError(
            "a position here has no height: altitudes stand in lower and upper",
            given=f"{len(numbers)} numbers",
            expected="[longitude, latitude]",
            remedy="remove the third number" if len(numbers) == 3 else "",
        )
    return _position(numbers)


def _position(numbers: Sequence[float]) -> Position:
    """Return the place of a position's first two numbers, which stand as GeoJSON has them."""
    try:
        return Position.from_degrees(numbers[1], numbers[0])
    except InvalidPositionError as error:
        raise InvalidPositionError(
            error.problem,
            given=error.given,
            expected=f"[longitude, latitude]: {error.expected}",
            remedy=error.remedy,
        ) from error


def _place_and_height(value: object, *, needed: bool) -> tuple[Position, int]:
    """Read a waypoint; the third number is metres above the ellipsoid (RFC 7946, 3.1.1)."""
    numbers = _numbers(value)
    if len(numbers) != (3 if needed else 2):
        raise InvalidDocumentError(
            "the altitude of a waypoint must be said once",
            given=f"{len(numbers)} numbers {'without' if needed else 'beside'} altitudes",
            expected="[longitude, latitude] with an altitudes property, or"
            " [longitude, latitude, metres above the WGS84 ellipsoid] without",
        )
    place = _position(numbers)
    if not needed:
        return place, 0
    if not abs(numbers[2]) < 1e9:
        raise InvalidAltitudeError(
            "the height is out of range", given=f"{numbers[2]} m", expected="-10 km to 100 km"
        )
    return place, round(numbers[2] * TMM_PER_METRE)


def _numbers(value: object) -> list[float]:
    numbers: list[float] = []
    for item in array_of(value, "a position", 16):
        if type(item) is not int and type(item) is not float:
            raise InvalidDocumentError(
                "a coordinate is no number", given=shown(item), expected="[longitude, latitude]"
            )
        try:
            numbers.append(float(item))
        except OverflowError:
            numbers.append(float("inf"))
    return numbers


def _check_crs(crs: object) -> None:
    if crs is None:
        return
    name = crs.get("properties") if isinstance(crs, Mapping) else None
    name = name.get("name") if isinstance(name, Mapping) else None
    if name not in _CRS84:
        raise InvalidDocumentError(
            "the coordinates are not WGS84 longitude and latitude",
            given=f"crs {shown(name)}",
            expected="no crs, or urn:ogc:def:crs:OGC:1.3:CRS84",
            remedy="convert the file to WGS84",
        )
