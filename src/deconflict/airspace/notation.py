"""Positions as people write them: decimal degrees, degrees with minutes and seconds, MGRS.

Parsing refuses instead of guessing. Whoever typed a position reads it back in every notation
(``echo``), which is how a slip of nine kilometres is seen before it is sent.
"""

import math
import re
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import product
from threading import Lock
from typing import Final

from mgrs import MGRS
from mgrs.core import MGRSError

from deconflict.airspace.position import Position
from deconflict.errors import InvalidPositionError
from deconflict.units import E7_PER_DEGREE

__all__ = ["MAX_POSITION_TEXT", "PositionEcho", "echo", "parse_position"]

MAX_POSITION_TEXT: Final = 120
_REMEMBERED: Final = 1_024  # one message says a place several times, and each look at it again

_EXPECTED: Final = (
    "35.4012, 35.9487 · 35°24'04.3\"N 35°56'55.3\"E · 352404N0355655E · 36SYE6779321530"
)
_GRIDS: Final = MGRS()
# The library keeps its projection in variables of C and lets other threads run meanwhile.
_ONE_AT_A_TIME: Final = Lock()
# The library warns, and answers, where a band letter cannot be; ``_from_mgrs`` refuses instead.
warnings.filterwarnings("ignore", 'Warning in "Convert_MGRS_To_Geodetic"', RuntimeWarning)

_MGRS: Final = re.compile(r"([0-9]{1,2}[C-HJ-NP-X]|[ABYZ])[A-HJ-NP-Z]{2}([0-9]+)", re.ASCII)
_TOKEN: Final = re.compile(
    r"(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<side>[NSEW](?![A-Z]))"
    r"|(?P<mark>[°'\"])"
    r"|(?P<sign>[+-])"
    r"|(?P<comma>[,;/])"
    r"|(?P<colon>:)"
    r"|(?P<label>LAT(?:ITUDE)?|LON(?:G(?:ITUDE)?)?|LNG)(?![A-Z])"
    r"|(?P<space>\s+)",
    re.ASCII,
)
_ONE_OR_TWO: Final = re.compile(r"[+-]?[0-9]+,[0-9]+", re.ASCII)
_COMPASS: Final = re.compile(
    r"\b(?:north|south|east|west|nord|sud|ost)\w*|\b(?:ne|nw|se|sw|nne|nnw|sse|ssw|ene|ese|wnw|wsw)\b"
    r"|\b(?:of|from|near|km|nm|miles?|metres?|meters?)\b"
    r"|север\w*|южн\w*|юг\w*|восто\w*|запад\w*|\bкм\b|\bот\b|\bоколо\b",
    re.IGNORECASE,
)
_LOOK_ALIKES: Final = str.maketrans(
    {
        "\u2032": "'",  # prime
        "\u2019": "'",
        "\u2018": "'",
        "\u00b4": "'",
        "\u02b9": "'",
        "\u02bc": "'",
        "`": "'",
        "\u2033": '"',  # double prime
        "\u201d": '"',
        "\u201c": '"',
        "\u02ba": '"',
        "\u00ba": "°",  # masculine ordinal, on Spanish keyboards
        "\u02da": "°",  # ring above
        "\u2212": "-",  # minus sign
        "\u2013": "-",  # en dash
    }
)
_SPACES: Final = dict.fromkeys((0xA0, 0x2002, 0x2003, 0x2007, 0x2009, 0x200A, 0x202F, 0x3000), " ")
_RUSSIAN_SIDES: Final = tuple(
    (re.compile(rf"{first}\.?\s?{second}\.?", re.IGNORECASE), f" {side} ")
    for first, second, side in (("с", "ш", "N"), ("ю", "ш", "S"), ("в", "д", "E"), ("з", "д", "W"))
)
_MARKS: Final = "°'\""


@dataclass(frozen=True, slots=True)
class PositionEcho:
    """One position in every notation. ``decimal`` and ``dms`` are exact, ``mgrs`` to 1 m."""

    decimal: str
    dms: str
    mgrs: str


def echo(position: Position) -> PositionEcho:
    """Return the position in all notations, each of which ``parse_position`` reads back.

    >>> echo(Position(354_012_000, 359_487_000))
    PositionEcho(decimal='35.4012000, 35.9487000', dms='35°24\\'04.3200"N 035°56\\'55.3200"E', \
mgrs='36SYE6779321530')
    """
    return _echo_of(position)


