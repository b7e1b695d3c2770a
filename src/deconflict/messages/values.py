"""The values that travel with a phrase number: their wire form, and how each is written and said.

A value is a whole number, a string, or a small object of those; never a float. Every number is
written with its unit, every altitude with what it is measured from, every time in UTC with ``Z``,
and in every language with the same digits and the same decimal point, so that two desks can
compare screens. Distances that say how close something came are rounded down, never up.
"""

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from deconflict.airspace.altitude import AltitudeReference, check_altitude_tmm
from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.airspace.notation import echo
from deconflict.airspace.position import Position
from deconflict.airspace.wire import position_from_wire
from deconflict.errors import InvalidDocumentError
from deconflict.messages.words import check_text
from deconflict.units import (
    FEET_PER_FLIGHT_LEVEL,
    MILLIMETRES_PER_NAUTICAL_MILE,
    TMM_PER_FOOT,
    TMM_PER_METRE,
)

__all__ = [
    "ID_SHOWN",
    "WORD_LISTS",
    "ValueType",
    "Wording",
    "check_value",
    "heard_value",
    "say_value",
    "spoken_id",
    "words_in",
    "write_angle",
    "write_value",
    "writer",
]

ID_SHOWN: Final = 8  # leading hex digits of an id on a screen; the record has all of them
_MAX_NAME: Final = 80
_MAX_TEXT: Final = 16_384  # a message's longest part; what people type is bounded where it enters
_MAX_WHOLE: Final = 2**53 - 1  # RFC 7493 §2.2
_ID: Final = re.compile(r"[0-9a-f]{32}([0-9a-f]{32})?")
# What a quick look finds sound; the rest is judged, and refused, by those who know why.
_SURE_LAT_E7: Final = 900_000_000
_SURE_LON_E7: Final = 1_800_000_000
_SURE_TIME: Final = re.compile(
    r"(?:19[7-9][0-9]|20[0-9]{2}|21[0-9]{2})-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
)
_MS: Final = {"day": 86_400_000, "hour": 3_600_000, "minute": 60_000}
_REMEMBERED: Final = 1_024  # altitudes and distances that flights have in common; places said twice
_REFERENCES: Final = frozenset(reference.value for reference in AltitudeReference)
_SHORT_MM: Final = 1_000_000  # below one kilometre a distance is written in metres alone
_PLACES: Final = {places: Decimal(1).scaleb(-places) for places in (-2, 0, 1, 2, 5)}
_MMPS_PER_KNOT: Final = Decimal(MILLIMETRES_PER_NAUTICAL_MILE) / 3600
_MMPS_PER_KMH: Final = Decimal(1_000_000) / 3600

Wording: TypeAlias = Mapping[str, Any]  # one language's phrases file


class ValueType(StrEnum):
    """What a placeholder takes, with its wire form."""

    POSITION = "position"  # {"lat_e7": int, "lon_e7": int}
    TIME = "time"  # "2015-09-30T06:12:00.000Z"
    ALTITUDE = "altitude"  # {"reference": "AMSL", "tmm": int}
    BAND = "band"  # {"reference": "FL", "lower_tmm": int | null, "upper_tmm": int | null}
    DISTANCE = "distance"  # whole millimetres, 0 or more
    SEPARATION = "separation"  # the same, written rounded down
    HEIGHT = "height"  # vertical distance, whole tenths of a millimetre, 0 or more
    BEARING = "bearing"  # tenths of a degree true, 0 to 3599
    SPEED = "speed"  # whole millimetres a second, 0 or more
    COUNT = "count"  # whole number, 0 or more
    DURATION = "duration"  # whole milliseconds, 0 or more
    PHRASE = "phrase"  # number of a reason (300 to 349)
    NAME = "name"  # party, desk, landmark, theatre, scope: at most 80 characters
    ID = "id"  # 32 or 64 hex digits
    TEXT = "text"  # one line of text
    KIND = "kind"  # the rest: words of a closed list, in each language's [terms]
    PURPOSE = "purpose"
    ANSWER = "answer"
    SAID = "said"
    TALK = "talk"
    TALKS = "talks"  # a list of words of TALK
    KINDS = "kinds"  # a list of words of KIND
    FIELDS = "fields"  # a list of such words
    INCIDENT = "incident"
    BREACH = "breach"
    RISK = "risk"
    AUDIT = "audit"
    CHECK_END = "check_end"


