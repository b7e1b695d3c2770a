"""Declarations and findings as plain GeoJSON for any map: drawn, not meant to be read back.

A map joins points by straight lines of its own, so geodesics are drawn with points between, circles
and corridors as polygons inside their true rim, and what crosses the antimeridian is cut there
(RFC 7946, 3.1.9).
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from deconflict.airspace.altitude import AltitudeBand
from deconflict.airspace.geodesy import direct, inverse
from deconflict.airspace.geometry import Geometry
from deconflict.airspace.instant import format_utc
from deconflict.airspace.outline import Circle, Corridor, Outline, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.quantity import Altitude, OpenLimit, format_altitude
from deconflict.airspace.trajectory import Trajectory

__all__ = ["DisplayItem", "write_geojson"]

_STEP_M: Final = 100_000.0
_RIM_POINTS: Final = 72

Scalar = str | int | float | bool | None
_Point = tuple[float, float]
_Line = list[_Point]


@dataclass(frozen=True, slots=True)
class DisplayItem:
    """What to draw, and the properties that its features carry beside those of the shape."""

    shape: Geometry | Position
    properties: Mapping[str, Scalar] = field(default_factory=dict)


def write_geojson(items: Iterable[DisplayItem]) -> bytes:
    """Return a FeatureCollection that draws the items.

    One feature per trajectory, position and volume; volumes of one item repeat its properties. To
    them come ``shape``, ``start_utc``, ``end_utc`` and, for volumes, ``lower`` and ``upper``; of
    one name, the item's own property stands.
    """
    features = [feature for item in items for feature in _features(item)]
    document = {"type": "FeatureCollection", "features": features}
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def _features(item: DisplayItem) -> list[dict[str, object]]:
    shape = item.shape
    if isinstance(shape, Position):
        return [_feature("Point", _point(shape), {"shape": "position"}, item)]
    if isinstance(shape, Trajectory):
        lines = _cut_line(_dense([waypoint.position for waypoint in shape.waypoints]))
        said: dict[str, Scalar] = {
            "shape": "trajectory",
            "start_utc": format_utc(shape.span.start_ms),
            "end_utc": format_utc(shape.span.end_ms),
        }
        return [_feature("MultiLineString", lines, said, item)]
    features = []
    for volume in shape:
        said = {
            "shape": type(volume.outline).__name__.lower(),
            "start_utc": format_utc(volume.span.start_ms),
            "end_utc": format_utc(volume.span.end_ms),
            **_limits(volume.band),
        }
        polygons = [[part] for ring in _rings(volume.outline) for part in _cut_ring(ring)]
        features.append(_feature("MultiPolygon", polygons, said, item))
    return features


def _feature(
    kind: str, coordinates: object, said: Mapping[str, Scalar], item: DisplayItem
) -> dict[str, object]:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": {**said, **item.properties},
    }


def _limits(band: AltitudeBand) -> dict[str, Scalar]:
    lower = (
        OpenLimit.SURFACE if band.lower_tmm is None else Altitude(band.reference, band.lower_tmm)
    )
    upper = (
        OpenLimit.UNLIMITED if band.upper_tmm is None else Altitude(band.reference, band.upper_tmm)
    )
    return {"lower": format_altitude(lower), "upper": format_altitude(upper)}


def _point(position: Position) -> _Point:
    return (position.lon_deg, position.lat_deg)


def _dense(path: list[Position]) -> list[Position]:
    """Return the path with points between, so that no step is longer than 100 km."""
    points = [path[0]]
    for start, end in pairwise(path):
        distance_m, azimuth_deg, _ = inverse(start, end)
        parts = math.ceil(distance_m / _STEP_M)
        points += [direct(start, azimuth_deg, distance_m * k / parts) for k in range(1, parts)]
        points.append(end)
    return points


def _rings(outline: Outline) -> list[list[Position]]:
    """Return rings, closed by a repeated first point, whose union is the outline."""
    match outline:
        case Polygon(vertices):
            return [_dense([*vertices, vertices[0]])]
        case Circle(center, radius_mm):
            rim = [
                direct(center, 360.0 * k / _RIM_POINTS, radius_mm / 1000)
                for k in range(_RIM_POINTS)
            ]
            return [_dense([*rim, rim[0]])]
        case Corridor(path, half_width_mm):
            return [_capsule(start, end, half_width_mm / 1000) for start, end in pairwise(path)]


def _capsule(start: Position, end: Position, half_width_m: float) -> list[Position]:
    """Return the rim of all places near one leg: both sides and two half circles."""
    leg = _dense([start, end])
    ring: list[Position] = []
    for there in (leg, leg[::-1]):
        for place, after in pairwise(there):
            ring.append(direct(place, inverse(place, after).azimuth_ab_deg - 90.0, half_width_m))
        tip = there[-1]
        ahead_deg = inverse(tip, there[-2]).azimuth_ab_deg + 180.0
        half = _RIM_POINTS // 2
        ring += [
            direct(tip, ahead_deg - 90.0 + 180.0 * k / half, half_width_m) for k in range(half)
        ]
    return [*ring, ring[0]]


def _unrolled(points: list[Position]) -> _Line:
    """Return (lon, lat) whose longitude runs on across ±180 instead of jumping.

    A pole has every longitude: it is said once with that of its neighbour on either side, however
    often it follows itself.
    """
    places = [
        place
        for place, after in zip(points, [*points[1:], None], strict=True)
        if after is None or not (_at_pole(place) and _at_pole(after))
    ]
    line: _Line = []
    for index, position in enumerate(places):
        lon_deg, lat_deg = _point(position)
        around = [lon_deg]
        if _at_pole(position):
            beside = [places[k] for k in (index - 1, index + 1) if 0 <= k < len(places)]
            around = [place.lon_deg for place in beside] or around
        for lon in around:
            turned = lon if not line else lon + 360.0 * round((line[-1][0] - lon) / 360.0)
            line.append((turned, lat_deg))
    return line


def _at_pole(position: Position) -> bool:
    return abs(position.lat_deg) == 90.0


def _cut_line(points: list[Position]) -> list[_Line]:
    line = _unrolled(points)
    line += line * (2 - len(line))  # who hovers at a pole
    parts: list[_Line] = [[]]
    for start, end in pairwise(line):
        parts[-1] = parts[-1] or [start]
        west, east = sorted((_world(start[0]), _world(end[0])))
        if west != east:
            at = 360.0 * east - 180.0
            crossing = (at, _latitude_at(start, end, at))
            parts[-1].append(crossing)
            parts.append([crossing])
        parts[-1].append(end)
    return [_home(part) for part in parts if len(set(part)) > 1] or [_home(parts[0])]


def _cut_ring(points: list[Position]) -> list[_Line]:
    """Return the ring as one ring for each side of the antimeridian that it reaches."""
    pole_at = next((k for k, place in enumerate(points) if _at_pole(place)), None)
    if pole_at is None:
        line = _unrolled(points)
    else:  # from the pole to the pole, and back along it, which takes no room
        line = _unrolled([*points[pole_at:-1], *points[: pole_at + 1]])
        line += line[:1] * max(1, 4 - len(line))  # four points, though all of them are the pole
    turn = line[-1][0] - line[0][0]
    if abs(turn) > 180.0:  # the ring runs round the axis, so a pole lies inside
        north = sum(
            (1.0 - math.sin(math.radians(a[1] + b[1]) / 2.0)) * (b[0] - a[0])
            for a, b in pairwise(line)
        ) / math.copysign(360.0, turn)
        pole = 90.0 if north < 1.0 else -90.0
        line = _from_antimeridian(line, math.copysign(360.0, turn))
        line += [(line[-1][0], pole), (line[0][0], pole), line[0]]
    worlds = range(_world(min(p[0] for p in line)), _world(max(p[0] for p in line)) + 1)
    rings: list[_Line] = []
    for world in worlds:
        west = 360.0 * world - 180.0
        part = _home(_beyond(_beyond(line, west, 1.0), west + 360.0, -1.0), world)
        # Narrower than the grid of positions a part has no area left, but must not vanish; what
        # only touches the antimeridian from the other side is no part.
        if any(-180.0 < lon < 180.0 for lon, _ in part):
            rings.append(_counterclockwise(part))
    return rings or [_home(line)]  # wholly on the antimeridian


def _from_antimeridian(line: _Line, turn: float) -> _Line:
    """Return a ring round the axis started anew where it crosses ±180, so no seam shows inside."""
    at = 360.0 * math.ceil((min(point[0] for point in line) + 180.0) / 360.0) - 180.0
    first = next(
        k
        for k, (a, b) in enumerate(pairwise(line))
        if a[0] != b[0] and (a[0] - at) * (b[0] - at) <= 0.0
    )
    lat = _latitude_at(line[first], line[first + 1], at)
    again = [(lon + turn, lat) for lon, lat in line[1 : first + 1]]
    return [(at, lat), *line[first + 1 :], *again, (at + turn, lat)]


def _beyond(ring: _Line, at: float, sign: float) -> _Line:
    """Return the closed ring's part east (sign 1) or west (-1) of a meridian.

    Source: I. Sutherland, G. Hodgman, Reentrant polygon clipping (1974). Parts of a ring that
    leaves and comes back stay joined along the meridian, by a bridge of no width.
    """
    kept: _Line = []
    for start, end in pairwise(ring):
        start_in, end_in = sign * (start[0] - at) >= 0.0, sign * (end[0] - at) >= 0.0
        if start_in:
            kept.append(start)
        if start_in != end_in:
            kept.append((at, _latitude_at(start, end, at)))
    return [*kept, kept[0]] if kept else []


def _latitude_at(start: _Point, end: _Point, lon_deg: float) -> float:
    share = (lon_deg - start[0]) / (end[0] - start[0])
    return start[1] + share * (end[1] - start[1])


def _world(lon_deg: float) -> int:
    """Return which copy of the map a running longitude lies in; 0 is [-180, 180)."""
    return math.floor((lon_deg + 180.0) / 360.0)


def _home(line: _Line, world: int | None = None) -> _Line:
    if world is None:
        world = _world(sum(point[0] for point in line) / len(line))
    shift = 360.0 * world
    return [(round(lon - shift, 7), round(lat, 7)) for lon, lat in line]


def _counterclockwise(ring: _Line) -> _Line:
    doubled = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
    return ring if doubled >= 0.0 else ring[::-1]
