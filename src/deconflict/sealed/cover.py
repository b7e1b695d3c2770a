"""The cells that a plan touches: exactly, in whole numbers, and wider by a reach where asked.

What a party puts into a private check are the cells its plan touches; what the other side holds
against them are the cells that its own plan touches when it is widened by the minima. A place in
one plan that is within the minima of a place in the other lies in the widened plan, so its cell is
in both sets: **no meeting is lost**, as long as true positions stay in the tubes.

A row of cells and a straight piece with a rounded rim are both convex, so the cells touched in one
row follow one another: their ends are estimated outward and moved in, cell by cell, by a test that
is exact. An arbiter who computes this again gets the same cells.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from deconflict.airspace.altitude import feet_and_metres
from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidGeometryError
from deconflict.sealed.grid import Cell, Grid, Reach
from deconflict.sealed.tubes import Area, Knot, Point, Tube

__all__ = ["MOST_CELLS", "cover"]

MOST_CELLS: Final = 20_000_000
_CUT_MM: Final = 2  # a place between knots is rounded down by less than a millimetre each way
_NO_REACH: Final = Reach()

_Square = tuple[int, int]
_Span = tuple[int, range]  # a row, and columns of it


def cover(
    tubes: Iterable[Tube | Area],
    grid: Grid,
    reach: Reach = _NO_REACH,
    *,
    slots: Collection[int] | None = None,
) -> set[Cell]:
    """Return every cell of the grid that these touch when widened by ``reach``.

    What lies before or after the grid's period counts for nothing: the check is about the period.

    Args:
        tubes: on the plane of this grid.
        grid: whose cells.
        reach: none for one's own cells; the minima for those held against the peer's. What is
            widened beyond the rim is left out there, for the peer has no cells outside.
        slots: only cells of these; None for all. A closer look at a few slots has no time and no
            room for the finer cells of a whole day.

    Raises:
        InvalidGeometryError: within the period something itself leaves the grid, so that a meeting
            there would be missed; or it fills more cells than can be checked.
    """
    found: set[Cell] = set()
    wanted = None if slots is None else frozenset(slots)
    for tube in tubes:
        parts = (
            _flown(tube, grid, reach, wanted)
            if isinstance(tube, Tube)
            else _held(tube, grid, reach, wanted)
        )
        for touched, squares, levels in parts:
            _require_few(len(found) + len(touched) * len(squares) * len(levels))
            found.update(
                (slot, x, y, level) for slot in touched for x, y in squares for level in levels
            )
    return found


_Part = tuple[Sequence[int], set[_Square], Sequence[int]]
_Wanted = frozenset[int] | None


def _require_few(cells: int) -> None:
    if cells > MOST_CELLS:
        raise InvalidGeometryError(
            "this fills more cells than can be checked",
            given=f"more than {MOST_CELLS:,}",
            expected="a smaller area, a shorter time or a coarser grid",
            remedy="declare it openly: it is NOT CHECKED",
        )


def _flown(tube: Tube, grid: Grid, reach: Reach, wanted: _Wanted) -> Iterator[_Part]:
    aside_mm = tube.aside_mm + reach.horizontal_mm + _CUT_MM
    early_ms = tube.shift_ms + reach.time_ms
    for one, other in pairwise(tube.knots):
        # As flown without the shift, at which of the slots can it be here?
        slots = _slots(one.at_ms - early_ms, other.at_ms + early_ms, grid, wanted)
        for slot in slots:
            begins_ms = grid.start_ms + slot * grid.slot_ms - early_ms
            ends_ms = begins_ms + grid.slot_ms + 2 * early_ms
            start = _between(one, other, max(one.at_ms, begins_ms))
            end = _between(one, other, min(other.at_ms, ends_ms))
            lower = min(start.altitude_tmm, end.altitude_tmm) - tube.below_tmm
            upper = max(start.altitude_tmm, end.altitude_tmm) + tube.above_tmm + 1
            levels = _levels(lower, upper, grid, reach, start.at_ms)
            if one.altitude_tmm == other.altitude_tmm or len(levels) == 1:
                piece = ((start.x_mm, start.y_mm), (end.x_mm, end.y_mm))
                parts: Iterable[_Climbed] = ((piece, levels),)
            else:
                within = (max(one.at_ms, begins_ms), min(other.at_ms, ends_ms))
                parts = _climbed(one, other, within, tube, grid, reach, levels)
            for piece, some in parts:
                squares = _squares((piece,), (), aside_mm, grid, reach, start.at_ms)
                yield (slot,), squares, some


_Piece = tuple[Point, Point]
_Climbed = tuple[_Piece, Sequence[int]]


def _climbed(
    one: Knot,
    other: Knot,
    within_ms: tuple[int, int],
    tube: Tube,
    grid: Grid,
    reach: Reach,
    levels: Sequence[int],
) -> Iterator[_Climbed]:
    """Yield the part of a climb or descent that is at each level, between two instants.

    All squares of a slot at all its levels would be more than the tube touches, by as much as is
    climbed in a slot. Shares of the way are whole numbers of the same fraction, so this is exact.
    """
    climb, lasts = other.altitude_tmm - one.altitude_tmm, other.at_ms - one.at_ms
    whole = lasts * abs(climb)
    begins, ends = ((at_ms - one.at_ms) * abs(climb) for at_ms in within_ms)
    same: dict[tuple[int, int], list[int]] = {}
    for level in levels:
        floor = grid.floor_tmm + level * grid.level_tmm - one.altitude_tmm
        lowest = floor - tube.above_tmm - reach.vertical_tmm
        highest = floor + grid.level_tmm + tube.below_tmm + reach.vertical_tmm
        enters, leaves = (lowest, highest) if climb > 0 else (-highest, -lowest)
        span = (max(begins, enters * lasts), min(ends, leaves * lasts))
        if span[0] <= span[1]:
            same.setdefault(span, []).append(level)
    for span, some in same.items():
        start, end = (
            (
                one.x_mm + (other.x_mm - one.x_mm) * share // whole,
                one.y_mm + (other.y_mm - one.y_mm) * share // whole,
            )
            for share in span
        )
        yield (start, end), some


def _held(area: Area, grid: Grid, reach: Reach, wanted: _Wanted) -> Iterator[_Part]:
    slots = _slots(area.start_ms - reach.time_ms, area.end_ms + reach.time_ms, grid, wanted)
    if not slots:
        return
    aside_mm = area.aside_mm + reach.horizontal_mm
    squares = _squares(area.paths, area.ring, aside_mm, grid, reach, area.start_ms)
    yield slots, squares, _levels(area.lower_tmm, area.upper_tmm, grid, reach, area.start_ms)


def _between(one: Knot, other: Knot, at_ms: int) -> Knot:
    """Return where the straight piece is at an instant, rounded down to whole numbers."""
    passed, lasts = at_ms - one.at_ms, other.at_ms - one.at_ms
    return Knot(
        at_ms,
        one.x_mm + (other.x_mm - one.x_mm) * passed // lasts,
        one.y_mm + (other.y_mm - one.y_mm) * passed // lasts,
        one.altitude_tmm + (other.altitude_tmm - one.altitude_tmm) * passed // lasts,
    )


# ---- numbers of cells ------------------------------------------------------------------------


def _slots(start_ms: int, end_ms: int, grid: Grid, wanted: _Wanted) -> Sequence[int]:
    touched = _touched(start_ms - grid.start_ms, end_ms - grid.start_ms, grid.slot_ms)
    within = range(max(touched.start, 0), min(touched.stop, grid.slots))
    return within if wanted is None else [slot for slot in within if slot in wanted]


def _levels(lower_tmm: int, upper_tmm: int, grid: Grid, reach: Reach, at_ms: int) -> range:
    if lower_tmm < grid.floor_tmm or upper_tmm > grid.ceiling_tmm:
        raise InvalidGeometryError(
            "this flies outside the levels of the grid",
            given=f"{feet_and_metres(lower_tmm)} to {feet_and_metres(upper_tmm)}"
            f" at {format_utc(at_ms)}",
            expected=f"{feet_and_metres(grid.floor_tmm)} to {feet_and_metres(grid.ceiling_tmm)}",
            remedy="declare it openly, or agree on a higher grid: it is NOT CHECKED",
        )
    touched = _touched(
        lower_tmm - reach.vertical_tmm - grid.floor_tmm,
        upper_tmm + reach.vertical_tmm - grid.floor_tmm,
        grid.level_tmm,
    )
    return range(max(touched.start, 0), min(touched.stop, grid.levels))


def _touched(start: int, end: int, side: int) -> range:
    """Return the closed intervals of one side that a closed interval touches."""
    return range(-(-start // side) - 1, end // side + 1)


# ---- squares of the plane --------------------------------------------------------------------


def _squares(
    paths: tuple[tuple[Point, Point], ...],
    ring: tuple[Point, ...],
    aside_mm: int,
    grid: Grid,
    reach: Reach,
    at_ms: int,
) -> set[_Square]:
    found: set[_Square] = set()
    own_mm = aside_mm - reach.horizontal_mm
    for (x0, y0), (x1, y1) in paths:
        if (
            min(x0, x1) - own_mm < grid.west_mm
            or max(x0, x1) + own_mm > grid.east_mm
            or min(y0, y1) - own_mm < grid.south_mm
            or max(y0, y1) + own_mm > grid.north_mm
        ):
            raise InvalidGeometryError(
                "this leaves the grid",
                given=f"at {format_utc(at_ms)}, {min(x0, x1) / 1e6:.1f} to {max(x0, x1) / 1e6:.1f}"
                f" km east and {min(y0, y1) / 1e6:.1f} to {max(y0, y1) / 1e6:.1f} km north of its"
                f" origin, {own_mm / 1e6:.1f} km to each side",
                expected=f"{grid.west_mm / 1e6:.1f} to {grid.east_mm / 1e6:.1f} km east and"
                f" {grid.south_mm / 1e6:.1f} to {grid.north_mm / 1e6:.1f} km north",
                remedy="declare it openly, or agree on a wider grid: it is NOT CHECKED",
            )
        piece = (
            (x0 - grid.west_mm, y0 - grid.south_mm),
            (x1 - grid.west_mm, y1 - grid.south_mm),
        )
        spans = _near(*piece, aside_mm, grid)
        _take(found, spans)
    if ring:
        _take(found, _inside([(x - grid.west_mm, y - grid.south_mm) for x, y in ring], grid))
    return found


def _take(found: set[_Square], spans: Iterator[_Span]) -> None:
    for row, columns in spans:
        _require_few(len(found) + len(columns))
        found.update((column, row) for column in columns)


def _near(one: Point, other: Point, aside_mm: int, grid: Grid) -> Iterator[_Span]:
    """Yield the squares within ``aside_mm`` of a straight piece, row by row."""
    side = grid.cell_mm
    y0, y1 = one[1], other[1]
    rows = _touched(min(y0, y1) - aside_mm, max(y0, y1) + aside_mm, side)
    for row in range(max(rows.start, 0), min(rows.stop, grid.rows)):
        low, high = _across(one, other, row * side - aside_mm, (row + 1) * side + aside_mm)
        columns = _touched(low - aside_mm, high + aside_mm, side)
        first, last = max(columns.start, 0), min(columns.stop, grid.columns) - 1
        while first <= last and not _touches(one, other, aside_mm, first * side, row * side, side):
            first += 1
        while first <= last and not _touches(one, other, aside_mm, last * side, row * side, side):
            last -= 1
        yield row, range(first, last + 1)


def _across(one: Point, other: Point, south: int, north: int) -> tuple[int, int]:
    """Return between which x a straight piece is inside a band of y; it meets the band."""
    (x0, y0), (x1, y1) = (one, other) if one[1] <= other[1] else (other, one)
    if y0 == y1:
        return min(x0, x1), max(x0, x1)
    rise, run = y1 - y0, x1 - x0
    ends = []
    for y in (max(y0, south), min(y1, north)):
        exact = run * (y - y0)
        ends += [x0 + exact // rise, x0 - (-exact // rise)]
    return min(ends), max(ends)


def _touches(one: Point, other: Point, aside_mm: int, west: int, south: int, side: int) -> bool:
    """True exactly when a closed square is within ``aside_mm`` of a straight piece, or on it."""
    (x0, y0), (x1, y1) = one, other
    east, north = west + side, south + side
    limit = aside_mm * aside_mm
    # The nearest two points: an end of the piece and the square, or a corner and the piece.
    for x, y in (one, other):
        dx, dy = max(west - x, x - east, 0), max(south - y, y - north, 0)
        if dx * dx + dy * dy <= limit:
            return True
    along_x, along_y = x1 - x0, y1 - y0
    length2 = along_x * along_x + along_y * along_y
    if length2 == 0:
        return False
    sides = []
    for x, y in ((west, south), (east, south), (east, north), (west, north)):
        dx, dy = x - x0, y - y0
        cross = along_x * dy - along_y * dx
        sides.append(cross)
        if 0 < along_x * dx + along_y * dy < length2 and cross * cross <= limit * length2:
            return True
    # Or it passes through: corners on both sides of it, and its box meets the square's.
    return (
        min(sides) <= 0 <= max(sides)
        and min(x0, x1) <= east
        and max(x0, x1) >= west
        and min(y0, y1) <= north
        and max(y0, y1) >= south
    )


def _inside(ring: Sequence[Point], grid: Grid) -> Iterator[_Span]:
    """Yield the squares whose middle is inside a ring.

    One that the ring does not come near is inside whole or not at all; the others are found along
    the ring itself. In half millimetres, so that a middle is a whole number.
    """
    side = grid.cell_mm
    low, high = min(y for _, y in ring), max(y for _, y in ring)
    for row in range(max(low // side, 0), min(high // side + 1, grid.rows)):
        middle = (2 * row + 1) * side
        crossings = sorted(
            2 * x0 + 2 * (x1 - x0) * (middle - 2 * y0) // (2 * (y1 - y0))
            for (x0, y0), (x1, y1) in pairwise((*ring, ring[0]))
            if (2 * y0 <= middle) != (2 * y1 <= middle)
        )
        for enters, leaves in zip(crossings[::2], crossings[1::2], strict=True):
            first = max(0, -(-(enters - side) // (2 * side)))
            last = min(grid.columns - 1, (leaves - side) // (2 * side))
            yield row, range(first, last + 1)