@lru_cache(_REMEMBERED)
def _echo_of(position: Position) -> PositionEcho:
    return PositionEcho(
        decimal=f"{_decimal(position.lat_e7)}, {_decimal(position.lon_e7)}",
        dms=f"{_dms(position.lat_e7, 2, 'NS')} {_dms(position.lon_e7, 3, 'EW')}",
        mgrs=_grid(position),
    )


def parse_position(text: str) -> Position:
    """Return the position that ``text`` names.

    Read are: decimal degrees with signs or N S E W; degrees and minutes; degrees, minutes and
    seconds with marks, spaces, colons or hyphens; the run-together form of flight plans
    (``352404N0355655E``, ``3524N03556E``); MGRS with ten digits. Latitude comes first unless
    letters or labels say otherwise. Rounded to 1e-7 degrees; MGRS gives the middle of its square
    metre.

    Refused, each with its reason: compass words, swapped or out-of-range values, minutes or seconds
    without N S E W, a sign together with a letter, decimal commas, MGRS squares larger than 1 m.

    Raises:
        InvalidPositionError: always saying what was wrong and what is read.

    >>> parse_position("36 43 04.91 N, 68 51 43.96 E")
    Position(lat_e7=367180306, lon_e7=688622111)
    """
    if len(text) > MAX_POSITION_TEXT:
        raise _refused("the text is too long to be one position", text[:40] + "...")
    plain = unicodedata.normalize("NFC", text).translate(_LOOK_ALIKES)
    plain = plain.replace("''", '"')
    for pattern, side in _RUSSIAN_SIDES:
        plain = pattern.sub(side, plain)
    if not plain.strip():
        raise _refused("no position is given", text)
    if _COMPASS.search(plain):
        raise _refused(
            "compass words and distances in words name no position", text, "give coordinates"
        )
    strange = plain.replace("°", "").translate(_SPACES)
    if not strange.isascii():
        odd = next(character for character in strange if not character.isascii())
        raise _refused(f"{odd!r} belongs to no coordinate", text)
    plain = plain.translate(_SPACES).strip().upper()
    together = "".join(plain.split())
    grid = _MGRS.fullmatch(together)
    if grid is not None:
        return _from_mgrs(together, grid[1], len(grid[2]), text)
    if _ONE_OR_TWO.fullmatch(plain):
        raise _refused(
            "this may be two whole numbers or one with a decimal comma",
            text,
            "put a space after the comma, or write decimals with a point",
        )
    first, second = _angles(_tokens(plain, text), text)
    return _position(first, second, text)


@dataclass(slots=True)
class _Angle:
    """One coordinate as written: its parts, and what says which one it is."""

    numbers: list[str]
    marks: str = ""
    sign: str = ""
    side: str = ""
    label: str = ""


