"""Flights or volumes as NumPy ``.npz``: the arrays of `deconflict.screen`, by name."""

import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from deconflict.errors import InvalidDocumentError
from deconflict.separation.batch import Batch

__all__ = ["npz_batch"]

_PLACES = frozenset({"lat_deg", "lon_deg"})
_WAYPOINTS = _PLACES | {
    "time", "time_s", "altitude_tmm", "altitude_ft", "altitude_m", "altitude_fl",
}  # fmt: skip
# What is said of a zip or an array within it leads outside of the file, or to nothing.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    OSError,
    MemoryError,
)


def npz_batch(path: Path, *, ignore: frozenset[str]) -> Batch:
    """Return the arrays of a file as a table.

    With the array ``offsets``, row ``k`` owns the waypoints or places
    ``offsets[k]:offsets[k + 1]``; without it all arrays are of waypoints or places.

    Raises:
        InvalidDocumentError: no ``.npz``, an array of Python objects or of several dimensions.
    """
    # NumPy leaves a file open that it opened itself and could not read.
    with path.open("rb") as file:
        columns = _arrays(path, file, ignore)
    return _table(path, columns)


def _arrays(path: Path, file: IO[bytes], ignore: frozenset[str]) -> dict[str, NDArray[np.generic]]:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files if name not in ignore}
    except _DAMAGED as error:
        raise InvalidDocumentError(
            f"{path.name}: the file breaks off, or is damaged",
            given=f"{path.stat().st_size:,} bytes: {error}"[:120],
            expected="arrays written by numpy.savez, to their end",
            remedy="write or copy it again: nothing of it was read",
        ) from error
    except (ValueError, AttributeError) as error:
        objects = "pickle" in f"{error}"
        raise InvalidDocumentError(
            f"{path.name}: this is no .npz of numbers and text",
            given="an array of Python objects" if objects else f"{error}"[:120],
            expected="arrays written by numpy.savez, none of Python objects",
            remedy="write names as an array of text: names.astype(str)" if objects else "",
        ) from error


def _table(path: Path, columns: dict[str, NDArray[np.generic]]) -> Batch:
    offsets = columns.pop("offsets", None)
    for name, column in [*columns.items(), ("offsets", offsets)]:
        if column is not None and column.ndim != 1:
            raise InvalidDocumentError(
                f"{path.name}: {name} has {column.ndim} dimensions", expected="one"
            )
    made = Batch(dict(columns), name=path.name, first_row=1, base=1)
    if offsets is not None:
        if offsets.dtype.kind not in "iu":
            raise InvalidDocumentError(
                f"{path.name}: offsets are no whole numbers",
                given=str(offsets.dtype),
                expected="whole numbers",
            )
        volumes = "start" in columns or "start_s" in columns
        made.offsets = offsets.astype(np.int64)
        made.lists = (_PLACES if volumes else _WAYPOINTS) & columns.keys()
    if "start" in columns or "start_s" in columns:
        made.missing = {
            name: np.isnan(column)
            for name, column in columns.items()
            if column.dtype.kind == "f" and name.startswith(("lower_", "upper_", "radius", "half"))
        }
    return made
