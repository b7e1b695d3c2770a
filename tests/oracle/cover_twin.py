"""Slow twin of `sealed.cover`: every cell of a small grid, by exact fractions and another geometry.

Nothing of it is shared with what it checks: a cell is asked for its least distance to the tube,
found by clipping the piece to the cell's rows and columns one after another.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product

from deconflict.sealed.grid import Cell, Grid, Reach
from deconflict.sealed.tubes import Area, Tube

Place = tuple[Fraction, Fraction]
Piece = tuple[tuple[Place, Place], tuple[Fraction, Fraction], tuple[int, int], int]


def touched(tube: Tube | Area, grid: Grid, reach: Reach, *, slack_mm: int = 0) -> set[Cell]:
    """Every cell within ``reach`` and ``slack_mm`` of a tube or an area, each looked at."""
    found = set()
    for slot in range(grid.slots):
        for piece in _parts(tube, grid, reach, slot):
            for level in range(grid.levels):
                floor = grid.floor_tmm + level * grid.level_tmm
                vertical = reach.vertical_tmm + slack_mm
                at_level = _at_level(piece, floor - vertical, floor + grid.level_tmm + vertical)
                if at_level is None:
                    continue
                start, end, aside = at_level
                for x, y in product(range(grid.columns), range(grid.rows)):
                    west = grid.west_mm + x * grid.cell_mm
                    south = grid.south_mm + y * grid.cell_mm
                    box = (west, south, west + grid.cell_mm, south + grid.cell_mm)
                    limit = aside + reach.horizontal_mm + slack_mm
                    near = distance2(start, end, box) <= limit * limit
                    if near or (isinstance(tube, Area) and _middle_inside(tube.ring, box)):
                        found.add((slot, x, y, level))
    return found


def _at_level(
    piece: Piece, floor: Fraction | int, ceiling: Fraction | int
) -> tuple[Place, Place, int] | None:
    """The part of a piece whose band of altitudes touches a level; None where none does."""
    (start, end), (first, last), (below, above), aside = piece
    lowest, highest = floor - above, ceiling + below  # of the middle
    if first == last:
        return (start, end, aside) if lowest <= first <= highest else None
    shares = sorted(Fraction(altitude - first) / (last - first) for altitude in (lowest, highest))
    enters, leaves = max(shares[0], Fraction(0)), min(shares[1], Fraction(1))
    if enters > leaves:
        return None
    one, other = (
        (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
        for share in (enters, leaves)
    )
    return one, other, aside


def _parts(tube: Tube | Area, grid: Grid, reach: Reach, slot: int) -> Iterator[Piece]:
    """Pieces of the way in a slot, the altitudes of their ends, and how far they may be off."""
    begins = grid.start_ms + slot * grid.slot_ms - reach.time_ms
    ends = begins + grid.slot_ms + 2 * reach.time_ms
    if isinstance(tube, Area):
        if tube.start_ms <= ends and tube.end_ms >= begins:
            for one, other in tube.paths:
                ends_of = tuple((Fraction(x), Fraction(y)) for x, y in (one, other))
                lower = Fraction(tube.lower_tmm)
                yield ends_of, (lower, lower), (0, tube.upper_tmm - tube.lower_tmm), tube.aside_mm
        return
    for one, other in pairwise(tube.knots):
        first = max(one.at_ms, begins - tube.shift_ms)
        last = min(other.at_ms, ends + tube.shift_ms)
        if first > last:
            continue
        shares = [Fraction(at - one.at_ms, other.at_ms - one.at_ms) for at in (first, last)]
        start, end = (
            (
                one.x_mm + (other.x_mm - one.x_mm) * share,
                one.y_mm + (other.y_mm - one.y_mm) * share,
            )
            for share in shares
        )
        altitudes = [
            one.altitude_tmm + (other.altitude_tmm - one.altitude_tmm) * share for share in shares
        ]
        yield (start, end), tuple(altitudes), (tube.below_tmm, tube.above_tmm), tube.aside_mm


def distance2(start: Place, end: Place, box: tuple[int, int, int, int]) -> Fraction:
    """The square of the least distance of a straight piece and a closed box.

    The distance to a box is convex along a piece, and made of quadratics that change where the
    piece crosses one of the box's four lines: the least is at a crossing, an end, or where one of
    the quadratics in between has its own least.
    """
    west, south, east, north = box
    (x0, y0), (x1, y1) = start, end
    shares = {Fraction(0), Fraction(1)}
    for here, there, lines in ((x0, x1, (west, east)), (y0, y1, (south, north))):
        if here != there:
            shares |= {Fraction(line - here) / (there - here) for line in lines}
    length2 = (x1 - x0) ** 2 + (y1 - y0) ** 2
    if length2:
        for x, y in product((west, east), (south, north)):
            shares.add(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length2)
    return min(
        _to_box(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, box)
        for share in shares
        if 0 <= share <= 1
    )


def _to_box(x: Fraction, y: Fraction, box: tuple[int, int, int, int]) -> Fraction:
    west, south, east, north = box
    dx, dy = max(west - x, x - east, 0), max(south - y, y - north, 0)
    return Fraction(dx * dx + dy * dy)


def _middle_inside(ring: tuple[tuple[int, int], ...], box: tuple[int, int, int, int]) -> bool:
    """True when the middle of the box is inside, by the winding number."""
    if not ring:
        return False
    x, y = Fraction(box[0] + box[2], 2), Fraction(box[1] + box[3], 2)
    winding = 0
    for (ax, ay), (bx, by) in pairwise((*ring, ring[0])):
        left = (bx - ax) * (y - ay) - (x - ax) * (by - ay)
        if ay <= y < by and left > 0:
            winding += 1
        elif by <= y < ay and left < 0:
            winding -= 1
    return winding != 0
