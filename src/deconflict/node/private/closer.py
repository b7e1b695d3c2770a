"""What stands of the hits of a run after closer looks at it.

A hit falls when a closer look at its slot came to its end, at the same own plan, and hit nothing in
it. A look that was broken off clears nothing, nor does one at another plan: unknown is never clear.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from deconflict.node.private.sorties import Met
from deconflict.sealed.grid import cell_of
from deconflict.sealed.refine import Looked, around, standing
from deconflict.sealed.session import Finding, Outcome

__all__ = ["Fate", "Look", "Refined", "Stands", "stands_after"]


class Fate(StrEnum):
    """What became of a hit. All but FALLEN stand."""

    NOT_LOOKED = "NOT_LOOKED"  # no closer look at its slot was made
    NOT_CHECKED = "NOT_CHECKED"  # one was, and did not come to its end
    OTHER_PLAN = "OTHER_PLAN"  # one came to its end, at another own plan than this
    SEEN = "SEEN"  # a closer look hit something in the same cell
    FALLEN = "FALLEN"


class Refined(msgspec.Struct, frozen=True):
    """Of which run a closer look is.

    Attributes:
        of: the PRIVATE_PROPOSE of the coarse check.
        run: which of its runs.
        slots: of the coarse grid, that were looked at.
        same_plan: whether it was of the own plan that the coarse run was of.
    """

    of: str
    run: int
    slots: tuple[int, ...]
    same_plan: bool


@dataclass(frozen=True, slots=True)
class Look:
    """One run of the coarse check or of a closer look, as far as it came.

    Attributes:
        parts: into how many the sides of the coarse cells were cut.
        slots: of the coarse grid; empty for all.
        outcome: what it found.
        whole: whether it came to its end.
        over: whether it came to any end.
        same_plan: whether it was of the own plan that the coarse run was of.
        met: its hits.
    """

    parts: int
    slots: tuple[int, ...]
    outcome: Outcome
    whole: bool
    over: bool
    same_plan: bool
    met: tuple[Met, ...]

    @property
    def clears(self) -> bool:
        """Whether hits can fall by it: it is whole, of the same plan, and its cells are known."""
        return self.whole and self.same_plan and all(each.cell for each in self.met)

    def holds(self, slot: int) -> bool:
        """True exactly when a slot of the coarse grid was looked at."""
        return not self.slots or slot in self.slots

    def as_looked(self) -> Looked:
        """Return it as ``deconflict.sealed`` knows it, whole only where hits can fall by it."""
        hits = frozenset(bytes.fromhex(each.cell) for each in self.met if each.cell)
        whole = self.clears if self.parts > 1 else self.whole
        return Looked(self.parts, self.slots, Finding(self.outcome, whole, hits))


@dataclass(frozen=True, slots=True)
class Stands:
    """What stands after all looks at a period.

    Attributes:
        outcome: HIT as long as a hit stands; NO_HIT only if the coarse check came to its end.
        met: the hits that stand, the earliest first: coarse ones, and of those that a closer look
            saw too its finer cells.
        cells: the same, each as into how many the sides of its cell are cut, and the cell.
        fates: by into how many the sides of its cell are cut, and the cell: what became of a hit.
    """

    outcome: Outcome
    met: tuple[Met, ...]
    cells: frozenset[tuple[int, bytes]]
    fates: dict[tuple[int, str], Fate]

    def fate(self, parts: int, met: Met) -> Fate:
        """Return what became of a hit."""
        return self.fates.get((parts, met.cell), Fate.NOT_LOOKED)

    def fallen(self, parts: int, hits: Sequence[Met]) -> int:
        """Return how many of some hits of a run have fallen."""
        return sum(self.fate(parts, each) is Fate.FALLEN for each in hits)


def stands_after(looks: Sequence[Look]) -> Stands:
    """Return what stands after the coarse check of a period and closer looks, in any order."""
    after = standing([look.as_looked() for look in looks])
    seen_in = {
        (parts, around(finer, finer_parts // parts).hex())
        for finer_parts, finer in after.hits
        for parts in {look.parts for look in looks}
        if parts < finer_parts and not finer_parts % parts
    }
    fates: dict[tuple[int, str], Fate] = {}
    met: list[Met] = []
    for look in looks:
        for each in look.met:
            if not each.cell:
                met.append(each)  # kept before cells were noted: nothing can be compared with it
                continue
            hit = bytes.fromhex(each.cell)
            stands = (look.parts, hit) in after.hits
            if stands:
                met.append(each)
            if (look.parts, each.cell) in seen_in:
                fate = Fate.SEEN
            else:
                fate = _why_it_stands(look.parts, hit, looks) if stands else Fate.FALLEN
            fates[look.parts, each.cell] = fate
    unknown = any(not each.cell for each in met)
    return Stands(
        Outcome.HIT if unknown else after.outcome,
        tuple(sorted(met, key=lambda each: (each.start_utc, each.cell))),
        after.hits,
        fates,
    )


def _why_it_stands(parts: int, hit: bytes, looks: Sequence[Look]) -> Fate:
    """Return why no closer look made a hit fall in which none of them hit anything."""
    slot = cell_of(hit)[0] // parts
    closer = [
        look
        for look in looks
        if look.parts > parts and not look.parts % parts and look.holds(slot) and look.over
    ]
    if any(look.whole for look in closer):
        return Fate.OTHER_PLAN
    return Fate.NOT_CHECKED if closer else Fate.NOT_LOOKED
