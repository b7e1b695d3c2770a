"""Flights and volumes as CSV, read in parts: a row a waypoint or a corner."""

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.where import located
from deconflict.errors import BadRowsError, InvalidDocumentError, InvalidTimeError
from deconflict.formats.utc_column import seconds_of_utc
from deconflict.separation.batch import Batch, Column
from deconflict.separation.epoch import LATEST_S, unit_remedy
from deconflict.separation.flights import FLIGHT_COLUMNS
from deconflict.separation.labels import Labels
from deconflict.separation.volumes import VOLUME_COLUMNS

__all__ = ["csv_batches"]

PART: Final = 4 * 1024 * 1024
LONGEST_LINE: Final = 1024 * 1024
KNOWN: Final = FLIGHT_COLUMNS | VOLUME_COLUMNS
TEXTS: Final = frozenset({"flight", "volume", "party", "purpose", "altitude_reference"})
TIMES: Final = frozenset({"time", "start", "end"})
NEWLINE, COMMA = ord("\n"), ord(",")

Cells = list[Sequence[str]]


def csv_batches(
    path: Path,
    *,
    ignore: frozenset[str],
    advance: Callable[[int], None],
    part_bytes: int = PART,
) -> Iterator[Batch]:
    """Yield the table in parts, each of whole lines.

    Comma separated, UTF-8, quotes as RFC 4180 has them, a row on one line; the first line names
    the columns. An empty cell says nothing, an empty line is no row.

    Args:
        path: of the file.
        ignore: columns to leave out.
        advance: told of the bytes read.
        part_bytes: how much to read at once.

    Raises:
        BadRowsError: a line has more or fewer cells than there are names, or a cell that should be
            a number or a time is none; line and column are named.
        InvalidDocumentError: no UTF-8, no CSV, a cell that runs over several lines.
    """
    names: list[str] | None = None
    line = 1
    with located(f"{path.name}:"):
        for block in _blocks(path, advance, part_bytes):
            text = _decoded(block, line)
            if names is None:
                heading, _, text = text.partition("\n")
                names = _names(heading)
                line += 1
            cells, numbers = _cells(text, len(names), line)
            yield _batch(dict(zip(names, cells, strict=True)), numbers, path.name, ignore)
            line += text.count("\n")
        if names is None:
            raise InvalidDocumentError(
                "the file is empty", expected="a first line naming the columns"
            )


def _blocks(path: Path, advance: Callable[[int], None], part_bytes: int) -> Iterator[bytes]:
    """Yield the file in parts that end with a line, line ends as one character."""
    with path.open("rb") as file:
        rest = b""
        first = True
        while more := file.read(part_bytes):
            advance(len(more))
            if first:
                more = more.removeprefix(b"\xef\xbb\xbf")
                first = False
            text = rest + more
            cut = text.rfind(b"\n") + 1
            if cut == 0 and len(text) > LONGEST_LINE:
                raise InvalidDocumentError(
                    "a line is too long to be one", expected=f"at most {LONGEST_LINE} bytes"
                )
            rest = text[cut:]
            if cut:
                yield text[:cut].replace(b"\r\n", b"\n")
        if rest:
            yield rest.rstrip(b"\r") + b"\n"


def _decoded(block: bytes, line: int) -> str:
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError as error:
        number = line + block.count(b"\n", 0, error.start)
        raise InvalidDocumentError(
            f"line {number}: this is no UTF-8",
            given=f"byte {block[error.start]:#04x}",
            expected="text in UTF-8",
            remedy="save it as UTF-8",
        ) from error


def _names(heading: str) -> list[str]:
    names = [name.strip() for name in next(_rows([heading], 1), [])]
    between = next((sign for sign in ";\t|" if sign in heading), None)
    if len(names) == 1 and between is not None:
        raise InvalidDocumentError(
            "line 1: the cells are not separated by commas",
            given=f"{between!r} between them: {heading[:60]!r}",
            expected="commas, and decimals with a point",
            remedy="write it with commas",
        )
    if not names or "" in names or len(set(names)) != len(names):
        raise InvalidDocumentError(
            "line 1: the names of the columns cannot be used",
            given=heading[:120],
            expected="a name for each column, each once",
        )
    return names


