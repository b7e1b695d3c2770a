"""By when a message was said, and by when the other side provably held it.

Each bound is somebody's signed word, by that side's own clock: the author's stamps say when a
message was said, the other side's receipts, entries and cosignatures by when it held it. Of a chain
each entry comes after the one before it, so a bound of one entry is a bound of its neighbours, and
every bound here rises along the chain: what was known at an instant is known at every later one.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from deconflict.node.knowledge.chain import NEVER, NONE, ChainColumns

__all__ = ["Bounds", "Proof", "ProofKind", "Proofs", "Stamps", "bounds_of", "stamps_of"]


class ProofKind(StrEnum):
    """What a side signed that proves that it held a message."""

    RECEIPT = "RECEIPT"  # its receipt
    ENTRY = "ENTRY"  # an own message that says how far it held the other chain
    REPLY = "REPLY"  # an own message that cites this very one: ACK, answer, SEEN
    COSIGNED = "COSIGNED"  # its signature below a checkpoint of the other chain


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof that a side held a message.

    ``at_ms`` is what it signed, by its clock, which may have been wrong by ``error_ms``;
    ``entry`` the index of its own message, NONE for what is no message.
    """

    kind: ProofKind
    at_ms: int
    error_ms: int
    entry: int = NONE

    @property
    def by_ms(self) -> int:
        """The instant by which it held the message, the clock's error allowed for."""
        return self.at_ms + self.error_ms


@dataclass(frozen=True, slots=True)
class Stamps:
    """When the entries of a chain were said, by the word of their author.

    ``said_by`` rises: an entry was said no later than any entry behind it. ``not_before`` rises:
    it was said no earlier than any entry before it.
    """

    said_by: "array[int]"
    not_before: "array[int]"

    def said(self, at_ms: int) -> int:
        """Return how many entries were surely said by an instant, by their author's word."""
        return bisect_right(self.said_by, at_ms)

    def perhaps_said(self, at_ms: int) -> int:
        """Return how many may have been, within the error of the author's clock."""
        return max(bisect_right(self.not_before, at_ms), self.said(at_ms))


def stamps_of(chain: ChainColumns) -> Stamps:
    """Return the bounds that the stamps of a chain give."""
    count = len(chain)
    said_by, not_before = array("q", [NEVER]) * count, array("q", [0]) * count
    stamps = _of_signing(chain)
    latest = NEVER
    for index in range(count - 1, -1, -1):
        latest = min(latest, stamps[index] + chain.error[index])
        said_by[index] = latest
    earliest = 0
    for index in range(count):
        earliest = max(earliest, stamps[index] - chain.error[index])
        not_before[index] = earliest
    return Stamps(said_by, not_before)


def _of_signing(chain: ChainColumns) -> "array[int]":
    """Return the stamps, and of what a fresh epoch says again that of its opening.

    What the other side never had is signed anew right behind the opening, with the time at which it
    was first written. That time says nothing of the opening before it, nor of what it cites.
    """
    stamps = chain.created[:]
    starts = [part.start for part in chain.parts]
    for part, end in zip(chain.parts, [*starts[1:], len(chain)], strict=False):
        if part.follows is None:
            continue
        opened = chain.created[part.start]
        for index in range(part.start + 1, end):
            if chain.created[index] >= opened:
                break
            stamps[index] = opened
    return stamps


