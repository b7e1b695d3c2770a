"""Protected sites as cells: dilated, with labels, and decoys among them.

Who protects sites (hospitals, convoys' halts, nests) holds a list that nobody may have; who plans
an activity may not show it either. Both become squares of one grid without time and height: the
protector's are widened by the radius of each site, so who plans within the radius of a site has a
square of it (:mod:`.site_check` compares them).

A planner who asks often enough maps the list. **Decoys** make such a map worth less: they are
sites that are none, the same ones in every check, or asking twice would tell them apart. They cost
honest planners false warnings.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import msgspec

from deconflict.errors import InvalidInputError
from deconflict.line.canonical import canonical_bytes
from deconflict.sealed.cover import cover
from deconflict.sealed.grid import CANARY_LEVEL, Cell, Grid, Reach, cell_id
from deconflict.sealed.tubes import Area, Tube

__all__ = [
    "CANARIES",
    "Site",
    "activity_squares",
    "decoys",
    "ids",
    "named",
    "site_canaries",
    "site_squares",
    "sites_bytes",
]

CANARIES: Final = 16
_DECOY: Final = b"deconflict/1 sealed decoy\n"
_LAST: Final = 0xFFFF


@dataclass(frozen=True, slots=True, repr=False)
class Site:
    """What is protected, or looks like it.

    Attributes:
        label: what a planner who comes near is told; empty for nothing but that.
        areas: where it is, on the plane of the grid; their times and altitudes count for nothing.
        radius_mm: how far from it others must stay.
        decoy: whether there is nothing. It changes no byte of a check.
    """

    label: str
    areas: tuple[Area, ...]
    radius_mm: int
    decoy: bool = False

    def __repr__(self) -> str:
        """Say that it is one, and nothing of it."""
        return "Site(...)"


def site_squares(sites: Iterable[Site], grid: Grid) -> dict[Cell, str]:
    """Return every square within the radius of a site, with the label of the first such site.

    Args:
        sites: the most important first.
        grid: of one slot and one level.

    Raises:
        InvalidGeometryError: a site itself leaves the grid, or fills more cells than can be
            checked. What is widened over the rim is left out: no planner has squares there.
        InvalidInputError: the grid has slots or levels, or a radius is no whole number.
    """
    _require_flat(grid)
    found: dict[Cell, str] = {}
    for site in sites:
        flat = [_on_the_ground(area, grid) for area in site.areas]
        for cell in cover(flat, grid, Reach(horizontal_mm=site.radius_mm)):
            found.setdefault(cell, site.label)
    return found


def activity_squares(plan: Iterable[Tube | Area], grid: Grid) -> set[Cell]:
    """Return every square that an activity touches, whenever and however high.

    Raises:
        InvalidGeometryError: it leaves the grid, or fills more cells than can be checked. It is NOT
            CHECKED then.
        InvalidInputError: the grid has slots or levels.
    """
    _require_flat(grid)
    return cover([_on_the_ground(each, grid) for each in plan], grid)


def decoys(
    secret: bytes, count: int, grid: Grid, *, radius_mm: int, labels: Sequence[str] = ("",)
) -> tuple[Site, ...]:
    """Return so many sites that are none, the same for the same secret.

    They are points, anywhere on the grid: where real sites stand only where people live, choose
    decoys by hand there instead.

    Args:
        secret: 32 bytes, kept as long as the list: another one would show which were decoys.
        count: how many.
        grid: of the sites.
        radius_mm: as of the real ones.
        labels: as the real ones have; taken in turn.

    Raises:
        InvalidInputError: the secret has another length.
    """
    if len(secret) != 32:
        raise InvalidInputError(
            "the secret of decoys has another length",
            given=f"{len(secret)} bytes",
            expected="32 bytes",
        )
    made = []
    for number in range(count):
        drawn = hashlib.sha512(_DECOY + secret + number.to_bytes(8)).digest()
        x_mm = grid.west_mm + int.from_bytes(drawn[:32]) % (grid.columns * grid.cell_mm)
        y_mm = grid.south_mm + int.from_bytes(drawn[32:]) % (grid.rows * grid.cell_mm)
        middle = (x_mm, y_mm)
        area = Area(((middle, middle),), (), 0, *_no_height(grid))
        made.append(Site(labels[number % len(labels)], (area,), radius_mm, decoy=True))
    return tuple(made)


def site_canaries() -> frozenset[bytes]:
    """Return the cells that both sides put in and no site or activity holds.

    They lie spread through the order of cells, the last one at its end.
    """
    step = (_LAST + 1) // CANARIES
    xs = [step * (number + 1) - 1 for number in range(CANARIES)]
    return frozenset(cell_id((0, x, _LAST, CANARY_LEVEL)) for x in xs)


def sites_bytes(sites: Sequence[Site]) -> bytes:
    """Return the canonical bytes of a list: what is committed to, and given to an arbiter."""
    return canonical_bytes([msgspec.to_builtins(site) for site in sites])


def named(squares: Mapping[Cell, str]) -> dict[bytes, str]:
    """Return the same by the ten bytes of each square."""
    return {cell_id(cell): label for cell, label in squares.items()}


def ids(squares: Collection[Cell]) -> frozenset[bytes]:
    """Return the ten bytes of each square."""
    return frozenset(map(cell_id, squares))


def _require_flat(grid: Grid) -> None:
    if grid.slots != 1 or grid.levels != 1:
        raise InvalidInputError(
            "a grid of sites has neither slots nor levels",
            given=f"{grid.slots} slots and {grid.levels} levels",
            expected="one of each: sites stand all the time, and count from the ground up",
        )


def _on_the_ground(each: Tube | Area, grid: Grid) -> Area:
    """Return the same at the one instant and the one level that a grid of sites looks at."""
    lower, upper, start, end = _no_height(grid)
    if isinstance(each, Area):
        return replace(each, lower_tmm=lower, upper_tmm=upper, start_ms=start, end_ms=end)
    points = [(knot.x_mm, knot.y_mm) for knot in each.knots]
    return Area(tuple(pairwise(points)), (), each.aside_mm, lower, upper, start, end)


def _no_height(grid: Grid) -> tuple[int, int, int, int]:
    return grid.floor_tmm, grid.floor_tmm, grid.start_ms, grid.start_ms
