"""Arrow tables to columns and back, by pyarrow, which is imported only when Arrow is used.

Numbers without empty cells are not copied. What comes in several chunks is, once, to be in one.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.altitude import AltitudeReference
from deconflict.errors import BadRowsError, InvalidDocumentError, MissingExtraError
from deconflict.separation.batch import Batch, Column, offsets_of
from deconflict.separation.carry import whole_batches
from deconflict.separation.conflicts import VERDICTS, Conflicts
from deconflict.separation.finding import FindingKind
from deconflict.separation.flights import Flights, flights_of_batch, reference_of
from deconflict.separation.labels import NO_LABEL, Labels
from deconflict.separation.volumes import Volumes, volumes_of_batch

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "batch_of_arrow",
    "conflicts_to_arrow",
    "flights_of_arrow",
    "is_arrow",
    "pyarrow",
    "volumes_of_arrow",
]

IDS = ("flight", "volume")


def pyarrow() -> Any:
    """Return the module pyarrow.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtraError(
            "Parquet and Arrow need pyarrow, which is not installed",
            expected="the optional part 'tables'",
            remedy="pip install 'deconflict[tables]'; CSV, GeoJSON and .npz work without",
        ) from error
    return pyarrow


def is_arrow(value: object) -> bool:
    """Return True exactly when the value hands over Arrow data by the PyCapsule interface."""
    return hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")


def flights_of_arrow(value: Any, *, reference: AltitudeReference | str | None) -> Flights:
    """Return the flights of Arrow data, in either form.

    Raises:
        BadRowsError, InvalidDocumentError: as `Flights.of`.
    """
    known = reference_of(reference)
    batches = whole_batches(_batches(value, "flights"), "flight")
    parts = [flights_of_batch(batch, reference=known) for batch in batches]
    return Flights.joined(parts)


def volumes_of_arrow(value: Any, *, reference: AltitudeReference | str | None) -> Volumes:
    """Return the volumes of Arrow data, in either form.

    Raises:
        BadRowsError, InvalidDocumentError: as `Volumes.of`.
    """
    known = reference_of(reference)
    batches = whole_batches(_batches(value, "volumes"), "volume")
    return Volumes.joined([volumes_of_batch(batch, reference=known) for batch in batches])


def _batches(value: Any, name: str) -> Iterator[Batch]:
    pa = pyarrow()
    first_row = 0
    found: Iterable[Any]
    if hasattr(value, "__arrow_c_stream__"):
        reader = pa.RecordBatchReader.from_stream(value)
        found = reader
        empty = reader.schema.empty_table()
    else:
        found = [pa.record_batch(value)]
        empty = found[0].schema.empty_table()
    for number, batch in enumerate(found):
        if batch.num_rows or number == 0:
            yield batch_of_arrow(batch, name=name, first_row=first_row)
        first_row += batch.num_rows
    if first_row == 0 and not isinstance(found, list):
        for batch in empty.to_batches():
            yield batch_of_arrow(batch, name=name)


def batch_of_arrow(
    batch: "pa.RecordBatch", *, name: str, first_row: int = 0, base: int = 0
) -> Batch:
    """Return an Arrow record batch as columns.

    Raises:
        InvalidDocumentError: a column of a type that says nothing here, a timestamp without a time
            zone, or two columns of one name.
        BadRowsError: the lists of a row differ in length.
    """
    pa = pyarrow()
    columns: dict[str, Column] = {}
    missing: dict[str, NDArray[np.bool_]] = {}
    lists: list[str] = []
    made = Batch(columns, missing=missing, name=name, first_row=first_row, base=base)
    names = batch.schema.names
    if len(set(names)) != len(names):
        raise InvalidDocumentError(
            f"{name}: two columns have one name",
            given=", ".join(sorted({each for each in names if names.count(each) > 1})),
            expected="each once",
        )
    flat = not any(_is_list(pa, field.type) for field in batch.schema)
    for column, values in zip(names, batch.columns, strict=True):
        if _is_list(pa, values.type):
            offsets, values = _unlisted(pa, values)
            if made.offsets is None:
                made.offsets = offsets
            elif not np.array_equal(offsets, made.offsets):
                _refuse_lengths(made, lists[0], column, offsets)
            lists.append(column)
        columns[column] = _column(pa, values, column, missing, flat=flat, name=name)
    made.lists = frozenset(lists)
    return made


