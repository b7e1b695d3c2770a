"""Conflicts as every tool here is asked for them: pairs of flights with stretches of time.

Also the only place outside `deconflict.separation` that knows how the kernel names its times.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Conflicts", "Difference", "compared", "joined", "ours", "seconds"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Pair = tuple[int, int]

TOUCHING_S: Final = 1e-6  # stretches this near are one, and a loss this short is none


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Flights ``i[k] < j[k]`` are under both minima from ``t_in_s[k]`` to ``t_out_s[k]``.

    Sorted by (i, j, t_in_s); stretches of one pair neither overlap nor touch.
    """

    i: IntArray
    j: IntArray
    t_in_s: FloatArray
    t_out_s: FloatArray

    def __len__(self) -> int:
        return len(self.i)

    def as_lists(self) -> dict[str, list[float]]:
        """Return the columns as they go into JSON."""
        return {name: getattr(self, name).tolist() for name in ("i", "j", "t_in_s", "t_out_s")}

    @classmethod
    def from_lists(cls, told: dict[str, list[float]]) -> Self:
        """Return what ``as_lists`` wrote."""
        return cls(
            np.array(told["i"], np.int64),
            np.array(told["j"], np.int64),
            np.array(told["t_in_s"], np.float64),
            np.array(told["t_out_s"], np.float64),
        )

    def pairs(self) -> set[Pair]:
        """Return the pairs that conflict at some time."""
        return set(zip(self.i.tolist(), self.j.tolist(), strict=True))


def seconds(found: dict[str, NDArray[Any]], name: str) -> FloatArray:
    """Return one of the kernel's times, ``t_in``, ``t_out`` or ``cpa_time``, in seconds."""
    in_microseconds = found.get(f"{name}_us")
    if in_microseconds is None:
        return found[f"{name}_s"]
    return in_microseconds / 1e6


def ours(found: dict[str, NDArray[Any]]) -> Conflicts:
    """Return the kernel's findings of trajectories, whatever their verdict."""
    return Conflicts(
        found["i"].astype(np.int64),
        found["j"].astype(np.int64),
        seconds(found, "t_in"),
        seconds(found, "t_out"),
    )


def joined(i: IntArray, j: IntArray, t_in_s: FloatArray, t_out_s: FloatArray) -> Conflicts:
    """Return stretches of pairs in any order, sorted and those that touch made one.

    Stretches of one pair may touch, not overlap: they come of legs that follow one another.
    A stretch of a microsecond at most, after joining, is left out.
    """
    order = np.lexsort((t_in_s, j, i))
    i, j, t_in_s, t_out_s = i[order], j[order], t_in_s[order], t_out_s[order]
    fresh = np.ones(len(i), dtype=bool)
    fresh[1:] = (np.diff(i) != 0) | (np.diff(j) != 0) | (t_in_s[1:] > t_out_s[:-1] + TOUCHING_S)
    begin = np.flatnonzero(fresh)
    end = np.append(begin[1:], len(i)) - 1 if len(begin) else begin
    long = t_out_s[end] - t_in_s[begin] > TOUCHING_S
    begin, end = begin[long], end[long]
    return Conflicts(i[begin], j[begin], t_in_s[begin], t_out_s[end])


@dataclass(frozen=True, slots=True)
class Difference:
    """What two answers to one question do not share.

    Attributes:
        missing: pairs that only the first has.
        extra: pairs that only the second has.
        stretches: number of stretches that both have, of the pairs that both have.
        apart_s: greatest difference of a beginning or end among those; 0 where there are none.
        uneven: pairs that both have with different numbers of stretches.
    """

    missing: tuple[Pair, ...]
    extra: tuple[Pair, ...]
    stretches: int
    apart_s: float
    uneven: tuple[Pair, ...]

    @property
    def same_pairs(self) -> bool:
        """True exactly when both answers name the same pairs."""
        return not self.missing and not self.extra


def compared(first: Conflicts, second: Conflicts) -> Difference:
    """Return the difference of two answers about the same flights."""
    mine, theirs = _by_pair(first), _by_pair(second)
    apart_s, stretches, uneven = 0.0, 0, []
    for pair in mine.keys() & theirs.keys():
        a, b = mine[pair], theirs[pair]
        if a.shape != b.shape:
            uneven.append(pair)
            continue
        stretches += len(a)
        apart_s = max(apart_s, float(np.abs(a - b).max()))
    return Difference(
        tuple(sorted(mine.keys() - theirs.keys())),
        tuple(sorted(theirs.keys() - mine.keys())),
        stretches,
        apart_s,
        tuple(sorted(uneven)),
    )


def _by_pair(conflicts: Conflicts) -> dict[Pair, FloatArray]:
    """Return an array of (begin, end) for each pair."""
    count = len(conflicts)
    if not count:
        return {}
    fresh = np.ones(count, dtype=bool)
    fresh[1:] = (np.diff(conflicts.i) != 0) | (np.diff(conflicts.j) != 0)
    begin = np.flatnonzero(fresh)
    times = np.split(np.column_stack((conflicts.t_in_s, conflicts.t_out_s)), begin[1:])
    pairs = zip(conflicts.i[begin].tolist(), conflicts.j[begin].tolist(), strict=True)
    return dict(zip(pairs, times, strict=True))
