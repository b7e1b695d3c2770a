"""What a caller gives as arrays, checked before anything is computed: kind, shape, byte order."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deconflict.errors import InvalidDocumentError, InvalidInputError
from deconflict.separation.batch import Batch

__all__ = ["batch_of_arrays", "columns_of", "expect_flag", "expect_whole"]

_SHOWN: Final = 60


def columns_of(given: Any, what: str) -> dict[str, Any]:
    """Return the columns of a mapping by name.

    Args:
        given: what was given.
        what: what it is called: ``flights`` or ``volumes``.

    Raises:
        InvalidDocumentError: it is no mapping, or a name is no text.
    """
    if not isinstance(given, Mapping) and not hasattr(given, "keys"):
        raise InvalidDocumentError(
            f"{what}: these are no columns",
            given=_shown(given),
            expected="a mapping from the names of columns to arrays, an Arrow table, or a value of "
            f"deconflict.{what.capitalize()}",
            remedy="name each array: {'lat_deg': …, 'lon_deg': …}",
        )
    names = list(given.keys())
    for name in names:
        if not isinstance(name, str):
            raise InvalidDocumentError(
                f"{what}: the name of a column is no text",
                given=_shown(name),
                expected="text, such as 'lat_deg'",
            )
    return {name: given[name] for name in names}


def batch_of_arrays(
    columns: Mapping[str, ArrayLike], offsets: ArrayLike | None, lists: frozenset[str], what: str
) -> Batch:
    """Return arrays as a table; those in the machine's own byte order are not copied.

    Args:
        columns: by name, each of one dimension.
        offsets: where each row's part of the ``lists`` begins and ends; None where there are none.
        lists: names of columns that have a value for each waypoint or place.
        what: what the table is called.

    Raises:
        InvalidDocumentError: a column or the offsets are of a kind or shape that says nothing here.
    """
    arrays = {name: _array(column, f"{what}: {name}") for name, column in columns.items()}
    made = Batch(dict(arrays), name=what)
    if offsets is not None:
        made.offsets = _offsets(offsets, what)
        made.lists = lists & arrays.keys()
    return made


def expect_flag(value: object, name: str) -> bool:
    """Return what is True or False, and nothing else that Python takes for it.

    Raises:
        InvalidInputError: it is neither.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise InvalidInputError(
        f"{name} is neither True nor False", given=_shown(value), expected="True or False"
    )


def expect_whole(value: object, name: str, least: int, most: int) -> int:
    """Return a whole number in a range.

    Raises:
        InvalidInputError: it is none, or out of range.
    """
    number = int(value) if isinstance(value, int | np.integer) else None
    if number is not None and not isinstance(value, bool) and least <= number <= most:
        return number
    raise InvalidInputError(
        f"{name} cannot be used",
        given=_shown(value),
        expected=f"a whole number, {least} to {most:,}, or None",
    )


def _offsets(given: ArrayLike, what: str) -> NDArray[np.int64]:
    array = _array(given, f"{what}: offsets")
    if array.dtype.kind not in "iu" and len(array):
        raise InvalidDocumentError(
            f"{what}: the offsets are no whole numbers",
            given=f"{array.dtype}: {_shown(array[:4].tolist())}",
            expected="whole numbers, one more than there are rows, from 0, never falling",
            remedy="none is rounded: offsets.astype(int) where they are whole",
        )
    if array.dtype.kind == "u" and len(array) and int(array.max()) > np.iinfo(np.int64).max:
        raise InvalidDocumentError(
            f"{what}: the offsets are too great", given=str(array.max()), expected="below 2**63"
        )
    return np.ascontiguousarray(array, dtype=np.int64)


def _array(given: ArrayLike, name: str) -> NDArray[Any]:
    # Taken as an array it would lose its mask, and what is masked would be flown to.
    masked = 0
    if isinstance(given, np.ma.MaskedArray):
        masked = int(np.count_nonzero(np.ma.getmaskarray(given)))
    if masked:
        raise InvalidDocumentError(
            f"{name} is a masked array with {masked} values masked",
            given=_shown(given),
            expected="a value everywhere",
            remedy="leave these rows out; NaN says nothing where a column may say nothing",
        )
    try:
        array = np.asarray(given)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidDocumentError(
            f"{name} is no array",
            given=f"{_shown(given)}: {error}".partition("\n")[0][:160],
            expected="values of one kind in one row",
            remedy="put all waypoints into one long array, and where each flight begins in offsets",
        ) from error
    if array.ndim != 1:
        raise InvalidDocumentError(
            f"{name} has {array.ndim} dimensions"
            if array.ndim
            else f"{name} is one thing, no array",
            given=f"shape {array.shape}" if array.ndim else _shown(given),
            expected="one dimension",
            remedy="make it a list or an array, with a value for each row"
            if array.ndim == 0
            else "flatten it with .ravel(), and say in offsets where each flight begins",
        )
    if array.dtype.kind == "S":
        try:
            return np.char.decode(array, "utf-8")
        except UnicodeDecodeError as error:
            raise InvalidDocumentError(
                f"{name} holds bytes that are no UTF-8", given=f"{error}"[:120], expected="text"
            ) from error
    if array.dtype.kind == "U" and isinstance(given, list | tuple):
        _refuse_lost_ends(given, name)
    if array.dtype.kind == "O" and len(array):
        _refuse_instants(array, name)
    # What counts in another order than this machine is turned round once; all else is not copied.
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _refuse_lost_ends(given: Any, name: str) -> None:
    """Refuse text that ends with NUL: NumPy drops it, and one name would become another."""
    for row, text in enumerate(given):
        if isinstance(text, str) and text.endswith("\0"):
            raise InvalidDocumentError(
                f"{name}: row {row} ends with a NUL character",
                given=f"{text!r:.{_SHOWN}}",
                expected="printable characters",
            )


def _refuse_instants(array: NDArray[Any], name: str) -> None:
    """Say what to do with instants as Python objects, which is how zones come out of tables."""
    first = array[0]
    if hasattr(first, "tzinfo") and hasattr(first, "isoformat"):
        raise InvalidDocumentError(
            f"{name} holds instants as Python objects",
            given=_shown(first),
            expected="an array of datetime64, UTC",
            remedy="a pandas Series: column.dt.tz_convert('UTC').dt.tz_localize(None)",
        )


def _shown(value: object) -> str:
    kind = type(value).__name__
    if isinstance(value, np.ndarray):
        return f"{kind} of {value.dtype}, shape {value.shape}"
    return f"{kind} {value!r:.{_SHOWN}}" if value is not None else "None"
