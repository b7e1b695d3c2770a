"""KML (OGC 2.3) as Google Earth and others write it: Placemarks with shapes, heights and times."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.geometry import MAX_VOLUMES
from deconflict.airspace.instant import check_utc_ms
from deconflict.airspace.outline import Outline, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.quantity import Altitude, OpenLimit
from deconflict.airspace.ring import MAX_VERTICES
from deconflict.airspace.trajectory import Trajectory, Waypoint, merge_repeated
from deconflict.errors import InvalidDocumentError, InvalidGeometryError
from deconflict.formats.pasted.draft import BareShape, DraftVolume, Limit, ReadDraft
from deconflict.formats.pasted.gathering import Gathering
from deconflict.formats.pasted.losses import LossReport, quoted
from deconflict.formats.pasted.xml import Element, parse_xml
from deconflict.units import TMM_PER_METRE

__all__ = ["read_kml"]

_ROOTS: Final = frozenset({"kml", "Document", "Folder", "Placemark"})
_CONTAINERS: Final = frozenset({"kml", "Document", "Folder"})
_SHAPES: Final = frozenset(
    {
        "Point",
        "LineString",
        "LinearRing",
        "Polygon",
        "MultiGeometry",
        "Track",
        "MultiTrack",
        "Model",
    }
)
# What has a place and is no shape that can be declared.
_PLACED: Final = frozenset(
    {"NetworkLink", "GroundOverlay", "ScreenOverlay", "PhotoOverlay", "Tour", "NetworkLinkControl"}
)
_REFERENCES: Final = {
    "absolute": AltitudeReference.AMSL,
    "relativeToGround": AltitudeReference.AGL,
}
_NUMBER: Final = r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?"
_TUPLE: Final = re.compile(
    rf"({_NUMBER})\s*,\s*({_NUMBER})(?:\s*,\s*({_NUMBER}))?(?=\s|\Z)", re.ASCII
)
_COORD: Final = re.compile(rf"({_NUMBER})\s+({_NUMBER})(?:\s+({_NUMBER}))?", re.ASCII)
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_MOST_M: Final = 1e7


def read_kml(data: bytes, losses: LossReport) -> tuple[ReadDraft, ...]:
    """Return a draft for each Placemark that has a shape.

    ``absolute`` heights are above mean sea level, ``relativeToGround`` above ground; a shape on the
    ground says nothing of altitudes. Holes of polygons are filled, and told. Nothing is fetched.

    Raises:
        InvalidDocumentError: as :func:`parse_xml`; no KML; nothing in it can be declared.
        InvalidInputError: why the first shape cannot be, where none of them can.
    """
    root = parse_xml(data)
    if root.name not in _ROOTS:
        raise InvalidDocumentError(
            "this XML is no KML", given=f"root element {quoted(root.name)}",
            expected="KML: a root element kml",
        )  # fmt: skip
    gathering = Gathering(losses)
    waiting = [root]
    number = 0
    while waiting:
        element = waiting.pop()
        where = f"line {element.line}"
        if element.name == "Placemark":
            number += 1
            gathering.take(where, partial(_placemark, element, number - 1, losses))
        elif element.name in _CONTAINERS:
            waiting.extend(reversed(element.children))
        elif element.name in _PLACED:
            losses.left_out(where, f"{element.name}: neither read nor fetched")
        else:
            _lose(element, losses)
    return gathering.all("KML")


def _placemark(element: Element, index: int, losses: LossReport) -> ReadDraft | None:
    where = f"line {element.line}"
    name = element.text_of("name") or None
    shapes = [child for child in element.children if child.name in _SHAPES]
    for child in element.children:
        if child.name not in _SHAPES and child.name not in {"name", "TimeSpan"}:
            _lose(child, losses)
    if not shapes:
        losses.set_aside("Placemark without a shape", where)
        return None
    start_ms, end_ms = _times(element.first("TimeSpan"), where, losses)
    if shapes[0].name == "Track" and len(shapes) == 1:
        return _track(shapes[0], index, where, name, losses)
    volumes: list[DraftVolume] = []
    for shape in _parts(shapes):
        stated = _shape(shape, losses)
        lower, upper = _band(shape, stated, losses)
        volumes.append(DraftVolume(stated.outline, lower, upper, start_ms, end_ms))
    if not 1 <= len(volumes) <= MAX_VOLUMES:
        raise InvalidGeometryError(
            "one Placemark holds too few or too many shapes for one declaration",
            given=f"{len(volumes)}", expected=f"1 to {MAX_VOLUMES}",
            remedy="make several Placemarks of it",
        )  # fmt: skip
    return ReadDraft(index, where, tuple(volumes), name=name)


def _lose(element: Element, losses: LossReport) -> None:
    """Tell of an element that is not read: whatever it is called, a shape in it is left out."""
    where = f"line {element.line}"
    waiting = list(element.children)
    while waiting:
        inner = waiting.pop()
        if inner.name in _SHAPES or inner.name == "Placemark":
            losses.left_out(where, f"{element.name}: not read, and a {inner.name} is in it")
            return
        waiting.extend(inner.children)
    losses.set_aside(element.name, where)


def _parts(shapes: Sequence[Element]) -> list[Element]:
    found: list[Element] = []
    waiting = list(reversed(shapes))
    while waiting:
        shape = waiting.pop()
        if shape.name == "MultiGeometry":
            waiting.extend(child for child in reversed(shape.children) if child.name in _SHAPES)
        elif shape.name in {"Model", "Track", "MultiTrack"}:
            raise InvalidDocumentError(
                f"a {shape.name} here cannot be declared", given=f"line {shape.line}",
                expected="Point, LineString, LinearRing or Polygon; a Track alone in its Placemark",
            )  # fmt: skip
        else:
            found.append(shape)
    return found


@dataclass(frozen=True, slots=True)
class _Stated:
    """An outline, and the heights of its places in metres; None where one has none."""

    outline: Outline | BareShape
    heights_m: tuple[float, ...] | None


def _shape(shape: Element, losses: LossReport) -> _Stated:
    if shape.name == "Polygon":
        outer = shape.first("outerBoundaryIs")
        ring = None if outer is None else outer.first("LinearRing")
        if ring is None:
            raise InvalidDocumentError(
                "the Polygon has no outer boundary", given=f"line {shape.line}",
                expected="outerBoundaryIs with a LinearRing",
            )  # fmt: skip
        holes = len(list(shape.all("innerBoundaryIs")))
        if holes:
            losses.changed(
                f"line {shape.line}",
                f"{'a hole is' if holes == 1 else f'{holes} holes are'} filled: no part of a "
                "declared area is left out",
            )
        return _ring(ring)
    if shape.name == "LinearRing":
        return _ring(shape)
    places, heights_m = _places(shape)
    if shape.name == "Point":
        if len(places) != 1:
            raise InvalidDocumentError(
                "a Point has one place",
                given=f"{len(places)} places",
                expected="longitude,latitude",
            )
        return _Stated(BareShape("circle", places), heights_m)
    if len(places) < 2:
        raise InvalidGeometryError(
            "a LineString has too few places", given=f"{len(places)}", expected="2 or more"
        )
    return _Stated(BareShape("corridor", places), heights_m)


def _ring(ring: Element) -> _Stated:
    places, heights_m = _places(ring)
    if len(places) > 1 and places[0] == places[-1]:
        places = places[:-1]
    return _Stated(Polygon(places), heights_m)


def _places(shape: Element) -> tuple[tuple[Position, ...], tuple[float, ...] | None]:
    text = shape.text_of("coordinates")
    places: list[Position] = []
    heights_m: list[float] = []
    at = 0
    while at < len(text):
        match = _TUPLE.match(text, at)
        if match is None:
            raise InvalidDocumentError(
                "the coordinates cannot be read", given=quoted(text[at : at + 40]),
                expected="longitude,latitude or longitude,latitude,height; a space between places",
            )  # fmt: skip
        if len(places) > MAX_VERTICES:
            raise InvalidGeometryError(
                "the shape has too many places", expected=f"at most {MAX_VERTICES}",
                remedy="simplify it",
            )  # fmt: skip
        places.append(Position.from_degrees(float(match[2]), float(match[1])))
        if match[3] is not None:
            heights_m.append(float(match[3]))
        at = match.end()
        while at < len(text) and text[at].isspace():
            at += 1
    if not places:
        raise InvalidDocumentError("there are no coordinates", given=f"line {shape.line}")
    return tuple(places), tuple(heights_m) if len(heights_m) == len(places) else None


def _band(shape: Element, stated: _Stated, losses: LossReport) -> tuple[Limit | None, Limit | None]:
    """Return floor and ceiling as far as the shape says them."""
    where = f"line {shape.line}"
    mode = _mode(shape)
    reference = _REFERENCES.get(mode)
    if reference is None or stated.heights_m is None:
        if stated.heights_m is not None and any(stated.heights_m):
            losses.set_aside(f"heights of places whose altitudeMode is {mode}", where)
        return None, None
    lowest, highest = (
        Altitude(reference, _tmm(height_m))
        for height_m in (min(stated.heights_m), max(stated.heights_m))
    )
    if shape.text_of("extrude") in {"1", "true"}:
        return OpenLimit.SURFACE, highest
    losses.changed(where, "its heights are taken as floor and ceiling, the lowest and the highest")
    return lowest, highest


def _mode(shape: Element) -> str:
    return shape.text_of("altitudeMode") or "clampToGround"


def _tmm(height_m: float) -> int:
    if not abs(height_m) < _MOST_M:
        raise InvalidDocumentError(
            "a height is out of range", given=f"{height_m} m", expected="-10 km to 100 km"
        )
    return round(height_m * TMM_PER_METRE)


def _times(span: Element | None, where: str, losses: LossReport) -> tuple[int | None, int | None]:
    if span is None:
        return None, None
    found: list[int | None] = []
    for name in ("begin", "end"):
        text = span.text_of(name)
        at_ms = _instant(text, losses, where) if text else None
        if text and at_ms is None:
            losses.set_aside(f"TimeSpan {name} {quoted(text)}, no instant with its zone", where)
        found.append(at_ms)
    return found[0], found[1]


def _instant(text: str, losses: LossReport, where: str) -> int | None:
    """Return the instant of an xsd:dateTime with its zone; None for a date, or without a zone."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    at_ms = check_utc_ms(
        (at - datetime(1970, 1, 1, tzinfo=UTC)).days * 86_400_000
        + (at.hour * 3600 + at.minute * 60 + at.second) * 1000
        + at.microsecond // 1000,
        "the time",
    )
    if not text.endswith("Z"):
        losses.changed(where, f"{text} is taken as {at:%Y-%m-%dT%H:%M:%SZ}")
    return at_ms


