"""Places of the ellipsoid on the plane of a grid.

The plane touches WGS84 at the origin, and a place is carried onto it along the ellipsoid's normal
there. A chord through the Earth is never longer than the geodesic between its ends, and what is
carried onto a plane straight on is never longer than it was: **two places are at least as far apart
on the ground as here.** Closed form; nothing is iterated.
"""

import math
from typing import Final

from deconflict.airspace.position import Position

__all__ = ["CURVATURE_RADIUS_M", "Plane"]

_A_M: Final = 6_378_137.0
_E2: Final = 0.006694379990141316  # f (2 - f), f = 1/298.257223563
CURVATURE_RADIUS_M: Final = 6_335_439.0  # a (1 - e²), the least radius of curvature, rounded down


class Plane:
    """The plane at one origin.

    Args:
        origin: where it touches; x is east there, y north.
    """

    def __init__(self, origin: Position) -> None:
        lat, lon = math.radians(origin.lat_deg), math.radians(origin.lon_deg)
        self._east = (-math.sin(lon), math.cos(lon), 0.0)
        self._north = (
            -math.sin(lat) * math.cos(lon),
            -math.sin(lat) * math.sin(lon),
            math.cos(lat),
        )
        self._up = (math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat))
        self._origin = _earth_centred(origin.lat_deg, origin.lon_deg)

    def place_mm(self, lat_deg: float, lon_deg: float) -> tuple[int, int] | None:
        """Return x and y of a place on the ellipsoid, each rounded to a millimetre.

        None for a place on the other half of the Earth, of which the plane shows nothing.
        """
        place = _earth_centred(lat_deg, lon_deg)
        away = [there - here for there, here in zip(place, self._origin, strict=True)]
        # A place is on this half when the normal there leans our way.
        normal = (
            math.cos(math.radians(lat_deg)) * math.cos(math.radians(lon_deg)),
            math.cos(math.radians(lat_deg)) * math.sin(math.radians(lon_deg)),
            math.sin(math.radians(lat_deg)),
        )
        if _dot(normal, self._up) <= 0.0:
            return None
        return round(_dot(away, self._east) * 1e3), round(_dot(away, self._north) * 1e3)

    def position_of(self, x_mm: float, y_mm: float) -> tuple[float, float]:
        """Return latitude and longitude, degrees, of the place on the ellipsoid under (x, y).

        The way back of :meth:`place_mm`, on the half of the Earth that the plane shows. For people:
        nothing that must not be missed is decided with it.

        >>> from deconflict.airspace.position import Position
        >>> plane = Plane(Position.from_degrees(35.0, 38.5))
        >>> [round(degrees, 6) for degrees in plane.position_of(0, 0)]
        [35.0, 38.5]
        """
        above = [
            at + (x_mm * east + y_mm * north) / 1e3
            for at, east, north in zip(self._origin, self._east, self._north, strict=True)
        ]
        # From there along the normal at the origin, down until x² + y² + z² / (1 - e²) = a².
        weights = (1.0, 1.0, 1.0 / (1.0 - _E2))
        a = sum(w * up * up for w, up in zip(weights, self._up, strict=True))
        b = sum(w * p * up for w, p, up in zip(weights, above, self._up, strict=True))
        c = sum(w * p * p for w, p in zip(weights, above, strict=True)) - _A_M**2
        # The nearer of the two places where the normal pierces the ellipsoid.
        down = -c / (b + math.sqrt(max(b * b - a * c, 0.0)))
        x, y, z = (p + down * up for p, up in zip(above, self._up, strict=True))
        lat = math.atan2(z, (1.0 - _E2) * math.hypot(x, y))
        return math.degrees(lat), math.degrees(math.atan2(y, x))


def _earth_centred(lat_deg: float, lon_deg: float) -> tuple[float, float, float]:
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    across_m = _A_M / math.sqrt(1.0 - _E2 * math.sin(lat) ** 2)
    flat = across_m * math.cos(lat)
    return flat * math.cos(lon), flat * math.sin(lon), across_m * (1.0 - _E2) * math.sin(lat)


def _dot(one: "tuple[float, ...] | list[float]", other: tuple[float, ...]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