# Of words of a closed list, the name of their list. A value of the second holds several.
_ONE_WORD: Final = {
    kind: kind.value
    for kind in (
        ValueType.KIND,
        ValueType.PURPOSE,
        ValueType.ANSWER,
        ValueType.SAID,
        ValueType.TALK,
        ValueType.INCIDENT,
        ValueType.BREACH,
        ValueType.RISK,
        ValueType.AUDIT,
        ValueType.CHECK_END,
    )
}
_SEVERAL_WORDS: Final = {
    ValueType.FIELDS: "fields",
    ValueType.TALKS: "talk",
    ValueType.KINDS: "kind",
}
WORD_LISTS: Final[Mapping[ValueType, str]] = MappingProxyType({**_ONE_WORD, **_SEVERAL_WORDS})


def words_in(kind: ValueType, value: Any) -> tuple[str, ...]:
    """Return the words of closed lists that a checked value holds; none of another type."""
    if kind in _SEVERAL_WORDS:
        return tuple(value)
    return (value,) if kind in _ONE_WORD else ()


def check_value(kind: ValueType, value: object, name: str) -> None:
    """Return when ``value`` is the wire form of this type.

    That a word belongs to its closed list, and a phrase number to the reasons, is checked where
    those lists are known.

    Raises:
        InvalidInputError: it is not; the text begins with ``name``.
    """
    _CHECKS[kind](name, value)


def write_value(kind: ValueType, value: Any, wording: Wording) -> str:
    """Return a checked value as it stands on a screen of this language."""
    return writer(kind, wording)(value)


def writer(kind: ValueType, wording: Wording) -> Callable[[Any], str]:
    """Return what writes checked values of this type in a language, for who writes many."""
    forms: Mapping[str, str] = wording["formats"]
    match kind:
        case ValueType.POSITION:
            position = forms["position"]
            return lambda value: _place(value["lat_e7"], value["lon_e7"], position)
        case ValueType.TIME:
            return _time
        case ValueType.ID:
            return lambda value: str(value)[:ID_SHOWN]
        case _ if kind in _FORMS:
            form = _FORMS[kind]
            return lambda value: form(value, forms)
        case _:
            return lambda value: _write(kind, value, wording, forms)


@lru_cache(_REMEMBERED)
def _place(lat_e7: int, lon_e7: int, form: str) -> str:
    place = echo(Position(lat_e7, lon_e7))
    return form.format(decimal=place.decimal, dms=place.dms, mgrs=place.mgrs)


def write_angle(ddeg: int, wording: Wording) -> str:
    """Return an angle in tenths of a degree as it stands on a screen: it has no direction."""
    form: str = wording["formats"]["angle"]
    return form.format(deg=_trimmed(Decimal(ddeg) / 10, ROUND_HALF_EVEN))


def say_value(kind: ValueType, value: Any, wording: Wording) -> str:
    """Return a checked value as it is said aloud, digits still as digits.

    A position is said to 1e-5 degrees (about 1 m), which is as near as its MGRS form.
    """
    speech = wording["speech"]
    match kind:
        case ValueType.POSITION:
            lat_e7, lon_e7 = value["lat_e7"], value["lon_e7"]
            form: str = speech["position"]
            return form.format(
                lat=f"{_rounded(Decimal(abs(lat_e7)) / 10**7, 5):08.5f}",
                lon=f"{_rounded(Decimal(abs(lon_e7)) / 10**7, 5):09.5f}",
                ns=speech["south" if lat_e7 < 0 else "north"],
                ew=speech["west" if lon_e7 < 0 else "east"],
            )
        case ValueType.TIME:
            form = speech["time"]
            day, clock = _time(value).removesuffix("Z").split(" ")
            year, month, day_of_month = day.split("-")
            hh, mm, ss = clock.split(":")
            return form.format(hh=hh, mm=mm, ss=ss, day=day_of_month, month=month, year=year)
        case ValueType.ID:
            letters: Mapping[str, str] = wording["letters"]
            return " ".join(letters.get(character, character) for character in value[:ID_SHOWN])
        case _:
            return _write(kind, value, wording, speech)


