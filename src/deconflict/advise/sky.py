"""Everything that is planned, as it stands: who conflicts, what is forbidden, what holds.

Objects are numbered; the first ``movable`` of them may be changed. All meet one another but an
object itself, and two fixed ones. A pair of one party that conflicts as planned is let be: its
planners know of it. No change is offered that would make another such pair.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from deconflict import _kernel
from deconflict.advise.change import Change
from deconflict.advise.forbidden import Forbidden
from deconflict.advise.limits import ChangeKind, SearchLimits
from deconflict.advise.table import Table
from deconflict.separation.arrays import Columns

__all__ = ["Sky"]

_ALL, _MOVERS, _REST = 0, 1, 2  # sides: 0 meets everybody, other numbers only one another
_KERNEL_NAMES: Final = {
    ChangeKind.SHIFT: "shift",
    ChangeKind.LEVEL: "level",
    ChangeKind.OFFSET: "offset",
}
Pairs = NDArray[np.int64]
ByKind = dict[ChangeKind, Forbidden]


@dataclass(frozen=True, slots=True)
class Sky:
    """What is planned, what of it may be changed, and how near is too near.

    Args:
        table: the objects' rows.
        movable: so many of them, the first, may be changed.
        party: whose each object is, as a number.
        minima, references: as the kernel takes them.
        let_be: pairs of objects, each the lower number first, that may conflict.
    """

    table: Table
    movable: int
    party: NDArray[np.int64]
    minima: Columns
    references: Columns
    let_be: frozenset[tuple[int, int]] = frozenset()

    @staticmethod
    def as_planned(
        table: Table, *, movable: int, party: Sequence[int], minima: Columns, references: Columns
    ) -> "Sky":
        """Return the sky in which conflicts within one party are let be, as they are planned.

        Raises:
            RefusedInput: the kernel cannot use a row.
        """
        parties = np.asarray(party, dtype=np.int64)
        sky = Sky(table, movable, parties, minima, references)
        own = {(i, j) for i, j in sky.conflicts() if parties[i] == parties[j]}
        return Sky(table, movable, parties, minima, references, frozenset(own))

    def standing(self, changes: Mapping[int, Change]) -> "Sky":
        """Return the sky with some objects changed."""
        every = [changes.get(k, Change()) for k in range(len(self.party))]
        return Sky(
            self.table.changed(every),
            self.movable,
            self.party,
            self.minima,
            self.references,
            self.let_be,
        )

    def conflicts(self) -> list[tuple[int, int]]:
        """Return the pairs of objects, one movable at least, that conflict and are not let be."""
        count = np.arange(len(self.party))
        sides = np.where(count < self.movable, _ALL, _REST)
        found = self._screen(self.table.set("party", count).set("side", sides))
        return self._pairs(found, self.table.owner)

    def forbidden(
        self,
        objects: Sequence[int],
        limits: SearchLimits,
        kinds: Iterable[ChangeKind],
        *,
        changes: Sequence[Change] | None = None,
    ) -> list[ByKind]:
        """Return, for each object, the changes of each kind under which it would conflict.

        Args:
            objects: which; one may be repeated.
            limits: how far to look.
            kinds: which kinds to look for.
            changes: made to each first; what is forbidden then comes on top of it.
        """
        if not objects:
            return []
        wanted = frozenset(kinds)
        rest = self._apart(_REST)
        movers = self.table.of(objects)
        if changes is not None:
            movers = movers.changed(changes)
        numbers = np.asarray(objects, dtype=np.int64)
        movers = movers.set("party", numbers).set("side", np.full(len(objects), _MOVERS))
        both = rest.with_others(movers)
        owner = both.owner
        start = len(self.party)
        rows = np.flatnonzero(owner >= start).astype(np.uint32)
        offsets_mm = limits.offsets_mm() if ChangeKind.OFFSET in wanted else ()
        shift, level = ChangeKind.SHIFT in wanted, ChangeKind.LEVEL in wanted
        found = _kernel.forbidden(
            both.trajectories,
            both.volumes,
            self.minima,
            self.references,
            {"movers": rows, "offsets_m": np.array(offsets_mm, dtype=np.float64) / 1000},
            early_s=limits.earlier_ms / 1000 if shift else 0.0,
            late_s=limits.later_ms / 1000 if shift else 0.0,
            down_tmm=limits.down_tmm if level else 0,
            up_tmm=limits.up_tmm if level else 0,
        )
        spans: list[ByKind] = [{} for _ in objects]
        for kind in wanted:
            columns = found[_KERNEL_NAMES[kind]]
            mover = owner[columns["mover"]] - start
            keep = ~self._is_let_be(numbers[mover], owner[columns["other"]])
            values = columns["from"][keep], columns["to"][keep]
            if kind is ChangeKind.OFFSET:
                by_index = np.array(offsets_mm, dtype=np.int64)
                values = by_index[values[0]], by_index[values[1]]
            grouped = _grouped(mover[keep], *values, count=len(objects))
            for place, some in enumerate(grouped):
                spans[place][kind] = Forbidden(some)
        return spans

    def hold(self, candidates: Sequence[tuple[int, Change]]) -> list[bool]:
        """Say of each changed object whether a screen against everything finds no conflict.

        Each is screened alone; two candidates never meet.
        """
        if not candidates:
            return []
        numbers = np.array([index for index, _ in candidates], dtype=np.int64)
        movers = self.table.of(numbers.tolist()).changed([change for _, change in candidates])
        movers = movers.set("party", numbers).set("side", np.full(len(numbers), _MOVERS))
        both = self._apart(_REST).with_others(movers)
        found = self._screen(both)
        start = len(self.party)
        first, second = both.owner[found["i"]], both.owner[found["j"]]
        candidate = np.maximum(first, second) - start
        other = np.minimum(first, second)
        failed = candidate[~self._is_let_be(numbers[candidate], other)]
        holds = np.ones(len(candidates), dtype=bool)
        holds[failed] = False
        return [bool(each) for each in holds]

    def meet_among(self, candidates: Sequence[tuple[int, Change]]) -> list[tuple[int, int]]:
        """Return the pairs of places in the list whose changed objects conflict with each other."""
        if len(candidates) < 2:
            return []
        numbers = np.array([index for index, _ in candidates], dtype=np.int64)
        movers = self.table.of(numbers.tolist()).changed([change for _, change in candidates])
        movers = movers.set("party", numbers).set("side", np.zeros(len(numbers)))
        found = self._screen(movers)
        first, second = movers.owner[found["i"]], movers.owner[found["j"]]
        keep = ~self._is_let_be(numbers[first], numbers[second])
        low, high = np.minimum(first, second)[keep], np.maximum(first, second)[keep]
        return sorted(set(zip(low.tolist(), high.tolist(), strict=True)))

    def _apart(self, side: int) -> Table:
        count = len(self.party)
        return self.table.set("party", np.arange(count)).set("side", np.full(count, side))

    def _screen(self, table: Table) -> dict[str, NDArray[Any]]:
        return _kernel.screen(table.trajectories, table.volumes, self.minima, self.references)

    def _pairs(self, found: dict[str, NDArray[Any]], owner: Pairs) -> list[tuple[int, int]]:
        first, second = owner[found["i"]], owner[found["j"]]
        keep = ~self._is_let_be(first, second)
        low, high = np.minimum(first, second)[keep], np.maximum(first, second)[keep]
        return sorted(set(zip(low.tolist(), high.tolist(), strict=True)))

    def _is_let_be(self, first: Pairs, second: Pairs) -> NDArray[np.bool_]:
        if not self.let_be:
            return np.zeros(len(first), dtype=bool)
        count = len(self.party)
        known = np.array([i * count + j for i, j in self.let_be], dtype=np.int64)
        return np.isin(np.minimum(first, second) * count + np.maximum(first, second), known)


def _grouped(group: Pairs, start: Pairs, end: Pairs, *, count: int) -> list[list[tuple[int, int]]]:
    order = np.argsort(group, kind="stable")
    spans = list(zip(start[order].tolist(), end[order].tolist(), strict=True))
    bounds = np.searchsorted(group[order], np.arange(count + 1))
    return [spans[bounds[k] : bounds[k + 1]] for k in range(count)]
