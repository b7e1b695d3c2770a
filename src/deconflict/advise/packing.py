"""Extents as a sky: numbered, as columns, the movable ones first."""

from collections.abc import Sequence

import numpy as np

from deconflict import _kernel
from deconflict.advise.sky import Sky
from deconflict.advise.table import Table
from deconflict.errors import InvalidInputError
from deconflict.separation import AltitudeConversions, Extent, MinimaTable
from deconflict.separation.arrays import pack, pack_minima, pack_references
from deconflict.separation.checking import refused

__all__ = ["sky_of"]


def sky_of(
    movable: Sequence[Extent],
    others: Sequence[Extent],
    *,
    minima: MinimaTable,
    conversions: AltitudeConversions,
) -> tuple[Sky, int]:
    """Return the sky of these extents, and the instant from which its seconds count (ms).

    Raises:
        InvalidInputError: two extents have one key.
        InvalidGeometryError: an extent that the kernel refuses, named by its key.
    """
    every = [*movable, *others]
    keys = [extent.key for extent in every]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidInputError(
            "two declarations have one name", given=twice, expected="a key for each"
        )
    purposes = {purpose: k for k, purpose in enumerate(sorted({e.purpose for e in every}))}
    parties: dict[str, int] = {}
    party = [parties.setdefault(extent.party, len(parties)) for extent in every]
    numbers = list(range(len(every)))
    packed = pack(every, purposes=purposes, groups=numbers, sides=[0] * len(every))
    owner = np.array(packed.owner, dtype=np.int64)
    count = packed.trajectory_count
    table = Table(packed.trajectories, packed.volumes, owner[:count], owner[count:])
    try:
        sky = Sky.as_planned(
            table,
            movable=len(movable),
            party=party,
            minima=pack_minima(minima.of, purposes),
            references=pack_references(conversions),
        )
    except _kernel.RefusedInput as refusal:
        raise refused(refusal, packed, every) from refusal
    return sky, packed.epoch_ms
