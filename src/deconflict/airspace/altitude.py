"""Altitudes and altitude bands, always with what they are measured from."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from deconflict.errors import InvalidAltitudeError
from deconflict.units import TMM_PER_FOOT, TMM_PER_METRE

__all__ = [
    "MAX_ALTITUDE_TMM",
    "MIN_ALTITUDE_TMM",
    "AltitudeBand",
    "AltitudeReference",
    "check_altitude_tmm",
    "feet_and_metres",
]

# The engine compares altitudes as int32 (±214 km); both limits lie inside it with room for margins.
MAX_ALTITUDE_TMM: Final = 1_000_000_000  # 100 km
MIN_ALTITUDE_TMM: Final = -100_000_000  # 10 km below the reference
# What a refusal calls a value: a person typed feet or metres, and knows no field of ours.
_SAID: Final = {
    "tmm": "the altitude",
    "altitude_tmm": "the altitude",
    "lower_tmm": "the floor",
    "upper_tmm": "the ceiling",
}


class AltitudeReference(StrEnum):
    """What an altitude is measured from. Two of them compare only as a line's terms say."""

    W84 = "W84"
    """Height above the WGS84 ellipsoid."""
    AMSL = "AMSL"
    """Above mean sea level."""
    FL = "FL"
    """Pressure altitude: what an altimeter set to 1013.25 hPa shows."""
    AGL = "AGL"
    """Above the ground below."""


def check_altitude_tmm(value: object, name: str) -> int:
    """Return ``value`` if it is a usable altitude in tenths of a millimetre.

    Raises:
        InvalidAltitudeError: no whole number, below -10 km or above 100 km.
    """
    said = _SAID.get(name, name)
    if type(value) is not int:
        raise InvalidAltitudeError(
            f"{said} is no whole number",
            given=f"{value!r:.40}",
            expected="whole tenths of a millimetre",
        )
    if not MIN_ALTITUDE_TMM <= value <= MAX_ALTITUDE_TMM:
        raise InvalidAltitudeError(
            f"{said} is out of range",
            given=feet_and_metres(value),
            expected="-10 km to 100 km",
            remedy="check the unit, or leave the band open (SFC, UNL)",
        )
    return value


def feet_and_metres(tmm: int) -> str:
    """Return a height as a refusal shows it.

    >>> feet_and_metres(27_432_000)
    '9,000 ft (2,743.2 m)'
    """
    feet, metres = (
        f"{tmm / unit:,.1f}".removesuffix(".0") for unit in (TMM_PER_FOOT, TMM_PER_METRE)
    )
    return f"{feet} ft ({metres} m)"


@dataclass(frozen=True, slots=True)
class AltitudeBand:
    """All altitudes from floor to ceiling, both included, in one reference.

    ``lower_tmm`` None is the surface (SFC), ``upper_tmm`` None is unlimited (UNL). Equal floor and
    ceiling is one level and allowed.

    Raises:
        InvalidAltitudeError: floor above ceiling, or a value out of range.

    >>> AltitudeBand(AltitudeReference.FL, None, 3_048_000).upper_tmm
    3048000
    """

    reference: AltitudeReference
    lower_tmm: int | None
    upper_tmm: int | None

    def __post_init__(self) -> None:
        if not isinstance(self.reference, AltitudeReference):
            raise InvalidAltitudeError(
                "unknown altitude reference",
                given=f"{self.reference!r:.40}",
                expected="W84, AMSL, FL or AGL",
            )
        if self.lower_tmm is not None:
            check_altitude_tmm(self.lower_tmm, "lower_tmm")
        if self.upper_tmm is not None:
            check_altitude_tmm(self.upper_tmm, "upper_tmm")
        if (
            self.lower_tmm is not None
            and self.upper_tmm is not None
            and self.lower_tmm > self.upper_tmm
        ):
            raise InvalidAltitudeError(
                "the floor is above the ceiling",
                given=f"floor {feet_and_metres(self.lower_tmm)}, "
                f"ceiling {feet_and_metres(self.upper_tmm)}",
                expected="floor at or below ceiling",
                remedy="exchange them, or correct the wrong one",
            )
