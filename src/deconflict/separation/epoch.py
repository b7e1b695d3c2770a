"""Instants that cannot be meant, and which unit they were most likely written in."""

from typing import Final

import numpy as np

__all__ = ["LATEST_S", "unit_remedy"]

LATEST_S: Final = 1e11  # year 5138: seconds may count from any instant, but not in thousandths
_UNITS: Final = (("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9))
_SINCE_S, _UNTIL_S = 631_152_000.0, 4_102_444_800.0  # 1990 to 2099: what is planned, or was flown


def unit_remedy(value: float, name: str) -> str:
    """Return what to do about a time that is out of range, by the unit that it seems to be in.

    >>> unit_remedy(1_443_592_800_000.0, "time_s")
    'these are milliseconds since 1970, it seems (2015-09-30): divide by 1000, or name it time and \
write timestamps'
    """
    for unit, per_second in _UNITS:
        if _SINCE_S <= value / per_second <= _UNTIL_S:
            day = np.datetime64(int(value / per_second), "s").astype("datetime64[D]")
            return (
                f"these are {unit} since 1970, it seems ({day}): divide by {per_second:.0f}, or "
                f"name it {name.removesuffix('_s')} and write timestamps"
            )
    return "check the unit and what it is counted from"