def _is_list(pa: Any, kind: "pa.DataType") -> bool:
    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _unlisted(pa: Any, values: Any) -> tuple[NDArray[np.int64], Any]:
    """Return where each row's list begins and ends, and all lists' values in one array."""
    if values.null_count or pa.types.is_fixed_size_list(values.type):
        import pyarrow.compute as pc

        lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
        return offsets_of(lengths.astype(np.int64)), values.flatten()
    offsets = values.offsets.to_numpy().astype(np.int64)
    if len(offsets) == 0:
        offsets = np.zeros(1, dtype=np.int64)
    return offsets - offsets[0], values.flatten()


def _refuse_lengths(made: Batch, one: str, other: str, offsets: NDArray[np.int64]) -> None:
    if made.offsets is None:
        return
    lengths = np.diff(made.offsets), np.diff(offsets)
    row = int(np.flatnonzero(lengths[0] != lengths[1])[0])
    number = made.first_row + row
    raise BadRowsError(
        f"{made.name}: {made.row_word} {number}, {other}: another number of waypoints than {one}",
        given=f"{lengths[1][row]} of {other}, {lengths[0][row]} of {one}",
        expected="as many of each",
        rows=(number,),
        field=other,
    )


def _column(
    pa: Any,
    values: Any,
    column: str,
    missing: dict[str, NDArray[np.bool_]],
    *,
    flat: bool,
    name: str,
) -> Column:
    types = pa.types
    kind = values.type
    if values.null_count:
        missing[column] = values.is_null().to_numpy(zero_copy_only=False)
    is_text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    if types.is_dictionary(kind) or (is_text and (flat or column not in IDS)):
        coded = values if types.is_dictionary(kind) else values.dictionary_encode()
        codes = coded.indices
        if codes.null_count:
            codes = codes.fill_null(NO_LABEL)
        names = ["" if each is None else str(each) for each in coded.dictionary.to_pylist()]
        return Labels(codes.to_numpy(zero_copy_only=False).astype(np.int32), tuple(names)).clean()
    if is_text:
        text: NDArray[Any] = values.to_numpy(zero_copy_only=False)
        return text
    if types.is_timestamp(kind) and kind.tz is None:
        raise InvalidDocumentError(
            f"{name}: {column} names no time zone",
            given=str(kind),
            expected="timestamps with a time zone, such as timestamp('us', tz='UTC')",
            remedy="say that they are UTC where they are written",
        )
    if types.is_null(kind):
        return np.zeros(len(values))
    if types.is_integer(kind) or types.is_floating(kind) or types.is_timestamp(kind):
        if values.null_count:
            import pyarrow.compute as pc

            filler = pa.scalar(0, type=pa.int64()).cast(kind) if not types.is_floating(kind) else 0
            values = pc.fill_null(values, filler)
        numbers: NDArray[Any] = values.to_numpy(zero_copy_only=False)
        return numbers
    raise InvalidDocumentError(
        f"{name}: {column} has a type that says nothing here",
        given=str(kind),
        expected="numbers, text, timestamps, or lists of numbers or timestamps",
    )


def conflicts_to_arrow(found: Conflicts) -> "pa.Table":
    """Return conflicts as an Arrow table.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pa = pyarrow()
    columns = found.columns()
    utc = pa.timestamp("us", tz="UTC")
    made = {}
    for name, column in columns.items():
        if name in ("kind", "verdict"):
            continue
        if column.dtype.kind == "M":
            made[name] = pa.array(column).cast(pa.timestamp("us")).cast(utc)
        elif column.dtype.kind == "O":
            made[name] = pa.array(column, type=pa.string())
        else:
            made[name] = pa.array(column)
    vertical = columns["cpa_vertical_m"]
    made["cpa_vertical_m"] = pa.array(vertical, mask=np.isnan(vertical))
    made["kind"] = _words(pa, found.kinds(), [kind.value for kind in FindingKind])
    made["verdict"] = _words(pa, found.verdict, [word.value for word in VERDICTS])
    return pa.table({name: made[name] for name in columns})


def _words(pa: Any, codes: NDArray[Any], words: list[str]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), pa.array(words))
