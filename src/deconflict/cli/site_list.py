"""A list of protected sites in a file: read whole, and refused by the number of what is wrong.

No error shows a value: what is read is a list of protected sites.
"""

import json
import math
from pathlib import Path
from typing import Any, Final

from deconflict.airspace.quantity import parse_distance
from deconflict.errors import DeconflictError, InvalidInputError

__all__ = ["MOST_LABEL_BYTES", "read_site_list"]

MOST_LABEL_BYTES: Final = 64  # what a planner asks for unless it says otherwise
_EXAMPLE: Final = '[{"label": "hospital", "lat": 36.2, "lon": 37.1, "radius_m": 2000}]'
_MOST_RADIUS_M: Final = 1e6
_MOST_CHARACTERS: Final = 64 * 1024 * 1024


class _WrongError(Exception):
    """What is wrong with one site, and what it should be."""

    def __init__(self, problem: str, expected: str) -> None:
        super().__init__(problem)
        self.problem, self.expected = problem, expected


def read_site_list(file: Path) -> list[dict[str, Any]]:
    """Return the sites of a file as the node takes them, the most important first.

    It is JSON, a list of objects with ``lat``, ``lon``, ``radius_m`` and perhaps ``label``, or
    GeoJSON of points whose properties have ``radius_m``, or ``radius`` with a unit.

    Raises:
        InvalidInputError: it is neither, or one of the sites is none.
    """
    given = _items(file)
    found = []
    for number, each in enumerate(given, start=1):
        try:
            found.append(_site(each))
        except _WrongError as error:
            raise InvalidInputError(
                f"site {number} of {len(given):,}: {error.problem}",
                given=str(file),
                expected=error.expected,
            ) from None
    return found


def _items(file: Path) -> list[Any]:
    try:
        with file.open(encoding="utf-8") as text:
            given = json.loads(text.read(_MOST_CHARACTERS))  # what is longer is cut, and no JSON
    except (OSError, ValueError, RecursionError):
        raise _no_list(file) from None
    if isinstance(given, dict) and given.get("type") == "FeatureCollection":
        given = given.get("features")
    elif isinstance(given, dict) and given.get("type") == "Feature":
        given = [given]
    if not isinstance(given, list) or not given:
        raise _no_list(file)
    return given


def _no_list(file: Path) -> InvalidInputError:
    return InvalidInputError(
        "this is no list of sites",
        given=str(file),
        expected=f"JSON: {_EXAMPLE}; or GeoJSON of points with a radius",
    )


def _site(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise _WrongError("it is no object", "one with lat, lon, radius_m and perhaps label")
    held = given
    if given.get("type") == "Feature":
        held = _of_feature(given)
    label = held.get("label") or ""
    if not isinstance(label, str) or len(label) > 200:
        raise _WrongError("its label is no short text", "at most 200 characters")
    return {
        "label": label,
        "lat_e7": round(_number(held, "lat", 90.0) * 1e7),
        "lon_e7": round(_number(held, "lon", 180.0) * 1e7),
        "radius_mm": _radius_mm(held),
    }


def _of_feature(feature: dict[str, Any]) -> dict[str, Any]:
    geometry, properties = feature.get("geometry"), feature.get("properties") or {}
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind in ("Polygon", "MultiPolygon", "LineString", "MultiLineString", "MultiPoint"):
        raise _WrongError(
            f"it is a {kind}, and a protected site is a point with a radius",
            "a Point in its middle, with a radius that reaches its farthest corner",
        )
    places = geometry.get("coordinates") if isinstance(geometry, dict) else None
    pair = 2
    if kind != "Point" or not isinstance(places, list) or len(places) < pair:
        raise _WrongError("it has no place", "a GeoJSON Point: [longitude, latitude]")
    if not isinstance(properties, dict):
        raise _WrongError("its properties are no object", "label, and radius or radius_m")
    return {**properties, "lon": places[0], "lat": places[1]}


def _number(held: dict[str, Any], name: str, most: float) -> float:
    value = held.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _WrongError(f"{name} is missing, or no number", f"{name} in degrees, a number")
    # NaN is not below anything, so it is refused here too.
    if not abs(value) <= most:
        raise _WrongError(f"{name} is out of range", f"-{most:g} to {most:g} degrees")
    return float(value)


def _radius_mm(held: dict[str, Any]) -> int:
    value, expected = held.get("radius_m"), "radius_m above 0 and at most 1,000,000"
    if value is None and isinstance(held.get("radius"), str):
        try:
            value = parse_distance(held["radius"]) / 1e3
        except DeconflictError:
            raise _WrongError("its radius is no distance", 'as "2 km" or "1 NM"') from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _WrongError("radius_m is missing, or no number", expected)
    if not (math.isfinite(value) and 0.001 <= value <= _MOST_RADIUS_M):
        raise _WrongError("its radius is out of range", expected)
    return math.ceil(value * 1e3)
