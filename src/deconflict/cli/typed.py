"""From what a person types to the values that travel in a message: numbers with units, UTC, places.

One reader for each type of value (`deconflict.messages.values.ValueType`). Nothing is guessed: a
number without a unit, a time without Z and a place in words are refused with what is read instead.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from deconflict.airspace import format_utc, parse_utc
from deconflict.airspace.altitude import AltitudeBand
from deconflict.airspace.notation import parse_position
from deconflict.airspace.quantity import (
    OpenLimit,
    parse_altitude,
    parse_band,
    parse_distance,
    parse_duration,
    parse_height,
)
from deconflict.airspace.wire import position_to_wire
from deconflict.errors import InvalidAltitudeError, InvalidInputError
from deconflict.messages.direction import without_isolates
from deconflict.messages.phrases import REASONS, phrase, phrases
from deconflict.messages.values import ValueType

__all__ = [
    "band_wire",
    "level_wire",
    "place_wire",
    "reason_names",
    "reason_number",
    "time_wire",
    "typed_value",
    "typed_values",
]

# Millimetres a second in each unit; knots by the nautical mile of 1929 (1,852,000 mm / 3,600 s).
SPEEDS: Final = {
    "kt": Decimal(1_852_000) / 3600,
    "km/h": Decimal(1_000_000) / 3600,
    "m/s": Decimal(1000),
}
_SPEED: Final = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?) ?(kt|km/h|m/s)", re.ASCII)
_BEARING: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]))?(?: ?(?:°|deg))?", re.ASCII)


def typed_values(number: int, given: Iterable[str]) -> dict[str, Any]:
    """Return the values of a phrase from ``name=text`` pairs.

    Raises:
        InvalidInputError: a pair cannot be read, a value is missing, unknown or given twice.
    """
    wanted = phrase(number).values
    found: dict[str, Any] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or name not in wanted or name in found:
            raise InvalidInputError(
                "this value is twice there" if name in found else "this value has no place here",
                given=pair,
                expected=_listed(number),
            )
        found[name] = typed_value(wanted[name], text, name)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise InvalidInputError(
            f"phrase {number} needs more values",
            given=f"without {', '.join(missing)}",
            expected=_listed(number),
        )
    return found


def typed_value(kind: ValueType, text: str, name: str) -> Any:
    """Return the value that travels for what was typed, or copied from a screen.

    Raises:
        InvalidInputError: the text is no value of this type.

    >>> typed_value(ValueType.ALTITUDE, "FL210", "level")
    {'reference': 'FL', 'tmm': 64008000}
    >>> typed_value(ValueType.SPEED, "360 km/h", "speed")
    100000
    """
    text = without_isolates(text)
    reader = _READERS.get(kind)
    return reader(text) if reader else _word(kind, text, name)


def place_wire(text: str) -> dict[str, int]:
    """Return a position typed in any notation, as it travels."""
    position = parse_position(text)
    return position_to_wire(position)


def level_wire(text: str) -> dict[str, Any]:
    """Return one altitude, as it travels; the surface and unlimited are no altitude."""
    altitude = parse_altitude(text)
    if isinstance(altitude, OpenLimit):
        raise InvalidAltitudeError(
            "an altitude is needed here", given=text, expected="such as FL210 or 3000 ft AMSL"
        )
    return {"reference": str(altitude.reference), "tmm": altitude.tmm}


def band_wire(lower: str, upper: str) -> dict[str, Any]:
    """Return an altitude band from its floor and ceiling as typed, as it travels."""
    band: AltitudeBand = parse_band(lower, upper)
    return {
        "reference": str(band.reference),
        "lower_tmm": band.lower_tmm,
        "upper_tmm": band.upper_tmm,
    }


def time_wire(text: str) -> str:
    """Return an instant, UTC to the millisecond, as it travels."""
    return format_utc(parse_utc(text))


def reason_names() -> list[str]:
    """Return the reasons as options take them: ``personnel-there``, ``plan-withdrawn``."""
    return [_spelled(each.name) for each in phrases() if each.number in REASONS]


def reason_number(name: str) -> int:
    """Return the number of the phrase behind a reason's name."""
    return next(
        each.number for each in phrases() if each.number in REASONS and _spelled(each.name) == name
    )


def _speed(text: str) -> int:
    match = _SPEED.fullmatch(text.strip())
    if match is None:
        raise InvalidInputError(
            "a speed cannot be read", given=text, expected="450 kt, 830 km/h or 230 m/s"
        )
    return round(Decimal(match[1]) * SPEEDS[match[2]])


def _bearing(text: str) -> int:
    match = _BEARING.fullmatch(text.strip())
    tenths = int(match[1]) * 10 + int(match[2] or 0) if match else 3600
    if tenths >= 3600:
        raise InvalidInputError(
            "a direction cannot be read", given=text, expected="degrees true, 0 to 359.9"
        )
    return tenths


def _band(text: str) -> dict[str, Any]:
    lower, found, upper = text.partition(" to ")
    if not found:
        raise InvalidAltitudeError(
            "a band cannot be read", given=text, expected="floor to ceiling: 'SFC to 5000 ft AMSL'"
        )
    return band_wire(lower, upper)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InvalidInputError("a count cannot be read", given=text, expected="a whole number")
    return int(text)


def _reason(text: str) -> int:
    if text.isascii() and text.isdecimal():
        return int(text)
    if text not in reason_names():
        raise InvalidInputError(
            "there is no such reason", given=text, expected=", ".join(reason_names())
        )
    return reason_number(text)


def _word(kind: ValueType, text: str, name: str) -> Any:
    if kind in (ValueType.NAME, ValueType.TEXT, ValueType.ID):
        return text
    if kind in (ValueType.FIELDS, ValueType.TALKS, ValueType.KINDS):
        return [part.strip() for part in text.split(",")]
    if not text.isascii():
        raise InvalidInputError(f"{name} is no agreed word", given=text)
    return text.upper().replace("-", "_")


def _spelled(name: str) -> str:
    return name.lower().replace("_", "-")


def _listed(number: int) -> str:
    return ", ".join(f"{name}=…({kind})" for name, kind in phrase(number).values.items()) or "none"


_READERS: Final[Mapping[ValueType, Callable[[str], Any]]] = {
    ValueType.POSITION: place_wire,
    ValueType.TIME: time_wire,
    ValueType.ALTITUDE: level_wire,
    ValueType.BAND: _band,
    ValueType.DISTANCE: parse_distance,
    ValueType.SEPARATION: parse_distance,
    ValueType.HEIGHT: parse_height,
    ValueType.BEARING: _bearing,
    ValueType.SPEED: _speed,
    ValueType.COUNT: _count,
    ValueType.DURATION: parse_duration,
    ValueType.PHRASE: _reason,
}