def heard_value(kind: ValueType, value: Any) -> str:
    """Return a checked value as a listener can type it back: as fine as it is said, in metric.

    Two units of one figure are rounded each for itself, so that who types one of them may miss the
    other by a digit; the metric one is the finer, or exact. The same in every language.

    >>> heard_value(ValueType.DISTANCE, 9_255_100), heard_value(ValueType.DISTANCE, 9_260_000)
    ('9.26 km', '9.26 km')
    """
    match kind:
        case ValueType.POSITION:
            degrees = (Decimal(value[name]) / 10**7 for name in ("lat_e7", "lon_e7"))
            return ", ".join(f"{_rounded(each, 5) + 0:f}" for each in degrees)  # no minus nought
        case ValueType.ALTITUDE:
            return f"{_heard_metres(value['tmm'])} {value['reference']}"
        case ValueType.BAND:
            limits = (value["lower_tmm"], value["upper_tmm"])
            said = ("open" if limit is None else _heard_metres(limit) for limit in limits)
            return f"{' to '.join(said)} {value['reference']}"
        case ValueType.DISTANCE:
            return _heard_distance(value, ROUND_HALF_EVEN)
        case ValueType.SEPARATION:
            return _heard_distance(value, ROUND_FLOOR)
        case ValueType.HEIGHT:
            return _heard_metres(value, ROUND_FLOOR)
        case ValueType.SPEED:
            return f"{_rounded(value / _MMPS_PER_KMH, 0)} km/h"
        case ValueType.ID:
            return str(value)[:ID_SHOWN]
        case ValueType.NAME | ValueType.TEXT:
            return " ".join(value.split()).casefold()
        case _ if kind in _SEVERAL_WORDS:
            return ", ".join(value)
        case _:
            return str(value)


def _heard_metres(tmm: int, rounding: str = ROUND_HALF_EVEN) -> str:
    return f"{_rounded(Decimal(tmm) / TMM_PER_METRE, 1, rounding):f} m"


def _heard_distance(mm: int, rounding: str) -> str:
    if mm < _SHORT_MM:
        mm = int(_rounded(Decimal(mm), -2, rounding))
    if mm < _SHORT_MM:
        return f"{Decimal(mm) / 1_000:.1f} m"
    return f"{_rounded(Decimal(mm) / 1_000_000, 2, rounding)} km"


def spoken_id(text: str) -> str:
    """Return an id of which only what is said aloud is kept, in the wire form of an id.

    >>> spoken_id("4f2a9c01d3e87766b1b1b1b1b1b1b1b1")
    '4f2a9c01000000000000000000000000'
    """
    return f"{text[:ID_SHOWN]:0<32}"


def _write(kind: ValueType, value: Any, wording: Wording, forms: Mapping[str, str]) -> str:
    form = _FORMS.get(kind)
    if form is not None:
        return form(value, forms)
    if kind in WORD_LISTS:
        words: Mapping[str, str] = wording["terms"][WORD_LISTS[kind]]
        return forms["list"].join(words[word] for word in words_in(kind, value))
    return str(value)


def _time(text: str) -> str:
    return text.replace("T", " ").replace(".000Z", "Z")


def _at_altitude(value: Any, forms: Mapping[str, str]) -> str:
    return _altitude(value["reference"], value["tmm"], forms)


