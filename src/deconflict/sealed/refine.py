"""From a coarse check to a finer one: where to look again, and what stands after it was done.

A hit of coarse cells says that somebody is within the minima and one cell: most such hits are of
nobody who is within the minima. A finer check looks at the slots of the hits alone. Nothing is
lost by it: a finer cell lies in a coarse one, in time too, so who meets in a finer cell met in the
coarse one around it, and its slot was flagged. **Asking shows the peer which slots had a hit**, so
a person decides, and the slots count against what the terms allow.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from deconflict.errors import InvalidInputError
from deconflict.sealed.cover import cover
from deconflict.sealed.grid import Cell, Grid, cell_id, cell_of
from deconflict.sealed.session import Finding, Outcome
from deconflict.sealed.tubes import Area, Tube

__all__ = [
    "MOST_SLOTS",
    "CloserLook",
    "Looked",
    "Standing",
    "around",
    "closer_look",
    "flagged_slots",
    "joined",
    "standing",
]

MOST_SLOTS: Final = 4_096  # that a shape can name


@dataclass(frozen=True, slots=True, repr=False)
class CloserLook:
    """Where a finer check looks, and what of one's own plan is at stake there.

    Attributes:
        parts: into how many the sides of the coarse cells are cut.
        slots: of the coarse grid, ascending, as the shape of a check names them.
        cells: own cells of the finer grid that lie in cells that were hit. Only these can be hit
            again; a check asks about all own cells of its slots, so that an arbiter can make it
            again without the check before.
        fullest: how many own cells the fullest slot of the finer check has, its canary included.
    """

    parts: int
    slots: tuple[int, ...]
    cells: frozenset[Cell]
    fullest: int

    def __repr__(self) -> str:
        """Say how closely, and nothing of the plan."""
        return f"CloserLook(parts={self.parts}, ...)"


def closer_look(
    hits: Iterable[bytes],
    plan: Sequence[Tube | Area],
    grid: Grid,
    *,
    parts: int,
    closer: int,
    peers: Iterable[int] = (),
    most_slots: int = MOST_SLOTS,
    most_points: int = 65_535,
    most_tags: int | None = None,
) -> CloserLook:
    """Return where to look more closely after a check.

    Args:
        hits: own cells that were hit, as ten bytes each.
        plan: the same as was checked, on the plane of the grid.
        grid: the agreed one, not refined.
        parts: into how many the cells of that check were cut: 1 for the coarse one.
        closer: into how many they shall be cut now; a multiple of ``parts``.
        peers: coarse slots of the peer's hits, as far as it named them.
        most_slots: of the coarse grid, that a finer check may look at.
        most_points: that may be asked of a slot.
        most_tags: widened cells that may be shown, canaries included; None where nobody counts.

    Raises:
        InvalidInputError: nothing was hit, the finer cells do not nest in those, the hits are no
            cells of that grid, or it is more than was agreed. Nothing is left out.

    """
    if parts < 1 or closer <= parts or closer % parts:
        raise InvalidInputError(
            "these cells do not nest in those that were hit",
            given=f"cells cut into {closer} after cells cut into {parts}",
            expected="a larger multiple",
        )
    hit = {cell_of(each) for each in hits}
    slots = joined(_slots_of(hit, parts), peers)
    if not slots:
        raise InvalidInputError(
            "there is nothing to look at more closely", expected="at least one cell that was hit"
        )
    if slots[-1] >= grid.slots:
        raise InvalidInputError(
            "a cell that was hit is in no slot of the grid",
            given=f"slot {slots[-1]}",
            expected=f"0 to {grid.slots - 1}",
        )
    if len(slots) > most_slots:
        raise InvalidInputError(
            "more slots were hit than may be looked at more closely",
            given=f"{len(slots):,}",
            expected=f"at most {most_slots:,}",
            remedy="talk about it openly, or look at some of them: the others stay hits",
        )
    fine = grid.refined(closer)
    wanted = [slot * closer + part for slot in slots for part in range(closer)]
    cells = cover(plan, fine, slots=wanted)
    of_slot = dict.fromkeys(wanted, 1)
    for cell in cells:
        of_slot[cell[0]] += 1
    fullest = max(of_slot.values())
    if fullest > most_points:
        raise InvalidInputError(
            "more is flown at one time than the agreed points of a slot allow for cells this small",
            given=f"{fullest} cells in a slot, its canary included",
            expected=f"at most {most_points}",
            remedy="look less closely, or talk about it openly: the hits stay",
        )
    if most_tags is not None:
        tags = len(wanted) + len(cover(plan, fine, grid.minima, slots=wanted))
        if tags > most_tags:
            raise InvalidInputError(
                "the plan fills more cells this small than the agreed bucket holds",
                given=f"{tags:,} widened cells, canaries included, in {len(slots):,} slots",
                expected=f"at most {most_tags:,}",
                remedy="look at fewer slots at a time, or talk about it openly: the hits stay",
            )
    ratio = closer // parts
    nested = frozenset(cell for cell in cells if _around(cell, ratio) in hit)
    return CloserLook(closer, slots, nested, fullest)


def flagged_slots(hits: Iterable[bytes], parts: int) -> tuple[int, ...]:
    """Return the slots of the coarse grid in which cells of a check lie, ascending.

    Args:
        hits: as ten bytes each.
        parts: into how many the sides of the coarse cells were cut in that check.

    >>> from deconflict.sealed.grid import cell_id
    >>> flagged_slots([cell_id((5, 1, 1, 1)), cell_id((4, 1, 1, 1))], parts=2)
    (2,)
    """
    return _slots_of({cell_of(each) for each in hits}, parts)


def joined(own: Iterable[int], peers: Iterable[int]) -> tuple[int, ...]:
    """Return the slots of a finer check that is complete for both: those of either's hits.

    With the own alone, it is complete for the own hits: what comes near me is then told me, and
    some of what I come near is not told the peer.

    >>> joined([4, 1], [2, 4])
    (1, 2, 4)
    """
    return tuple(sorted({*own, *peers}))


@dataclass(frozen=True, slots=True)
class Looked:
    """One check of a period, coarse or fine.

    Attributes:
        parts: into how many the sides of the coarse cells were cut.
        slots: of the coarse grid; empty for all, as in the coarse check.
        finding: what it found.
    """

    parts: int
    slots: tuple[int, ...]
    finding: Finding


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands after all checks of a period.

    Attributes:
        outcome: HIT as long as one hit stands; NO_HIT only if the coarse check came to its end.
        hits: own cells that stand as hit, with into how many parts their sides are cut.
    """

    outcome: Outcome
    hits: frozenset[tuple[int, bytes]]


