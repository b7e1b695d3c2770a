"""GeoJSON of other programs: shapes as far as they go, everything else told.

deconflict's own profile is read strictly by ``formats.geojson``; a document that says ``purpose``,
``declaration_id``, ``volumes`` or ``containment`` claims to be of it, and is not read here.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Final, TypeVar

from deconflict.airspace.geodesy import direct, inverse
from deconflict.airspace.geometry import MAX_VOLUMES
from deconflict.airspace.instant import parse_utc
from deconflict.airspace.outline import Circle, Corridor, Outline, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.quantity import parse_altitude, parse_distance
from deconflict.airspace.ring import MAX_VERTICES
from deconflict.airspace.where import located
from deconflict.errors import InvalidDocumentError, InvalidGeometryError
from deconflict.formats.members import Members, array_of, object_of, shown
from deconflict.formats.pasted.draft import BareShape, DraftVolume, ReadDraft
from deconflict.formats.pasted.gathering import Gathering
from deconflict.formats.pasted.losses import LossReport, quoted

__all__ = ["is_of_profile", "read_foreign_geojson"]

T = TypeVar("T")

_MARKS: Final = frozenset({"purpose", "declaration_id", "volumes", "containment"})
_NAMES: Final = ("name", "Name", "title", "NAME")
_KNOWN: Final = frozenset({"lower", "upper", "start_utc", "end_utc", "radius", "half_width"})
_SIMPLE: Final = frozenset({"Point", "LineString", "Polygon"})
_MULTI: Final = {"MultiPoint": "Point", "MultiLineString": "LineString", "MultiPolygon": "Polygon"}
_SHAPES: Final = frozenset({*_SIMPLE, *_MULTI, "GeometryCollection"})
_MAX_FEATURES: Final = 5_000
_BOWED_M: Final = 10.0  # an edge that leaves the line on a map by less is not worth a word
_LONGEST_BOW_M: Final = 5_000_000.0


def is_of_profile(document: object) -> bool:
    """True exactly when a Feature of the document says what only deconflict's own profile says."""
    if not isinstance(document, Mapping):
        return False
    features = document.get("features")
    for feature in features if isinstance(features, list) else [document]:
        said = feature.get("properties") if isinstance(feature, Mapping) else None
        if isinstance(said, Mapping) and not _MARKS.isdisjoint(said):
            return True
    return False


def read_foreign_geojson(document: object, losses: LossReport) -> tuple[ReadDraft, ...]:
    """Return a draft for each Feature, or for a bare geometry.

    Holes are filled and heights of places set aside, both told; edges are geodesics, and how far
    they leave the straight lines that RFC 7946 means is told.

    Raises:
        InvalidDocumentError: no GeoJSON, or nothing in it can be declared.
        InvalidInputError: why the first shape cannot be, where none of them can.
    """
    members = object_of(document)
    kind = members.get("type")
    if kind == "FeatureCollection":
        features = array_of(members.get("features"), "features", _MAX_FEATURES)
    elif kind == "Feature" or (isinstance(kind, str) and kind in _SHAPES):
        features = [members]
    else:
        raise InvalidDocumentError(
            "this JSON is no GeoJSON", given=f"type {shown(kind)}",
            expected="a FeatureCollection, a Feature or a geometry",
        )  # fmt: skip
    crs = members.get("crs")
    if crs is not None and "CRS84" not in str(crs) and "4326" not in str(crs):
        raise InvalidDocumentError(
            "the coordinates are not WGS84 longitude and latitude", given=quoted(crs),
            expected="no crs", remedy="convert the file to WGS84",
        )  # fmt: skip
    gathering = Gathering(losses)
    for index, feature in enumerate(features):
        where = f"features[{index}]" if kind == "FeatureCollection" else str(kind)
        gathering.take(where, partial(_draft, feature, index, where, losses))
    return gathering.all("GeoJSON")


def _draft(feature: object, index: int, where: str, losses: LossReport) -> ReadDraft | None:
    members = object_of(feature)
    is_feature = members.get("type") == "Feature"
    shape = members.get("geometry") if is_feature else members
    if shape is None:
        losses.set_aside("Feature without a geometry", where)
        return None
    said = members.get("properties") if is_feature else None
    properties = object_of(said, "properties") if said is not None else {}
    name = next((str(properties[key])[:80] for key in _NAMES if properties.get(key)), None)
    for key, value in properties.items():
        if value is not None and key not in _KNOWN and key not in _NAMES:
            losses.set_aside(f"property {quoted(key)}", where)
    volumes = tuple(_volumes(object_of(shape, "geometry"), properties, where, losses))
    if not 1 <= len(volumes) <= MAX_VOLUMES:
        raise InvalidGeometryError(
            "one Feature holds too few or too many shapes for one declaration",
            given=f"{len(volumes)}", expected=f"1 to {MAX_VOLUMES}",
            remedy="write each as a Feature of its own",
        )  # fmt: skip
    return ReadDraft(index, where, volumes, name=name)


