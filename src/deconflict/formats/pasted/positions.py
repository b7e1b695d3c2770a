"""Positions as people copy them: one or many a line, or columns of a spreadsheet.

A line that is one position is read as one. Otherwise the lines are rows of a table, separated by
tabs, semicolons or commas. Columns are known by their heading; without one, where only two columns
hold numbers, these are latitude and longitude in this order. Anything else is asked for.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from deconflict.airspace.notation import MAX_POSITION_TEXT, parse_position
from deconflict.airspace.position import Position
from deconflict.airspace.where import located
from deconflict.errors import InvalidDocumentError, InvalidPositionError
from deconflict.formats.pasted.draft import BareShape, DraftVolume, ReadDraft
from deconflict.formats.pasted.given import Given
from deconflict.formats.pasted.losses import LossReport, quoted

__all__ = ["MAX_ROWS", "read_positions"]

MAX_ROWS: Final = 10_000
MAX_COLUMNS: Final = 200
MAX_CELLS: Final = 200_000  # bounds the time in which columns are told apart
_LONGEST_LINE: Final = 10_000

_LATITUDE: Final = frozenset(
    ("lat", "latitude", "lat_deg", "latitude_deg", "lat_dd", "breite", "широта", "خط_العرض")
)
_LONGITUDE: Final = frozenset(
    (
        *("lon", "long", "lng", "longitude", "lon_deg", "longitude_deg", "lon_dd", "long_dd"),
        *("länge", "долгота", "خط_الطول"),
    )
)
_POSITION: Final = frozenset(
    (
        *("position", "pos", "coordinates", "coordinate", "coords", "mgrs", "grid", "grid_ref"),
        *("gridref", "location", "latlon", "lat_lon", "lat/lon", "координаты", "место"),
    )
)
_NAME: Final = frozenset(
    ("name", "title", "id", "label", "site", "place", "название", "имя", "метка", "الاسم")
)
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]+)?", re.ASCII)
_COMMA_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,3},[0-9]+", re.ASCII)
_LETTERS: Final = re.compile(r"[^\W\d_]{2,}")
_SEPARATORS: Final = ("\t", ";", ",")


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the text, numbered from 1, and what stands in it."""

    line: int
    text: str
    cells: tuple[str, ...]


def read_positions(text: str, given: Given, losses: LossReport) -> tuple[ReadDraft, ...]:
    """Return the one draft that the positions of a text make: a place, or several of unknown shape.

    Raises:
        InvalidPositionError: a line or cell is no position; the text names the line.
        InvalidDocumentError: no position at all, more than 10,000 lines, or a table of which
            nobody can know which columns hold latitude and longitude.
    """
    lines = [
        (number, line.strip(" \r"))
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip()
    ]
    if not lines:
        raise InvalidDocumentError(
            "nothing was given", expected="positions, GeoJSON, KML, KMZ or OpenAir"
        )
    if len(lines) > MAX_ROWS:
        raise InvalidDocumentError(
            "there are too many lines", given=f"{len(lines)}", expected=f"at most {MAX_ROWS}",
            remedy="split it",
        )  # fmt: skip
    longest = max(len(line) for _, line in lines)
    if longest > _LONGEST_LINE:
        raise InvalidDocumentError(
            "a line is too long", given=f"{longest} characters", expected=f"at most {_LONGEST_LINE}"
        )
    places = _lines_of_positions(lines, given)
    names: tuple[str | None, ...] = (None,) * len(places or ())
    if places is None:
        places, names = _table(lines, given, losses)
    elif _without_letters(lines):
        losses.changed("", "latitude is taken to stand first: nothing in the text says it")
    name = names[0] if len(names) == 1 else None
    if len(names) > 1 and any(names):
        losses.set_aside("names of the places", f"{sum(map(bool, names))} rows")
    shape = BareShape("circle" if len(places) == 1 else None, places)
    where = f"line {lines[0][0]}" if len(places) == 1 else f"{len(places)} places"
    return (ReadDraft(0, where, (DraftVolume(shape),), name=name),)


