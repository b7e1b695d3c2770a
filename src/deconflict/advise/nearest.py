"""How near what is changed then comes to anything else: what is free by an inch is told as that."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from deconflict import _kernel
from deconflict.airspace.altitude import MAX_ALTITUDE_TMM
from deconflict.separation import AltitudeConversions, Extent, Minima, MinimaTable
from deconflict.separation.arrays import pack, pack_minima, pack_references
from deconflict.separation.conflicts import NOT_DEFINED_TMM
from deconflict.separation.minima import MAX_LATERAL_M

__all__ = ["TIMES", "Nearest", "nearest_left"]

Numbers = NDArray[np.int64]

TIMES: Final = 3  # the minima: what is farther on one of the two is not told


@dataclass(frozen=True, slots=True)
class Nearest:
    """The closest approach over the ground to the nearest other, measured by its minima.

    Attributes:
        key: of the other.
        lateral_m: over the ground, for whatever shift within time windows is nearest.
        vertical_tmm: between the altitudes then; None where they do not compare.
        minima: between the two.
    """

    key: str
    lateral_m: float
    vertical_tmm: int | None
    minima: Minima


def nearest_left(
    changed: Sequence[Extent],
    others: Sequence[Extent],
    *,
    minima: MinimaTable,
    conversions: AltitudeConversions,
    let_be: Collection[frozenset[str]] = frozenset(),
) -> list[Nearest | None]:
    """Return of each changed extent what it comes nearest to; None for nothing within `TIMES`.

    Near is measured as it is agreed: by the greater of the two shares of the minima.

    Args:
        changed: each is looked at alone; a key may be repeated.
        others: what they are held against; a changed extent is not held against its own key.
        minima, conversions: as :func:`check` takes them.
        let_be: pairs of keys that are not told.
    """
    if not changed:
        return []
    every = [*changed, *others]
    numbers: dict[str, int] = {}
    groups = np.array([numbers.setdefault(extent.key, len(numbers)) for extent in every])
    purposes = {name: k for k, name in enumerate(sorted({extent.purpose for extent in every}))}
    packed = pack(
        every,
        purposes=purposes,
        groups=groups.tolist(),
        sides=[1] * len(changed) + [2] * len(others),
    )
    # Not `check`: of what is near there is much, and all but one of each is left at once.
    found = _kernel.screen(
        packed.trajectories,
        packed.volumes,
        pack_minima(_wider(minima).of, purposes),
        pack_references(conversions),
    )
    owner = np.array(packed.owner, dtype=np.int64)
    pair = owner[found["i"]], owner[found["j"]]
    place, other = np.minimum(*pair), np.maximum(*pair)
    least = _columns(minima, every, place, other)
    vertical_tmm = np.abs(found["cpa_vertical_tmm"])
    known = found["cpa_vertical_tmm"] != NOT_DEFINED_TMM
    share = np.maximum(
        found["cpa_distance_m"] / np.maximum(least[0], 1.0),
        np.where(known, vertical_tmm / np.maximum(least[1], 1), 0.0),
    )
    ours = {(numbers[a], numbers[b]) for a, b in map(tuple, let_be) if {a, b} <= numbers.keys()}
    left: list[Nearest | None] = [None] * len(changed)
    for row in np.lexsort((other, share)).tolist():
        which, with_ = int(place[row]), int(other[row])
        one, two = int(groups[which]), int(groups[with_])
        if left[which] is not None or (one, two) in ours or (two, one) in ours:
            continue
        left[which] = Nearest(
            every[with_].key,
            float(found["cpa_distance_m"][row]),
            int(vertical_tmm[row]) if known[row] else None,
            minima.of(every[which].purpose, every[with_].purpose),
        )
    return left


def _columns(
    minima: MinimaTable, every: Sequence[Extent], place: Numbers, other: Numbers
) -> tuple[NDArray[np.float64], Numbers]:
    """Return the lateral and vertical minima of each pair, in metres and tenths of a millimetre."""
    names = sorted({extent.purpose for extent in every})
    codes = {name: k for k, name in enumerate(names)}
    code = np.array([codes[extent.purpose] for extent in every], dtype=np.int64)
    table = [[minima.of(one, two) for two in names] for one in names]
    lateral_m = np.array([[each.lateral_m for each in row] for row in table])
    vertical_tmm = np.array([[each.vertical_tmm for each in row] for row in table], dtype=np.int64)
    at = code[place], code[other]
    return lateral_m[at], vertical_tmm[at]


def _wider(minima: MinimaTable) -> MinimaTable:
    def wider(one: Minima) -> Minima:
        return Minima(
            min(TIMES * one.lateral_m, MAX_LATERAL_M),
            min(TIMES * one.vertical_tmm, MAX_ALTITUDE_TMM),
        )

    return MinimaTable(
        wider(minima.default), {pair: wider(one) for pair, one in minima.pairs.items()}
    )
