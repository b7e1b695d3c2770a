"""One party's chain of a proven record in columns: some hundred bytes a message, no bodies."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from deconflict.line.envelope import Envelope
from deconflict.line.epoch import opening_of
from deconflict.line.moment import utc_ms_from_text
from deconflict.line.statement import ChainPoint
from deconflict.line.tree import HASH_BYTES

__all__ = ["NEVER", "NONE", "ChainColumns", "EpochPart", "Place"]

NONE: Final = -1  # no such entry, no such time
NEVER: Final = 2**62  # an instant that does not come
_NO_HASH: Final = bytes(HASH_BYTES)


class Place(NamedTuple):
    """Where the line of an entry stands: which file, and from which byte on."""

    file: int
    offset: int


@dataclass(frozen=True, slots=True)
class EpochPart:
    """The entries of one epoch: they stand one behind the other from ``start`` on.

    ``key_id`` signs them, the party's key number ``key_number``; ``follows`` is the entry behind
    which they begin, None for the first epoch of a chain.
    """

    epoch: str
    start: int
    key_id: str
    key_number: int
    follows: ChainPoint | None


class ChainColumns:
    """What is kept of each entry, by its index: 0 for the first of the file, in the file's order.

    Attributes:
        party: the author.
        file: of which file it is.
        created: the author's stamp, ms.
        error: how wrong the author's clock may have been, as it says there, ms.
        expires: when it is too late to act on it, by the author's clock; NONE without an expiry.
        kinds: number of its kind in ``kind_names``.
        drill: 1 exactly when it is exercise.
        offsets: where its line begins in the file.
        logged: when the other side's own record says that it came; NONE where that is not at hand.
        delayed: 1 exactly when that record says that it came past its expiry.
        heard: index in the other chain of the last entry that it says its author held; NONE for
            none. Known once both chains are joined, as the next one.
        refs: index of the entry of the other side that it cites; NONE for none.
    """

    def __init__(self, party: str, file: int = 0) -> None:
        self.party = party
        self.file = file
        self.parts: list[EpochPart] = []
        self.created = array("q")
        self.error = array("q")
        self.expires = array("q")
        self.kinds = array("H")
        self.kind_names: list[str] = []
        self.drill = bytearray()
        self.offsets = array("q")
        self.logged = array("q")
        self.delayed = bytearray()
        self.heard = array("q")
        self.refs = array("q")
        self.hashes = bytearray()
        self._numbers: dict[str, int] = {}
        self._heard_points: list[ChainPoint] = []  # each once for as long as it is cited
        self._heard_from = array("q")  # of each of these, the first entry that cites it
        self._ref_names = bytearray()

    def __len__(self) -> int:
        return len(self.created)

    def add(
        self,
        envelope: Envelope,
        message_hash: str,
        *,
        offset: int,
        logged_ms: int,
        delayed: bool,
        key: tuple[str, int],
    ) -> None:
        """Take the next entry of the file; ``key`` is the id and number of the key that signs."""
        index = len(self)
        if not self.parts or self.parts[-1].epoch != envelope.epoch:
            opening = opening_of(envelope)
            follows = None if opening is None else opening.follows
            self.parts.append(EpochPart(envelope.epoch, index, *key, follows))
        created = utc_ms_from_text(envelope.created_utc)
        self.created.append(created)
        self.error.append(envelope.clock_err_ms)
        after = envelope.expires_after_ms
        self.expires.append(NONE if after is None else created + after)
        number = self._numbers.setdefault(envelope.kind, len(self._numbers))
        if number == len(self.kind_names):
            self.kind_names.append(envelope.kind)
        self.kinds.append(number)
        self.drill.append(envelope.drill)
        self.offsets.append(offset)
        self.logged.append(logged_ms)
        self.delayed.append(delayed)
        self.hashes += bytes.fromhex(message_hash)
        if envelope.heard is not None and (
            not self._heard_points or self._heard_points[-1] != envelope.heard
        ):
            self._heard_points.append(envelope.heard)
            self._heard_from.append(index)
        self._ref_names += _NO_HASH if envelope.ref is None else bytes.fromhex(envelope.ref)

    def join(self, other: "ChainColumns") -> None:
        """Find in the other chain what the entries of this one say they hold, and cite.

        What they say to hold and the record does not have counts for nothing.
        """
        self.heard = array("q", [NONE]) * len(self)
        ends = [*self._heard_from, len(self)][1:]
        for point, first, end in zip(self._heard_points, self._heard_from, ends, strict=True):
            index = other.index_of(point)
            # An entry that says nothing of it follows one that does: its author holds it still.
            if index is not None:
                self.heard[first:end] = array("q", [index]) * (end - first)
        names = {other.name(index): index for index in range(len(other))}
        self.refs = array(
            "q",
            (
                names.get(bytes(self._ref_names[at : at + HASH_BYTES]), NONE)
                for at in range(0, len(self._ref_names), HASH_BYTES)
            ),
        )

    def kind(self, index: int) -> str:
        """Return the kind of an entry."""
        return self.kind_names[self.kinds[index]]

    def name(self, index: int) -> bytes:
        """Return the 32 bytes of an entry's hash."""
        return bytes(self.hashes[index * HASH_BYTES : (index + 1) * HASH_BYTES])

    def hash(self, index: int) -> str:
        """Return an entry's hash, 64 hex digits."""
        return self.name(index).hex()

    def part_of(self, index: int) -> EpochPart:
        """Return the epoch in which an entry stands."""
        return next(part for part in reversed(self.parts) if part.start <= index)

    def seq(self, index: int) -> int:
        """Return an entry's number in its epoch."""
        return index - self.part_of(index).start + 1

    def slot(self, epoch: str, seq: int) -> int | None:
        """Return the index of a slot; None where the record has none."""
        for number, part in enumerate(self.parts):
            if part.epoch == epoch:
                end = self.parts[number + 1].start if number + 1 < len(self.parts) else len(self)
                index = part.start + seq - 1
                return index if part.start <= index < end else None
        return None

    def index_of(self, point: ChainPoint) -> int | None:
        """Return the index of this very entry; None where the record has another or none."""
        index = self.slot(point.epoch, point.seq)
        return index if index is not None and self.hash(index) == point.hash else None

    def way(self, count: int) -> tuple[range, ...]:
        """Return what of the first ``count`` entries no later epoch of them left behind."""
        found: list[range] = []
        end = count
        while end > 0:
            part = self.part_of(end - 1)
            found.append(range(part.start, end))
            before = None if part.follows is None else self.index_of(part.follows)
            end = 0 if before is None else before + 1
        return tuple(reversed(found))

    def walk(self, count: int) -> Iterator[int]:
        """Yield the indexes on the way of the first ``count`` entries, in their order."""
        for stretch in self.way(count):
            yield from stretch

    def place(self, index: int) -> Place:
        """Return where the line of an entry stands."""
        return Place(self.file, self.offsets[index])