def _lines_of_positions(
    lines: Sequence[tuple[int, str]], given: Given
) -> tuple[Position, ...] | None:
    """Return the positions if each line is one; None if it is a table, or has a heading."""
    if given.latitude_column or given.longitude_column:
        return None
    places: list[Position] = []
    for number, line in lines:
        if len(line) > MAX_POSITION_TEXT:
            return None
        try:
            places.append(parse_position(line))
        except InvalidPositionError:
            # A single line, or one that no table has: its own reason is the right one.
            if len(lines) == 1 and not any(mark in line for mark in "\t;"):
                with located(f"line {number}"):
                    raise
            if places and not any(mark in line for mark in _SEPARATORS):
                with located(f"line {number}"):
                    raise
            return None
    return tuple(places)


def _without_letters(lines: Sequence[tuple[int, str]]) -> bool:
    return not any(character.isalpha() for _, line in lines for character in line)


def _table(
    lines: Sequence[tuple[int, str]], given: Given, losses: LossReport
) -> tuple[tuple[Position, ...], tuple[str | None, ...]]:
    separator = _separator(lines)
    rows = [_Row(number, line, _cells(number, line, separator)) for number, line in lines]
    heading = _heading(rows[0])
    body = rows if heading is None else rows[1:]
    if not body:
        raise InvalidDocumentError(
            "there is a heading and nothing below it", given=quoted(rows[0].text)
        )
    width = max(len(row.cells) for row in body)
    if width * len(body) > MAX_CELLS:
        raise InvalidDocumentError(
            "the table is too large",
            given=f"{len(body)} rows of up to {width} columns",
            expected=f"at most {MAX_CELLS:,} cells",
            remedy="leave out the columns that are not needed, or split it",
        )
    columns = _chosen(heading, body, width, given, losses)
    name_at = next(
        (at for at, word in enumerate(heading or ()) if word in _NAME and at not in columns), None
    )
    for at in range(width):
        if at not in columns and at != name_at and any(_cell(row, at) for row in body):
            word = heading[at] if heading is not None and at < len(heading) else ""
            losses.set_aside(f"column {at + 1}{f' ({word})' if word else ''}", f"{len(body)} rows")
    said = heading is not None or given.latitude_column is not None
    commas = len(columns) == 2 and separator != "," and _has_decimal_commas(body, columns)
    if commas:
        losses.changed("", "decimal commas are read as decimal points")
    places = []
    for row in body:
        with located(f"line {row.line}"):
            cells = [_cell(row, at) for at in columns]
            if commas:
                cells = [cell.replace(",", ".") for cell in cells]
            places.append(_position(cells, said=said))
    names = tuple(None if name_at is None else _cell(row, name_at) or None for row in body)
    return tuple(places), names


def _position(cells: Sequence[str], *, said: bool) -> Position:
    """Return the place of a row; ``said`` where something says which column is the latitude."""
    if not all(cells):
        raise InvalidPositionError(
            "a coordinate is missing in this row", given=quoted(" | ".join(cells)),
            expected="latitude and longitude in each row",
        )  # fmt: skip
    if len(cells) == 1:
        return parse_position(cells[0])
    # With labels, a letter that contradicts the heading is refused.
    return parse_position(f"LAT {cells[0]}, LON {cells[1]}" if said else ", ".join(cells))


def _separator(lines: Sequence[tuple[int, str]]) -> str:
    for mark in _SEPARATORS:
        if all(mark in line for _, line in lines):
            return mark
    return next((mark for mark in _SEPARATORS if mark in lines[0][1]), "\t")


def _cells(number: int, line: str, separator: str) -> tuple[str, ...]:
    # Quotes stand for seconds of arc more often than for text: a cell is quoted as a whole or not.
    parts = line.split(separator)
    if any(part.strip().startswith('"') for part in parts):
        try:
            parts = next(csv.reader([line], delimiter=separator, strict=True))
        except (csv.Error, StopIteration) as error:
            raise InvalidDocumentError(
                f"line {number}: quotes do not match", given=quoted(line), expected="a row of cells"
            ) from error
    if len(parts) > MAX_COLUMNS:
        raise InvalidDocumentError(
            f"line {number}: too many columns", given=f"{len(parts)}",
            expected=f"at most {MAX_COLUMNS}",
        )  # fmt: skip
    return tuple(part.strip() for part in parts)


def _cell(row: _Row, at: int) -> str:
    return row.cells[at] if at < len(row.cells) else ""


