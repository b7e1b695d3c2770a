"""Conflicts as files: Parquet, Arrow, CSV, and GeoJSON for maps."""

import csv
import math
import operator
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from deconflict.errors import InvalidDocumentError
from deconflict.separation.arrow import pyarrow
from deconflict.separation.conflicts import Conflicts

__all__ = [
    "CONFLICT_ENDINGS",
    "check_conflict_file",
    "conflict_rows",
    "formula_names",
    "write_conflicts",
]

ROWS: Final = 20_000
# What begins a formula; the wide ones do where a spreadsheet is set to Chinese or Japanese.
# The apostrophe itself is one of them, so that taking one away gives every name back.
FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")
EARTH_RADIUS_M: Final = 6_371_008.8  # mean: within 0.6 % of every curvature of the ellipsoid
LONGER_AS_DRAWN: Final = 1.02  # a line on a map may be longer than the shortest way by 2 %
CONFLICT_ENDINGS: Final = (".arrow", ".csv", ".feather", ".geojson", ".parquet")


def check_conflict_file(path: Path) -> None:
    """Pass when conflicts can be written under this name; asked before the work, not after.

    Raises:
        InvalidDocumentError: the ending says no format that is written.
        MissingExtraError: it needs pyarrow, which is not installed.
    """
    ending = path.suffix.lower()
    if ending not in CONFLICT_ENDINGS:
        raise InvalidDocumentError(
            "the ending says no format that conflicts are written in",
            given=path.name,
            expected=", ".join(CONFLICT_ENDINGS),
        )
    if ending in (".parquet", ".arrow", ".feather"):
        pyarrow()


def write_conflicts(found: Conflicts, path: Path) -> None:
    """Write all conflicts; what stood under the name is replaced once all is written.

    In a CSV file the names that `formula_names` counts get an apostrophe; elsewhere none changes.

    Raises:
        InvalidDocumentError, MissingExtraError: as `check_conflict_file`.
        OSError: it could not be written.
    """
    check_conflict_file(path)
    fresh = path.with_name(f".{path.name}.part")
    try:
        _WRITERS[path.suffix.lower()](found, fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def conflict_rows(found: Conflicts) -> Iterator[dict[str, Any]]:
    """Yield each conflict as plain values: UTC as text, None where altitudes do not compare."""
    for start in range(0, len(found), ROWS):
        columns = found.taken(np.arange(start, min(start + ROWS, len(found)))).columns()
        plain = {name: _plain(column) for name, column in columns.items()}
        for row in zip(*plain.values(), strict=True):
            yield dict(zip(plain, row, strict=True))


def _plain(column: NDArray[Any]) -> list[Any]:
    if column.dtype.kind == "M":
        return [f"{text}Z" for text in np.datetime_as_string(column, unit="us").tolist()]
    values: list[Any] = column.tolist()
    if column.dtype.kind == "f" and np.isnan(column).any():
        return [None if value != value else value for value in values]
    return values


def _write_parquet(found: Conflicts, path: Path) -> None:
    pyarrow()
    import pyarrow.parquet as pq

    # Figures hardly repeat: looking for those that do takes three times as long and saves nothing.
    words = ["kind", "verdict"]
    pq.write_table(found.to_arrow(), path, compression="zstd", use_dictionary=words)


def _write_arrow(found: Conflicts, path: Path) -> None:
    pa = pyarrow()
    table = found.to_arrow()
    with pa.ipc.new_file(str(path), table.schema) as file:
        file.write_table(table)


def _write_csv(found: Conflicts, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(found.taken(np.zeros(0, dtype=np.int64)).columns())
        writer.writerows(
            (_harmless(row.pop("first")), _harmless(row.pop("second")), *row.values())
            for row in conflict_rows(found)
        )


def formula_names(found: Conflicts) -> int:
    """Return how many flights and volumes in conflict a spreadsheet would take for a formula.

    In a CSV file an apostrophe stands before their names, which makes them text there.

    Source: OWASP, CSV Injection, and ASVS 5.0, 1.2.10. Tabs and line ends, which it names as well,
    are in no name.
    """
    names = found.names(np.unique(np.concatenate([found.first, found.second])))
    return sum(str(name).startswith(FORMULA_SIGNS) for name in names)


def _harmless(name: str) -> str:
    return f"'{name}" if name.startswith(FORMULA_SIGNS) else name


def _write_geojson(found: Conflicts, path: Path) -> None:
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        for number, row in enumerate(conflict_rows(found)):
            file.write(b",\n" if number else b"\n")
            file.write(encode(_feature(row)))
        file.write(b"\n]}\n")


def _feature(row: dict[str, Any]) -> dict[str, Any]:
    """Return one conflict as a line between both places, or as points where a map draws it wrong.

    A map joins two places straight in longitude and latitude. Across ±180 that runs round the
    Earth, and beside a pole along a parallel where the shortest way leads over it.
    """
    apart_m: float = row["cpa_distance_m"]
    one, other = (
        (row.pop(f"{who}_lon_deg"), row.pop(f"{who}_lat_deg")) for who in ("first", "second")
    )
    # A pole has every longitude: it is said with that of the other place.
    if abs(one[1]) == 90.0:
        one = (other[0], one[1])
    elif abs(other[1]) == 90.0:
        other = (one[0], other[1])
    kind: str
    shape: Any
    if one == other:
        kind, shape = "Point", one
    elif _drawn_length_m(one, other) > LONGER_AS_DRAWN * apart_m + 1.0:
        kind, shape = "MultiPoint", [one, other]
    else:
        kind, shape = "LineString", [one, other]
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": shape},
        "properties": row,
    }


def _drawn_length_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return how long the line is that is straight in longitude and latitude, to a percent."""
    along = math.radians(other[0] - one[0])
    up = math.radians(other[1] - one[1])
    lats = [math.radians(one[1] + (other[1] - one[1]) * k / 4) for k in range(5)]
    steps = [math.hypot(up, along * math.cos(lat)) for lat in lats]
    weights = (7.0, 32.0, 12.0, 32.0, 7.0)  # Boole's rule
    return EARTH_RADIUS_M * math.fsum(map(operator.mul, weights, steps)) / 90.0


_WRITERS: Final[dict[str, Callable[[Conflicts, Path], None]]] = {
    ".parquet": _write_parquet,
    ".arrow": _write_arrow,
    ".feather": _write_arrow,
    ".csv": _write_csv,
    ".geojson": _write_geojson,
}
