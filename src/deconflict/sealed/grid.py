"""The grid of a private check: its plane, its cells, and how far apart is too close.

Both parties sign the same grid, so that a cell is the same place and time for both. The plane
touches the WGS84 ellipsoid at the origin; a place is carried onto it straight along the normal
there. So nothing is farther apart on the plane than on the ground: whoever is within the minimum
on the ground is within it on the plane. The price is paid the other way, in false alarms: towards
the rim the plane shortens, by 0.3 % at 500 km, and a grid reaches no farther than 1,000 km.
"""

import struct
from dataclasses import dataclass, replace
from typing import Final

from deconflict.airspace.altitude import AltitudeReference, check_altitude_tmm
from deconflict.airspace.instant import MAX_UTC_MS, check_utc_ms, format_utc
from deconflict.airspace.position import Position
from deconflict.errors import InvalidInputError

__all__ = ["CANARY_LEVEL", "CELL_ID_BYTES", "Cell", "Grid", "Reach", "cell_id", "cell_of"]

CELL_ID_BYTES: Final = 10
CANARY_LEVEL: Final = 0xFFFF  # no cell of a plan lies there
_MOST_ACROSS: Final = 0xFFFF  # cells along x or y, and levels: numbers 0 to 65,534
_MOST_SLOTS: Final = 0xFFFF_FFFF
_FARTHEST_MM: Final = 1_000_000_000

Cell = tuple[int, int, int, int]  # slot, x, y, level


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a cover goes beyond what it covers: aside, above and below, earlier and later.

    Raises:
        InvalidInputError: one of them is no whole number from 0 on.
    """

    horizontal_mm: int = 0
    vertical_tmm: int = 0
    time_ms: int = 0

    def __post_init__(self) -> None:
        for name in ("horizontal_mm", "vertical_tmm", "time_ms"):
            _whole(name, getattr(self, name), 0, _FARTHEST_MM)


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of equal size over a theatre and a period, each closed: a rim belongs to both sides.

    Cell (slot, x, y, level) holds the instants from ``start_ms + slot * slot_ms`` on for
    ``slot_ms``, the places of the plane from ``(west_mm + x * cell_mm, south_mm + y * cell_mm)``
    on, and the altitudes from ``floor_tmm + level * level_tmm`` on.

    Attributes:
        origin: where the plane touches the ellipsoid; x is east there, y north.
        west_mm: x of the western rim.
        south_mm: y of the southern rim.
        cell_mm: the side of a cell.
        columns: cells from west to east.
        rows: cells from south to north.
        reference: of its altitudes; not AGL, which differs from place to place.
        floor_tmm: the lowest altitude; off the flight levels, or each flight fills two levels.
        level_tmm: the height of a cell.
        levels: cells above one another.
        start_ms: when the period begins.
        slot_ms: how long a cell lasts.
        slots: cells after one another.
        minima: who is as near as this or nearer, in all three, is to be found.

    Raises:
        InvalidInputError: a value is out of range, or the grid reaches beyond 1,000 km.
    """

    origin: Position
    west_mm: int
    south_mm: int
    cell_mm: int
    columns: int
    rows: int
    reference: AltitudeReference
    floor_tmm: int
    level_tmm: int
    levels: int
    start_ms: int
    slot_ms: int
    slots: int
    minima: Reach

    def __post_init__(self) -> None:
        if self.reference not in (
            AltitudeReference.W84,
            AltitudeReference.AMSL,
            AltitudeReference.FL,
        ):
            raise InvalidInputError(
                "a grid cannot count its levels from the ground, which differs from place to place",
                given=f"{self.reference!r:.40}",
                expected="W84, AMSL or FL",
            )
        for name in ("west_mm", "south_mm"):
            _whole(name, getattr(self, name), -_FARTHEST_MM, _FARTHEST_MM)
        for name in ("columns", "rows", "levels"):
            _whole(name, getattr(self, name), 1, _MOST_ACROSS)
        _whole("cell_mm", self.cell_mm, 1_000, _FARTHEST_MM)
        _whole("level_tmm", self.level_tmm, 1_000, _FARTHEST_MM)
        _whole("slot_ms", self.slot_ms, 1_000, 86_400_000)
        _whole("slots", self.slots, 1, _MOST_SLOTS)
        check_altitude_tmm(self.floor_tmm, "floor_tmm")
        check_altitude_tmm(self.ceiling_tmm, "the ceiling")
        check_utc_ms(self.start_ms, "start_ms")
        if self.end_ms > MAX_UTC_MS:
            raise InvalidInputError(
                "the period of the grid ends too late",
                given=f"{self.slots} slots of {self.slot_ms} ms from {format_utc(self.start_ms)}",
                expected="the years 1970 to 2199",
            )
        rims = (self.west_mm, self.east_mm, self.south_mm, self.north_mm)
        if max(map(abs, rims)) > _FARTHEST_MM:
            raise InvalidInputError(
                "the grid is too wide for one plane",
                given=f"up to {max(map(abs, rims)) / 1e6:,.0f} km from its origin",
                expected="at most 1,000 km",
                remedy="agree on several grids",
            )

    @property
    def east_mm(self) -> int:
        """X of the eastern rim."""
        return self.west_mm + self.columns * self.cell_mm

    @property
    def north_mm(self) -> int:
        """Y of the northern rim."""
        return self.south_mm + self.rows * self.cell_mm

    @property
    def ceiling_tmm(self) -> int:
        """The highest altitude."""
        return self.floor_tmm + self.levels * self.level_tmm

    @property
    def end_ms(self) -> int:
        """When the period ends."""
        return self.start_ms + self.slots * self.slot_ms

    def refined(self, parts: int) -> "Grid":
        """Return the grid whose cells are these, each cut in ``parts`` along every axis.

        A cell of it lies in one of these, so who meets there met here: going from coarse to fine
        loses nothing.

        Raises:
            InvalidInputError: the sides do not divide evenly, or it has more cells than numbers.
        """
        for name in ("cell_mm", "level_tmm", "slot_ms"):
            if parts < 1 or getattr(self, name) % parts:
                raise InvalidInputError(
                    f"{name} does not divide into {parts} parts",
                    given=f"{name} {getattr(self, name)}, {parts} parts",
                    expected="a grid whose sides are multiples of each refinement",
                )
        return replace(
            self,
            cell_mm=self.cell_mm // parts,
            columns=self.columns * parts,
            rows=self.rows * parts,
            level_tmm=self.level_tmm // parts,
            levels=self.levels * parts,
            slot_ms=self.slot_ms // parts,
            slots=self.slots * parts,
        )


def cell_id(cell: Cell) -> bytes:
    """Return the ten bytes that stand for a cell: slot, x, y and level, most significant first.

    >>> cell_id((1, 2, 3, 4)).hex()
    '00000001000200030004'
    """
    return struct.pack(">IHHH", *cell)


def cell_of(name: bytes) -> Cell:
    """Return the cell that ten bytes stand for.

    Raises:
        InvalidInputError: there are not ten of them.

    >>> cell_of(bytes.fromhex("00000001000200030004"))
    (1, 2, 3, 4)
    """
    if len(name) != CELL_ID_BYTES:
        raise InvalidInputError(
            "this is no cell", given=f"{len(name)} bytes", expected=f"{CELL_ID_BYTES} bytes"
        )
    slot, x, y, level = struct.unpack(">IHHH", name)
    return slot, x, y, level


def _whole(name: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise InvalidInputError(
            f"{name} is out of range",
            given=f"{value!r:.40}",
            expected=f"a whole number from {least:,} to {most:,}",
        )