@dataclass(slots=True)
class Proofs:
    """All that one side signed to hold of the other's chain.

    Args:
        holder: the side's own chain.
        stamps: when its entries were said.
    """

    holder: ChainColumns
    stamps: Stamps
    _covers: "array[int]" = field(default_factory=lambda: array("q"))
    _kinds: bytearray = field(default_factory=bytearray)
    _at: "array[int]" = field(default_factory=lambda: array("q"))
    _error: "array[int]" = field(default_factory=lambda: array("q"))
    _entry: "array[int]" = field(default_factory=lambda: array("q"))
    _highest: "array[int]" = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self._covers)

    def __getitem__(self, number: int) -> Proof:
        return Proof(
            _KINDS[self._kinds[number]], self._at[number], self._error[number], self._entry[number]
        )

    def covers(self, number: int) -> int:
        """Return the index of the last entry of the other chain that a proof covers."""
        return self._covers[number]

    def add(self, covers: int, proof: Proof) -> int:
        """Take a proof, and return its number."""
        self._covers.append(covers)
        self._kinds.append(_KINDS.index(proof.kind))
        self._at.append(proof.at_ms)
        self._error.append(proof.error_ms)
        self._entry.append(proof.entry)
        return len(self) - 1

    def add_signed(self, covers: int, kind: ProofKind, at_ms: int) -> None:
        """Take a proof that states no error of its signer's clock.

        That of the last entry with a stamp no later is taken for it: what the signer says later of
        its clock must not change what it had signed.
        """
        self.add(covers, Proof(kind, at_ms, self._error_at(at_ms)))

    def add_entries(self) -> dict[int, int]:
        """Take what the holder's entries say; return those that prove the one cited and no other.

        An entry that cites a message it does not say to hold proves that its author had that very
        message, and nothing of those before it.
        """
        reached = NONE
        alone: dict[int, int] = {}
        holder = self.holder
        for index in range(len(holder)):
            said = Proof(ProofKind.ENTRY, *self._said(index), index)
            if holder.heard[index] > reached:
                reached = holder.heard[index]
                self.add(reached, said)
            cited = holder.refs[index]
            if cited > reached and cited not in alone:
                alone[cited] = self.add(cited, said)
        return alone

    def _said(self, index: int) -> tuple[int, int]:
        """Return a stamp and an error that together give by when an entry was said."""
        at_ms = min(self.holder.created[index], self.stamps.said_by[index])
        return at_ms, self.stamps.said_by[index] - at_ms

    def _error_at(self, at_ms: int) -> int:
        if not len(self.holder):
            return 0
        if not self._highest:
            highest = 0
            for created in self.holder.created:
                highest = max(highest, created)
                self._highest.append(highest)
        return self.holder.error[max(bisect_right(self._highest, at_ms) - 1, 0)]


_KINDS = tuple(ProofKind)


@dataclass(frozen=True, slots=True)
class Bounds:
    """By when the other side provably held each entry of a chain.

    Attributes:
        chain: the chain.
        stamps: when its entries were said.
        proofs: all that the other side signed to hold of it.
        held_by: of each entry, the earliest instant by which a proof says that it was held; NEVER
            where nothing proves it.
        first: of each entry, the number of that proof; NONE for none.
    """

    chain: ChainColumns
    stamps: Stamps
    proofs: Proofs
    held_by: "array[int]"
    first: "array[int]"

    def proof(self, index: int) -> Proof | None:
        """Return the first proof that the other side held an entry; None where there is none."""
        if self.first[index] == NONE:
            return None
        proof = self.proofs[self.first[index]]
        if proof.entry != NONE and self.proofs.holder.refs[proof.entry] == index:
            return Proof(ProofKind.REPLY, proof.at_ms, proof.error_ms, proof.entry)
        return proof

    def held(self, at_ms: int) -> Iterator[int]:
        """Yield the entries that the other side provably held by an instant, in their order."""
        last = self.last_held(at_ms)
        return (i for i in self.chain.walk(last + 1) if self.held_by[i] <= at_ms)

    def last_held(self, at_ms: int) -> int:
        """Return the last of these; NONE where there is none."""
        for index in range(len(self.chain) - 1, -1, -1):
            if self.held_by[index] <= at_ms:
                return index
        return NONE


def bounds_of(chain: ChainColumns, stamps: Stamps, proofs: Proofs) -> Bounds:
    """Return the bounds that proofs give, to which the holder's own entries are added first."""
    alone = proofs.add_entries()
    count = len(chain)
    held_by, first = array("q", [NEVER]) * count, array("q", [NONE]) * count
    single = set(alone.values())
    order = sorted((n for n in range(len(proofs)) if n not in single), key=proofs.covers)
    on_way = bytearray(count)
    for index in chain.walk(count):
        on_way[index] = 1
    best, best_ms = NONE, NEVER
    for index in range(count - 1, -1, -1):
        while order and proofs.covers(order[-1]) >= index:
            number = order.pop()
            if proofs[number].by_ms < best_ms:
                best, best_ms = number, proofs[number].by_ms
        if on_way[index]:  # what a later epoch left behind was never held: no proof covers it
            held_by[index], first[index] = best_ms, best
        if index in alone and proofs[alone[index]].by_ms < held_by[index]:
            held_by[index], first[index] = proofs[alone[index]].by_ms, alone[index]
    return Bounds(chain, stamps, proofs, held_by, first)
