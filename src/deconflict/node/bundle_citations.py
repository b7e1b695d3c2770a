"""What one party says in its entries that it holds of the other's chain; of a million, in small."""

import struct
from collections.abc import Iterator
from typing import Final

from deconflict.line.statement import ChainPoint

__all__ = ["Citations"]

_FORM: Final = struct.Struct("<IQ32sQ")


class Citations:
    """Each entry cited, once for as long as it is cited, with the line of the file that does.

    >>> cited = Citations()
    >>> point = ChainPoint("e" * 32, 7, "0f" * 32)
    >>> cited.add(point, 2)
    >>> cited.add(point, 3)
    >>> [number for _, number in cited]
    [2]
    """

    def __init__(self) -> None:
        self._epochs: dict[str, int] = {}
        self._kept = bytearray()
        self._last: ChainPoint | None = None

    def add(self, point: ChainPoint, number: int) -> None:
        """Take what the entry in this line cites."""
        if point != self._last:
            self._last = point
            epoch = self._epochs.setdefault(point.epoch, len(self._epochs))
            self._kept += _FORM.pack(epoch, point.seq, bytes.fromhex(point.hash), number)

    def __iter__(self) -> Iterator[tuple[ChainPoint, int]]:
        for epoch, seq, name, number in self.packed():
            yield ChainPoint(epoch, seq, name.hex()), number

    def packed(self) -> Iterator[tuple[str, int, bytes, int]]:
        """Yield epoch, number, hash and line of each, without making a point of it."""
        epochs = list(self._epochs)
        for epoch, seq, name, number in _FORM.iter_unpack(self._kept):
            yield epochs[epoch], seq, name, number