def _heading(row: _Row) -> tuple[str, ...] | None:
    """Return the first row as words of a heading; None where it is a row like the others."""
    words = tuple(_word(cell) for cell in row.cells)
    known = _LATITUDE | _LONGITUDE | _POSITION | _NAME
    if known.intersection(words):
        return words
    has_digits = any(character.isdigit() for character in row.text)
    return words if not has_digits and _LETTERS.search(row.text) else None


def _word(cell: str) -> str:
    word = re.sub(r"[\s()\[\]°.]+", "_", cell.strip().lower()).strip("_")
    return re.sub(r"_(?:wgs84|wgs_84|decimal|dec|dms|градусы|град)$", "", word)


def _chosen(
    heading: Sequence[str] | None,
    body: Sequence[_Row],
    width: int,
    given: Given,
    losses: LossReport,
) -> tuple[int, ...]:
    """Return the column of the position, or those of latitude and longitude."""
    if given.latitude_column and given.longitude_column:
        return (
            _named(given.latitude_column, heading, width),
            _named(given.longitude_column, heading, width),
        )
    words = list(heading or ())
    lats = [at for at, word in enumerate(words) if word in _LATITUDE]
    lons = [at for at, word in enumerate(words) if word in _LONGITUDE]
    if len(lats) == len(lons) == 1:
        return lats[0], lons[0]
    whole = [at for at, word in enumerate(words) if word in _POSITION]
    if len(whole) == 1 and not lats and not lons:
        return (whole[0],)
    if not (lats or lons or whole):
        single = [at for at in range(width) if all(_is_position(_cell(row, at)) for row in body)]
        if len(single) == 1:
            return (single[0],)
        numbers = [at for at in range(width) if all(_is_angle(_cell(row, at)) for row in body)]
        if len(numbers) == 2 and not single:
            losses.changed(
                "", f"column {numbers[0] + 1} is taken for latitude and column {numbers[1] + 1} "
                "for longitude: no heading says it",
            )  # fmt: skip
            return numbers[0], numbers[1]
    for row in body[:1]:  # a row that is one bad position has a reason of its own
        if width == 1:
            with located(f"line {row.line}"):
                parse_position(row.text[:MAX_POSITION_TEXT])
    shown = ", ".join(f"{at + 1} {quoted(_cell(body[0], at))}" for at in range(min(width, 8)))
    raise InvalidDocumentError(
        "which columns hold latitude and longitude?",
        given=f"line {body[0].line} has the columns {shown}",
        expected="a heading with lat and lon, or two columns of coordinates and no other numbers",
        remedy="write lat and lon above the two columns, or name the columns",
    )


def _named(wanted: str, heading: Sequence[str] | None, width: int) -> int:
    if wanted.isascii() and wanted.isdecimal() and 1 <= int(wanted) <= width:
        return int(wanted) - 1
    if heading is not None and list(heading).count(_word(wanted)) == 1:
        return list(heading).index(_word(wanted))
    raise InvalidDocumentError(
        "there is no such column", given=quoted(wanted),
        expected=f"a number from 1 to {width}, or a heading" + (
            f": {', '.join(heading)}"[:200] if heading is not None else ""),
    )  # fmt: skip


def _is_position(cell: str) -> bool:
    if not cell or len(cell) > MAX_POSITION_TEXT:
        return False
    try:
        parse_position(cell)
    except InvalidPositionError:
        return False
    return True


def _is_angle(cell: str) -> bool:
    """Say whether a cell may be one coordinate: a number of degrees, or degrees with marks."""
    if _NUMBER.fullmatch(cell) or _COMMA_NUMBER.fullmatch(cell):
        return True
    # Read beside another coordinate: what stands in one cell is then all of one.
    beside = "0 E" if cell[-1:].upper() in ("N", "S") or cell[:1].upper() in ("N", "S") else "0 N"
    return bool(cell) and _is_position(f"{cell}, {beside}")


def _has_decimal_commas(body: Sequence[_Row], columns: Sequence[int]) -> bool:
    cells = [_cell(row, at) for row in body for at in columns]
    return any(_COMMA_NUMBER.fullmatch(cell) for cell in cells) and all(
        _COMMA_NUMBER.fullmatch(cell) or re.fullmatch(r"[+-]?[0-9]{1,3}", cell) for cell in cells
    )
