"""The kernel's own entry points, from bytes: columns of any values, as a mistaken caller gives.

The bytes choose how many rows there are and, value by value, whether it is a likely one or any bit
pattern at all. What the kernel refuses, it refuses by its own error; what it takes, it must answer
alike with any number of threads, and by an index as by a screen.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deconflict import _kernel
from deconflict.errors import InvalidGeometryError

__all__ = ["indexed", "kernel_corpus", "screened"]

Columns = dict[str, NDArray[Any]]

MOST_ROWS = 6
MOST_POINTS = 6
KEYS = 4
RAW = 0xFE  # a first byte from here on is followed by any bits
TRAJECTORY_COLUMNS = (
    ("lateral_m", np.float64, 0.0, 5_000.0),
    ("vertical_tmm", np.int64, 0, 3_048_000),
    ("window_s", np.float64, 0.0, 600.0),
    ("party", np.uint32, 0, 3),
    ("purpose", np.uint16, 0, 1),
    ("reference", np.uint8, 0, 1),
    ("side", np.uint8, 0, 2),
)
CIRCLE, CORRIDOR, POLYGON = 0, 1, 2
POINTS = {CIRCLE: 1, CORRIDOR: 2, POLYGON: 3}
VOLUME_COLUMNS = (
    ("reach_m", np.float64, 0.0, 20_000.0),
    ("lower_tmm", np.int64, 0, 50_000_000),
    ("upper_tmm", np.int64, 50_000_000, 90_000_000),
    ("start_s", np.float64, 0.0, 1_800.0),
    ("end_s", np.float64, 1_800.0, 7_200.0),
    ("item", np.uint32, 0, 3),
    ("party", np.uint32, 0, 3),
    ("purpose", np.uint16, 0, 1),
    ("reference", np.uint8, 0, 1),
    ("side", np.uint8, 0, 2),
)


class Bytes:
    """Bytes taken one value after another; nothing but zeros once they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, most: int) -> int:
        """Return a whole number from 0 to ``most``."""
        return int.from_bytes(self._take(1)) % (most + 1)

    def column(self, count: int, kind: Any, least: float, most: float) -> NDArray[Any]:
        """Return so many values of a kind, most of them between two."""
        return np.array([self._value(kind, least, most) for _ in range(count)], dtype=kind)

    def _value(self, kind: Any, least: float, most: float) -> Any:
        first = self._take(1)[0]
        if first >= RAW:
            return np.frombuffer(self._take(np.dtype(kind).itemsize), dtype=kind)[0]
        share = int.from_bytes(bytes([first]) + self._take(2)) / (RAW << 16)
        return np.dtype(kind).type(least + share * (most - least))

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken.ljust(count, b"\0")


def screened(data: bytes) -> None:
    """Screen what the bytes say, twice; raise InvalidGeometryError where the kernel refuses it."""
    taken = Bytes(data)
    tables = _trajectories(taken), _volumes(taken), *_rules(taken)
    one, two = (_asked(_kernel.screen, *tables, threads=threads) for threads in (1, 2))
    for name, column in one.items():
        if column.tobytes() != two[name].tobytes():
            raise AssertionError(f"{name}: {column} in one thread, {two[name]} in two")
    _sound(one)


def indexed(data: bytes) -> None:
    """Put, remove and ask as the bytes say; an index that refused something is as it was."""
    taken = Bytes(data)
    minima, references = _rules(taken)
    index = _asked(_kernel.Index, minima, references)
    there: set[int] = set()
    for _ in range(taken.number(MOST_ROWS)):
        match taken.number(3):
            case 0:
                key = taken.number(KEYS)
                if index.remove(key) != (key in there):
                    raise AssertionError(f"{key} of {there}")
                there.discard(key)
            case 1:
                over = index.drop_before(int(taken.column(1, np.int64, 0, 7_200_000_000)[0]))
                there -= set(over)
            case _:
                rows, areas = _trajectories(taken), _volumes(taken)
                count = len(rows["lateral_m"]) + len(areas["reach_m"])
                keys = np.array([taken.number(KEYS) for _ in range(count)], np.uint64)
                before = len(index)
                try:
                    _asked(index.put, keys, rows, areas)
                except InvalidGeometryError:
                    if len(index) != before:
                        raise AssertionError("a refusal changed the index") from None
                    raise
                there |= {int(key) for key in keys}
        if len(index) != len(there):
            raise AssertionError(f"{len(index)} active, {there} expected")
    _sound(_asked(index.ask, _trajectories(taken), _volumes(taken), 1_000))


