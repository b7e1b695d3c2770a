"""The cells of one side, slot by slot, as the kernel takes them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from deconflict.errors import InvalidInputError
from deconflict.sealed.grid import CELL_ID_BYTES

__all__ = ["SlotCells", "checked_slots"]

_LAST_SLOT: Final = 2**32 - 1
_LONGEST_CELL: Final = 65_535  # two bytes say how long an input is (RFC 9497 §3.3.3)


@dataclass(frozen=True, slots=True, repr=False)
class SlotCells:
    """Cells of ascending slots, each cell once. A plan: it is never shown, not even in errors.

    Attributes:
        slots: numbers of the slots, ascending; those without a cell stand here too.
        sizes: how many cells each slot has.
        cell_length: bytes of each cell.
        data: all cells one behind the other.
    """

    slots: tuple[int, ...]
    sizes: tuple[int, ...]
    cell_length: int
    data: bytes

    @classmethod
    def of(
        cls, by_slot: Mapping[int, Collection[bytes]], *, cell_length: int = CELL_ID_BYTES
    ) -> Self:
        """Put cells in order: slots ascending, within a slot by their bytes, doubles once.

        Name every slot of the period, the empty ones too: a slot that is not named is not asked,
        and not asking shows that nothing flies then.

        Raises:
            InvalidInputError: a slot is no number of 32 bits, or a cell has another length.

        >>> cells = SlotCells.of({7: [b"b" * 10, b"a" * 10], 3: []})
        >>> cells.slots, cells.sizes, cells.data
        ((3, 7), (0, 2), b'aaaaaaaaaabbbbbbbbbb')
        """
        if not 1 <= cell_length <= _LONGEST_CELL:
            raise InvalidInputError(
                "cells cannot be of this length",
                given=f"{cell_length} bytes",
                expected=f"1 to {_LONGEST_CELL}",
            )
        slots = checked_slots(sorted(by_slot))
        ordered = [sorted(set(by_slot[slot])) for slot in slots]
        for slot, cells in zip(slots, ordered, strict=True):
            if any(len(cell) != cell_length for cell in cells):
                raise InvalidInputError(
                    f"a cell of slot {slot} has another length",
                    expected=f"{cell_length} bytes",
                )
        return cls(
            slots,
            tuple(len(cells) for cells in ordered),
            cell_length,
            b"".join(cell for cells in ordered for cell in cells),
        )

    def __len__(self) -> int:
        """Return how many cells there are in all slots together."""
        return sum(self.sizes)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Give each cell with its slot, in the order of their tags."""
        begin = 0
        for slot, size in zip(self.slots, self.sizes, strict=True):
            for _ in range(size):
                yield slot, self.data[begin : begin + self.cell_length]
                begin += self.cell_length

    def __repr__(self) -> str:
        """Say that there are cells, not which or how many."""
        return "SlotCells(...)"


def checked_slots(slots: Collection[int]) -> tuple[int, ...]:
    """Return the numbers of slots if each has 32 bits.

    Raises:
        InvalidInputError: one has not.
    """
    for slot in slots:
        if not 0 <= slot <= _LAST_SLOT:
            raise InvalidInputError(
                "a slot has a number that 32 bits cannot hold",
                given=str(slot),
                expected=f"0 to {_LAST_SLOT}",
            )
    return tuple(slots)
