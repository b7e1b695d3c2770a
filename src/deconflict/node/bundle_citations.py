"""What one party says in its entries that it holds of the other's chain; of a million, in small."""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from deconflict.line.statement import ChainPoint

__all__ = ["Citation", "Citations"]

_FORM: Final = struct.Struct("<IQ32sQIQ")


class Citation(NamedTuple):
    """One entry cited: its slot and the 32 bytes of its hash; who cites it, and in which line."""

    epoch: str
    seq: int
    name: bytes
    line_number: int
    by_epoch: str
    by_seq: int

    @property
    def point(self) -> ChainPoint:
        """What is cited, as a place in its chain."""
        return ChainPoint(self.epoch, self.seq, self.name.hex())


class Citations:
    """Each entry cited, once for as long as it is cited, with the first slot that cites it.

    >>> cited = Citations()
    >>> point = ChainPoint("e" * 32, 7, "0f" * 32)
    >>> cited.add(point, 2, ("d" * 32, 1))
    >>> cited.add(point, 3, ("d" * 32, 2))
    >>> [(one.line_number, one.by_seq) for one in cited.packed()]
    [(2, 1)]
    """

    def __init__(self) -> None:
        self._epochs: dict[str, int] = {}
        self._kept = bytearray()
        self._last: tuple[str, int, bytes] | None = None

    def add(self, point: ChainPoint, number: int, by: tuple[str, int]) -> None:
        """Take what the entry of slot ``by``, in this line of the file, cites."""
        self.add_named(point.epoch, point.seq, bytes.fromhex(point.hash), number, by)

    def add_named(
        self, epoch: str, seq: int, name: bytes, number: int, by: tuple[str, int]
    ) -> None:
        """As :meth:`add`, for a slot and the 32 bytes of a hash."""
        cited = (epoch, seq, name)
        if cited != self._last:
            self._last = cited
            numbers = self._number(epoch), self._number(by[0])
            self._kept += _FORM.pack(numbers[0], seq, name, number, numbers[1], by[1])

    def packed(self) -> Iterator[Citation]:
        """Yield them in the order in which they were taken."""
        epochs = list(self._epochs)
        for epoch, seq, name, number, by_epoch, by_seq in _FORM.iter_unpack(self._kept):
            yield Citation(epochs[epoch], seq, name, number, epochs[by_epoch], by_seq)

    def _number(self, epoch: str) -> int:
        return self._epochs.setdefault(epoch, len(self._epochs))