def _volumes(
    shape: Members, properties: Members, where: str, losses: LossReport
) -> list[DraftVolume]:
    lower, upper = (_text(properties, key, parse_altitude) for key in ("lower", "upper"))
    start_ms, end_ms = (_text(properties, key, parse_utc) for key in ("start_utc", "end_utc"))
    return [
        DraftVolume(
            _outline(kind, coordinates, properties, where, losses), lower, upper, start_ms, end_ms
        )
        for kind, coordinates in _simple(shape)
    ]


def _text(properties: Members, key: str, parse: Callable[[str], T]) -> T | None:
    value = properties.get(key)
    if value is None:
        return None
    with located(f"properties.{key}"):
        if not isinstance(value, str):
            raise InvalidDocumentError(
                "this is no text", given=shown(value), expected="text with its unit or zone"
            )
        return parse(value)


def _simple(shape: Members) -> list[tuple[str, object]]:
    """Return each simple geometry in it, with its coordinates."""
    found: list[tuple[str, object]] = []
    waiting: list[Members] = [shape]
    while waiting:
        one = waiting.pop()
        kind = one.get("type")
        if kind == "GeometryCollection":
            inner = array_of(one.get("geometries"), "geometries", MAX_VOLUMES)
            waiting.extend(object_of(each, "geometry") for each in reversed(inner))
        elif isinstance(kind, str) and kind in _MULTI:
            parts = array_of(one.get("coordinates"), "coordinates", MAX_VOLUMES)
            found += [(_MULTI[kind], part) for part in parts]
        elif isinstance(kind, str) and kind in _SIMPLE:
            found.append((kind, one.get("coordinates")))
        else:
            raise InvalidDocumentError(
                "this type of geometry is unknown", given=shown(kind),
                expected=", ".join(sorted(_SHAPES)),
            )  # fmt: skip
    return found


def _outline(
    kind: str, coordinates: object, properties: Members, where: str, losses: LossReport
) -> Outline | BareShape:
    if kind == "Point":
        places = (_place(coordinates, where, losses),)
        radius_mm = _text(properties, "radius", parse_distance)
        return BareShape("circle", places) if radius_mm is None else Circle(places[0], radius_mm)
    if kind == "LineString":
        path = _places(coordinates, where, losses)
        _tell_bow(path, where, losses)
        half_mm = _text(properties, "half_width", parse_distance)
        return BareShape("corridor", path) if half_mm is None else Corridor(path, half_mm)
    rings = array_of(coordinates, "coordinates", 1_000)
    if not rings:
        raise InvalidGeometryError("a polygon has no ring", expected="at least one")
    if len(rings) > 1:
        losses.changed(
            where,
            f"{len(rings) - 1} {'hole is' if len(rings) == 2 else 'holes are'} filled: no part of "
            "a declared area is left out",
        )
    ring = _places(rings[0], where, losses)
    _tell_bow((*ring, ring[0]) if ring else ring, where, losses)
    return Polygon(ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring)


def _places(coordinates: object, where: str, losses: LossReport) -> tuple[Position, ...]:
    items = array_of(coordinates, "coordinates", MAX_VERTICES + 1)
    return tuple(_place(item, where, losses) for item in items)


def _place(value: object, where: str, losses: LossReport) -> Position:
    numbers = array_of(value, "a position", 16)
    if len(numbers) < 2 or any(type(one) not in (int, float) for one in numbers):
        raise InvalidDocumentError(
            "a position cannot be read", given=quoted(value), expected="[longitude, latitude]"
        )
    if len(numbers) > 2 and numbers[2]:
        losses.set_aside("heights of places (metres above the ellipsoid)", where)
    lon, lat = (_float(one) for one in numbers[:2])
    return Position.from_degrees(lat, lon)


def _float(value: object) -> float:
    try:
        return float(str(value))
    except (OverflowError, ValueError):
        return float("inf")


def _tell_bow(path: Sequence[Position], where: str, losses: LossReport) -> None:
    """Tell how far geodesic edges leave the lines that are straight on a plain map."""
    farthest_m = 0.0
    for start, end in pairwise(path):
        seen = inverse(start, end)
        if not 1_000.0 < seen.distance_m < _LONGEST_BOW_M:
            continue
        if abs(start.lon_e7 - end.lon_e7) > 1_800_000_000:
            continue  # across the antimeridian a plain map has no line
        half_way = direct(start, seen.azimuth_ab_deg, seen.distance_m / 2)
        straight = Position((start.lat_e7 + end.lat_e7) // 2, (start.lon_e7 + end.lon_e7) // 2)
        farthest_m = max(farthest_m, inverse(half_way, straight).distance_m)
    if farthest_m > _BOWED_M:
        losses.changed(
            where,
            f"edges are the shortest lines on the Earth: half way they lie up to {farthest_m:,.0f} "
            "m from lines that are straight on a plain map",
        )
