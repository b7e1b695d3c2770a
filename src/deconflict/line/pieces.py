"""A parcel in numbered pieces: lines of an e-mail, codes on paper. Any order, any repeats.

Each piece has a checksum of its own, so that a person is told which one is broken; the name of the
whole is the beginning of its SHA-256, so that no piece of another parcel slips in. Neither stops a
liar; signatures do (``specs/bearers.md`` §3).
"""

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from deconflict.errors import InvalidDocumentError

__all__ = ["NAME_DIGITS", "Pieces", "checksum", "name_of", "numbers_text"]

NAME_DIGITS: Final = 16
_RANGES_SHOWN: Final = 8


def name_of(packed: bytes) -> str:
    """Return the name of a packed parcel: 16 hex digits."""
    return hashlib.sha256(packed).hexdigest()[:NAME_DIGITS]


def checksum(text: str) -> str:
    """Return the CRC-32 (as in RFC 1952) of ASCII text, 8 hex digits.

    >>> checksum("123456789")
    'cbf43926'
    """
    return f"{zlib.crc32(text.encode('ascii')):08x}"


def numbers_text(numbers: Iterable[int]) -> str:
    """Return growing numbers as a person reads them; of many stretches the first eight.

    >>> numbers_text([3, 17, 18, 19, 21])
    '3, 17 to 19, 21'
    """
    stretches: list[tuple[int, int]] = []
    for number in numbers:
        if stretches and stretches[-1][1] == number - 1:
            stretches[-1] = (stretches[-1][0], number)
        else:
            stretches.append((number, number))
    shown = [
        f"{first}" if first == last else f"{first} to {last}"
        for first, last in stretches[:_RANGES_SHOWN]
    ]
    more = len(stretches) - _RANGES_SHOWN
    return ", ".join(shown) + (f" and {more} more stretches" if more > 0 else "")


@dataclass(slots=True)
class Pieces:
    """The pieces of one parcel that were found so far.

    Attributes:
        what: what a piece is called to people: ``line`` or ``code``.
        name: of the parcel.
        count: how many pieces it has.
        found: the readable ones by their numbers, from 1.
        broken: numbers of pieces that are there and do not hold together.
    """

    what: str
    name: str
    count: int
    found: dict[int, bytes] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)

    def add(self, number: int, data: bytes) -> None:
        """Take a piece whose checksum held; the first of each number stands."""
        if 1 <= number <= self.count:
            self.found.setdefault(number, data)

    def spoil(self, number: int) -> None:
        """Note that a piece is there whose checksum does not hold."""
        if 1 <= number <= self.count:
            self.broken.add(number)

    def joined(self) -> bytes:
        """Return the packed parcel.

        Raises:
            InvalidDocumentError: pieces are missing or broken, each one named; or they are not
                those of one parcel.
        """
        lacking = [number for number in range(1, self.count + 1) if number not in self.found]
        if lacking:
            raise self._incomplete(lacking)
        packed = b"".join(self.found[number] for number in range(1, self.count + 1))
        if name_of(packed) != self.name:
            raise InvalidDocumentError(
                f"the {self.what}s are not those of one parcel",
                given=f"parcel {name_of(packed)}",
                expected=f"parcel {self.name}",
                remedy="nothing of it was taken; ask for all of it once more",
            )
        return packed

    def _incomplete(self, lacking: list[int]) -> InvalidDocumentError:
        broken = [number for number in lacking if number in self.broken]
        missing = [number for number in lacking if number not in self.broken]
        said = [
            f"{self.what}{'' if len(numbers) == 1 else 's'} {numbers_text(numbers)} {state}"
            for numbers, state in ((broken, "broken"), (missing, "missing"))
            if numbers
        ]
        return InvalidDocumentError(
            f"parcel {self.name} is not whole",
            given="; ".join(said) + f"; {len(self.found)} of {self.count} could be read",
            expected=f"every {self.what} from 1 to {self.count}",
            remedy=f"nothing of it was taken; get these {self.what}s again and give them together "
            "with what you have: order and repeats do not matter",
        )
