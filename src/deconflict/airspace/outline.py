"""The ground shape of a volume: circle, polygon or corridor, with geodesic edges."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from deconflict.airspace.geodesy import inverse
from deconflict.airspace.position import Position
from deconflict.airspace.ring import MAX_LEG_M, MAX_VERTICES, check_ring
from deconflict.errors import InvalidGeometryError

__all__ = [
    "MAX_RADIUS_MM",
    "Circle",
    "Corridor",
    "Outline",
    "Polygon",
    "check_leg",
    "check_reach_mm",
]

MAX_RADIUS_MM: Final = 5_000_000_000  # 5,000 km: nothing that is an area of activity is larger
# What a refusal calls a value: a person typed miles or metres, and knows no field of ours.
_SAID: Final = {
    "radius_mm": "the radius",
    "half_width_mm": "the half width",
    "lateral_mm": "the distance to each side",
}


@dataclass(frozen=True, slots=True)
class Circle:
    """All places within ``radius_mm`` of the centre, along geodesics, the rim included.

    Raises:
        InvalidGeometryError: the radius is not above 0 and at most 5,000 km.
    """

    center: Position
    radius_mm: int

    def __post_init__(self) -> None:
        check_reach_mm(self.radius_mm, "radius_mm", minimum=1)


@dataclass(frozen=True, slots=True)
class Polygon:
    """The smaller side of a ring of geodesic edges, the edges included.

    ``vertices`` holds 3 to 10,000 places in order, either way round, the first not repeated at the
    end. The ring is simple: no edge crosses or touches another, wherever on the Earth.

    Raises:
        InvalidGeometryError: the ring crosses or touches itself, encloses nothing or half the
            Earth, or an edge reaches 19,900 km.
    """

    vertices: tuple[Position, ...]

    def __post_init__(self) -> None:
        check_ring(self.vertices)


@dataclass(frozen=True, slots=True)
class Corridor:
    """All places within ``half_width_mm`` of a path of geodesic legs, ends rounded.

    The path holds 2 to 10,000 places and may cross itself; two places that follow one another
    differ.

    Raises:
        InvalidGeometryError: too few or too many places, a leg of no length or of 19,900 km and
            more, or a half width that is not above 0 and at most 5,000 km.
    """

    path: tuple[Position, ...]
    half_width_mm: int

    def __post_init__(self) -> None:
        if not 2 <= len(self.path) <= MAX_VERTICES:
            raise InvalidGeometryError(
                "a corridor has too few or too many places",
                given=f"{len(self.path)} places",
                expected=f"2 to {MAX_VERTICES}",
                remedy="use a circle for one place" if len(self.path) < 2 else "simplify the path",
            )
        check_reach_mm(self.half_width_mm, "half_width_mm", minimum=1)
        for index, (start, end) in enumerate(pairwise(self.path)):
            if start.is_same_place(end):
                raise InvalidGeometryError(
                    "a corridor repeats a place",
                    given=f"places {index} and {index + 1} are one",
                    expected="legs with a length",
                    remedy="remove the repetition",
                )
            check_leg(start, end, index)


Outline = Circle | Polygon | Corridor


def check_reach_mm(value: object, name: str, *, minimum: int) -> int:
    """Return ``value`` if it is whole millimetres from ``minimum`` to 5,000 km.

    Raises:
        InvalidGeometryError: it is not.
    """
    said = _SAID[name]
    if type(value) is not int:
        raise InvalidGeometryError(
            f"{said} is no whole number", given=f"{value!r:.40}", expected="whole millimetres"
        )
    if not minimum <= value <= MAX_RADIUS_MM:
        raise InvalidGeometryError(
            f"{said} is out of range",
            given=f"{value / 1000:,.10g} m",
            expected=f"{'above ' if minimum else ''}0 m, up to 5,000 km (2,700 NM)",
            remedy="check the unit",
        )
    return value


def check_leg(start: Position, end: Position, index: int) -> float:
    """Return the geodesic length of leg ``index`` in metres.

    Raises:
        InvalidGeometryError: it is 19,900 km or more, where the shortest way is not unique.
    """
    distance_m = inverse(start, end).distance_m
    if distance_m >= MAX_LEG_M:
        raise InvalidGeometryError(
            "a leg is too long: near the antipode the shortest way is not unique",
            given=f"leg {index} of {distance_m / 1000:.0f} km",
            expected="less than 19,900 km",
            remedy="add a place between",
        )
    return distance_m
