"""Files of flights and volumes for a screening, whatever their format."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.purposes import PURPOSES
from deconflict.errors import InvalidDocumentError
from deconflict.formats.arrow_table import (
    arrow_batches,
    listed_points,
    parquet_batches,
    parquet_parts,
)
from deconflict.formats.csv_table import csv_batches
from deconflict.formats.file_kind import check_kind
from deconflict.formats.npz_table import npz_batch
from deconflict.separation.batch import Batch
from deconflict.separation.carry import whole_batches
from deconflict.separation.flights import FLIGHT_COLUMNS, Flights, Room, flights_of_batch
from deconflict.separation.volumes import VOLUME_COLUMNS, Volumes, volumes_of_batch

if TYPE_CHECKING:
    from deconflict.formats.geojson_stream import FeatureNames

__all__ = ["ENDINGS", "ReadPart", "ScreenFiles", "read_parts", "read_screen_files"]

PARQUET: Final = frozenset({".parquet", ".pq"})
ARROW: Final = frozenset({".arrow", ".feather", ".ipc"})
GEOJSON: Final = frozenset({".geojson", ".json", ".geojsonl", ".ndjson", ".jsonl"})
ENDINGS: Final = tuple(sorted(PARQUET | ARROW | GEOJSON | {".csv", ".npz"}))
VOLUME_SIGNS: Final = frozenset({"start", "start_s", "end", "end_s"})
FLIGHT_SIGNS: Final = frozenset({"time", "time_s"})


def _untold(_: int) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True, slots=True)
class ScreenFiles:
    """What several files hold together."""

    flights: Flights
    volumes: Volumes


def read_screen_files(
    paths: Sequence[Path],
    *,
    reference: AltitudeReference | None = None,
    ignore: frozenset[str] = frozenset(),
    threads: int = 1,
    advance: Callable[[int], None] = _untold,
) -> ScreenFiles:
    """Return the flights and volumes of all files, in their order; all of them are read or none.

    The ending of a name says the format. A table with the column ``start`` or ``start_s`` holds
    volumes, one with ``time`` or ``time_s`` flights. Files are read in parts: beside what is
    returned no more than a few parts are held.

    Args:
        paths: of the files.
        reference: what altitudes are measured from where a file does not say.
        ignore: names of columns to leave out.
        threads: how many may read.
        advance: told of bytes read, for showing progress.

    Raises:
        BadRowsError: naming file, row and column.
        InvalidInputError: a file cannot be read, or says what cannot be.
        MissingExtraError: it needs an optional part that is not installed.
    """
    flights: list[Flights] = []
    volumes: list[Volumes] = []
    for path in paths:
        for part in read_parts(
            path, reference=reference, ignore=ignore, threads=threads, advance=advance
        ):
            flights += [part.flights] if len(part.flights) else []
            volumes += [part.volumes] if len(part.volumes) else []
    return ScreenFiles(Flights.joined(flights), Volumes.joined(volumes))


@dataclass(frozen=True, slots=True)
class ReadPart:
    """What one part of a file holds; ``names`` tells what features are called, by their number."""

    flights: Flights
    volumes: Volumes
    names: Callable[[], Mapping[int, "FeatureNames"]] = dict


def read_parts(
    path: Path,
    *,
    reference: AltitudeReference | None,
    ignore: frozenset[str],
    threads: int,
    advance: Callable[[int], None],
) -> Iterator[ReadPart]:
    """Yield the flights and volumes of a file, part by part; all that is read comes through here.

    Raises:
        InvalidInputError, MissingExtraError: as `read_screen_files`.
    """
    held = 0
    ending = path.suffix.lower()
    check_kind(path, _expected(ending))
    if ending in GEOJSON:
        from deconflict.formats.geojson_stream import read_geojson_stream

        for one in read_geojson_stream(path, advance=advance):
            held += len(one.flights) + len(one.volumes)
            yield ReadPart(one.flights, one.volumes, one.names)
    else:
        for part in _table(path, ending, reference, ignore, threads, advance):
            held += len(part)
            if isinstance(part, Flights):
                yield ReadPart(replace(part, ids=_ids(part, path)), Volumes.none())
            else:
                yield ReadPart(Flights.none(), replace(part, ids=_ids(part, path)))
    if not held:
        raise InvalidDocumentError(
            f"{path.name}: this file holds no flight and no volume",
            expected="one at least: nothing read is not no conflict",
            remedy="look whether this is the file you mean",
        )


def _expected(ending: str) -> str:
    """Return in words what a file of this ending is."""
    if ending in PARQUET:
        return "a Parquet file"
    if ending in ARROW:
        return "an Arrow file or stream (Feather version 2)"
    if ending in GEOJSON:
        return "GeoJSON in UTF-8"
    return {".csv": "CSV in UTF-8", ".npz": "arrays written by numpy.savez"}.get(
        ending, ", ".join(ENDINGS)
    )


def _table(
    path: Path,
    ending: str,
    reference: AltitudeReference | None,
    ignore: frozenset[str],
    threads: int,
    advance: Callable[[int], None],
) -> Iterator[Flights | Volumes]:
    def made(batch: Batch) -> Flights | Volumes:
        return _made(batch, reference, ignore)

    batches: Iterable[Batch]
    if ending in PARQUET:
        points = listed_points(path)
        if points is not None:
            room = Room(points)

            def placed(batch: Batch, at: int) -> Flights | Volumes:
                part = made(batch)
                return room.put(part, at) if isinstance(part, Flights) else part

            yield from parquet_parts(path, placed, ignore=ignore, threads=threads, advance=advance)
            return
        batches = parquet_batches(path, ignore=ignore, advance=advance)
    elif ending in ARROW:
        batches = arrow_batches(path, ignore=ignore, advance=advance)
    elif ending == ".csv":
        batches = csv_batches(path, ignore=ignore, advance=advance)
    elif ending == ".npz":
        batches = iter([npz_batch(path, ignore=ignore)])
    else:
        raise InvalidDocumentError(
            f"{path.name}: the ending says no format that can be read",
            given=ending or "no ending",
            expected=", ".join(ENDINGS),
        )
    key: str | None = None
    first: list[Batch] = []
    for batch in batches:
        key = "volume" if batch.columns.keys() & VOLUME_SIGNS else "flight"
        first.append(batch)
        break
    if key is not None:
        for batch in whole_batches(_chain(first, batches), key):
            yield made(batch)


def _chain(first: list[Batch], rest: Iterable[Batch]) -> Iterator[Batch]:
    yield first.pop()
    yield from rest


def _made(
    batch: Batch, reference: AltitudeReference | None, ignore: frozenset[str]
) -> Flights | Volumes:
    names = batch.columns.keys()
    volumes, flights = names & VOLUME_SIGNS, names & FLIGHT_SIGNS
    if bool(volumes) == bool(flights):
        raise InvalidDocumentError(
            f"{batch.name}: this table holds neither flights nor volumes",
            given="columns " + (", ".join(names) or "none"),
            expected="flights: " + ", ".join(sorted(FLIGHT_COLUMNS)) + "; or volumes: "
            + ", ".join(sorted(VOLUME_COLUMNS)),
        )  # fmt: skip
    _check_purposes(batch)
    if flights:
        return flights_of_batch(batch, reference=reference, ignore=ignore)
    return volumes_of_batch(batch, reference=reference, ignore=ignore)


def _ids(part: Flights | Volumes, path: Path) -> NDArray[np.object_] | None:
    """Return the names of the rows; where none are said, file and row: ``day#17``."""
    if part.ids is not None or part.rows is None:
        return part.ids
    named: NDArray[Any] = np.char.add(f"{path.stem}#", part.rows.number.astype(np.str_))
    return named.astype(np.object_)


def _check_purposes(batch: Batch) -> None:
    labels = batch.labels("purpose")
    unknown = [name for name in labels.used() if name not in PURPOSES]
    if unknown:
        at = labels.by(dict.fromkeys(unknown, 1), without=0) == 1
        batch.refuse(
            "purpose",
            at,
            "the purpose is unknown",
            expected=", ".join(PURPOSES),
            remedy="say what the space is used for",
        )
