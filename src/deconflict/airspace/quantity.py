"""Altitudes, distances and durations as people write them, always with their unit."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Final

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference, check_altitude_tmm
from deconflict.errors import InvalidAltitudeError, InvalidGeometryError, InvalidTimeError
from deconflict.units import (
    FEET_PER_FLIGHT_LEVEL,
    MILLIMETRES_PER_NAUTICAL_MILE,
    TMM_PER_FOOT,
    TMM_PER_METRE,
)

__all__ = [
    "Altitude",
    "OpenLimit",
    "format_altitude",
    "format_distance",
    "format_duration",
    "format_height",
    "parse_altitude",
    "parse_band",
    "parse_distance",
    "parse_duration",
    "parse_height",
]

_MAX_TEXT: Final = 40
_NUMBER: Final = r"([+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?)"
_LEVEL: Final = re.compile(r"FL ?([0-9]{1,3})", re.ASCII)
_ALTITUDE: Final = re.compile(_NUMBER + r" ?([A-Z]+) +([A-Z0-9]+)", re.ASCII)
_QUANTITY: Final = re.compile(_NUMBER + r" ?([A-Z]+)", re.ASCII)

_TMM_PER_UNIT: Final = {
    "FT": TMM_PER_FOOT,
    "FEET": TMM_PER_FOOT,
    "M": TMM_PER_METRE,
    "METRES": TMM_PER_METRE,
    "METERS": TMM_PER_METRE,
}
_MM_PER_UNIT: Final = {
    "M": 1_000,
    "METRES": 1_000,
    "METERS": 1_000,
    "KM": 1_000_000,
    "NM": MILLIMETRES_PER_NAUTICAL_MILE,
    "NMI": MILLIMETRES_PER_NAUTICAL_MILE,
}
_MS_PER_UNIT: Final = {"S": 1_000, "M": 60_000, "MIN": 60_000, "H": 3_600_000}
_REFERENCES: Final = {
    "AMSL": AltitudeReference.AMSL,
    "MSL": AltitudeReference.AMSL,
    "AGL": AltitudeReference.AGL,
    "W84": AltitudeReference.W84,
    "WGS84": AltitudeReference.W84,
    "FL": AltitudeReference.FL,
}
_ALTITUDES: Final = "FL350 · 35000 ft AMSL · 1000 m W84 · 400 ft AGL · SFC · UNL"


class OpenLimit(Enum):
    """A limit of a band that is no altitude."""

    SURFACE = "SFC"
    UNLIMITED = "UNL"


@dataclass(frozen=True, slots=True)
class Altitude:
    """One altitude in tenths of a millimetre, with what it is measured from."""

    reference: AltitudeReference
    tmm: int

    def __post_init__(self) -> None:
        check_altitude_tmm(self.tmm, "tmm")


def parse_altitude(text: str) -> Altitude | OpenLimit:
    """Return the altitude that ``text`` names: number, unit and reference, or SFC, UNL, FLnnn.

    A pressure altitude between flight levels is written ``35050 ft FL``. Rounded to 0.1 mm; whole
    feet, flight levels and metres are exact.

    Raises:
        InvalidAltitudeError: unit or reference missing or unknown, out of range, no number.

    >>> parse_altitude("FL350") == parse_altitude("35000 ft FL")
    True
    """
    plain = _plain(text)
    if plain in {"SFC", "GND"}:
        return OpenLimit.SURFACE
    if plain == "UNL":
        return OpenLimit.UNLIMITED
    level = _LEVEL.fullmatch(plain)
    if level is not None:
        feet = int(level[1]) * FEET_PER_FLIGHT_LEVEL
        return Altitude(AltitudeReference.FL, feet * TMM_PER_FOOT)
    match = _ALTITUDE.fullmatch(plain)
    if match is None or match[2] not in _TMM_PER_UNIT or match[3] not in _REFERENCES:
        raise InvalidAltitudeError(
            "the altitude cannot be read", given=_shown(text), expected=_ALTITUDES,
            remedy=_altitude_remedy(plain),
        )  # fmt: skip
    tmm = round(Fraction(Decimal(match[1])) * _TMM_PER_UNIT[match[2]])
    return Altitude(_REFERENCES[match[3]], tmm)


def parse_band(lower: str, upper: str) -> AltitudeBand:
    """Return the band between two altitudes as written; both must have one reference.

    SFC and UNL go with the other limit's reference. SFC to UNL is every altitude, whatever it is
    measured from, and is kept as AMSL.

    Raises:
        InvalidAltitudeError: a limit cannot be read, the references differ, UNL stands below or
            SFC above, or the floor is above the ceiling.

    >>> parse_band("SFC", "FL100").reference.value
    'FL'
    """
    floor, ceiling = parse_altitude(lower), parse_altitude(upper)
    if (
        floor is OpenLimit.UNLIMITED
        or ceiling is OpenLimit.SURFACE
        or (
            isinstance(floor, Altitude)
            and isinstance(ceiling, Altitude)
            and floor.reference is ceiling.reference
            and floor.tmm > ceiling.tmm
        )
    ):
        raise InvalidAltitudeError(
            "the floor is above the ceiling",
            given=f"lower {_shown(lower)}, upper {_shown(upper)}",
            expected="floor at or below ceiling",
            remedy="exchange them, or correct the wrong one",
        )
    known = [limit.reference for limit in (floor, ceiling) if isinstance(limit, Altitude)]
    if len(set(known)) > 1:
        raise InvalidAltitudeError(
            "floor and ceiling are measured from different references",
            given=f"lower {_shown(lower)}, upper {_shown(upper)}",
            expected="one reference for both",
            remedy="say both in one, rounded outward, or declare two volumes",
        )
    return AltitudeBand(
        known[0] if known else AltitudeReference.AMSL,
        floor.tmm if isinstance(floor, Altitude) else None,
        ceiling.tmm if isinstance(ceiling, Altitude) else None,
    )


def format_altitude(altitude: Altitude | OpenLimit) -> str:
    """Return the altitude as text that ``parse_altitude`` reads back to the same value.

    >>> format_altitude(Altitude(AltitudeReference.AMSL, 7_620_000))
    '2500 ft AMSL'
    """
    if isinstance(altitude, OpenLimit):
        return altitude.value
    feet, rest = divmod(altitude.tmm, TMM_PER_FOOT)
    if altitude.reference is AltitudeReference.FL and rest == 0:
        level, between = divmod(feet, FEET_PER_FLIGHT_LEVEL)
        if between == 0 and 0 <= level <= 999:
            return f"FL{level:03d}"
    if rest == 0:
        return f"{feet} ft {altitude.reference.value}"
    return f"{_decimal(altitude.tmm, 4)} m {altitude.reference.value}"


def parse_distance(text: str) -> int:
    """Return a horizontal distance in millimetres: ``10 NM``, ``500 m``, ``2.5 km``.

    Raises:
        InvalidGeometryError: no number with one of these units, or negative.

    >>> parse_distance("10 NM")
    18520000
    """
    return _measured(
        text,
        _MM_PER_UNIT,
        InvalidGeometryError,
        "the distance cannot be read",
        "10 NM, 500 m, 2.5 km",
    )


def parse_height(text: str) -> int:
    """Return a vertical distance in tenths of a millimetre: ``500 ft``, ``150 m``.

    Raises:
        InvalidAltitudeError: no number with one of these units, or negative.
    """
    return _measured(
        text, _TMM_PER_UNIT, InvalidAltitudeError, "the height cannot be read", "500 ft, 150 m"
    )


def parse_duration(text: str) -> int:
    """Return a length of time in milliseconds: ``90 s``, ``5 min`` or ``5 m``, ``2 h``.

    Raises:
        InvalidTimeError: no number with one of these units, or negative.
    """
    return _measured(
        text, _MS_PER_UNIT, InvalidTimeError, "the duration cannot be read", "90 s, 5 min, 2 h"
    )


def format_distance(distance_mm: int) -> str:
    """Return millimetres as text that ``parse_distance`` reads back to the same value.

    >>> format_distance(18_520_000)
    '10 NM'
    """
    miles, rest = divmod(distance_mm, MILLIMETRES_PER_NAUTICAL_MILE)
    return f"{miles} NM" if miles and rest == 0 else f"{_decimal(distance_mm, 3)} m"


def format_height(height_tmm: int) -> str:
    """Return tenths of a millimetre as text that ``parse_height`` reads back to the same value.

    >>> format_height(3_048_000)
    '1000 ft'
    """
    feet, rest = divmod(height_tmm, TMM_PER_FOOT)
    return f"{feet} ft" if rest == 0 else f"{_decimal(height_tmm, 4)} m"


def format_duration(duration_ms: int) -> str:
    """Return milliseconds as text that ``parse_duration`` reads back to the same value.

    >>> format_duration(90_000)
    '90 s'
    """
    return f"{_decimal(duration_ms, 3)} s"


def _measured(
    text: str,
    units: dict[str, int],
    refusal: type[InvalidGeometryError | InvalidAltitudeError | InvalidTimeError],
    problem: str,
    expected: str,
) -> int:
    match = _QUANTITY.fullmatch(_plain(text))
    if match is None or match[2] not in units or match[1].startswith("-"):
        raise refusal(
            problem, given=_shown(text), expected=expected, remedy="write the number and its unit"
        )
    return round(Fraction(Decimal(match[1])) * units[match[2]])


def _plain(text: str) -> str:
    return " ".join(text.split()).upper() if len(text) <= _MAX_TEXT else ""


def _altitude_remedy(plain: str) -> str:
    if "," in plain:
        return "write thousands without a comma and decimals with a point"
    if re.fullmatch(_NUMBER, plain):
        return "add the unit and the reference"
    quantity = _QUANTITY.fullmatch(plain)
    if quantity is not None and quantity[2] in _TMM_PER_UNIT:
        return "say what it is measured from: AMSL, AGL, W84 or FL"
    return ""


def _decimal(value: int, places: int) -> str:
    whole, rest = divmod(abs(value), 10**places)
    digits = f"{rest:0{places}d}".rstrip("0")
    return f"{'-' if value < 0 else ''}{whole}{'.' if digits else ''}{digits}"


def _shown(text: str) -> str:
    return f"{text!r:.60}"
