"""What a party flies as the tubes of a check, and what is found as times and places of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidInputError
from deconflict.messages.declaration import Declaration
from deconflict.sealed.cover import cover
from deconflict.sealed.grid import Cell, Grid, cell_id, cell_of
from deconflict.sealed.plane import Plane
from deconflict.sealed.tubes import Area, Conversions, Tube, filled
from deconflict.separation import AltitudeConversions

__all__ = ["Met", "Sortie", "conversions_to", "flown", "met", "named", "plan_of", "require_within"]

_E7: Final = 10_000_000


@dataclass(frozen=True, slots=True, repr=False)
class Sortie:
    """One flight or area of the own plan on the plane of a grid."""

    name: str
    pieces: tuple[Tube | Area, ...]

    def is_in(self, grid: Grid) -> bool:
        """True exactly when something of it may lie within the period, widened by the minima.

        A flight that has just landed when the period begins is still too close to one that begins.
        """
        early_ms = grid.start_ms - grid.minima.time_ms
        late_ms = grid.end_ms + grid.minima.time_ms
        return any(
            first <= late_ms and early_ms <= last for first, last in map(_span_ms, self.pieces)
        )

    def __repr__(self) -> str:
        """Say that there is one, and nothing of it."""
        return "Sortie(...)"


class Met(msgspec.Struct, frozen=True):
    """Where and when an own sortie comes too close to something of the peer's.

    It says one cell of the own plan: the peer is within the minima and a cell of it, then.

    Attributes:
        sorties: names of the own sorties that are in the cell then.
        slot: of the grid that was checked, the refined one in a finer check.
        start_utc, end_utc: while it holds.
        lat_e7, lon_e7: the middle of the cell, ten-millionths of a degree.
        side_mm: how wide the cell is.
        reference: of the altitudes.
        lower_tmm, upper_tmm: its altitudes.
        cell: its ten bytes in hexadecimal digits, by which a closer look is compared with it;
            empty in what was kept before it was noted.
    """

    sorties: tuple[str, ...]
    slot: int
    start_utc: str
    end_utc: str
    lat_e7: int
    lon_e7: int
    side_mm: int
    reference: AltitudeReference
    lower_tmm: int
    upper_tmm: int
    cell: str = ""


def conversions_to(reference: AltitudeReference, known: AltitudeConversions) -> Conversions:
    """Return from each reference what to add to have altitudes in another, as agreed."""
    found = {source: known.between(source, reference) for source in AltitudeReference}
    return {source: width for source, width in found.items() if width is not None}


def flown(
    declarations: Iterable[Declaration], grid: Grid, conversions: Conversions
) -> tuple[Sortie, ...]:
    """Return the sorties of a plan that may lie within the period of a grid.

    What is over before it, or begins after it, cannot be met in it and is left out.

    Raises:
        InvalidInputError: one cannot be compared with the grid.
    """
    sorties = (
        Sortie(
            each.label or each.declaration_id[:12],
            filled(each.geometry, grid, conversions),
        )
        for each in declarations
    )
    return tuple(sortie for sortie in sorties if sortie.is_in(grid))


def plan_of(sorties: Iterable[Sortie]) -> tuple[Tube | Area, ...]:
    """Return all pieces of some sorties, in their order: what is committed to."""
    return tuple(piece for sortie in sorties for piece in sortie.pieces)


def named(names: Sequence[tuple[str, int]], plan: Sequence[Tube | Area]) -> tuple[Sortie, ...]:
    """Return the sorties of a plan again, from their names and how many pieces each has."""
    pieces = iter(plan)
    return tuple(Sortie(name, tuple(next(pieces) for _ in range(count))) for name, count in names)


def require_within(
    sorties: Sequence[Sortie], grid: Grid, *, most: int, cells_in_slot: int | None
) -> None:
    """Return when a plan is within what was agreed of each side.

    Args:
        sorties: those of the period.
        grid: the agreed one.
        most: sorties in a period.
        cells_in_slot: that one sortie may fill in one slot; None where that is not counted.

    Raises:
        InvalidInputError: it is not. Nothing is left out of a check.
    """
    if len(sorties) > most:
        raise InvalidInputError(
            "more sorties are flown than a private check may have",
            given=f"{len(sorties):,} in the period",
            expected=f"at most {most:,}, as the terms say",
            remedy="agree on more, or declare some openly: it is NOT CHECKED",
        )
    if cells_in_slot is None:
        return
    for sortie in sorties:
        by_slot: dict[int, int] = defaultdict(int)
        for slot, *_ in cover(sortie.pieces, grid):
            by_slot[slot] += 1
        fullest = max(by_slot.values(), default=0)
        if fullest > cells_in_slot:
            raise InvalidInputError(
                "a sortie fills more cells at one time than a private check allows",
                given=f"{sortie.name}: {fullest:,} cells in a slot",
                expected=f"at most {cells_in_slot:,}, as the terms say",
                remedy="plan it narrower, agree on more, or declare it openly: it is NOT CHECKED",
            )


def met(hits: Iterable[bytes], sorties: Sequence[Sortie], grid: Grid) -> tuple[Met, ...]:
    """Return own cells that were found as times and places, the earliest first.

    Args:
        hits: ids of own cells.
        sorties: what was checked.
        grid: the grid that was checked, refined in a finer check.
    """
    cells = sorted(map(cell_of, hits))
    if not cells:
        return ()
    wanted = set(cells)
    fills = [(sortie.name, cover(sortie.pieces, grid) & wanted) for sortie in sorties]
    plane = Plane(grid.origin)
    return tuple(
        _met(cell, tuple(name for name, filled_by in fills if cell in filled_by), plane, grid)
        for cell in cells
    )


def _met(cell: Cell, names: tuple[str, ...], plane: Plane, grid: Grid) -> Met:
    slot, x, y, level = cell
    lat_deg, lon_deg = plane.position_of(
        grid.west_mm + (x + 0.5) * grid.cell_mm, grid.south_mm + (y + 0.5) * grid.cell_mm
    )
    start_ms = grid.start_ms + slot * grid.slot_ms
    lower_tmm = grid.floor_tmm + level * grid.level_tmm
    return Met(
        sorties=tuple(dict.fromkeys(names)),
        slot=slot,
        start_utc=format_utc(start_ms),
        end_utc=format_utc(start_ms + grid.slot_ms),
        lat_e7=round(lat_deg * _E7),
        lon_e7=round(lon_deg * _E7),
        side_mm=grid.cell_mm,
        reference=grid.reference,
        lower_tmm=lower_tmm,
        upper_tmm=lower_tmm + grid.level_tmm,
        cell=cell_id(cell).hex(),
    )


def _span_ms(piece: Tube | Area) -> tuple[int, int]:
    if isinstance(piece, Tube):
        return piece.knots[0].at_ms - piece.shift_ms, piece.knots[-1].at_ms + piece.shift_ms
    return piece.start_ms, piece.end_ms
