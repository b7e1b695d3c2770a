"""A place on the ground: WGS84 latitude and longitude in whole 1e-7 degrees."""

import math
from dataclasses import dataclass
from typing import Final

from deconflict.errors import InvalidPositionError
from deconflict.units import E7_PER_DEGREE

__all__ = ["Position"]

_MAX_LAT_E7: Final = 90 * E7_PER_DEGREE
_MAX_LON_E7: Final = 180 * E7_PER_DEGREE


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A point of the WGS84 ellipsoid, exact to 1e-7 degrees (11 mm at the equator).

    ``lat_e7`` lies in [-90e7, 90e7] and ``lon_e7`` in [-180e7, 180e7), so the antimeridian has one
    spelling. Longitude at a pole keeps the value given: ``is_same_place`` knows that it says
    nothing there.

    Raises:
        InvalidPositionError: a value is no whole number or out of range.
    """

    lat_e7: int
    lon_e7: int

    def __post_init__(self) -> None:
        for name, value in (("lat_e7", self.lat_e7), ("lon_e7", self.lon_e7)):
            if type(value) is not int:
                raise InvalidPositionError(
                    f"{name} is no whole number",
                    given=f"{value!r:.40}",
                    expected="whole 1e-7 degrees",
                )
        if not -_MAX_LAT_E7 <= self.lat_e7 <= _MAX_LAT_E7:
            raise InvalidPositionError(
                "latitude is out of range",
                given=f"lat_e7 {self.lat_e7}",
                expected="-900000000 to 900000000",
                remedy=_swap_hint(self.lat_e7, self.lon_e7, E7_PER_DEGREE),
            )
        if not -_MAX_LON_E7 <= self.lon_e7 < _MAX_LON_E7:
            raise InvalidPositionError(
                "longitude is out of range",
                given=f"lon_e7 {self.lon_e7}",
                expected="-1800000000 up to, not including, 1800000000",
                remedy="write the antimeridian as -1800000000",
            )

    @classmethod
    def from_degrees(cls, lat_deg: float, lon_deg: float) -> "Position":
        """Return the position nearest to these degrees; longitude 180 becomes -180.

        Raises:
            InvalidPositionError: NaN, infinite, latitude beyond ±90 or longitude beyond ±180.

        >>> Position.from_degrees(35.4, 180.0)
        Position(lat_e7=354000000, lon_e7=-1800000000)
        """
        if not (math.isfinite(lat_deg) and math.isfinite(lon_deg)):
            raise InvalidPositionError(
                "a coordinate is not a finite number",
                given=f"latitude {lat_deg}, longitude {lon_deg}",
                expected="degrees, latitude -90 to 90, longitude -180 to 180",
            )
        if not -90.0 <= lat_deg <= 90.0:
            raise InvalidPositionError(
                "latitude is out of range",
                given=f"latitude {lat_deg}, longitude {lon_deg}",
                expected="latitude -90 to 90",
                remedy=_swap_hint(lat_deg, lon_deg, 1),
            )
        if not -180.0 <= lon_deg <= 180.0:
            raise InvalidPositionError(
                "longitude is out of range",
                given=f"latitude {lat_deg}, longitude {lon_deg}",
                expected="longitude -180 to 180",
                remedy="write west of Greenwich as a negative number",
            )
        lon_e7 = round(lon_deg * E7_PER_DEGREE)
        if lon_e7 == _MAX_LON_E7:
            lon_e7 = -_MAX_LON_E7
        return cls(round(lat_deg * E7_PER_DEGREE), lon_e7)

    @property
    def lat_deg(self) -> float:
        """Latitude in degrees, north positive."""
        return self.lat_e7 / E7_PER_DEGREE

    @property
    def lon_deg(self) -> float:
        """Longitude in degrees, east positive, in [-180, 180)."""
        return self.lon_e7 / E7_PER_DEGREE

    def is_same_place(self, other: "Position") -> bool:
        """Say whether both are one place: True exactly when equal, or both the same pole.

        >>> Position(900_000_000, 0).is_same_place(Position(900_000_000, 50_000_000))
        True
        """
        return self == other or (self.lat_e7 == other.lat_e7 and abs(self.lat_e7) == _MAX_LAT_E7)


def _swap_hint(lat: float, lon: float, per_degree: int) -> str:
    if abs(lat) <= 180 * per_degree and abs(lon) <= 90 * per_degree:
        return "this looks like longitude and latitude swapped: exchange them"
    return "check the number and its unit"
