"""The check: extents in, findings out."""

from collections.abc import Sequence

from deconflict import _kernel
from deconflict.errors import InvalidGeometryError, InvalidInputError
from deconflict.separation.arrays import Packed, pack, pack_minima, pack_references
from deconflict.separation.extent import Extent
from deconflict.separation.finding import Finding
from deconflict.separation.minima import AltitudeConversions, MinimaTable
from deconflict.separation.told import row_of, told

__all__ = ["check", "refused"]


def check(
    extents: Sequence[Extent],
    *,
    others: Sequence[Extent] | None = None,
    minima: MinimaTable,
    conversions: AltitudeConversions,
) -> tuple[Finding, ...]:
    """Return every pair that comes, or cannot be shown not to come, under its minima.

    Nothing is missed: every approximation's bound is added to the minima. Two trajectories
    conflict exactly when they are under both minima for longer than a microsecond; anything with
    a volume conflicts as soon as it touches, in outline, altitude and time.

    Args:
        extents: what to check.
        others: None checks all pairs of ``extents`` of different parties; otherwise all pairs of
            an extent and another of a different key, whoever declared them.
        minima: by pair of purposes.
        conversions: which altitude references compare; the others are INCOMPARABLE, never clear.

    Returns:
        Findings in the order of the first extent, the second, the start; with ``others``, all of
        those count after all ``extents``. A declaration of several volumes has one finding for
        each stretch of time and verdict.

    Raises:
        InvalidGeometryError: an extent that the kernel refuses, named by its key.

    Source: ``docs/reference/separation.md``.
    """
    everything = [*extents, *(others or ())]
    purposes = {purpose: k for k, purpose in enumerate(sorted({e.purpose for e in everything}))}
    if others is None:
        groups = _numbered([extent.party for extent in everything])
        sides = [0] * len(everything)
    else:
        groups = _numbered([extent.key for extent in everything])
        sides = [1] * len(extents) + [2] * len(others)
    packed = pack(everything, purposes=purposes, groups=groups, sides=sides)
    try:
        found = _kernel.screen(
            packed.trajectories,
            packed.volumes,
            pack_minima(minima.of, purposes),
            pack_references(conversions),
        )
    except _kernel.RefusedInput as refusal:
        raise refused(refusal, packed, everything) from refusal
    pairs = [
        (row_of(i, packed, everything), row_of(j, packed, everything))
        for i, j in zip(found["i"].tolist(), found["j"].tolist(), strict=True)
    ]
    return told(found, pairs, epoch_ms=packed.epoch_ms, conversions=conversions)


def _numbered(names: Sequence[str]) -> list[int]:
    numbers: dict[str, int] = {}
    return [numbers.setdefault(name, len(numbers)) for name in names]


def refused(
    refusal: _kernel.RefusedInput, packed: Packed, extents: Sequence[Extent]
) -> InvalidInputError:
    """Return the kernel's refusal as the error that names the extent."""
    table, row, field, problem = refusal.args
    if table not in ("trajectories", "volumes"):
        return InvalidInputError(f"{field} of the {table} cannot be used", given=problem)
    index = row if table == "trajectories" else packed.trajectory_count + row
    key = extents[packed.owner[index]].key
    return InvalidGeometryError(
        f"the extent {key!r} cannot be checked",
        given=f"{table[:-1]} {row}, {field}: {problem}",
        expected="a geometry within the limits of the separation check",
        remedy="correct the declaration; until then it is not clear of anything",
    )