def _asked(entry: Any, *arguments: Any, **named: Any) -> Any:
    try:
        return entry(*arguments, **named)
    except _kernel.RefusedInput as refused:
        raise InvalidGeometryError(str(refused)) from refused


def _sound(findings: Columns) -> None:
    for name, column in findings.items():
        if np.asarray(column).dtype == np.float64 and not np.isfinite(column).all():
            raise AssertionError(f"{name}: {column}")


def _offsets(taken: Bytes, counts: list[int]) -> NDArray[np.int64]:
    """Where each row's points begin; now and then not as it should be."""
    counts = [0 if taken.number(60) == 60 else count for count in counts]
    offsets = np.cumsum([0, *counts], dtype=np.int64)
    if taken.number(40) == 40 and len(offsets) > 1:
        offsets[taken.number(len(offsets) - 1)] = taken.column(1, np.int64, -1, 40)[0]
    return offsets


def _trajectories(taken: Bytes) -> Columns:
    rows = taken.number(MOST_ROWS)
    offsets = _offsets(taken, [2 + taken.number(MOST_POINTS) for _ in range(rows)])
    points = max(int(offsets[-1]), 0) % 64
    times = taken.column(points, np.float64, 1.0, 400.0)
    table: Columns = {
        "offsets": offsets,
        "lat_deg": taken.column(points, np.float64, 47.5, 48.5),
        "lon_deg": taken.column(points, np.float64, 8.5, 9.5),
        "time_s": np.cumsum(times) if taken.number(9) else times,
        "altitude_tmm": taken.column(points, np.int64, 0, 90_000_000),
    }
    return table | {name: taken.column(rows, *kind) for name, *kind in TRAJECTORY_COLUMNS}


def _volumes(taken: Bytes) -> Columns:
    rows = taken.number(MOST_ROWS)
    shapes = taken.column(rows, np.uint8, CIRCLE, POLYGON + 0.99)
    offsets = _offsets(taken, [POINTS.get(int(shape), 1) for shape in shapes])
    points = max(int(offsets[-1]), 0) % 64
    table: Columns = {
        "offsets": offsets,
        "lat_deg": taken.column(points, np.float64, 47.5, 48.5),
        "lon_deg": taken.column(points, np.float64, 8.5, 9.5),
        "shape": shapes,
    }
    table |= {name: taken.column(rows, *kind) for name, *kind in VOLUME_COLUMNS}
    if taken.number(9):
        table["reach_m"][shapes == POLYGON] = 0.0
    return table


def _rules(taken: Bytes) -> tuple[Columns, Columns]:
    minima: Columns = {
        "lateral_m": np.full(4, 9_260.0),
        "vertical_tmm": np.full(4, 3_048_000, np.int64),
    }
    if taken.number(4) == 4:
        minima = {
            "lateral_m": taken.column(4, np.float64, 0.0, 20_000.0),
            "vertical_tmm": taken.column(4, np.int64, 0, 9_000_000),
        }
        if taken.number(9):  # the same from either side
            for column in minima.values():
                column[2] = column[1]
    references: Columns = {
        "comparable": np.array([1, 1, 1, 1], np.uint8),
        "offset_lo_tmm": np.array([0, -100_000, -100_000, 0], np.int64),
        "offset_hi_tmm": np.array([0, 100_000, 100_000, 0], np.int64),
    }
    if taken.number(4) == 4:
        references["comparable"] = taken.column(4, np.uint8, 0, 1)
        references["offset_hi_tmm"] = taken.column(4, np.int64, 0, 1_000_000)
    return minima, references


def kernel_corpus() -> Iterator[bytes]:
    """Likely sets, as bytes; the first ones hold no bit pattern that is not a likely value."""
    for seed in range(20):
        rng = Random(seed)
        yield bytes(rng.randrange(RAW if seed < 15 else 256) for _ in range(1_500))