def _cells(text: str, width: int, line: int) -> tuple[Cells, NDArray[np.int64]]:
    """Return the cells by column, and the number of each row's line."""
    lines = text.count("\n")
    numbers = np.arange(line, line + lines)
    if '"' not in text and "\n\n" not in text and not text.startswith("\n"):
        marks = np.frombuffer(text.encode(), np.uint8)
        marks = marks[(marks == COMMA) | (marks == NEWLINE)] == NEWLINE
        # Each line ends with its last cell: then the cells of a column stand at one distance.
        if len(marks) == lines * width and bool(marks[width - 1 :: width].all()):
            flat = text.replace("\n", ",").split(",")
            return [flat[column : lines * width : width] for column in range(width)], numbers
    rows = list(_rows(text.split("\n")[:-1], line))
    for number, row in zip(numbers.tolist(), rows, strict=True):
        if row and len(row) != width:
            raise BadRowsError(
                f"line {number}: more or fewer cells than columns",
                given=f"{len(row)} cells",
                expected=f"{width}, one for each column",
                remedy="quote cells that hold a comma",
                rows=(number,),
            )
    kept = [k for k, row in enumerate(rows) if row]
    cells: Cells = list(zip(*(rows[k] for k in kept), strict=True)) or [()] * width
    return cells, numbers[kept]


def _rows(lines: Sequence[str], line: int) -> Iterator[list[str]]:
    """Yield the cells of each line, one line a row."""
    for number, text in enumerate(lines, line):
        try:
            rows = list(csv.reader([text], strict=True))
        except csv.Error as error:
            raise InvalidDocumentError(
                f"line {number}: this is no CSV, or a cell runs over several lines",
                given=f"{text:.80}",
                expected="comma-separated cells on one line, quoted where they hold commas",
            ) from error
        yield rows[0] if rows else []


def _batch(
    cells: dict[str, Sequence[str]], numbers: NDArray[np.int64], file: str, ignore: frozenset[str]
) -> Batch:
    columns: dict[str, Column] = {}
    missing: dict[str, NDArray[np.bool_]] = {}
    for name, values in cells.items():
        if name in ignore:
            continue
        empty = "" in values
        if empty:
            missing[name] = np.array([not value for value in values], dtype=np.bool_)
        if name in TEXTS:
            columns[name] = Labels.of_text(values)
        elif name in TIMES:
            columns[name] = _times(values, numbers, name, empty=empty)
        elif name in KNOWN:
            columns[name] = _numbers(values, numbers, name, empty=empty)
        else:
            columns[name] = Labels.none(len(values))  # refused by its name, whatever it holds
    return Batch(columns, missing=missing, name=file, base=1, row_word="line", row_numbers=numbers)


def _numbers(
    values: Sequence[str], numbers: NDArray[np.int64], name: str, *, empty: bool
) -> NDArray[np.float64]:
    said = [value or "0" for value in values] if empty else values
    if "_" not in "".join(said):  # Python reads 1_000 as a number; nothing else does
        with suppress(ValueError):
            return np.fromiter(map(float, said), dtype=np.float64, count=len(said))
    at = next(k for k, value in enumerate(said) if not _is_number(value))
    raise BadRowsError(
        f"line {numbers[at]}, {name}: this is no number",
        given=repr(values[at])[:60],
        expected="a number, decimals with a point",
        rows=(int(numbers[at]),),
        field=name,
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _numbers_remedy(text: str, name: str) -> str:
    """Return what to do where a number stands for a time; nothing where there is none."""
    if not _is_number(text) or not math.isfinite(float(text)):
        return ""
    if abs(float(text)) <= LATEST_S:
        return f"for seconds since 1970, name the column {name}_s"
    return unit_remedy(float(text), f"{name}_s")


def _times(
    values: Sequence[str], numbers: NDArray[np.int64], name: str, *, empty: bool
) -> NDArray[np.datetime64]:
    said = [value or "1970-01-01T00:00:00Z" for value in values] if empty else values
    try:
        seconds = seconds_of_utc(said)
    except InvalidTimeError as error:
        index, _, problem = error.problem.removeprefix("[").partition("]: ")
        line = int(numbers[int(index)])
        raise BadRowsError(
            f"line {line}, {name}: {problem}",
            given=error.given,
            expected=error.expected,
            remedy=_numbers_remedy(said[int(index)], name) or error.remedy,
            rows=(line,),
            field=name,
        ) from error
    return np.rint(seconds * 1000).astype(np.int64).astype("datetime64[ms]")
