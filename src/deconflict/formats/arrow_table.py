"""Flights and volumes as Parquet, or as Arrow files (IPC, Feather): read in parts, by pyarrow."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

from deconflict.errors import InvalidDocumentError
from deconflict.separation.arrow import batch_of_arrow, pyarrow
from deconflict.separation.batch import Batch

__all__ = ["arrow_batches", "listed_points", "parquet_batches", "parquet_parts"]

Made = TypeVar("Made")
AHEAD = 1  # row groups read beyond those being worked on
_REPEATING = ("flight", "volume", "party", "purpose", "altitude_reference")


def parquet_batches(
    path: Path, *, ignore: frozenset[str], advance: Callable[[int], None]
) -> Iterator[Batch]:
    """Yield the table by row group, one after the other.

    Raises:
        InvalidDocumentError: no Parquet file, or a column of a type that says nothing here.
        BadRowsError: lists of one row differ in length.
        MissingExtraError: pyarrow is not installed.
    """
    with _Parquet(path, ignore) as file:
        for group in range(file.groups):
            yield from file.batches(group, threads=True)
            advance(file.bytes_of(group))
        if file.groups == 0:
            yield from _batches_of(file.empty, path.name, 1)


def parquet_parts(
    path: Path,
    make: Callable[[Batch, int], Made],
    *,
    ignore: frozenset[str],
    threads: int,
    advance: Callable[[int], None],
) -> Iterator[Made]:
    """Yield what is made of each row group, in order; several are worked on at once.

    No more row groups are held than there are threads, and one. For tables of a row a flight.
    ``make`` is told how many waypoints there are in all row groups before, empty lists as one.

    Raises:
        InvalidDocumentError, BadRowsError, MissingExtraError: as `parquet_batches`.
    """
    with ExitStack() as opened:
        files = [opened.enter_context(_Parquet(path, ignore)) for _ in range(threads)]
        pool = opened.enter_context(ThreadPoolExecutor(threads))
        spare = deque(files)

        def work(group: int) -> list[Made]:
            mine = spare.popleft()
            try:
                at = mine.first_points[group]
                made = []
                for batch in mine.batches(group, threads=False):
                    made.append(make(batch, at))
                    at += 0 if batch.offsets is None else int(batch.offsets[-1])
                return made
            finally:
                spare.append(mine)

        waiting: deque[tuple[int, Future[list[Made]]]] = deque()
        group = 0
        try:
            while waiting or group < files[0].groups:
                if group < files[0].groups and len(waiting) < threads + AHEAD:
                    waiting.append((group, pool.submit(work, group)))
                    group += 1
                    continue
                number, future = waiting.popleft()
                yield from future.result()
                advance(files[0].bytes_of(number))
        finally:
            for _, future in waiting:
                future.cancel()


def listed_points(path: Path) -> int | None:
    """Return how many waypoints a Parquet file has in lists; None when it has no lists.

    Raises:
        InvalidDocumentError, MissingExtraError: as `parquet_batches`.
    """
    with _Parquet(path, frozenset()) as file:
        return file.first_points[-1] if file.has_lists else None


def arrow_batches(
    path: Path, *, ignore: frozenset[str], advance: Callable[[int], None]
) -> Iterator[Batch]:
    """Yield the record batches of an Arrow file or stream; its numbers are read where they lie.

    Raises:
        InvalidDocumentError: no Arrow file, or a column of a type that says nothing here.
        BadRowsError: lists of one row differ in length.
        MissingExtraError: pyarrow is not installed.
    """
    pa = pyarrow()
    source = pa.memory_map(str(path))
    try:
        try:
            reader = pa.ipc.open_file(source)
            batches = (reader.get_batch(k) for k in range(reader.num_record_batches))
        except pa.ArrowInvalid:
            source.seek(0)
            reader = batches = pa.ipc.open_stream(source)
        first_row = 1
        for batch in batches:
            # Places within it come from the file, and nothing else holds them to its length.
            batch.validate(full=True)
            names = enumerate(batch.schema.names)
            # By place: two of one name are refused below.
            kept = batch.select([place for place, name in names if name not in ignore])
            yield batch_of_arrow(kept, name=path.name, first_row=first_row, base=1)
            first_row += batch.num_rows
            advance(batch.nbytes)
        if first_row == 1:
            yield from _batches_of(reader.schema.empty_table(), path.name, 1)
    except _faults(pa) as error:
        raise _unreadable(path, error, "an Arrow file or stream (Feather version 2)") from error


class _Parquet:
    """An open Parquet file; one for each thread that reads it."""

    def __init__(self, path: Path, ignore: frozenset[str]) -> None:
        pa = pyarrow()
        import pyarrow.parquet as pq

        self.path = path
        try:
            schema = pq.read_schema(path, memory_map=True)
            self.has_lists = any(_is_list(pa, field.type) for field in schema)
            # Names that stand once a row gain nothing from being numbered.
            coded = [
                name
                for name in _REPEATING
                if name in schema.names and not (self.has_lists and name in ("flight", "volume"))
            ]
            self.file = pq.ParquetFile(path, memory_map=True, read_dictionary=coded)
        except _faults(pa) as error:
            raise _unreadable(path, error, "a Parquet file") from error
        metadata = self.file.metadata
        self.groups = metadata.num_row_groups
        self.empty = schema.empty_table()
        self.names = [name for name in schema.names if name not in ignore]
        lists = {field.name for field in schema if _is_list(pa, field.type)} & set(self.names)
        paths = [self.file.schema.column(k).path for k in range(len(self.file.schema))]
        # The one whose lengths are those of all, which is looked at as they are read.
        self._lists = next(
            ((k, path) for k, path in enumerate(paths) if path.partition(".")[0] in lists), None
        )
        rows = [metadata.row_group(group).num_rows for group in range(self.groups)]
        self.first_rows = [1, *(1 + row for row in accumulate(rows))]
        try:
            points = [self._points_of(group) for group in range(self.groups)]
        except _faults(pa) as error:
            raise _unreadable(path, error, "a whole Parquet file") from error
        self.first_points = [0, *accumulate(points)]

    def __enter__(self) -> "_Parquet":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def batches(self, group: int, *, threads: bool) -> list[Batch]:
        """Return one row group: one batch, or several where it is too large for one."""
        pa = pyarrow()
        try:
            table = self.file.read_row_group(group, columns=self.names, use_threads=threads)
            table.validate(full=True)
        except _faults(pa) as error:
            raise _unreadable(self.path, error, "a whole Parquet file") from error
        return _batches_of(table, self.path.name, self.first_rows[group])

    def _points_of(self, group: int) -> int:
        """Return how many values the lists of a row group have, empty ones as one."""
        column = self._lists
        if column is None:
            return 0
        # A column that cannot be read is refused here; pyarrow, asked for what the file says of it,
        # would end the process.
        next(self.file.iter_batches(1, row_groups=[group], columns=[column[1]]), None)
        return int(self.file.metadata.row_group(group).column(column[0]).num_values)

    def bytes_of(self, group: int) -> int:
        """Return about how much of the file a row group takes: its share of the rows."""
        rows = self.first_rows[group + 1] - self.first_rows[group]
        return int(self.path.stat().st_size * rows // max(self.first_rows[-1] - 1, 1))


def _faults(pa: Any) -> tuple[type[Exception], ...]:
    """Return what pyarrow raises of a damaged file, or of a name in it that is no text."""
    return (pa.ArrowException, OSError, UnicodeDecodeError)


def _is_list(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _batches_of(table: Any, name: str, first_row: int) -> list[Batch]:
    pa = pyarrow()
    parts = table.combine_chunks().to_batches()
    if not parts:
        empty = [pa.array([], type=field.type) for field in table.schema]
        parts = [pa.record_batch(empty, schema=table.schema)]
    found = []
    for part in parts:
        found.append(batch_of_arrow(part, name=name, first_row=first_row, base=1))
        first_row += part.num_rows
    return found


def _unreadable(path: Path, error: Exception, expected: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        f"{path.name}: the file cannot be read",
        given=f"{error}".partition("\n")[0][:160],
        expected=expected,
        remedy="check that it was written and copied to its end: nothing of it was read",
    )