def standing(looks: Sequence[Looked]) -> Standing:
    """Return what stands of the hits of a coarse check after finer ones.

    A hit falls when a finer check of its slot came to its end and hit no cell in it. One that was
    broken off clears nothing; what it hit is hit. A finer hit outside all coarse ones means that
    somebody's plan is another one by now: it stands too.

    Args:
        looks: the coarse check, and finer ones of the same period in any order.
    """
    hits: set[tuple[int, bytes]] = set()
    whole = False
    for look in sorted(looks, key=lambda look: look.parts):
        found = look.finding
        whole = whole or (look.parts == 1 and found.whole)
        for parts, each in list(hits):
            seen = not look.slots or cell_of(each)[0] // parts in look.slots
            # Cleared, or said more exactly by the finer cells that were hit in it.
            if found.whole and seen and parts < look.parts and not look.parts % parts:
                hits.discard((parts, each))
        hits.update((look.parts, each) for each in found.hits)
    outcome = Outcome.HIT if hits else Outcome.NO_HIT if whole else Outcome.NOT_CHECKED
    return Standing(outcome, frozenset(hits))


def around(cell: bytes, ratio: int) -> bytes:
    """Return the cell that is so many times as long and holds this one.

    >>> from deconflict.sealed.grid import cell_id
    >>> around(cell_id((11, 3, 2, 2)), 2) == cell_id((5, 1, 1, 1))
    True
    """
    return cell_id(_around(cell_of(cell), ratio))


def _around(cell: Cell, ratio: int) -> Cell:
    """Return the cell that is so many times as long and holds this one."""
    slot, x, y, level = cell
    return slot // ratio, x // ratio, y // ratio, level // ratio


def _slots_of(cells: Iterable[Cell], parts: int) -> tuple[int, ...]:
    return tuple(sorted({cell[0] // parts for cell in cells}))
