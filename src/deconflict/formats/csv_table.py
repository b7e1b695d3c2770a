"""Flights and volumes as CSV, read in parts: a row a waypoint or a corner."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.where import located
from deconflict.errors import BadRowsError, InvalidDocumentError, InvalidTimeError
from deconflict.formats.utc_column import seconds_of_utc
from deconflict.separation.batch import Batch, Column
from deconflict.separation.labels import Labels

__all__ = ["csv_batches"]

ROWS: Final = 50_000
TEXTS: Final = frozenset({"flight", "volume", "party", "purpose", "altitude_reference"})
TIMES: Final = frozenset({"time", "start", "end"})


def csv_batches(
    path: Path, *, ignore: frozenset[str], advance: Callable[[int], None]
) -> Iterator[Batch]:
    """Yield the table in parts of some 10,000 rows.

    Comma separated, UTF-8, quotes as RFC 4180 has them; the first line names the columns. An empty
    cell says nothing, an empty line is no row.

    Args:
        path: of the file.
        ignore: columns to leave out.
        advance: told of the bytes read, about.

    Raises:
        BadRowsError: a cell that should be a number or a time is none, naming line and column.
        InvalidDocumentError: no UTF-8, no CSV, a line with more or fewer cells than names.
    """
    with path.open(encoding="utf-8-sig", newline="") as file, located(f"{path.name}:"):
        reader = csv.reader(file, strict=True)
        try:
            yield from _parts(reader, path, ignore, advance)
        except csv.Error as error:
            raise InvalidDocumentError(
                f"line {reader.line_num}: this is no CSV",
                given=str(error),
                expected="comma-separated cells, quoted where they hold commas",
            ) from error
        except UnicodeDecodeError as error:
            raise InvalidDocumentError(
                f"after line {reader.line_num}: this is no UTF-8",
                given=f"byte {error.object[error.start]:#04x}",
                expected="text in UTF-8",
                remedy="save it as UTF-8",
            ) from error


def _parts(
    reader: Any, path: Path, ignore: frozenset[str], advance: Callable[[int], None]
) -> Iterator[Batch]:
    names = next(reader, None)
    if not names:
        raise InvalidDocumentError("the file is empty", expected="a first line naming the columns")
    names = [name.strip() for name in names]
    if len(set(names)) != len(names):
        raise InvalidDocumentError(
            "two columns have one name", given=", ".join(names), expected="each once"
        )
    length = path.stat().st_size
    told = 0
    first = True
    while True:
        before = reader.line_num
        rows = list(islice(reader, ROWS))
        if not rows and not first:
            return
        numbers = np.arange(before + 1, before + 1 + len(rows))
        if reader.line_num - before != len(rows):
            # A cell that runs over several lines: told by the row, since no line is its own.
            raise InvalidDocumentError(
                f"lines {before + 1} to {reader.line_num}: a cell runs over several lines",
                expected="one line for each row",
            )
        if [] in rows:
            kept = [k for k, row in enumerate(rows) if row]
            rows, numbers = [rows[k] for k in kept], numbers[kept]
        yield _batch(rows, names, numbers, path.name, ignore)
        first = False
        # How far it is read is told by lines; a text file does not say by bytes while it is read.
        share = min(length - told, sum(map(len, map(str, rows[:100]))) * max(len(rows) // 100, 1))
        told += share
        advance(share)


def _batch(
    rows: list[list[str]],
    names: Sequence[str],
    numbers: NDArray[np.int64],
    file: str,
    ignore: frozenset[str],
) -> Batch:
    if set(map(len, rows)) - {len(names)}:
        at = next(k for k, row in enumerate(rows) if len(row) != len(names))
        raise BadRowsError(
            f"line {numbers[at]}: more or fewer cells than columns",
            given=f"{len(rows[at])} cells",
            expected=f"{len(names)}: {', '.join(names)}",
            remedy="quote cells that hold a comma",
            rows=(int(numbers[at]),),
        )
    cells = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
    columns: dict[str, Column] = {}
    missing: dict[str, NDArray[np.bool_]] = {}
    made = Batch(columns, missing=missing, name=file, base=1, row_word="line", row_numbers=numbers)
    for name in names:
        if name in ignore:
            continue
        values: Sequence[str] = cells.get(name, ())
        empty = "" in values
        if empty:
            missing[name] = np.array([not value for value in values], dtype=np.bool_)
        if name in TEXTS:
            columns[name] = Labels.of(np.array(values, dtype=np.object_))
        elif name in TIMES:
            columns[name] = _times(values, numbers, name, empty=empty)
        else:
            columns[name] = _numbers(values, numbers, name, empty=empty)
    return made


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
            remedy=error.remedy,
            rows=(line,),
            field=name,
        ) from error
    return np.rint(seconds * 1000).astype(np.int64).astype("datetime64[ms]")
