"""The lines of a bundle read quickly: many in one go, on all processors, the rest line by line.

Of a long record nearly every line is an entry, a receipt or a checkpoint as it should be. The
kernel takes those, and leaves every line of which anything is in doubt. What is left is read and
judged by :mod:`.bundle_proof`, in its place; so what is refused is refused by the same code, with
the same words, whoever read the lines before it.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Final, Self, TypeAlias

from deconflict._kernel import EntryColumns, RecordReader, RecordStretch, RecordTree
from deconflict.errors import InvalidDocumentError
from deconflict.line.keys import VerifyKey

__all__ = ["EntryColumns", "QuickReader", "RecordStretch", "RecordTree", "Stretch"]

PIECES_AHEAD: Final = 3  # a thread, read and not yet taken: memory stays small
# A liar may open an epoch and change a key with each entry: what then is left is read line by line.
MOST_AGAIN: Final = 3  # times that a piece is read again, each behind an epoch that began in it
MOST_LEARNT: Final = 64  # keys that tables are made of


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines of a bundle that belong together.

    Attributes:
        text: the lines.
        found: what they say, where the kernel has proven them. None: nobody has looked at them.
        may_stop: whether the rest of them is read again when some were taken and not all.
    """

    text: bytes
    found: RecordStretch | None
    may_stop: bool = False


Take: TypeAlias = Callable[[Stretch], int]


class QuickReader:
    """Reads a bundle, a few pieces ahead of who takes them. Use as a context manager.

    Args:
        line: the record's line.
        parties: both.
        shown: kinds of which the place of each entry is told.
    """

    def __init__(self, line: str, parties: Iterable[str], shown: frozenset[str]) -> None:
        self._unready: list[tuple[str, VerifyKey]] = []
        self._learnt = 0
        self._reader = RecordReader(line, list(parties), sorted(shown))
        threads = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="verify")
        self._ahead = threads * PIECES_AHEAD
        self._waiting: deque[_Piece] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def learn(self, party: str, key: VerifyKey) -> None:
        """Take what this key signed too, behind the line that is being taken."""
        self._learnt += 1
        if self._learnt <= MOST_LEARNT:
            self._unready.append((party, key))

    def read(self, pieces: Iterable[bytes], take: Take) -> None:
        """Hand over the lines of these pieces, in their order.

        Most bundles have one piece, and are handed over before the kernel has its tables of the
        keys.

        Args:
            pieces: whole lines.
            take: is given lines that belong together, and says how many bytes of them it took:
                all, or some whole lines where it may stop.

        Raises:
            InvalidDocumentError: as the pieces do, behind all that stands before it.
        """
        whole = _Whole(pieces)
        first, second = next(whole, b""), next(whole, None)
        if second is None:
            take(Stretch(first, None))
        else:
            for piece in chain((first, second), whole):
                self._waiting.append(self._begun(piece))
                if len(self._waiting) > self._ahead:
                    self._hand_over(take)
            while self._waiting:
                self._hand_over(take)
        if whole.refused is not None:
            raise whole.refused

    def _begun(self, piece: bytes) -> "_Piece":
        reader = self._knowing()
        return _Piece(piece, reader, self._pool.submit(reader.read, piece))

    def _knowing(self) -> RecordReader:
        while self._unready:
            party, key = self._unready.pop(0)
            self._reader = self._reader.knowing(party, key.key_id, key.public)
        return self._reader

    def _hand_over(self, take: Take) -> None:
        piece = self._waiting.popleft()
        text, reader, stretches = piece.text, piece.reader, piece.future.result()
        for again in range(MOST_AGAIN + 1):
            if reader is not self._knowing() and not all(map(_proven, stretches)):
                # A key came in force since it was read: what it signed is not left any more.
                self._begin_anew()
                reader = self._reader
                stretches = reader.read(text)
            taken = self._handed(text, stretches, take, may_stop=again < MOST_AGAIN)
            if taken == len(text):
                return
            text = text[taken:]
            reader = self._knowing()
            stretches = reader.read(text)

    def _begin_anew(self) -> None:
        """Read the pieces that wait again, but those that were read whole."""
        for at, piece in enumerate(self._waiting):
            future = piece.future
            if future.cancel() or not (future.done() and all(map(_proven, future.result()))):
                self._waiting[at] = self._begun(piece.text)

    def _handed(
        self, text: bytes, stretches: list[RecordStretch], take: Take, *, may_stop: bool
    ) -> int:
        """Return how many bytes were taken: all, or up to a line behind which to read again."""
        for found in stretches:
            lines = text[found.start : found.end]
            taken = take(Stretch(lines, found if _proven(found) else None, may_stop))
            if taken < len(lines) or (may_stop and self._unready):
                return found.start + taken
        return len(text)


class _Whole:
    """Pieces up to where they are refused, and why: what stands before it is judged first."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.refused: InvalidDocumentError | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except InvalidDocumentError as error:
            self.refused = error
            raise StopIteration from error


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece that a thread reads, or has read, and the reader that it reads with."""

    text: bytes
    reader: RecordReader
    future: "Future[list[RecordStretch]]"


def _proven(found: RecordStretch) -> bool:
    return found.entries is not None or bool(found.receipts) or bool(found.checkpoints)
