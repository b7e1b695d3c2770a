"""The entries of a bundle read quickly: many in one go, on all processors, the rest line by line.

Of a long record nearly every line is an entry, and nearly every entry is as it should be. The
kernel takes those, one that follows another, and leaves every line of which anything is in doubt.
What is left is read and judged by :mod:`.bundle_proof`, in its place; so what is refused is refused
by the same code, with the same words, whoever read the lines before it.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Self

from deconflict._kernel import EntryReader, EntryStretch
from deconflict.errors import InvalidDocumentError
from deconflict.line.keys import VerifyKey

__all__ = ["EntryStretch", "QuickEntries", "Stretch"]

PIECES_AHEAD: Final = 3  # a thread, read and not yet taken: memory stays small


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines of a bundle that belong together.

    Attributes:
        text: the lines.
        entries: what they say, when all of them are entries of one chain, one behind the other,
            signed by its author and in their one byte form. None: nobody has looked at them.
    """

    text: bytes
    entries: EntryStretch | None


class QuickEntries:
    """Reads a bundle, a few pieces ahead of who takes them. Use as a context manager.

    Args:
        line: the record's line.
        keys: both parties' keys, by party.
        shown: kinds of which the place of each entry is told.
    """

    def __init__(self, line: str, keys: Mapping[str, VerifyKey], shown: frozenset[str]) -> None:
        self._line = line
        self._authors = [(party, key.key_id, key.public) for party, key in keys.items()]
        self._shown = sorted(shown)
        threads = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="verify")
        self._ahead = threads * PIECES_AHEAD

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def stretches(self, pieces: Iterable[bytes]) -> Iterator[Stretch]:
        """Yield the lines of these pieces, in their order; those of the first as nobody read them.

        Most bundles have one piece, and are read before the kernel has its tables of the keys.

        Raises:
            InvalidDocumentError: as the pieces do, behind all that stands before it.
        """
        rest = iter(pieces)
        yield Stretch(next(rest, b""), None)
        reader: EntryReader | None = None
        waiting: deque[tuple[bytes, Future[list[EntryStretch]]]] = deque()
        try:
            for piece in rest:
                reader = reader or EntryReader(self._line, self._authors, self._shown)
                waiting.append((piece, self._pool.submit(reader.read, piece)))
                if len(waiting) > self._ahead:
                    yield from _parts(*waiting.popleft())
        except InvalidDocumentError:
            while waiting:
                yield from _parts(*waiting.popleft())
            raise
        while waiting:
            yield from _parts(*waiting.popleft())


def _parts(piece: bytes, future: "Future[list[EntryStretch]]") -> Iterator[Stretch]:
    for stretch in future.result():
        text = piece[stretch.start : stretch.end]
        yield Stretch(text, stretch if stretch.count else None)