def _track(
    track: Element, index: int, where: str, name: str | None, losses: LossReport
) -> ReadDraft:
    whens = [child.text for child in track.all("when")]
    coords = [_COORD.fullmatch(child.text) for child in track.all("coord")]
    if len(whens) != len(coords) or len(whens) < 2 or not all(coords):
        raise InvalidDocumentError(
            "the Track cannot be read",
            given=f"{len(whens)} when, {len(coords)} coord",
            expected="a when for each coord of longitude, latitude and height, at least two",
        )
    for child in track.children:
        if child.name not in {"when", "coord", "altitudeMode"}:
            losses.set_aside(f"{child.name} of a Track", where)
    instants = [_instant(text, losses, where) for text in whens]
    times = [at_ms for at_ms in instants if at_ms is not None]
    if len(times) != len(instants):
        raise InvalidDocumentError(
            "a Track has times without a zone", given=quoted(whens[instants.index(None)]),
            expected="instants as 2015-09-30T06:12:00Z",
        )  # fmt: skip
    found = [match for match in coords if match is not None]
    places = tuple(Position.from_degrees(float(one[2]), float(one[1])) for one in found)
    reference = _REFERENCES.get(_mode(track))
    heights_m = [float(one[3]) for one in found if one[3] is not None]
    if reference is None or len(heights_m) != len(found):
        losses.changed(
            where, "the Track has no altitudes: only its path and its first and last time are taken"
        )
        shape = BareShape("corridor", places)
        volume = DraftVolume(shape, start_ms=min(times), end_ms=max(times))
        return ReadDraft(index, where, (volume,), name=name)
    losses.changed(
        where, "the Track is taken as flown exactly: how far aside, above or early it may be, "
        "is not said",
    )  # fmt: skip
    waypoints = [
        Waypoint(at_ms, place, _tmm(height_m))
        for at_ms, place, height_m in zip(times, places, heights_m, strict=True)
    ]
    flight = Trajectory(reference, merge_repeated(waypoints))
    return ReadDraft(index, where, trajectory=flight, name=name)
