"""The proof of a bundle: bytes and two public keys in, what they prove out; no node, no clock."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain as _chained

from deconflict.errors import InvalidDocumentError, VerificationError
from deconflict.line.keys import VerifyKey
from deconflict.line.note import NoteKey
from deconflict.line.root import Root
from deconflict.node.bundle_lines import (
    Item,
    Manifest,
    Seal,
    decoded,
    lines_of,
    malformed,
    whole_pieces,
)
from deconflict.node.bundle_quick import QuickReader, Stretch
from deconflict.node.bundle_verified import VerifiedBundle
from deconflict.node.bundle_verifier import Look, Taken, Verifier, at_line

__all__ = ["verify_bundle"]


def verify_bundle(
    chunks: Iterable[bytes],
    trusted: Mapping[str, VerifyKey],
    look: Look | None = None,
    roots: Mapping[str, Root] | None = None,
    *,
    kinds: frozenset[str] | None = None,
    witnesses: Sequence[NoteKey] = (),
) -> VerifiedBundle:
    """Return what the bundle proves, or raise at the first thing that does not hold.

    Pure: bytes and keys in, no clock, no network, no file. Memory stays small: a few MiB of text
    and a hundred bytes an entry, fifty more for one that cites the other chain.

    Args:
        chunks: the file's bytes in any pieces.
        trusted: each party's first key, obtained from that party; the bundle cannot vouch for its
            own. Which key was in force at each entry follows from it, the root and the chain.
        roots: each party's root, obtained with its key; needed where a key was changed.
        look: is shown each entry once its signature and place hold. What it makes of them counts
            for nothing unless the whole bundle verifies.
        kinds: it is shown entries of these kinds, and the first of each epoch at least; None: each.
        witnesses: keys of third witnesses; the lines of others are not looked at.

    Raises:
        InvalidDocumentError: not a whole bundle in its one byte form.
        VerificationError: a leaf that says what does not hold.

        Either says in which line of the file, counted from 1, where it is of one line.
    """

    def begin(manifest: Manifest) -> Verifier:
        return Verifier(manifest, trusted, roots or {}, look, kinds, witnesses)

    reading = _Reading(begin)
    pieces = whole_pieces(chunks)
    first = next(pieces, b"")
    end = first.find(b"\n") + 1
    reading.read_lines(first[:end])
    if end:
        with reading.quick() as quick:
            quick.read(_chained((first[end:],), pieces), reading.take)
    return reading.report()


class _Reading:
    """A bundle line by line: a manifest, what it announces, a seal, and nothing behind it."""

    def __init__(self, begin: Callable[[Manifest], "Verifier"]) -> None:
        self._begin = begin
        self._verifier: Verifier | None = None
        self._digest = hashlib.sha256()
        self._sealed: str | None = None
        self._number = 0

    def quick(self) -> QuickReader:
        """Return what reads lines quickly, once the manifest was read."""
        return self._manifested().quick()

    def take(self, stretch: Stretch) -> int:
        """Take lines, all at once where they were proven and go on where the record stands.

        Returns:
            How many bytes of them were taken: fewer than all where they may be read again, and an
            epoch began.
        """
        found = stretch.found
        if found is not None and self._sealed is None:
            count = self._manifested().take_stretch(found, stretch.text, self._number + 1)
            if count:
                self._number += count
                self._digest.update(stretch.text)
                return len(stretch.text)
        return self.read_lines(stretch.text, may_stop=stretch.may_stop)

    def read_lines(self, text: bytes, *, may_stop: bool = False) -> int:
        """Take lines one by one, as :meth:`take`."""
        taken = 0
        for line in lines_of(text):
            self._number += 1
            epochs = 0 if self._verifier is None else self._verifier.epochs
            try:
                self._read(decoded(line))
            except (InvalidDocumentError, VerificationError) as error:
                raise at_line(self._number, error) from error
            self._digest.update(line)
            taken += len(line)
            if may_stop and self._manifested().epochs != epochs:
                break
        return taken

    def report(self) -> VerifiedBundle:
        """Return what all of it proves, once it was read to its end."""
        if self._verifier is None or self._sealed is None:
            raise InvalidDocumentError(
                "the bundle is cut off: it has no seal",
                given=f"{self._number:,} lines",
                expected="a seal as the last line",
                remedy="export it again",
            )
        return self._verifier.report(self._sealed)

    def _read(self, item: Item) -> None:
        if self._sealed is not None:
            raise malformed("it stands behind the seal", "the seal as the last line")
        verifier = self._verifier
        match item:
            case Manifest() if verifier is None:
                self._verifier = self._begin(item)
            case Seal() if verifier is not None:
                self._sealed = verifier.seal(item, self._digest)
            case _ if isinstance(item, Taken) and verifier is not None:
                verifier.take(item, self._number)
            case _:
                raise malformed("it is out of place", "one manifest, as the first line")

    def _manifested(self) -> "Verifier":
        if self._verifier is None:
            raise malformed("it is out of place", "one manifest, as the first line")
        return self._verifier
