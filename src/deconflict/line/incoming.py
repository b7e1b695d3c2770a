"""The peer's chain: accepted in order, logged, receipted.

An entry is *accepted* when it follows the last accepted one, and *logged* when the caller says
that it is durable. Only logged entries are receipted. Accepting runs ahead of the disk; a crash
forgets it, and the peer, which holds no receipt, sends again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final, TypeAlias

from deconflict.errors import (
    BrokenChainError,
    ForkedChainError,
    InvalidInputError,
    LineStateError,
    StoreDamagedError,
    VerificationError,
)
from deconflict.line.envelope import GENESIS, Envelope, SealedEnvelope
from deconflict.line.epoch import opening_of
from deconflict.line.key_ring import KeyRing
from deconflict.line.moment import Now
from deconflict.line.packets import Want
from deconflict.line.statement import ChainPoint

__all__ = [
    "REORDER_WINDOW",
    "Arrival",
    "Evidence",
    "EvidenceReason",
    "IncomingEntry",
    "Outcome",
    "PeerChain",
    "StoredLookup",
]

REORDER_WINDOW: Final = 256  # entries held out of order; 256 of 68 KiB are 17 MiB
_ASK_AGAIN_MS: Final = 500  # the same gap is asked for no more often
_FLUSH_MS: Final = 1_000  # an entry that was durable so soon is not judged late once more

StoredLookup: TypeAlias = Callable[[str, int], SealedEnvelope | None]


class Outcome(StrEnum):
    """What became of a verified envelope."""

    LOGGABLE = "LOGGABLE"  # it is next; make ``entries`` durable, then call logged()
    DUPLICATE = "DUPLICATE"  # heard before; answer with the current receipt
    HELD = "HELD"  # something before it is missing; ``want`` asks for it
    REFUSED = "REFUSED"  # it is next, or follows what is, and there is no room for it
    BEYOND_WINDOW = "BEYOND_WINDOW"  # too far ahead to hold; the peer repeats it
    ORPHAN = "ORPHAN"  # of another epoch: kept as evidence, never logged
    EPOCH_REFUSED = "EPOCH_REFUSED"  # it opens an epoch, and not behind the last entry held here
    KEY_REFUSED = "KEY_REFUSED"  # it would bring a key in force that the root does not vouch for
    NOT_NOW = "NOT_NOW"  # this node is mute or deaf: it logs nothing; the peer repeats it


class EvidenceReason(StrEnum):
    """Why a signed thing is kept apart from the log."""

    ORPHAN_EPOCH = "ORPHAN_EPOCH"
    BROKEN_CHAIN = "BROKEN_CHAIN"
    FALSE_RECEIPT = "FALSE_RECEIPT"
    OLD_KEY = "OLD_KEY"  # signed by a key that was changed before it came
    FALSE_KEY = "FALSE_KEY"  # a change of key that proves nothing


@dataclass(frozen=True, slots=True)
class Evidence:
    """A signed thing to be stored beside the log, by its hash, once."""

    reason: EvidenceReason
    sealed: SealedEnvelope


@dataclass(frozen=True, slots=True)
class IncomingEntry:
    """An entry of the peer's chain that may be logged now.

    Attributes:
        envelope: what it says.
        sealed: its exact bytes and signature.
        hash: its name.
        received_utc_ms: to be stored with it; receipts are made from it.
        delayed: it came past its expiry: log it, show it DELAYED, never act on it.
        suspect_clock: it is delayed because its stamp lies ahead of its arrival, and nothing else
            tells its age.
        acts_until_ms: monotonic time after which it is late, should it be durable only then; None
            where it never is, or is already.
    """

    envelope: Envelope
    sealed: SealedEnvelope
    hash: str
    received_utc_ms: int
    delayed: bool
    acts_until_ms: int | None = None
    suspect_clock: bool = False

    @property
    def point(self) -> ChainPoint:
        """Its slot."""
        return ChainPoint(self.envelope.epoch, self.envelope.seq, self.hash)

    def is_late(self, now: Now) -> bool:
        """True exactly when it came late, or is by now: asked once more when it is durable."""
        return self.delayed or (
            self.acts_until_ms is not None and now.monotonic_ms > self.acts_until_ms
        )


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified envelope with the circumstances of its arrival."""

    envelope: Envelope
    sealed: SealedEnvelope
    hash: str
    now: Now
    clock_offset_ms: int
    cites_said_ms: int | None = None  # monotonic time at which we said what it cites as heard


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What :meth:`PeerChain.accept` decided."""

    outcome: Outcome
    entries: tuple[IncomingEntry, ...] = ()
    want: Want | None = None
    evidence: tuple[Evidence, ...] = ()


class PeerChain:
    """The peer's chain from its durable head on. Older entries live on disk alone.

    Args:
        line: the line.
        ring: the peer's keys up to its head; grows with the epochs that are accepted here.
        clock_tolerance_ms: by how much clocks may differ before a message counts as late.
        head: the last slot on disk.
        head_received_utc_ms: when that slot's entry was received.
    """

    def __init__(
        self,
        *,
        line: str,
        ring: KeyRing,
        clock_tolerance_ms: int,
        head: ChainPoint | None = None,
        head_received_utc_ms: int = 0,
    ) -> None:
        self._line: Final = line
        self._ring: Final = ring
        self._clock_tolerance_ms: Final = clock_tolerance_ms
        self._logged = head
        self._logged_received_utc_ms = head_received_utc_ms
        self._epoch: str | None = None if head is None else head.epoch
        self._accepted_seq = 0 if head is None else head.seq
        self._accepted_hash = GENESIS if head is None else head.hash
        # In the order accepted, which is that of the chain; by epoch and number.
        self._unlogged: dict[tuple[str, int], IncomingEntry] = {}
        self._held: dict[int, Arrival] = {}
        self._asked: tuple[int, int, int] | None = None
        self._pressing_seq = 0  # the last slot that is known to hold something that gets room

    @property
    def logged(self) -> ChainPoint | None:
        """The last slot known to be durable here; all that may be receipted."""
        return self._logged

    @property
    def logged_received_utc_ms(self) -> int:
        """When that slot's entry was received."""
        return self._logged_received_utc_ms

    @property
    def has_unlogged(self) -> bool:
        """True exactly when something was accepted that is not durable yet."""
        return bool(self._unlogged)

    def forget_held(self) -> None:
        """Forget what came out of order: its author says it again, if it still knows of it.

        Where nothing else came, which epoch it is of is not known either.
        """
        self._held.clear()
        if self._accepted is None:
            self._epoch = None

    def missing(self) -> tuple[int, int] | None:
        """Return the first gap before an entry held out of order; None when none is held."""
        first = self._run_end() + 1
        beyond = [seq for seq in self._held if seq > first]
        return (first, min(beyond) - 1) if beyond else None

    def accept(
        self,
        arrival: Arrival,
        stored: StoredLookup,
        has_room: Callable[[Envelope], bool] = lambda _: True,
    ) -> Acceptance:
        """Place a verified envelope of this line and sender in the chain.

        What is next and has no room is held in memory and REFUSED. Once something that has room
        follows it, both are accepted: entries are logged in their order, and an alert must not
        wait behind what is refused.

        Args:
            arrival: the envelope.
            stored: finds what is logged in a slot.
            has_room: whether there is room for an envelope now.

        Raises:
            ForkedChainError: its slot is taken by another one; both are the error's evidence.
            BrokenChainError: it is next, but cites another predecessor than the one held.
            StoreDamagedError: the log lacks a slot below its head.
        """
        envelope = arrival.envelope
        # First contact: the first verified envelope tells the epoch. Nothing is durable of it
        # until its slot 1 is logged, so a crash before that forgets it and asks again.
        opening = opening_of(envelope)
        if self._epoch is None and opening is None and self._is_in_force(arrival):
            self._epoch = envelope.epoch
        elif opening is not None and self._accepted is None and envelope.epoch == self._epoch:
            # What came out of order before it told its epoch; what that follows is not held here.
            self._held.clear()
            self._epoch = None
        if envelope.epoch != self._epoch:
            return self._accept_other_epoch(arrival, stored)
        if not self._is_in_force(arrival):
            return _out_of_force(arrival)
        if envelope.seq <= self._accepted_seq:
            self._require_same(arrival, self._known(envelope.seq, stored))
            return Acceptance(Outcome.DUPLICATE)
        if has_room(envelope):
            self._pressing_seq = max(self._pressing_seq, envelope.seq)
        if envelope.seq > self._accepted_seq + REORDER_WINDOW:
            taken = self._take_run(arrival.now, has_room)
            want = self._want(arrival.now, beyond=True)
            return Acceptance(Outcome.BEYOND_WINDOW, taken.entries, want, taken.evidence)
        held = self._held.get(envelope.seq)
        if held is not None:
            self._require_same(arrival, held.sealed)
        if envelope.seq == self._accepted_seq + 1 and envelope.prev != self._accepted_hash:
            raise _broken(arrival, self._accepted_hash)
        self._held[envelope.seq] = held or arrival
        taken = self._take_run(arrival.now, has_room)
        if envelope.seq <= self._accepted_seq or taken.outcome is Outcome.LOGGABLE:
            return taken
        if envelope.seq <= self._run_end():
            return Acceptance(Outcome.REFUSED)
        return Acceptance(Outcome.HELD, want=self._want(arrival.now))

    def is_late(self, arrival: Arrival) -> bool:
        """True exactly when an envelope would be delayed, were it accepted as it comes."""
        left_ms = self._left_ms(arrival, arrival.now)
        return left_ms is not None and left_ms < 0

    def is_refused(self, seq: int) -> bool:
        """True exactly when the entry of this slot is here, is next in order, and got no room."""
        return self._accepted_seq < seq <= self._run_end()

    def mark_logged(self, entries: Sequence[IncomingEntry]) -> None:
        """Take the caller's word that these, with all before them, are durable.

        Raises:
            LineStateError: they are not the next accepted entries, in order. Nothing is then
                receipted: a receipt for what is not durable would be a lie for ever.
        """
        accepted = list(islice(self._unlogged.values(), len(entries)))
        for index, entry in enumerate(entries):
            expected = accepted[index] if index < len(accepted) else None
            if expected is None or expected.hash != entry.hash:
                raise LineStateError(
                    "only accepted entries can be logged, in their order",
                    given=f"slot {entry.envelope.seq}, {entry.hash[:16]}…",
                    expected="nothing" if expected is None else f"slot {expected.envelope.seq}",
                    remedy="log what hear returned, in the order it was returned",
                )
        for entry in entries:
            del self._unlogged[entry.envelope.epoch, entry.envelope.seq]
            self._logged = entry.point
            self._logged_received_utc_ms = entry.received_utc_ms

    def _run_end(self) -> int:
        """Return the last slot that is here with all slots before it."""
        end = self._accepted_seq
        while end + 1 in self._held:
            end += 1
        return end

    def _take_run(self, now: Now, has_room: Callable[[Envelope], bool]) -> Acceptance:
        """Accept what is here without a gap, up to the last entry that has room."""
        end = last = self._run_end()
        while last > max(self._accepted_seq, self._pressing_seq) and not has_room(
            self._held[last].envelope
        ):
            last -= 1
        if last == self._accepted_seq:
            return Acceptance(Outcome.REFUSED if end > last else Outcome.HELD)
        return self._drain(last, now)

    def _accept_other_epoch(self, arrival: Arrival, stored: StoredLookup) -> Acceptance:
        """Place an envelope of another epoch: the next one opened, one that is over, or neither."""
        envelope = arrival.envelope
        opening = opening_of(envelope)
        if opening is not None and opening.follows == self._accepted:
            try:
                held = self._ring.judge(envelope, arrival.sealed.signature.key_id)
            except (VerificationError, InvalidInputError):
                false = Evidence(EvidenceReason.FALSE_KEY, arrival.sealed)
                return Acceptance(Outcome.KEY_REFUSED, evidence=(false,))
            self._ring.put(envelope.epoch, held)
            self._ring.enter(envelope.epoch)
            # What was held of the epoch that ends here will never follow. The entry that opens the
            # next gets room whatever else does: without it nothing more is heard of the peer.
            self._held.clear()
            self._epoch, self._accepted_seq, self._accepted_hash = envelope.epoch, 0, GENESIS
            self._pressing_seq = 0
            self._held[envelope.seq] = arrival
            return self._drain(envelope.seq, arrival.now)
        # Of an epoch that is over: what is logged is heard again, and a second message for its
        # slot is a fork, whichever epoch it is.
        unlogged = self._unlogged.get((envelope.epoch, envelope.seq))
        known = stored(envelope.epoch, envelope.seq) if unlogged is None else unlogged.sealed
        if known is not None and known.data != arrival.sealed.data and self._is_disowned(arrival):
            # Whoever holds a revoked key can sign anything: it is no word of the peer against it.
            return _out_of_force(arrival)
        if known is not None:
            self._require_same(arrival, known)
            return Acceptance(Outcome.DUPLICATE)
        if opening is None and arrival.sealed.signature.key_id not in self._ring:
            return _out_of_force(arrival)
        orphan = Evidence(EvidenceReason.ORPHAN_EPOCH, arrival.sealed)
        outcome = Outcome.ORPHAN if opening is None else Outcome.EPOCH_REFUSED
        return Acceptance(outcome, evidence=(orphan,))

    def _is_in_force(self, arrival: Arrival) -> bool:
        held = self._ring.of(arrival.envelope.epoch)
        signer = self._ring.signer_of(arrival.envelope) if arrival.envelope.seq == 1 else held.key
        return arrival.sealed.signature.key_id == signer.key_id

    def _is_disowned(self, arrival: Arrival) -> bool:
        return self._ring.is_revoked(arrival.sealed.signature.key_id)

    @property
    def _accepted(self) -> ChainPoint | None:
        """The last slot accepted, durable or not."""
        if self._unlogged:
            return next(reversed(self._unlogged.values())).point
        return self._logged

    def _drain(self, last: int, now: Now) -> Acceptance:
        """Accept what follows the last accepted entry without a gap, up to a slot."""
        entries: list[IncomingEntry] = []
        evidence: list[Evidence] = []
        while self._accepted_seq < last:
            arrival = self._held.pop(self._accepted_seq + 1)
            if arrival.envelope.prev != self._accepted_hash:
                # Held while its predecessor was missing; now it shows that it follows another.
                evidence.append(Evidence(EvidenceReason.BROKEN_CHAIN, arrival.sealed))
                break
            left_ms = self._left_ms(arrival, now)
            late = left_ms is not None and left_ms < 0
            entry = IncomingEntry(
                arrival.envelope,
                arrival.sealed,
                arrival.hash,
                received_utc_ms=now.utc_ms,
                delayed=late,
                acts_until_ms=None
                if left_ms is None or late
                else now.monotonic_ms + max(left_ms, _FLUSH_MS),
                suspect_clock=late and self._is_ahead(arrival),
            )
            self._unlogged[entry.envelope.epoch, entry.envelope.seq] = entry
            self._accepted_seq, self._accepted_hash = arrival.envelope.seq, arrival.hash
            entries.append(entry)
        want = self._want(now) if self._held else None
        return Acceptance(Outcome.LOGGABLE, tuple(entries), want, tuple(evidence))

    def _left_ms(self, arrival: Arrival, now: Now) -> int | None:
        """Return how long the message may still be acted on; below 0: it is late; None: for ever.

        The age on arrival is read from the author's clock, brought to ours by the measured
        offset, less the tolerance; the time it was held here is ours and monotonic. Of a stamp
        that lies ahead nothing is read: then the message is younger than what it cites of ours,
        and where that does not tell, it counts as late.
        """
        expires_after_ms = arrival.envelope.expires_after_ms
        if expires_after_ms is None:
            return None
        if not self._is_ahead(arrival):
            age_ms = max(0, -_ahead_ms(arrival) - self._clock_tolerance_ms)
        elif arrival.cites_said_ms is not None:
            age_ms = arrival.now.monotonic_ms - arrival.cites_said_ms
        else:
            return -1
        held_ms = now.monotonic_ms - arrival.now.monotonic_ms
        return expires_after_ms - age_ms - held_ms

    def _is_ahead(self, arrival: Arrival) -> bool:
        """True exactly when its stamp lies ahead of its arrival by more than the tolerance."""
        return _ahead_ms(arrival) > self._clock_tolerance_ms

    def _known(self, seq: int, stored: StoredLookup) -> SealedEnvelope:
        unlogged = self._unlogged.get((self._epoch or "", seq))
        if unlogged is not None:
            return unlogged.sealed
        found = stored(self._epoch or "", seq)
        if found is None:
            raise StoreDamagedError(
                "the log lacks an entry below its head",
                given=f"slot {seq}",
                remedy="stop the node and verify the database",
            )
        return found

    def _require_same(self, arrival: Arrival, known: SealedEnvelope) -> None:
        if known.data == arrival.sealed.data:
            return
        raise ForkedChainError(
            "the peer signed two messages for one slot",
            given=f"slot {arrival.envelope.seq}: {arrival.hash[:16]}… and {known.hash[:16]}…",
            expected="one message for each slot",
            remedy="keep both: together they are the proof, whoever holds the peer's public key",
            evidence=(known, arrival.sealed),
        )

    def _want(self, now: Now, *, beyond: bool = False) -> Want | None:
        """Return the question for the first gap, unless there is none or it was just asked.

        Args:
            now: the present.
            beyond: whether something is known to exist past all that is held.
        """
        first = self._run_end() + 1
        following = [seq for seq in self._held if seq > first]
        if not following and not beyond:
            return None
        last = min(following, default=first + REORDER_WINDOW) - 1
        if self._asked is not None:
            asked_first, asked_last, asked_ms = self._asked
            if (asked_first, asked_last) == (first, last) and (
                now.monotonic_ms < asked_ms + _ASK_AGAIN_MS
            ):
                return None
        self._asked = (first, last, now.monotonic_ms)
        return Want(self._line, self._epoch or "", first, last)


def _out_of_force(arrival: Arrival) -> Acceptance:
    evidence = Evidence(EvidenceReason.OLD_KEY, arrival.sealed)
    return Acceptance(Outcome.ORPHAN, evidence=(evidence,))


def _broken(arrival: Arrival, accepted_hash: str) -> BrokenChainError:
    return BrokenChainError(
        "the message follows another entry than the one held before it",
        given=f"slot {arrival.envelope.seq} after {arrival.envelope.prev[:16]}…",
        expected=f"after {accepted_hash[:16]}…",
        remedy="keep it as evidence; the peer's log differs from what it sent",
        evidence=(arrival.sealed,),
    )


def _ahead_ms(arrival: Arrival) -> int:
    """Return by how much its stamp, brought to our clock, lies ahead of its arrival."""
    created_here_ms = arrival.envelope.created_utc_ms - arrival.clock_offset_ms
    return created_here_ms - arrival.now.utc_ms
