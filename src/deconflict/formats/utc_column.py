"""Many instants as text at once: seconds since 1970 of a whole column."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.instant import MAX_UTC_MS, parse_utc
from deconflict.airspace.where import parse_each

__all__ = ["seconds_of_utc"]

_FORM: Final = b"0000-00-00T00:00:00.000Z"
_SECONDS: Final = b"0000-00-00T00:00:00Z"
_ZERO: Final = ord("0")


def seconds_of_utc(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the instants in seconds since 1970-01-01T00:00:00Z, exact to the millisecond.

    Read as `parse_utc` reads each: ``2015-09-30T06:12:00Z`` or with ``.mmm`` milliseconds.

    Raises:
        InvalidTimeError: one is not spelled so; the text begins with its index, ``[3]: …``.

    >>> seconds_of_utc(["2015-09-30T06:12:00Z", "2015-09-30T06:12:00.250Z"]).tolist()
    [1443593520.0, 1443593520.25]
    """
    joined = "".join(texts)
    for form in (_SECONDS, _FORM):
        # The lengths are compared one by one: a short and a long one could even out.
        if joined.isascii() and set(map(len, texts)) == {len(form)}:
            known = _fixed(np.frombuffer(joined.encode(), np.uint8).reshape(-1, len(form)), form)
            if known is not None:
                return known
    return np.array(parse_each(texts, parse_utc), dtype=np.float64) / 1000


def _fixed(cells: NDArray[np.uint8], form: bytes) -> NDArray[np.float64] | None:
    """Return the instants of texts that all have this form; None when one is out of the common."""
    digits = (cells - _ZERO).astype(np.int64)
    shape = np.frombuffer(form, np.uint8)
    is_digit = shape == _ZERO
    if not ((digits[:, is_digit] < 10).all() and (cells[:, ~is_digit] == shape[~is_digit]).all()):
        return None

    def number(start: int, end: int) -> NDArray[np.int64]:
        value = digits[:, start].copy()
        for k in range(start + 1, end):
            value = value * 10 + digits[:, k]
        return value

    year, month, day = number(0, 4), number(5, 7), number(8, 10)
    hour, minute, second = number(11, 13), number(14, 16), number(17, 19)
    if not (
        (year >= 1970).all() and (month >= 1).all() and (month <= 12).all() and (day >= 1).all()
        and (hour < 24).all() and (minute < 60).all() and (second < 60).all()
    ):  # fmt: skip
        return None
    months = (year - 1970) * 12 + month - 1
    begins = months.astype("datetime64[M]").astype("datetime64[D]")
    lasts = (months + 1).astype("datetime64[M]").astype("datetime64[D]") - begins
    if not (day <= lasts.astype(np.int64)).all():
        return None
    days = begins.astype(np.int64) + day - 1
    ms = number(20, 23) if len(form) == len(_FORM) else np.int64(0)
    utc_ms = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + ms
    if not (utc_ms <= MAX_UTC_MS).all():
        return None
    return np.asarray(utc_ms / 1000)
