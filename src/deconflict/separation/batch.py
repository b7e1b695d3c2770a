"""A table of flights or volumes as it comes, column by column, and which cell of it is at fault.

All checks look at whole columns; a loop over rows runs only for what is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.altitude import (
    MAX_ALTITUDE_TMM,
    MIN_ALTITUDE_TMM,
    AltitudeReference,
)
from deconflict.errors import BadRowsError, InvalidDocumentError
from deconflict.separation.epoch import LATEST_S, unit_remedy
from deconflict.separation.labels import MAX_NAME, NAME_WORDS, Labels, all_names, is_name
from deconflict.units import FEET_PER_FLIGHT_LEVEL, TMM_PER_FOOT, TMM_PER_METRE

__all__ = ["TMM_PER_UNIT", "Batch", "Column", "offsets_of"]

Column = NDArray[Any] | Labels
TMM_PER_UNIT: Final = {
    "tmm": 1,
    "ft": TMM_PER_FOOT,
    "m": TMM_PER_METRE,
    "fl": FEET_PER_FLIGHT_LEVEL * TMM_PER_FOOT,
}
_SHOWN_ROWS: Final = 8


@dataclass(slots=True)
class Batch:
    """Columns of one table, or of a part of it.

    Attributes:
        columns: by name: one value a row, or one a point for the names in ``lists``.
        lists: names of the columns that hold a list in each row; their values lie flat.
        offsets: row ``k`` owns the values ``offsets[k]:offsets[k + 1]`` of every list; None when
            there are no lists.
        missing: for columns with empty cells, True where a cell says nothing.
        name: of the file, or what an argument is called.
        first_row: number of the first row, and what waypoints are counted from: 0 for arrays; 1
            for the first rows of a file.
        base: what waypoints are counted from.
        row_word: what a row is called: ``row``, ``line``, ``feature``.
        row_numbers: of each row, where they do not follow one another.
        point_numbers: of each value in a list, where each stands in a row of the file of its own.
    """

    columns: dict[str, Column]
    lists: frozenset[str] = frozenset()
    offsets: NDArray[np.int64] | None = None
    missing: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    name: str = "the table"
    first_row: int = 0
    base: int = 0
    row_word: str = "row"
    row_numbers: NDArray[np.int64] | None = None
    point_numbers: NDArray[np.int64] | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        if self.offsets is not None:
            return len(self.offsets) - 1
        return max((len(column) for column in self.columns.values()), default=0)

    def numbers(self) -> NDArray[np.int64]:
        """Return the number of each row, as a person counts them."""
        if self.row_numbers is not None:
            return self.row_numbers
        return np.arange(self.first_row, self.first_row + self.rows, dtype=np.int64)

    def expect_only(self, known: frozenset[str], ignored: frozenset[str]) -> None:
        """Pass when every column is known or to be ignored.

        Raises:
            InvalidDocumentError: naming all others: a misspelt margin must not be lost.
        """
        unknown = sorted(set(self.columns) - known - ignored)
        if unknown:
            raise InvalidDocumentError(
                f"{self.name}: columns that mean nothing here",
                given=", ".join(unknown),
                expected=", ".join(sorted(known)),
                remedy="rename them, drop them, or name those to leave out: nothing is left out "
                "in silence",
            )

    def one_of(self, names: tuple[str, ...], *, needed: bool) -> str | None:
        """Return which one of these columns is there.

        Raises:
            InvalidDocumentError: two of them, or none where one is needed.
        """
        there = [name for name in names if name in self.columns]
        if len(there) > 1 or (needed and not there):
            raise InvalidDocumentError(
                f"{self.name}: "
                + ("one thing is said twice" if there else f"the column {names[0]} is missing"),
                given=", ".join(there) or "columns " + (", ".join(self.columns) or "none"),
                expected=" or ".join(names),
            )
        return there[0] if there else None

    def refuse(
        self,
        name: str,
        bad: NDArray[np.bool_],
        problem: str,
        *,
        expected: str,
        remedy: str = "",
        given: str | None = None,
    ) -> NoReturn:
        """Refuse the cells where ``bad`` is True, of which there is one at least.

        ``given`` is what stands there, for what is no column.

        Raises:
            BadRowsError: always.
        """
        at = np.flatnonzero(bad)
        column = self.columns.get(name)
        first = int(at[0])
        given = self._shown(name, column, first) if given is None else given
        where = ""
        if name in self.lists and self.offsets is not None:
            rows = np.searchsorted(self.offsets, at, side="right") - 1
            where = f", waypoint {first - int(self.offsets[rows[0]]) + self.base}"
            told = self.numbers()[rows] if self.point_numbers is None else self.point_numbers[at]
        else:
            rows = at
            told = self.numbers()[rows]
        numbers = np.unique(told)
        others = [str(n) for n in numbers[1 : _SHOWN_ROWS + 1].tolist()]
        if others:
            more = len(numbers) - 1
            tail = ", …" if more > len(others) else ""
            remedy = (
                f"{remedy}; " if remedy else ""
            ) + f"{more} more with this fault: {self.row_word} {', '.join(others)}{tail}"
        raise BadRowsError(
            f"{self.name}: {self.row_word} {told[0]}{self._named(int(rows[0]))}"
            f"{where}, {name}: {problem}",
            given=given,
            expected=expected,
            remedy=remedy,
            rows=tuple(numbers.tolist()),
            field=name,
        )

    def need(self, name: str) -> None:
        """Pass when no cell of the column is empty.

        Raises:
            BadRowsError: naming those that are.
        """
        empty = self.missing.get(name)
        if empty is not None and empty.any():
            self.refuse(name, empty, "nothing is said", expected="a value in every cell")

    def number(self, name: str) -> NDArray[np.float64]:
        """Return a column of numbers as float64; the same memory where it is float64 already.

        Raises:
            InvalidDocumentError: it holds no numbers.
        """
        column = self.columns[name]
        if isinstance(column, Labels) or column.dtype.kind not in "iuf":
            raise self._not_numbers(name)
        return np.ascontiguousarray(column, dtype=np.float64)

    def within(self, name: str, least: float, most: float, expected: str) -> NDArray[np.float64]:
        """Return a column of numbers, all of which lie in the range; NaN lies in none.

        Raises:
            BadRowsError: one does not, or is not said.
        """
        self.need(name)
        values = self.number(name)
        # The least and the greatest of anything with a NaN are NaN, which is in no range.
        if len(values) and not (values.min() >= least and values.max() <= most):
            bad = ~((values >= least) & (values <= most))
            swapped = name in ("lat_deg", "lon_deg") and not np.isnan(values[bad][0])
            self.refuse(
                name,
                bad,
                "out of range" if not np.isnan(values[bad][0]) else "not a number",
                expected=expected,
                remedy="check the unit, and that latitude and longitude are not exchanged"
                if swapped
                else "",
            )
        return values

    def tmm(
        self, name: str, *, least: int = MIN_ALTITUDE_TMM, most: int = MAX_ALTITUDE_TMM
    ) -> NDArray[np.int64]:
        """Return a column of heights as whole tenths of a millimetre; its name says the unit.

        Feet, flight levels and metres are rounded to the nearest one. Empty cells are to be dealt
        with before: they count as 0.

        Raises:
            BadRowsError: a value is not finite or out of range, or no whole number where the
                column is of tenths of a millimetre.
        """
        column = self.columns[name]
        if isinstance(column, Labels) or column.dtype.kind not in "iuf":
            raise self._not_numbers(name)
        unit = name.rpartition("_")[2]
        per_unit = TMM_PER_UNIT[unit]
        low, high = least / per_unit, most / per_unit
        empty = self.missing.get(name)
        if empty is not None and empty.any():
            column = np.where(empty, 0, column)
        if len(column) and not (column.min() >= low and column.max() <= high):
            self.refuse(
                name,
                ~((column >= low) & (column <= high)),
                "not a usable height",
                expected=f"{low:g} to {high:g} {unit}",
                remedy="check the unit",
            )
        if column.dtype.kind in "iu":
            if per_unit == 1:
                return np.ascontiguousarray(column, dtype=np.int64)
            return np.multiply(column, per_unit, dtype=np.int64)
        if per_unit == 1 and not (whole := column == np.rint(column)).all():
            # Nobody measures so finely: feet or metres stand in a column that says another unit.
            self.refuse(
                name,
                ~whole,
                "no whole tenths of a millimetre",
                expected="a whole number: a foot is 3048, a metre 10000",
                remedy=f"if these are feet or metres, name the column {name.removesuffix('tmm')}ft "
                f"or {name.removesuffix('tmm')}m",
            )
        scaled = column * float(per_unit)
        return np.rint(scaled, out=scaled).astype(np.int64)

    def seconds(self, name: str) -> NDArray[np.float64]:
        """Return a column of instants as seconds: numbers as they are, times since 1970, UTC.

        Raises:
            BadRowsError: an instant is not said, not finite or out of range.
            InvalidDocumentError: the column holds neither.
        """
        column = self.columns[name]
        if isinstance(column, Labels) or column.dtype.kind not in "iufM":
            raise InvalidDocumentError(
                f"{self.name}: {name} holds no times",
                given=self._kind(name),
                expected="timestamps, or seconds in a column named with _s",
            )
        if column.dtype.kind != "M":
            if not name.endswith("_s"):
                raise InvalidDocumentError(
                    f"{self.name}: {name} holds numbers, and nothing says which unit they are in",
                    given=self._kind(name),
                    expected=f"timestamps; or the column {name}_s, which is in seconds",
                    remedy=f"name it {name}_s if they are seconds",
                )
            return self._numbered_seconds(name)
        self.need(name)
        unit, step = np.datetime_data(column.dtype)
        per_second = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}.get(unit)
        if per_second is None or step != 1:
            column, per_second = column.astype("datetime64[ms]"), 1_000
        nat = np.isnat(column)
        if nat.any():
            self.refuse(name, nat, "no time", expected="an instant, UTC")
        ticks = column.view(np.int64)
        seconds = ticks / per_second
        if len(seconds) and not (seconds.min() >= -LATEST_S and seconds.max() <= LATEST_S):
            self.refuse(
                name,
                np.abs(seconds) > LATEST_S,
                "out of range",
                expected="an instant within 3,000 years",
                remedy=f"the timestamps are in {unit}: look whether they were written in that unit",
            )
        return np.asarray(seconds, dtype=np.float64)

    def _numbered_seconds(self, name: str) -> NDArray[np.float64]:
        self.need(name)
        values = self.number(name)
        if len(values) and not (values.min() >= -LATEST_S and values.max() <= LATEST_S):
            bad = ~(np.abs(values) <= LATEST_S)
            first = float(values[bad][0])
            self.refuse(
                name,
                bad,
                "not a number" if np.isnan(first) else "no time in seconds",
                expected="seconds since 1970 UTC, or since another instant, within ±10¹¹",
                remedy="" if np.isnan(first) else unit_remedy(first, name),
            )
        return values

    def labels(self, name: str) -> Labels:
        """Return a column of text as labels; without the column, one that names nothing."""
        column = self.columns.get(name)
        if column is None or not len(column):
            return Labels.none(self.rows)
        if isinstance(column, Labels):
            labels = column
        elif column.dtype.kind not in "UO":
            raise InvalidDocumentError(
                f"{self.name}: {name} holds no text", given=self._kind(name), expected="text"
            )
        else:
            self._only_text(name, column)
            labels = Labels.of(column)
        if not all_names(labels.names):
            named = [is_name(each) for each in labels.names]
            bad = ~np.array([*named, True], dtype=np.bool_)[labels.codes]
            if bad.any():
                self._refuse_name(name, bad)
        return labels

    def _only_text(self, name: str, column: NDArray[Any]) -> None:
        """Refuse what is neither text nor None in an array of Python objects."""
        if column.dtype.kind == "O":
            bad = np.array([not isinstance(each, str | None) for each in column], dtype=np.bool_)
            if bad.any():
                self.refuse(name, bad, "this is no text", expected="text, or None")

    def _refuse_name(self, name: str, bad: NDArray[np.bool_]) -> NoReturn:
        column = self.columns[name]
        first = int(np.flatnonzero(bad)[0])
        value = column.name(first) if isinstance(column, Labels) else column[first]
        if not isinstance(value, str):
            self.refuse(name, bad, "this is no text", expected="text", remedy="astype(str)")
        long = len(value) > MAX_NAME
        self.refuse(
            name,
            bad,
            f"a name of {len(value):,} characters is too long" if long else "this cannot be a name",
            expected=f"{NAME_WORDS}: no control characters, nothing invisible",
            remedy="correct it where it is written: no name is changed here",
        )

    def references(self, name: str, *, otherwise: AltitudeReference | None) -> NDArray[np.uint8]:
        """Return the number of each row's altitude reference; 255 where none is said.

        Raises:
            BadRowsError: a word is no reference.
        """
        known = {reference.value: k for k, reference in enumerate(AltitudeReference)}
        without = 255 if otherwise is None else known[otherwise.value]
        labels = self.labels(name)
        if not set(labels.used()) <= known.keys():
            codes = labels.by(known, without=-1)
            said = labels.codes >= 0
            self.refuse(
                name,
                (codes < 0) & said,
                "no altitude reference",
                expected=", ".join(known),
                remedy="FL is pressure altitude, AMSL above mean sea level, W84 above the "
                "ellipsoid, AGL above ground",
            )
        return labels.by(known, without=without).astype(np.uint8)

    def names_of(self, name: str) -> NDArray[np.object_] | None:
        """Return a column of identifiers as Python text; None without the column.

        Raises:
            BadRowsError: one is empty.
        """
        column = self.columns.get(name)
        if column is None:
            return None
        self.need(name)
        if isinstance(column, Labels):
            ids = column.objects()
        elif column.dtype.kind in "iuU":
            ids = column.astype(np.str_).astype(np.object_)
        elif column.dtype.kind == "O":
            ids = column
        else:
            raise InvalidDocumentError(
                f"{self.name}: {name} holds no names",
                given=self._kind(name),
                expected="text, or whole numbers",
            )
        empty = np.asarray((ids == np.array("", np.object_)) | (ids == np.array(None)), np.bool_)
        if empty.any():
            self.refuse(name, empty, "no name", expected="text")
        if not all_names(ids.tolist()):
            self._refuse_name(name, ~np.array([is_name(each) for each in ids], dtype=np.bool_))
        return ids

    def _not_numbers(self, name: str) -> InvalidDocumentError:
        return InvalidDocumentError(
            f"{self.name}: {name} holds no numbers",
            given=self._kind(name),
            expected="numbers",
            remedy=""
            if isinstance(self.columns[name], Labels)
            else "astype(float) makes it numbers",
        )

    def _kind(self, name: str) -> str:
        column = self.columns[name]
        if isinstance(column, Labels):
            return "text"
        kinds = {"U": "text", "S": "bytes", "O": "text, or other Python objects", "b": "bool"}
        return kinds.get(column.dtype.kind, str(column.dtype))

    def _shown(self, name: str, column: Column | None, at: int) -> str:
        empty = self.missing.get(name)
        if column is None or (empty is not None and empty[at]):
            return "nothing"
        if isinstance(column, Labels):
            return repr(column.name(at))[:60]
        value = column[at]
        plain = isinstance(column, np.ndarray) and column.dtype.kind not in "OU"
        if plain:
            return f"{value!s:.60}"
        return f"{str(value)!r:.60}" if isinstance(value, str) else f"{value!r:.60}"

    def _named(self, row: int) -> str:
        for name in ("flight", "volume"):
            column = self.columns.get(name)
            if column is not None and row < len(column):
                value = column.name(row) if isinstance(column, Labels) else column[row]
                return "" if value is None else f" ({name} {value!s:.40})"
        return ""


def offsets_of(lengths: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return where each row's part of a flat column begins, and where the last one ends.

    >>> offsets_of(np.array([2, 3])).tolist()
    [0, 2, 5]
    """
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