def _band(value: Any, forms: Mapping[str, str]) -> str:
    lower, upper = value["lower_tmm"], value["upper_tmm"]
    reference = value["reference"]
    return forms["band"].format(
        lower=forms["surface"] if lower is None else _altitude(reference, lower, forms),
        upper=forms["unlimited"] if upper is None else _altitude(reference, upper, forms),
    )


def _altitude(reference: str, tmm: int, forms: Mapping[str, str]) -> str:
    level, odd = divmod(tmm, TMM_PER_FOOT * FEET_PER_FLIGHT_LEVEL)
    form = forms[f"altitude_{reference}"]
    if reference == AltitudeReference.FL and (odd or level < 0):
        form = forms["altitude_FL_odd"]
    ft, m = _feet_and_metres(tmm, ROUND_HALF_EVEN)
    return form.format(ft=ft, m=m, level=f"{level:03d}", eightyfour="84")


def _height(tmm: int, forms: Mapping[str, str]) -> str:
    ft, m = _feet_and_metres(tmm, ROUND_FLOOR)
    return forms["height"].format(ft=ft, m=m)


@lru_cache(_REMEMBERED)
def _feet_and_metres(tmm: int, rounding: str) -> tuple[str, str]:
    return (
        _trimmed(Decimal(tmm) / TMM_PER_FOOT, rounding),
        _trimmed(Decimal(tmm) / TMM_PER_METRE, rounding),
    )


def _separation(mm: int, forms: Mapping[str, str]) -> str:
    return _distance(mm, forms, ROUND_FLOOR)


def _distance(mm: int, forms: Mapping[str, str], rounding: str = ROUND_HALF_EVEN) -> str:
    if mm < _SHORT_MM:
        return forms["distance_short"].format(m=_trimmed(Decimal(mm) / 1000, rounding))
    nm, km = _miles_and_kilometres(mm, rounding)
    return forms["distance"].format(nm=nm, km=km)


@lru_cache(_REMEMBERED)
def _miles_and_kilometres(mm: int, rounding: str) -> tuple[str, str]:
    return (
        f"{_rounded(Decimal(mm) / MILLIMETRES_PER_NAUTICAL_MILE, 2, rounding)}",
        f"{_rounded(Decimal(mm) / 1_000_000, 2, rounding)}",
    )


def _speed(mmps: int, forms: Mapping[str, str]) -> str:
    return forms["speed"].format(
        kt=_rounded(mmps / _MMPS_PER_KNOT, 0), kmh=_rounded(mmps / _MMPS_PER_KMH, 0)
    )


def _towards(ddeg: int, forms: Mapping[str, str]) -> str:
    return forms["bearing"].format(deg=_bearing(ddeg))


def _bearing(ddeg: int) -> str:
    degrees, tenths = divmod(ddeg, 10)
    return f"{degrees:03d}.{tenths}" if tenths else f"{degrees:03d}"


def _duration(ms: int, forms: Mapping[str, str]) -> str:
    parts: list[str] = []
    for unit, length in _MS.items():
        count, ms = divmod(ms, length)
        if count:
            parts.append(f"{count} {forms[unit]}")
    if ms or not parts:
        seconds = Decimal(ms) / 1000
        parts.append(f"{seconds.normalize():f} {forms['second']}")
    return " ".join(parts)


# What is written and said in the same form; the two differ in the forms.
_FORMS: Final[Mapping[ValueType, Callable[[Any, Mapping[str, str]], str]]] = MappingProxyType(
    {
        ValueType.ALTITUDE: _at_altitude,
        ValueType.BAND: _band,
        ValueType.DISTANCE: _distance,
        ValueType.SEPARATION: _separation,
        ValueType.HEIGHT: _height,
        ValueType.BEARING: _towards,
        ValueType.SPEED: _speed,
        ValueType.DURATION: _duration,
    }
)


