"""The own chain: slots taken, made durable, signed, sent, receipted.

What is in memory here may run ahead of the disk: :meth:`OwnChain.prepare` takes a slot before
anything is written. That is safe because nothing leaves before :meth:`OwnChain.seal`, and because
any I/O error ends the process: memory that ran ahead dies with it, and the next start begins from
what the disk holds. A slot lost that way was never signed, so it is simply taken again.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from deconflict.errors import BrokenChainError, ForkedChainError, LineStateError
from deconflict.line.delivery import KindRules
from deconflict.line.envelope import (
    GENESIS,
    Address,
    Draft,
    Envelope,
    SealedEnvelope,
    as_its_reader_has_it,
    bytes_in_slot,
    seal_envelope,
)
from deconflict.line.epoch import EPOCH_KIND
from deconflict.line.keys import RandomBytes, SigningKey
from deconflict.line.moment import Now, utc_text
from deconflict.line.packets import Want
from deconflict.line.precedence import Precedence
from deconflict.line.room import ENOUGH, Shortage, room_class, shortage_that_refuses
from deconflict.line.statement import ChainPoint, hash_of

__all__ = [
    "MAX_BATCH_BYTES",
    "MAX_BATCH_ENTRIES",
    "SEND_WINDOW",
    "FittedDraft",
    "OutgoingEntry",
    "OwnChain",
]

SEND_WINDOW: Final = 256  # the peer holds no more out of order, so sending further is waste
MAX_BATCH_ENTRIES: Final = 128
MAX_BATCH_BYTES: Final = 4 * 1_024 * 1_024  # of envelopes; 8 MiB is the limit of a body
_LEAST_PAUSE_MS: Final = 1_000
_LONGEST_PAUSE_MS: Final = 600_000  # a peer cannot have us say nothing for longer
_REMEMBERED_TIMES: Final = 256  # of own entries: what cites an older one is as good as undated
_LEAST_REPEAT_MS: Final = 100  # a want sooner than this after a sending crossed it on the way
# No slot's own fields are longer, as long as a chain has fewer than 10**15 entries: thirty thousand
# years at a thousand a second. A sixteenth digit would have each draft written by the slow encoder.
_LONGEST: Final = ChainPoint("0" * 32, 10**15 - 1, GENESIS)


@dataclass(frozen=True, slots=True)
class FittedDraft:
    """A draft that any slot can hold, as :meth:`OwnChain.fitted` found; made nowhere else."""

    _envelope: Envelope  # in the longest slot there is

    def in_slot(self, slot: ChainPoint, heard: ChainPoint | None, now: Now) -> Envelope:
        """Return the envelope in a slot, whose hash is that of the one before it."""
        return msgspec.structs.replace(
            self._envelope,
            epoch=slot.epoch,
            seq=slot.seq,
            prev=slot.hash,
            heard=heard,
            created_utc=utc_text(now.utc_ms),
        )


@dataclass(frozen=True, slots=True)
class OutgoingEntry:
    """A slot of the own chain: to be made durable, then sealed.

    Attributes:
        envelope: what it says.
        data: its exact bytes.
        hash: its name.
    """

    envelope: Envelope
    data: bytes
    hash: str

    @property
    def epoch(self) -> str:
        """Epoch of the chain."""
        return self.envelope.epoch

    @property
    def seq(self) -> int:
        """Slot in the chain."""
        return self.envelope.seq


class _Slot:
    __slots__ = ("attempts", "data", "due_ms", "flash", "hash", "room", "sealed", "sent_ms")

    def __init__(self, envelope: Envelope, data: bytes, rules: KindRules, now: Now) -> None:
        self.data = data
        self.hash = hash_of(data)
        self.flash = envelope.prec is Precedence.FLASH
        self.room = room_class(envelope.kind, envelope.prec, rules)
        self.sealed: SealedEnvelope | None = None
        self.attempts = 0
        self.sent_ms = now.monotonic_ms
        self.due_ms = now.monotonic_ms


class OwnChain:
    """The present epoch of one party's chain, from its last receipt on. The rest lives on disk.

    Args:
        line: the line.
        own: the author.
        peer: to whom it speaks.
        key: signs.
        retry_ms: pauses before a repetition.
        random_bytes: for the first epoch.
        now: the time of the start.
        head: the last slot on disk.
        receipted: the last slot of the present epoch that the peer receipted.
        entries: of the present epoch, at least those without a receipt.
        earlier: hashes of entries of earlier epochs without a receipt; the first one in the
            present epoch covers them, for that names what it follows.
        reopened: whether an EPOCH entry opened the present epoch.
        opening_key: signs that EPOCH entry; None where it is ``key``.
    """

    def __init__(
        self,
        *,
        line: str,
        own: str,
        peer: str,
        key: SigningKey,
        retry_ms: Sequence[int],
        random_bytes: RandomBytes,
        rules: KindRules,
        now: Now,
        head: ChainPoint | None = None,
        receipted: ChainPoint | None = None,
        entries: Iterable[tuple[Envelope, bytes]] = (),
        earlier: Collection[str] = (),
        reopened: bool = False,
        opening_key: SigningKey | None = None,
    ) -> None:
        self._line: Final = line
        self._own: Final = own
        self._peer: Final = peer
        self._key: Final = key
        self._opening_key: Final = opening_key or key
        self._retry_ms: Final = tuple(retry_ms)
        self._random_bytes: Final = random_bytes
        self._rules: Final = rules
        self._shortage = ENOUGH  # what the peer has no room for
        self._shortage_until_ms = 0
        self._epoch: str | None = None if head is None else head.epoch
        self._head_seq = 0 if head is None else head.seq
        self._head_hash = GENESIS if head is None else head.hash
        self._durable_seq = self._head_seq  # all that a restart finds on disk is durable
        self._receipted = receipted
        self._earlier = tuple(earlier)
        self._reopened: Final = reopened
        self._opening: str | None = None
        self._said_ms: dict[str, int] = {}  # hash -> monotonic time, of the last ones of this run
        self._slots: dict[int, _Slot] = {}
        for envelope, data in entries:
            if envelope.seq > self.receipted_seq:
                slot = _Slot(envelope, data, rules, now)
                self._slots[envelope.seq] = slot
                if envelope.seq == 1 and envelope.kind == EPOCH_KIND:
                    self._opening = slot.hash
        self._require_whole()

    @property
    def head(self) -> ChainPoint | None:
        """The last slot taken, durable or not; None before the first."""
        if self._epoch is None:
            return None
        return ChainPoint(self._epoch, self._head_seq, self._head_hash)

    @property
    def sealed_head(self) -> ChainPoint | None:
        """The last slot known to be durable, which is signed; None before the first."""
        if self._epoch is None or self._durable_seq == 0:
            return None
        if self._durable_seq == self._head_seq:
            return self.head
        slot = self._slots.get(self._durable_seq)
        if slot is None:  # all that is durable is receipted
            return self._receipted
        return ChainPoint(self._epoch, self._durable_seq, slot.hash)

    @property
    def opening(self) -> str | None:
        """The entry that opened the present epoch, while the peer has not receipted it."""
        return self._opening if self.receipted_seq == 0 else None

    @property
    def receipted(self) -> ChainPoint | None:
        """The last slot of the present epoch that the peer receipted."""
        return self._receipted

    @property
    def receipted_seq(self) -> int:
        """Number of the last slot that the peer receipted; 0 for none."""
        return 0 if self._receipted is None else self._receipted.seq

    @property
    def sealed_seq(self) -> int:
        """Number of the last slot that is durable and signed; 0 for none."""
        return self._durable_seq

    def prepare(self, fitted: FittedDraft, heard: ChainPoint | None, now: Now) -> OutgoingEntry:
        """Take the next slot for a draft. Nothing is signed yet."""
        epoch = self._epoch or self._random_bytes(16).hex()
        slot = ChainPoint(epoch, self._head_seq + 1, self._head_hash)
        envelope = fitted.in_slot(slot, heard, now)
        data = bytes_in_slot(envelope)
        taken = _Slot(envelope, data, self._rules, now)
        entry = OutgoingEntry(envelope, data, taken.hash)
        self._slots[envelope.seq] = taken
        self._said_ms[entry.hash] = now.monotonic_ms
        if len(self._said_ms) > _REMEMBERED_TIMES:
            del self._said_ms[next(iter(self._said_ms))]
        self._epoch, self._head_seq, self._head_hash = epoch, envelope.seq, entry.hash
        return entry

    def said_ms(self, point: ChainPoint | None) -> int | None:
        """Return the monotonic time at which an entry was said; None for none, or long ago.

        Whatever cites it is younger.
        """
        return None if point is None else self._said_ms.get(point.hash)

    def fitted(self, draft: Draft, precedence: Precedence, now: Now) -> FittedDraft:
        """Return ``draft`` for :meth:`prepare`, now or later; none of its slots is taken.

        Raises:
            InvalidDocumentError: the peer would refuse it.
            MessageTooLongError: no envelope can hold it.
        """
        unchecked = Envelope(
            v=1,
            line=self._line,
            sender=Address(self._own, draft.sender_desk),
            to=Address(self._peer, draft.to_desk),
            epoch=_LONGEST.epoch,
            seq=_LONGEST.seq,
            prev=_LONGEST.hash,
            heard=_LONGEST,
            kind=draft.kind,
            prec=precedence,
            ref=draft.ref,
            drill=draft.drill,
            release=draft.release,
            created_utc=utc_text(now.utc_ms),
            clock_err_ms=draft.clock_err_ms,
            answer_within_ms=draft.answer_within_ms,
            expires_after_ms=draft.expires_after_ms,
            lang=draft.lang,
            body=draft.body,
        )
        # What the peer would refuse takes no slot. Slot, chain and time are ours and in order.
        return FittedDraft(as_its_reader_has_it(unchecked))

    def seal(self, entry: OutgoingEntry) -> SealedEnvelope:
        """Sign a slot. **The caller made it durable before, with everything before it.**

        Sealing again gives the same bytes.

        Raises:
            LineStateError: the slot is not the one prepared, or an earlier one is not sealed.
        """
        slot = self._slots.get(entry.seq)
        if slot is None or slot.hash != entry.hash:
            raise LineStateError(
                "only a prepared slot can be sealed",
                given=f"slot {entry.seq}, {entry.hash[:16]}…",
                remedy="seal what prepare returned, once, before its receipt",
            )
        # Crash here: the slot is durable and unsigned; the next start signs the same bytes.
        if entry.seq > self._durable_seq + 1:
            raise LineStateError(
                "an earlier slot is not sealed yet",
                given=f"slot {entry.seq}",
                expected=f"slot {self._durable_seq + 1}",
                remedy="make slots durable and seal them in their order",
            )
        self._durable_seq = max(self._durable_seq, entry.seq)
        return self._sealed(slot)

    def transmittable(self, now: Now) -> list[SealedEnvelope]:
        """Return what is to be sent now, in chain order, bounded.

        Due is what was never sent or whose pause is over. The peer accepts in chain order only,
        so an urgent slot that is due takes everything before it along; where the peer has no room
        for some, so does each slot that it has room for.
        """
        shortage, _ = self.peer_shortage(now)
        reach = self._reach()
        urgent = max(
            (
                seq
                for seq in reach
                if (slot := self._slots[seq]).due_ms <= now.monotonic_ms
                and (slot.flash or (shortage and slot.room not in shortage))
            ),
            default=0,
        )
        # A slot beyond the window goes first: it tells a peer without room what to take for it.
        beyond = self.receipted_seq + SEND_WINDOW
        batch: list[SealedEnvelope] = []
        size = 0
        for seq in sorted(reach, key=lambda seq: (seq <= beyond, seq)):
            slot = self._slots[seq]
            due = slot.due_ms <= now.monotonic_ms and slot.room not in shortage
            if due or seq <= urgent:
                size += len(slot.data)
                if batch and (len(batch) == MAX_BATCH_ENTRIES or size > MAX_BATCH_BYTES):
                    break
                batch.append(self._sealed(slot))
        return batch

    def no_room(self, message_hash: str, repeat_after_ms: int, now: Now) -> None:
        """Take the peer's word: no room for this slot, nor for what is no more urgent."""
        refused = next((s for s in self._slots.values() if s.hash == message_hash), None)
        if refused is not None:
            self._shortage = shortage_that_refuses(refused.room)
            pause_ms = min(max(repeat_after_ms, _LEAST_PAUSE_MS), _LONGEST_PAUSE_MS)
            self._shortage_until_ms = now.monotonic_ms + pause_ms

    def peer_shortage(self, now: Now) -> tuple[Shortage, int]:
        """Return for which classes the peer said that it has no room, and how long still, ms."""
        left_ms = self._shortage_until_ms - now.monotonic_ms
        if left_ms <= 0:
            self._shortage, left_ms = ENOUGH, 0
        return self._shortage, left_ms

    def mark_sent(self, hashes: Iterable[str], now: Now) -> tuple[str, ...]:
        """Note that these left; returns those that left for the first time."""
        wanted = set(hashes)
        first_time = []
        for slot in self._in_reach():
            if slot.hash in wanted:
                if slot.attempts == 0:
                    first_time.append(slot.hash)
                pause = self._retry_ms[min(slot.attempts, len(self._retry_ms) - 1)]
                slot.attempts += 1
                slot.sent_ms = now.monotonic_ms
                slot.due_ms = now.monotonic_ms + pause
        return tuple(first_time)

    def is_pressing(self, hashes: Iterable[str]) -> bool:
        """True exactly when one of these slots is a FLASH, or was sent more than once."""
        wanted = set(hashes)
        return any(
            slot.hash in wanted and (slot.flash or slot.attempts > 1) for slot in self._in_reach()
        )

    def flash_waits(self, now: Now) -> bool:
        """True exactly when a FLASH that was never sent is due and in reach."""
        return any(
            slot.flash and not slot.attempts and slot.due_ms <= now.monotonic_ms
            for slot in self._in_reach()
        )

    def hurry(self, now: Now, first: int = 1, last: int | None = None) -> None:
        """Make slots due now, except those that left a moment ago."""
        top = min(self._durable_seq, self.receipted_seq + SEND_WINDOW)
        stop = top if last is None else min(last, top)
        for seq in range(max(first, self.receipted_seq + 1), stop + 1):
            slot = self._slots[seq]
            soonest = slot.sent_ms + _LEAST_REPEAT_MS if slot.attempts else now.monotonic_ms
            slot.due_ms = min(slot.due_ms, max(now.monotonic_ms, soonest))

    def wanted(self, want: Want, now: Now) -> None:
        """Make the slots the peer misses due at once. Another epoch's want changes nothing."""
        if want.epoch == self._epoch:
            self.hurry(now, want.first, want.last)

    def receipt(self, point: ChainPoint, evidence: msgspec.Struct) -> tuple[str, ...]:
        """Take a verified receipt; returns the hashes it newly covers. Stale ones cover none.

        Raises:
            ForkedChainError: it contradicts the own log. Either the peer receipts what was never
                sent, or this node's database is older than what it said.
        """
        self.require_consistent(point, evidence)
        if point.epoch != self._epoch:
            return ()  # of an epoch that is over
        newly = tuple(
            self._slots.pop(seq).hash for seq in range(self.receipted_seq + 1, point.seq + 1)
        )
        if newly:
            self._receipted = point
            newly, self._earlier = (*self._earlier, *newly), ()
        return newly

    def require_consistent(self, point: ChainPoint, evidence: msgspec.Struct) -> None:
        """Return when a claim to hold the own chain up to ``point`` can be true; else raise."""
        if self._reopened and point.epoch != self._epoch:
            # A record that was restored once may have lost epochs, and entries of those it knows:
            # what it has forgotten it cannot deny. Nothing follows from such a claim.
            return
        slot = self._slots.get(point.seq)
        known = None if slot is None else slot.hash
        if self._receipted is not None and point.seq == self._receipted.seq:
            known = self._receipted.hash
        older = point.seq < self.receipted_seq  # older than memory reaches: can do no harm
        if (
            point.epoch == self._epoch
            and point.seq <= self._durable_seq
            and (older or point.hash == known)
        ):
            return
        raise ForkedChainError(
            "the peer signed a receipt for an entry that this node never said",
            given=f"slot {point.seq}, {point.hash[:16]}…",
            expected=f"at most slot {self._durable_seq} of epoch {self._epoch or 'none'}",
            remedy="keep the receipt; if this node was restored from a backup, stop it now",
            evidence=(evidence,),
        )

    def next_send_ms(self) -> int | None:
        """Return when :meth:`transmittable` next has something; None when all is receipted."""
        return min(
            (
                max(slot.due_ms, self._shortage_until_ms)
                if slot.room in self._shortage
                else slot.due_ms
                for slot in self._in_reach()
            ),
            default=None,
        )

    def _reach(self) -> list[int]:
        """Return the slots that may be sent: a window, and past it the first that must not wait.

        The peer moves the window by its receipts. One without room for what stands in the window
        gives none, until it learns of something behind it that has room.
        """
        last = min(self._durable_seq, self.receipted_seq + SEND_WINDOW)
        reach = list(range(self.receipted_seq + 1, last + 1))
        if self._shortage:
            behind = range(last + 1, self._durable_seq + 1)
            reach += [seq for seq in behind if self._slots[seq].room not in self._shortage][:1]
        return reach

    def _in_reach(self) -> Iterator[_Slot]:
        return (self._slots[seq] for seq in self._reach())

    def _sealed(self, slot: _Slot) -> SealedEnvelope:
        if slot.sealed is None:
            opens = slot.hash == self._opening
            slot.sealed = seal_envelope(slot.data, self._opening_key if opens else self._key)
        return slot.sealed

    def _require_whole(self) -> None:
        expected = list(range(self.receipted_seq + 1, self._head_seq + 1))
        last = self._slots.get(self._head_seq)
        if list(self._slots) == expected and (last is None or last.hash == self._head_hash):
            return
        raise BrokenChainError(
            "the entries restored do not reach from the last receipt to the head",
            given=f"{len(self._slots)} entries",
            expected=f"slots {self.receipted_seq + 1} to {self._head_seq}, in order",
            remedy="verify the database before speaking",
        )
