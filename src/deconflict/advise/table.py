"""Rows for the kernel, of many objects, and the same rows changed.

What the columns mean: ``docs/reference/separation.md``. An object is a declaration or a flight; it
owns one trajectory or some volumes. Nothing here is changed in place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from deconflict import _kernel
from deconflict.advise.change import Change
from deconflict.separation.arrays import Columns

__all__ = ["Table"]

_POINTS: Final = frozenset(("lat_deg", "lon_deg", "time_s", "altitude_tmm"))
_SURFACE: Final = np.iinfo(np.int64).min
_UNLIMITED: Final = np.iinfo(np.int64).max
_MS_PER_SECOND: Final = 1_000

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Table:
    """Trajectories and volumes as columns, and the object that owns each row, from 0."""

    trajectories: Columns
    volumes: Columns
    path_owner: Rows
    volume_owner: Rows

    @property
    def owner(self) -> Rows:
        """The object of each row, trajectories first as the kernel counts."""
        return np.concatenate((self.path_owner, self.volume_owner))

    def rows_of(self, objects: Sequence[int]) -> Rows:
        """Return the rows of some objects, as the kernel counts them."""
        return np.flatnonzero(np.isin(self.owner, np.asarray(objects, dtype=np.int64)))

    def of(self, objects: Sequence[int]) -> "Table":
        """Return the rows of the objects named, renumbered in that order; one may be repeated."""
        paths, path_owner = _picked(self.path_owner, objects)
        volumes, volume_owner = _picked(self.volume_owner, objects)
        return Table(
            _taken(self.trajectories, paths),
            _taken(self.volumes, volumes),
            path_owner,
            volume_owner,
        )

    def with_others(self, other: "Table") -> "Table":
        """Return both; the objects of the other are numbered from ``start`` on."""
        start = 1 + int(max(self.owner, default=-1))
        return Table(
            _joined(self.trajectories, other.trajectories),
            _joined(self.volumes, other.volumes),
            np.concatenate((self.path_owner, other.path_owner + start)),
            np.concatenate((self.volume_owner, other.volume_owner + start)),
        )

    def set(self, name: str, values: NDArray[Any]) -> "Table":
        """Return the table with one column, named alike in both, of one value an object."""
        kind = self.trajectories[name].dtype
        return Table(
            self.trajectories | {name: values[self.path_owner].astype(kind)},
            self.volumes | {name: values[self.volume_owner].astype(kind)},
            self.path_owner,
            self.volume_owner,
        )

    def changed(self, changes: Sequence[Change]) -> "Table":
        """Return the table with one change an object made, as ``change.changed`` makes it.

        An offset of volumes does nothing.

        Raises:
            ValueError: a row is no path on the Earth.
        """
        level = np.array([change.level_tmm for change in changes], dtype=np.int64)
        shift_s = np.array([change.shift_ms for change in changes], dtype=np.int64) / _MS_PER_SECOND
        paths = _raised(self.trajectories, level[self.path_owner])
        if any(change.offset_mm for change in changes):
            paths = _moved(paths, [changes[k].offset_mm for k in self.path_owner])
        paths = paths | {
            "time_s": paths["time_s"]
            + np.repeat(shift_s[self.path_owner], np.diff(paths["offsets"]))
        }
        volumes = dict(self.volumes)
        by = level[self.volume_owner]
        for name, open_end in (("lower_tmm", _SURFACE), ("upper_tmm", _UNLIMITED)):
            limit = volumes[name]
            volumes[name] = limit + np.where(limit == open_end, 0, by)
        for name in ("start_s", "end_s"):
            volumes[name] = volumes[name] + shift_s[self.volume_owner]
        return Table(paths, volumes, self.path_owner, self.volume_owner)

    def heights_tmm(self, index: int) -> tuple[int, int] | None:
        """Return lowest and highest altitude that a change of level moves.

        None when it moves nothing, or a volume without floor or ceiling, which cannot be moved.
        """
        found: list[int] = []
        for row in np.flatnonzero(self.path_owner == index):
            start, end = self.trajectories["offsets"][row : row + 2]
            altitude = self.trajectories["altitude_tmm"][start:end]
            found += altitude[_moves(altitude)].tolist()
        for row in np.flatnonzero(self.volume_owner == index):
            low, high = (int(self.volumes[name][row]) for name in ("lower_tmm", "upper_tmm"))
            if low == _SURFACE or high == _UNLIMITED:
                return None
            found += [low, high]
        return (min(found), max(found)) if found else None

    def start_s(self, index: int) -> float:
        """Return when an object first is anywhere."""
        offsets = self.trajectories["offsets"][:-1][self.path_owner == index]
        starts = (
            self.trajectories["time_s"][offsets],
            self.volumes["start_s"][self.volume_owner == index],
        )
        return float(np.concatenate(starts).min())

    def end_s(self, index: int) -> float:
        """Return when an object last is anywhere."""
        offsets = self.trajectories["offsets"][1:][self.path_owner == index]
        ends = (
            self.trajectories["time_s"][offsets - 1],
            self.volumes["end_s"][self.volume_owner == index],
        )
        return float(np.concatenate(ends).max())


def _picked(owner: Rows, objects: Sequence[int]) -> tuple[Rows, Rows]:
    order = np.argsort(owner, kind="stable")
    wanted = np.asarray(objects, dtype=np.int64)
    first = np.searchsorted(owner[order], wanted, side="left")
    count = np.searchsorted(owner[order], wanted, side="right") - first
    return order[_ranges(first, count)], np.repeat(np.arange(len(wanted)), count)


def _ranges(first: Rows, count: Rows) -> Rows:
    """Return first[0], first[0] + 1, … of count[0] numbers, then those of the next."""
    before = np.concatenate(([0], np.cumsum(count)))
    return np.arange(before[-1]) + np.repeat(first - before[:-1], count)


def _is_point(name: str, columns: Columns) -> bool:
    return name in _POINTS and name in columns


def _taken(columns: Columns, rows: Rows) -> Columns:
    offsets = columns["offsets"]
    count = np.diff(offsets)[rows]
    points = _ranges(offsets[:-1][rows], count)
    return {
        name: np.concatenate(([0], np.cumsum(count)))
        if name == "offsets"
        else column[points if _is_point(name, columns) else rows]
        for name, column in columns.items()
    }


def _joined(one: Columns, other: Columns) -> Columns:
    return {
        name: np.concatenate((column, other[name][1:] + column[-1]))
        if name == "offsets"
        else np.concatenate((column, other[name]))
        for name, column in one.items()
    }


def _moves(altitude: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which waypoints a change of level moves: not the ends it climbs from or descends to."""
    moves = np.ones(len(altitude), dtype=bool)
    moves[0] = not altitude[0] < altitude[1]
    moves[-1] = not altitude[-1] < altitude[-2]
    return moves


def _raised(columns: Columns, level: NDArray[np.int64]) -> Columns:
    offsets, altitude = columns["offsets"], columns["altitude_tmm"]
    by = np.repeat(level, np.diff(offsets))
    first, last = offsets[:-1], offsets[1:] - 1
    by[first[altitude[first] < altitude[first + 1]]] = 0
    by[last[altitude[last] < altitude[last - 1]]] = 0
    return columns | {"altitude_tmm": altitude + by}


def _moved(columns: Columns, offsets_mm: Sequence[int]) -> Columns:
    at_ms = np.round(columns["time_s"] * _MS_PER_SECOND).astype(np.int64)
    moved = _kernel.moved_aside(
        columns | {"at_ms": at_ms}, np.array(offsets_mm, dtype=np.float64) / 1000
    )
    at_ms = moved.pop("at_ms")
    return columns | moved | {"time_s": at_ms / _MS_PER_SECOND}