def _tokens(plain: str, text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(plain):
        match = _TOKEN.match(plain, at)
        if match is None or match.lastgroup is None:
            raise _refused(f"{plain[at : at + 12]!r} belongs to no coordinate", text)
        kind = match.lastgroup
        # A hyphen between digits joins the parts of one angle, as in 36-43-04N.
        if (
            kind == "sign"
            and match[0] == "-"
            and tokens
            and tokens[-1][0] == "number"
            and plain[match.end() : match.end() + 1].isdigit()
        ):
            kind = "colon"
        tokens.append((kind, match[0]))
        at = match.end()
    return tokens


def _angles(tokens: list[tuple[str, str]], text: str) -> tuple[_Angle, _Angle]:
    """Group tokens into two coordinates; where one ends is never guessed."""
    if not any(kind == "side" for kind, _ in tokens):
        return _plain_pair(tokens, text)
    solid = [token for token in tokens if token[0] not in {"space", "colon"}]
    leading = [kind for kind, _ in solid if kind not in {"label", "comma"}][:1] == ["side"]
    groups: list[_Angle] = []
    current = _Angle([])
    after_comma = False
    for kind, word in solid:
        if kind == "comma":
            after_comma = True
            continue
        if leading:
            starts = kind in {"side", "label"} and bool(current.numbers)
        else:
            starts = bool(current.side and current.numbers)
        if after_comma and not starts:
            raise _refused(
                "a comma stands inside a coordinate",
                text,
                "write decimals with a point, and a comma only between the two coordinates",
            )
        after_comma = False
        if starts:
            groups.append(current)
            current = _Angle([])
        _take(current, kind, word, text)
    groups.append(current)
    if after_comma or len(groups) != 2 or not all(one.numbers and one.side for one in groups):
        raise _refused("two coordinates are needed, each with its N, S, E or W", text)
    return groups[0], groups[1]


def _plain_pair(tokens: list[tuple[str, str]], text: str) -> tuple[_Angle, _Angle]:
    """Read two decimal numbers without letters, latitude first unless labelled."""
    groups: list[_Angle] = [_Angle([])]
    for kind, word in tokens:
        if kind == "space":
            continue
        if kind == "colon" and groups[-1].label and not groups[-1].numbers:
            continue
        if kind == "colon" or word in {"'", '"'}:
            raise _refused("minutes need N or S and E or W", text, "add the letters")
        starts = bool(groups[-1].numbers) and kind != "mark"
        if starts:
            groups.append(_Angle([]))
        if kind == "comma":
            if starts and len(groups) == 2:
                continue
            raise _refused("there is a comma too many", text, "write decimals with a point")
        _take(groups[-1], kind, word, text)
    if len(groups) in {4, 6}:
        raise _refused("minutes need N or S and E or W", text, "add the letters")
    if len(groups) != 2 or not all(group.numbers for group in groups):
        raise _refused("two coordinates are needed", text)
    return groups[0], groups[1]


def _take(angle: _Angle, kind: str, word: str, text: str) -> None:
    if kind == "number":
        if len(angle.numbers) == 3:
            raise _refused("a coordinate has more than degrees, minutes and seconds", text)
        angle.numbers.append(word)
    elif kind == "mark":
        # Each mark follows its own number: degrees, then minutes, then seconds.
        if not angle.numbers or _MARKS.index(word) != len(angle.numbers) - 1 or word in angle.marks:
            raise _refused(f"the mark {word} stands where it has no meaning", text)
        angle.marks += word
    elif kind == "side":
        if angle.side:
            raise _refused("a coordinate has two letters", text)
        angle.side = word
    elif kind == "sign":
        if angle.sign or angle.numbers:
            raise _refused(f"the sign {word} stands where it has no meaning", text)
        angle.sign = word
    else:
        if angle.label or angle.numbers or angle.side:
            raise _refused(f"{word} stands where it has no meaning", text)
        angle.label = word[:3].replace("LNG", "LON")


def _position(first: _Angle, second: _Angle, text: str) -> Position:
    for angle in (first, second):
        if angle.sign and angle.side:
            raise _refused("a sign and a letter together can be read two ways", text, "drop one")
    kinds = [_axis(first, text), _axis(second, text)]
    if kinds == ["", ""]:
        kinds = ["LAT", "LON"]
        if 90 < Fraction(Decimal(first.numbers[0])) <= 180 and (
            Fraction(Decimal(second.numbers[0])) <= 90
        ):
            raise _refused(
                "a latitude above 90: this looks like longitude and latitude swapped",
                text,
                "put latitude first, or add N, S, E, W",
            )
    if sorted(kinds) != ["LAT", "LON"]:
        raise _refused("one latitude and one longitude are needed", text)
    degrees = {
        kind: _degrees(angle, kind, text)
        for kind, angle in zip(kinds, (first, second), strict=True)
    }
    lat_e7 = round(degrees["LAT"] * E7_PER_DEGREE)
    lon_e7 = round(degrees["LON"] * E7_PER_DEGREE)
    if lon_e7 == 180 * E7_PER_DEGREE:
        lon_e7 = -lon_e7
    return Position(lat_e7, lon_e7)


def _axis(angle: _Angle, text: str) -> str:
    """Return LAT, LON, or nothing where only the order says it."""
    by_side = ("LAT" if angle.side in "NS" else "LON") if angle.side else ""
    if angle.label and by_side and angle.label != by_side:
        raise _refused(f"the letter {angle.side} contradicts the label before it", text)
    return by_side or angle.label


def _degrees(angle: _Angle, kind: str, text: str) -> Fraction:
    parts = angle.numbers
    limit = 90 if kind == "LAT" else 180
    if len(parts) == 1 and angle.side and not angle.marks:
        parts = _unpacked(parts[0], kind, text)
    if any("." in part for part in parts[:-1]):
        raise _refused("only the last part of a coordinate can have decimals", text)
    values = [Fraction(Decimal(part)) for part in parts]
    if any(value >= 60 for value in values[1:]):
        raise _refused("minutes and seconds end at 59", text)
    total = sum((value / 60**power for power, value in enumerate(values)), Fraction(0))
    if total > limit:
        name = "latitude" if kind == "LAT" else "longitude"
        raise _refused(f"a {name} ends at {limit} degrees", text, "check the order and the letters")
    return -total if angle.sign == "-" or angle.side in {"S", "W"} else total


def _unpacked(number: str, kind: str, text: str) -> list[str]:
    """Cut DDMM, DDMMSS (longitude DDDMM, DDDMMSS) into parts; at most DDD stays degrees."""
    whole, point, decimals = number.partition(".")
    width = 2 if kind == "LAT" else 3
    if len(whole) <= 3:
        return [number]
    if len(whole) not in {width + 2, width + 4}:
        raise _refused(
            f"{number} is neither degrees nor run-together degrees, minutes and seconds",
            text,
            "write latitude as DDMM or DDMMSS, longitude as DDDMM or DDDMMSS",
        )
    cuts = [whole[:width], whole[width : width + 2]]
    if len(whole) == width + 4:
        cuts.append(whole[width + 2 :])
    cuts[-1] += point + decimals
    return cuts


def _from_mgrs(reference: str, zone: str, digits: int, text: str) -> Position:
    if digits != 10:
        raise _refused(
            "this grid reference names a square, not a position",
            text,
            "give ten digits (1 m), or declare a circle around the middle of the square",
        )
    if zone[-1] not in "ABYZ":
        reference, zone = reference.zfill(15), zone.zfill(3)
    try:
        with _ONE_AT_A_TIME:
            degrees = _GRIDS.toLatLon(reference)
        position = Position.from_degrees(*degrees)
    except MGRSError as error:
        raise _refused("there is no such MGRS square", text) from error
    except RuntimeWarning as error:  # where a caller has made warnings into errors
        raise _other_zone(zone, text) from error
    if not any(_grid(near).startswith(zone) for near in _around(position)):
        raise _other_zone(zone, text)
    return position


def _other_zone(zone: str, text: str) -> InvalidPositionError:
    return _refused(
        f"this MGRS square does not lie in grid zone {zone}",
        text,
        "check the zone number and the band letter",
    )


def _grid(position: Position) -> str:
    with _ONE_AT_A_TIME:
        return str(_GRIDS.toMGRS(position.lat_deg, position.lon_deg, MGRSPrecision=5))


def _around(position: Position) -> Iterator[Position]:
    """Yield the middle of a square metre, then places 1.5 m off: a zone may end inside it."""
    yield position
    north_e7 = 135
    east_e7 = min(
        1_790_000_000, round(north_e7 / max(1e-9, math.cos(math.radians(position.lat_deg))))
    )
    for step_lat, step_lon in product((-north_e7, 0, north_e7), (-east_e7, 0, east_e7)):
        lat_e7 = max(-900_000_000, min(900_000_000, position.lat_e7 + step_lat))
        lon_e7 = (position.lon_e7 + step_lon + 1_800_000_000) % 3_600_000_000 - 1_800_000_000
        yield Position(lat_e7, lon_e7)


def _decimal(value_e7: int) -> str:
    whole, rest = divmod(abs(value_e7), E7_PER_DEGREE)
    return f"{'-' if value_e7 < 0 else ''}{whole}.{rest:07d}"


def _dms(value_e7: int, width: int, sides: str) -> str:
    # 1e-4 seconds are 2.8e-8 degrees, so rounding to them loses nothing of 1e-7 degrees. Each of
    # those is 3.6 of them, which is never half way between two.
    ten_thousandths = (abs(value_e7) * 36 + 5) // 10
    minutes_whole, seconds = divmod(ten_thousandths, 600_000)
    degrees, minutes = divmod(minutes_whole, 60)
    side = sides[1] if value_e7 < 0 else sides[0]
    return (
        f"{degrees:0{width}d}°{minutes:02d}'{seconds // 10_000:02d}.{seconds % 10_000:04d}\"{side}"
    )


def _refused(problem: str, text: str, remedy: str = "") -> InvalidPositionError:
    return InvalidPositionError(problem, given=repr(text), expected=_EXPECTED, remedy=remedy)