def _rounded(value: Decimal, places: int, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    return value.quantize(_PLACES[places], rounding=rounding)


def _trimmed(value: Decimal, rounding: str) -> str:
    text = f"{_rounded(value, 1, rounding):f}"
    return text.removesuffix(".0")


def _check_position(_: str, value: object) -> None:
    if type(value) is dict and len(value) == 2:
        lat_e7, lon_e7 = value.get("lat_e7"), value.get("lon_e7")
        if (
            type(lat_e7) is int
            and type(lon_e7) is int
            and -_SURE_LAT_E7 <= lat_e7 <= _SURE_LAT_E7
            and -_SURE_LON_E7 <= lon_e7 < _SURE_LON_E7
        ):
            return
    position_from_wire(value)


def _check_time(name: str, value: object) -> None:
    if type(value) is str and _SURE_TIME.fullmatch(value):
        return
    if type(value) is not str or format_utc(parse_utc(value)) != value:
        raise _refused(name, value, "UTC as 2015-09-30T06:12:00.000Z")


def _check_altitude(name: str, value: object) -> None:
    members = _object(name, value, "reference", "tmm")
    _check_reference(name, members["reference"])
    check_altitude_tmm(members["tmm"], f"{name}.tmm")


def _check_band(name: str, value: object) -> None:
    members = _object(name, value, "reference", "lower_tmm", "upper_tmm")
    _check_reference(name, members["reference"])
    for limit in ("lower_tmm", "upper_tmm"):
        if members[limit] is not None:
            check_altitude_tmm(members[limit], f"{name}.{limit}")


def _check_reference(name: str, value: object) -> None:
    if type(value) is not str or value not in _REFERENCES:
        raise _refused(f"{name}.reference", value, "W84, AMSL, FL or AGL")


def _check_bearing(name: str, value: object) -> None:
    _check_whole(name, value, 3599)


def _check_name(name: str, value: object) -> None:
    check_text(_text(name, value), what=name, max_chars=_MAX_NAME)


def _check_text(name: str, value: object) -> None:
    check_text(_text(name, value), what=name, max_chars=_MAX_TEXT)


def _check_id(name: str, value: object) -> None:
    if not _ID.fullmatch(_text(name, value)):
        raise _refused(name, value, "32 or 64 hex digits, small letters")


def _check_word(name: str, value: object) -> None:
    _text(name, value)


def _check_words(name: str, value: object) -> None:
    if not isinstance(value, list | tuple) or not value:
        raise _refused(name, value, "a list of agreed words")
    for item in value:
        _text(name, item)


def _check_whole(name: str, value: object, largest: int = _MAX_WHOLE) -> None:
    if type(value) is not int or not 0 <= value <= largest:
        raise _refused(name, value, f"a whole number from 0 to {largest}")


# A message is put in words as it comes, twenty values and more: a table finds the way at once.
_CHECKS: Final[Mapping[ValueType, Callable[[str, object], None]]] = MappingProxyType(
    {
        **dict.fromkeys(ValueType, _check_whole),
        ValueType.POSITION: _check_position,
        ValueType.TIME: _check_time,
        ValueType.ALTITUDE: _check_altitude,
        ValueType.BAND: _check_band,
        ValueType.BEARING: _check_bearing,
        ValueType.NAME: _check_name,
        ValueType.TEXT: _check_text,
        ValueType.ID: _check_id,
        **dict.fromkeys(_ONE_WORD, _check_word),
        **dict.fromkeys(_SEVERAL_WORDS, _check_words),
    }
)


def _refused(name: str, value: object, expected: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        f"{name} has the wrong form", given=f"{value!r:.60}", expected=expected
    )


def _text(name: str, value: object) -> str:
    if type(value) is not str:
        raise _refused(name, value, "a string")
    return value


def _object(name: str, value: object, *keys: str) -> Mapping[str, object]:
    if not isinstance(value, dict) or value.keys() != set(keys):
        raise _refused(name, value, "an object with exactly " + ", ".join(keys))
    return value
