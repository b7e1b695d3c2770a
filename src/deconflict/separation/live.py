"""The live index: extents that come and go, asked what some more would come too close to."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deconflict import _kernel
from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.trajectory import Trajectory
from deconflict.errors import InvalidInputError
from deconflict.separation.arrays import Packed, pack, pack_minima, pack_references
from deconflict.separation.checking import refused
from deconflict.separation.extent import Extent
from deconflict.separation.finding import Finding
from deconflict.separation.minima import AltitudeConversions, MinimaTable
from deconflict.separation.told import Row, row_of, told

__all__ = ["LiveIndex", "Looked"]

# The kernel's number of a trajectory or volume: that of its extent, then its place in it.
PLACE_BITS: Final = 32
PLACE: Final = (1 << PLACE_BITS) - 1


class Looked(NamedTuple):
    """What was found with a given effort.

    Attributes:
        findings: in the order of ``check``; of what was broken off those met until then.
        left: keys of extents that were not looked at, for the next time.
        broken_off: keys of extents that take more than all of the effort: what else they come too
            close to is not known.
    """

    findings: tuple[Finding, ...]
    left: frozenset[str]
    broken_off: frozenset[str]


class LiveIndex:
    """Extents held ready for a check: what comes or goes does not have the others packed again.

    Other minima or conversions take another index. For one thread at a time.

    Args:
        minima: by pair of purposes.
        conversions: which altitude references compare.
        purposes: all that an extent may have.

    Source: ``docs/reference/separation.md``.
    """

    def __init__(
        self, minima: MinimaTable, conversions: AltitudeConversions, *, purposes: Iterable[str]
    ) -> None:
        self.minima = minima
        self.conversions = conversions
        # In the order of a check: of two volumes the kernel takes that of the lesser number first.
        self._purposes = {purpose: number for number, purpose in enumerate(sorted(set(purposes)))}
        self._index = _kernel.Index(
            pack_minima(minima.of, self._purposes), pack_references(conversions)
        )
        self._numbers: dict[str, int] = {}
        self._held: dict[int, _Held] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def put(self, extents: Iterable[Extent]) -> None:
        """Add extents, each in the place of what was there under its key.

        Raises:
            InvalidInputError: an extent has a purpose that the index does not know.
            InvalidGeometryError: an extent that the kernel refuses. Either way nothing has changed.
        """
        newest = {extent.key: extent for extent in extents}
        extents = tuple(newest.values())
        self._require_known(extents)
        fresh = [key for key in newest if key not in self._numbers]
        for key in fresh:
            self._numbers[key] = self._free.pop() if self._free else self._unused
        numbers = [self._numbers[key] for key in newest]
        packed = self._packed(extents, numbers)
        try:
            self._index.put(_kernel_keys(packed, numbers), packed.trajectories, packed.volumes)
        except _kernel.RefusedInput as refusal:
            self._free += [self._numbers.pop(key) for key in fresh]
            raise refused(refusal, packed, extents) from refusal
        for number, extent in zip(numbers, extents, strict=True):
            now, before = _Held.of(extent), self._held.get(number)
            self._held[number] = now
            if before is not None:
                self._remove(number, range(len(now.references), len(before.references)))

    def remove(self, key: str) -> bool:
        """Take an extent away; return whether it was there."""
        number = self._numbers.pop(key, None)
        if number is None:
            return False
        self._remove(number, range(len(self._held.pop(number).references)))
        self._free.append(number)
        return True

    def check(self, extents: Sequence[Extent]) -> tuple[Finding, ...]:
        """Return what ``check`` would with everything here as the others, in order of their keys.

        Raises:
            InvalidInputError: an extent has a purpose that the index does not know.
            InvalidGeometryError: an extent that the kernel refuses, named by its key.
        """
        return self.look(extents, most=None).findings

    def look(self, extents: Sequence[Extent], *, most: int | None) -> Looked:
        """Return as ``check`` what is found with so much effort, and what was left out for it.

        Args:
            extents: what is asked about.
            most: how many pairs of pieces of paths one extent may take, of which a millisecond does
                a thousand; when so many are used up no other is begun. None: as many as it takes.

        Raises:
            InvalidInputError, InvalidGeometryError: as ``check``.
        """
        self._require_known(extents)
        # What is new here may share a number: what is asked about is not held against itself.
        numbers = [self._numbers.get(extent.key, self._unused) for extent in extents]
        packed = self._packed(extents, numbers)
        try:
            found = self._index.ask(packed.trajectories, packed.volumes, most)
        except _kernel.RefusedInput as refusal:
            raise refused(refusal, packed, extents) from refusal
        left = {extents[owner].key for owner in packed.owner[found.pop("done") :]}
        broken_off = {extents[packed.owner[row]].key for row in found.pop("broken_off")}
        met = [(key >> PLACE_BITS, key & PLACE) for key in found.pop("key").tolist()]
        by_key = sorted({number for number, _ in met}, key=lambda number: self._held[number].key)
        order = {number: len(extents) + rank for rank, number in enumerate(by_key)}
        pairs = [
            (row_of(i, packed, extents), self._held[number].row(order[number], place))
            for i, (number, place) in zip(found["i"].tolist(), met, strict=True)
        ]
        findings = told(found, pairs, epoch_ms=packed.epoch_ms, conversions=self.conversions)
        return Looked(findings, frozenset(left), frozenset(broken_off))

    @property
    def _unused(self) -> int:
        """The least number that was never given to an extent."""
        return len(self._numbers) + len(self._free)

    def _require_known(self, extents: Iterable[Extent]) -> None:
        for extent in extents:
            if extent.purpose not in self._purposes:
                raise InvalidInputError(
                    "a purpose that the index was not made for",
                    given=f"{extent.purpose!r:.40} of {extent.key!r}",
                    expected=", ".join(self._purposes),
                )

    def _packed(self, extents: Sequence[Extent], numbers: Sequence[int]) -> Packed:
        return pack(
            extents,
            purposes=self._purposes,
            groups=numbers,
            sides=[0] * len(extents),
            epoch_ms=0,  # whatever comes later counts from the same instant
        )

    def _remove(self, number: int, places: Iterable[int]) -> None:
        for place in places:
            self._index.remove(number << PLACE_BITS | place)


class _Held(NamedTuple):
    """What findings say of an extent that is there; its geometry is the kernel's."""

    key: str
    references: tuple[AltitudeReference, ...]
    flies: bool

    @classmethod
    def of(cls, extent: Extent) -> "_Held":
        if isinstance(extent.geometry, Trajectory):
            return cls(extent.key, (extent.geometry.reference,), True)
        return cls(extent.key, tuple(volume.band.reference for volume in extent.geometry), False)

    def row(self, order: int, place: int) -> Row:
        return Row(order, self.key, self.references[place], self.flies)


def _kernel_keys(packed: Packed, numbers: Sequence[int]) -> NDArray[np.uint64]:
    """Return the kernel's number of each row; those of one extent follow one another."""
    keys = np.empty(len(packed.owner), dtype=np.uint64)
    first: dict[int, int] = {}
    for row, owner in enumerate(packed.owner):
        keys[row] = numbers[owner] << PLACE_BITS | row - first.setdefault(owner, row)
    return keys
