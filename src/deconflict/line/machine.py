"""The whole line of one party, without clock, randomness, disk or network of its own.

The caller does the effects, in this order and no other::

    say      fitted = machine.fitted(draft, now)       what no slot could hold is refused
             entry  = machine.prepare(fitted, now)     a slot is taken in memory
             ... make entry durable (several at once is fine) ...
             sealed = machine.seal(entry)              only now it is signed
             ... send what machine.transmittable(now) gives; machine.mark_sent(hashes, now) ...

    hear     heard  = machine.hear(sealed, now, stored=...)
             ... make heard.entries and heard.evidence durable ...
             receipt = machine.logged(heard.entries, now)    only now it is receipted
             ... have the record call delayed what machine.take_ran_out() gives ...
             ... make the receipt durable or not, send it ...

**What a crash leaves.** Between prepare and durable: nothing was signed, the slot is taken again.
Between durable and seal: the next start signs the same bytes. Between seal and send: sent again.
Between hear and durable: the peer has no receipt and repeats. Between durable and receipt: the
peer repeats, hears DUPLICATE, and is given the same receipt bytes. Signing before durable would
make an honest party equivocate; receipting before durable would make a receipt a lie.

Memory may run ahead of the disk because *any I/O error must end the process*: a commit that
failed must never be followed by another call on the same machine.

**A record that may be old** makes the machine mute as the author, deaf as the listener, or both::

    ask      question = machine.question(now)          ... send it ...
    answer   answer = machine.answer(question, now, chain=...)   what the peer asks; None: nothing
    author   agreed = machine.hear_held(answer, holds=...)   None: that is not all of it yet
             opened = machine.reopen(agreed, said, now, desks=...)
             ... make missing entries, receipt and opened durable together; build a new machine ...
    listener part = machine.hear_again(answer, now, stored=...)
             ... make part.entries durable ...; machine.kept_again(part.entries)
             ... once part.whole is durable: build a new machine, not deaf ...

Beside the chains, :attr:`LineMachine.checkpoints` has the peer cosign how far the own one came, and
cosigns the peer's; who drives it is told there.

One machine serves one line and one thread at a time. Its memory is bounded by what is not yet
receipted, settled or (32 bytes an entry) cosigned.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from deconflict.errors import (
    ForkedChainError,
    InvalidDocumentError,
    LineStateError,
)
from deconflict.line.alerts import Alarm, AlarmKind, Alert, AlertBook, alert_for, reached_by
from deconflict.line.checkpointing import Checkpoints
from deconflict.line.delivery import Delivery, DeliveryBook, DeliveryState, KindRules
from deconflict.line.end import LineEnd
from deconflict.line.envelope import Draft, Envelope, SealedEnvelope
from deconflict.line.epoch import opening_of
from deconflict.line.heard import Heard
from deconflict.line.incoming import (
    Evidence,
    EvidenceReason,
    IncomingEntry,
    Outcome,
    PeerChain,
    StoredLookup,
)
from deconflict.line.keys import RandomBytes, SigningKey
from deconflict.line.moment import Now
from deconflict.line.outgoing import FittedDraft, OutgoingEntry, OwnChain
from deconflict.line.packets import Want
from deconflict.line.precedence import DEFAULT_TIMERS, Precedence, Timers
from deconflict.line.receipt import (
    Refusal,
    RefusalReason,
    SealedReceipt,
    SealedRefusal,
    open_receipt,
    open_refusal,
    seal_refusal,
)
from deconflict.line.restored import LineIdentity, Restored
from deconflict.line.room import ENOUGH, Shortage, room_class
from deconflict.line.statement import ChainPoint, hash_of

__all__ = ["Heard", "LineIdentity", "LineMachine", "Restored"]


_PUT_OFF: Final = {Outcome.ORPHAN: Outcome.ORPHAN, Outcome.EPOCH_REFUSED: Outcome.NOT_NOW}


class LineMachine(LineEnd):
    """One party's end of one line. See the module for the order of calls.

    Args:
        identity: parties and keys.
        rules: what each kind of message needs and does.
        random_bytes: for the epoch, once in the life of a chain.
        now: the time of the start.
        timers: of the line's terms.
        restored: what the disk holds; None for a line that never spoke.

    Raises:
        VerificationError: what was restored contradicts itself (:class:`BrokenChainError`) or
            its receipt does not verify.
    """

    def __init__(
        self,
        *,
        identity: LineIdentity,
        rules: KindRules,
        random_bytes: RandomBytes,
        now: Now,
        timers: Timers = DEFAULT_TIMERS,
        restored: Restored | None = None,
    ) -> None:
        self._rules: Final = rules
        self._timers = timers
        found = restored or Restored()
        entries = found.read_own_entries()
        own = OwnChain(
            line=identity.line_id,
            own=identity.own,
            peer=identity.peer,
            key=identity.own_key,
            retry_ms=timers.retry_ms,
            random_bytes=random_bytes,
            rules=rules,
            now=now,
            head=found.own_head,
            receipted=found.own_receipted(identity.peer_ring.ever),
            entries=entries,
            earlier=found.own_earlier,
            reopened=found.own_reopened,
            opening_key=_opening_key(identity, entries),
        )
        peer = PeerChain(
            line=identity.line_id,
            ring=identity.peer_ring,
            clock_tolerance_ms=timers.clock_tolerance_ms,
            head=found.peer_logged(),
            head_received_utc_ms=found.peer_head_received_utc_ms,
        )
        super().__init__(identity, own, peer, random_bytes, found)
        self._alerts: Final = AlertBook(timers)
        self._deliveries: Final = DeliveryBook(self._is_owed)
        self._prepared: dict[str, Now] = {}
        self._ran_out: list[IncomingEntry] = []
        self.checkpoints: Final = Checkpoints(
            identity=identity,
            now=now,
            own=found.own_tree,
            peer=found.peer_tree,
            own_head=found.own_head,
            receipted=self._out.receipted,
            peer_logged=self._in.logged,
        )
        self._restore_alerts(found.alerts, entries, found.alerts_since_utc_ms, now)

    # ---- saying -------------------------------------------------------------------------------

    @property
    def own_head(self) -> ChainPoint | None:
        """The last own slot taken; None before the first."""
        return self._out.head

    @property
    def own_sealed_seq(self) -> int:
        """Number of the last own slot that may leave: durable and signed; 0 for none."""
        return self._out.sealed_seq

    @property
    def own_receipted(self) -> ChainPoint | None:
        """The last own slot that the peer receipted; None before the first."""
        return self._out.receipted

    @property
    def peer_logged(self) -> ChainPoint | None:
        """The last slot of the peer that is durable here; None before the first."""
        return self._in.logged

    def missing_from_peer(self) -> tuple[int, int] | None:
        """Return the first gap in the peer's chain, first and last slot; None for none known."""
        return self._in.missing()

    @property
    def speaks(self) -> bool:
        """True exactly when it may sign, and lacks nothing that it knows of."""
        return self.resync.whole and not self.resync.unasked

    def fitted(self, draft: Draft, now: Now) -> FittedDraft:
        """Return a message that :meth:`prepare` takes, now or later; no slot is taken.

        Raises:
            InvalidDocumentError: a kind without a rule, or a field the peer would refuse.
            MessageTooLongError: no envelope can hold it.
        """
        return self._out.fitted(draft, self._precedence(draft), now)

    def prepare(self, fitted: FittedDraft, now: Now) -> OutgoingEntry:
        """Take the next slot for a message; the caller makes it durable, then seals it.

        Several may be prepared and made durable together. Its limits run from ``now``. The
        receipt that it carries names the peer's chain as it is durable here at this moment.

        Raises:
            LineStateError: the record may lack what this node signed: it takes no slot.
        """
        self.require_voice()
        entry = self._out.prepare(fitted, self._heard(), now)
        self._prepared[entry.hash] = now
        self._deliveries.begin(entry.hash, Delivery(DeliveryState.QUEUED))
        self._watch(entry.envelope, entry.hash, now, own=True)
        return entry

    def seal(self, entry: OutgoingEntry, *, acts: bool = True) -> SealedEnvelope:
        """Return the entry signed. **Only after it is durable**; equal calls, equal bytes.

        From here on :meth:`transmittable` offers it, and what it says of the peer's messages
        (seen, answered) holds; unless ``acts`` is False, as for an answer that is wrong.

        Raises:
            LineStateError: not a prepared slot, or an earlier one is not sealed.
        """
        sealed = self._out.seal(entry)
        self.checkpoints.said(sealed, entry.epoch, entry.seq)
        prepared = self._prepared.pop(entry.hash, None)
        if prepared is not None and acts:
            self._apply_ref(entry.envelope, prepared, own=False)
        return sealed

    def transmittable(self, now: Now) -> list[SealedEnvelope]:
        """Return what is to be sent now, in chain order, at most one body full.

        Each entry is repeated after 0.5, 1, 2, 5, 5 … s until its receipt. An urgent entry takes
        everything before it along. Nothing changes until :meth:`mark_sent`. A mute
        node has nothing to send.
        """
        return [] if self._is_silent else self._out.transmittable(now)

    def is_pressing(self, hashes: Iterable[str]) -> bool:
        """True exactly when one of these is a FLASH, or was sent more than once.

        What presses goes on every path at once: duplicates do no harm, waiting may.
        """
        return self._out.is_pressing(hashes)

    def flash_waits(self, now: Now) -> bool:
        """True exactly when a FLASH that was never sent is to be sent now."""
        return self._out.flash_waits(now)

    def mark_sent(self, hashes: Iterable[str], now: Now) -> None:
        """Note that these were handed to the network; whether they arrived is not known."""
        for message_hash in self._out.mark_sent(hashes, now):
            self._deliveries.advance(message_hash, DeliveryState.SENT)

    def hurry(self, now: Now) -> None:
        """Make everything without a receipt due now: the connection came back."""
        self._out.hurry(now)

    def hear_want(self, want: Want, now: Now) -> None:
        """Make the slots that the peer misses due now.

        Raises:
            WrongLineError: of another line.
        """
        self._require_line(want.line)
        self._out.wanted(want, now)

    # ---- hearing ------------------------------------------------------------------------------

    def hear(
        self,
        sealed: SealedEnvelope,
        now: Now,
        *,
        stored: StoredLookup,
        clock_offset_ms: int = 0,
        clocks_compared: bool = True,
        shortage: Shortage = ENOUGH,
    ) -> Heard:
        """Take an envelope that arrived, whatever it is; decide what it leads to.

        Args:
            sealed: as received.
            now: time of arrival.
            stored: gives the entry logged for ``(epoch, seq)`` of the peer's chain; asked only
                for duplicates of what is on disk.
            clock_offset_ms: the peer's UTC clock minus ours, as measured by the beats; 0 when it
                was never measured.
            clocks_compared: False where it will be, within seconds: what seems late, or written
                ahead of its arrival, waits for that. The peer says it again.
            shortage: which classes of messages get no room now.

        Raises:
            UnknownKeyError, BadSignatureError: before a byte of it is parsed.
            NotCanonicalError, InvalidDocumentError: signed, but not one canonical envelope.
            WrongLineError: of another line, or addressed to a third party.
            WrongSenderError: signed by the peer's key in another party's name.
            ForkedChainError: a second message for one slot; ``evidence`` holds both.
            BrokenChainError: it follows another entry than the one held; ``evidence`` holds it.
            StoreDamagedError: ``stored`` does not find what was logged.
        """
        arrival = self._arrival(sealed, now, clock_offset_ms)
        envelope = arrival.envelope
        if not self.resync.whole:
            # Deaf: a receipt must not rest on a record that may have a gap. Mute: what is accepted
            # while this machine waits to be built anew would be lost to the new one.
            return Heard(Outcome.NOT_NOW)
        if self.resync.unasked and self._heard_is_false(envelope):
            # Its author is not to be accused by a record that may be of a copy.
            return Heard(Outcome.NOT_NOW)
        if not clocks_compared and self._in.is_late(arrival):
            return Heard(Outcome.NOT_NOW)

        def has_room(found: Envelope) -> bool:
            return room_class(found.kind, found.prec, self._rules) not in shortage

        accepted = self._in.accept(arrival, stored, has_room)
        if self.resync.silence.unheard and accepted.outcome in _PUT_OFF:
            # It may follow what a copy forgot: it accuses nobody, and is said again. Refusing an
            # epoch would have its author open another.
            return Heard(_PUT_OFF[accepted.outcome])
        evidence = accepted.evidence
        kept = (Outcome.LOGGABLE, Outcome.HELD, Outcome.REFUSED)
        if accepted.outcome in kept and self._heard_is_false(envelope):
            # Its author signed that it holds what we never said. The entry itself is still the
            # author's word in its slot, so it is logged; the lie is kept as evidence too.
            evidence = (*evidence, Evidence(EvidenceReason.FALSE_RECEIPT, sealed))
        return Heard(
            accepted.outcome,
            accepted.entries,
            self.receipt_now() if accepted.outcome is Outcome.DUPLICATE else None,
            accepted.want,
            evidence,
            # Of another epoch, the same number is another slot.
            ChainPoint(envelope.epoch, envelope.seq, sealed.hash)
            if accepted.outcome in kept and self._in.is_refused(envelope.seq)
            else None,
        )

    def logged(self, entries: Sequence[IncomingEntry], now: Now) -> SealedReceipt | None:
        """Take the caller's word that these entries are durable; return the receipt for them.

        None where this end was found deaf while they were on their way to the disk: the line begins
        anew from the record, which holds them, and they are receipted then.

        What they say of own messages (receipt, seen, answered) holds from here on: the proof of
        it is durable now. A delayed entry is receipted and acts on nothing else; whether one is
        late is judged once more here, for the disk may have stalled (:meth:`take_ran_out`).

        Raises:
            LineStateError: not the next accepted entries in order, or none at all.
        """
        self._in.mark_logged(entries)
        self.checkpoints.logged(entries)
        self._receipt = None
        for entry in entries:
            envelope = entry.envelope
            if envelope.heard is not None and not self._heard_is_false(envelope):
                self._mark_lacked(self._out.receipt(envelope.heard, entry.sealed), now)
            if not entry.is_late(now):
                self._apply_ref(envelope, now, own=True)
                self._watch(envelope, entry.hash, now, own=False)
            elif not entry.delayed:
                self._ran_out.append(entry)
        receipt = self.receipt_now()
        if receipt is None and not self.resync.deaf:
            raise LineStateError(
                "nothing of the peer is logged, so nothing can be receipted",
                expected="at least one entry",
                remedy="call logged with what hear returned",
            )
        return receipt

    def take_ran_out(self) -> tuple[IncomingEntry, ...]:
        """Return, once, entries that came in time and were durable too late to be acted on.

        The record calls them not delayed. The caller has it call them so (``acts_until_ms``), and
        forgets what it took them for.
        """
        ran_out, self._ran_out = tuple(self._ran_out), []
        return ran_out

    def hear_receipt(self, sealed: SealedReceipt, now: Now) -> tuple[str, ...]:
        """Take a receipt that arrived; return the hashes of own messages it newly covers.

        A stale or repeated receipt covers none and does no harm.

        Raises:
            UnknownKeyError, BadSignatureError, NotCanonicalError, InvalidDocumentError,
            WrongLineError, WrongSenderError: as :meth:`hear`.
            ForkedChainError: it contradicts the own log; ``evidence`` holds it.
        """
        receipt = open_receipt(sealed, self.identity.peer_keys)
        self._require_line(receipt.line)
        self._require_parties(receipt.sender, receipt.to)
        if self._is_silent or self.resync.closing:
            # It may be for what this record has lost; the answer will bring both. And what comes
            # while the line is about to begin anew would be lost to it: the peer says it again.
            return ()
        lacked = self._out.receipt(receipt.point, sealed)
        self._mark_lacked(lacked, now)
        return lacked

    def is_refused(self, seq: int) -> bool:
        """True exactly when the peer's message in this slot came, is next, and got no room."""
        return self._in.is_refused(seq)

    def refuse(
        self,
        message_hash: str,
        reason: RefusalReason,
        *,
        epoch: str | None = None,
        seq: int | None = None,
        repeat_after_ms: int | None = None,
    ) -> SealedRefusal:
        """Return the signed statement that a message of the peer is not logged here."""
        refusal = Refusal(
            v=1,
            line=self.identity.line_id,
            sender=self.identity.own,
            to=self.identity.peer,
            epoch=epoch,
            seq=seq,
            hash=message_hash,
            reason=reason,
            repeat_after_ms=repeat_after_ms,
        )
        return seal_refusal(refusal, self.identity.own_key)

    def hear_refusal(self, sealed: SealedRefusal, now: Now) -> Refusal:
        """Take a refusal that arrived: people are told at once, repetition goes on.

        With NO_ROOM, it goes on when the peer said that it makes sense, for this message and all
        that is no more urgent. A refusal of what is receipted, or was never said, changes nothing.

        Raises:
            UnknownKeyError, BadSignatureError, NotCanonicalError, InvalidDocumentError,
            WrongLineError, WrongSenderError: as :meth:`hear`.
        """
        refusal = open_refusal(sealed, self.identity.peer_keys)
        self._require_line(refusal.line)
        self._require_parties(refusal.sender, refusal.to)
        if refusal.hash == self._out.opening and not self.resync.mute:
            # The peer's log had moved on behind what the epoch follows: another one is needed.
            # Or the peer cannot check the key it brings: then one that brings none.
            self.resync.refused(now, key=refusal.reason is RefusalReason.KEY_REFUSED)
        alert = self._alerts.find(refusal.hash)
        if alert is not None and alert.own and alert.needs_receipt:
            self._alerts.refused(refusal.hash, now)
            self._deliveries.advance(
                refusal.hash, DeliveryState.REFUSED, reason=refusal.reason.value
            )
            if refusal.reason is RefusalReason.NO_ROOM:
                self._out.no_room(refusal.hash, refusal.repeat_after_ms or 0, now)
        return refusal

    def peer_shortage(self, now: Now) -> tuple[Shortage, int]:
        """Return for which classes the peer said that it has no room, and how long still, ms."""
        return self._out.peer_shortage(now)

    # ---- what is owed -------------------------------------------------------------------------

    def alarms(self, now: Now) -> tuple[Alarm, ...]:
        """Return whom to tell what now; each alarm once a level.

        After a start the first call raises every alert that was open.
        """
        alarms = self._alerts.alarms(now)
        for alarm in alarms:
            if alarm.alert.own:
                self._deliveries.escalate(alarm.alert.hash, alarm.level)
                if alarm.kind is AlarmKind.EXPIRED:
                    self._deliveries.advance(alarm.alert.hash, DeliveryState.EXPIRED)
        return alarms

    def use_timers(self, timers: Timers) -> None:
        """Take the limits of newly agreed terms for every message from now on.

        What is open already keeps the limits under which it was opened; the ladder is the new one.
        """
        self._timers = timers
        self._alerts.use_timers(timers)

    def next_deadline_ms(self) -> int | None:
        """Return the monotonic time of the next sending or alarm, maybe too early; None: idle.

        Checkpoints have their own.
        """
        sends = None if self._is_silent else self._out.next_send_ms()
        times = (sends, self.resync.next_ms(), self._alerts.next_deadline_ms())
        return min((time for time in times if time is not None), default=None)

    def state_of(self, message_hash: str) -> Delivery:
        """Return how far an own message has come.

        Raises:
            NotFoundError: not an own message, or settled so long ago that the store must tell.
        """
        return self._deliveries.find(message_hash)

    def changes(self) -> dict[str, Delivery]:
        """Return, once, the own messages whose delivery changed since the last call."""
        return self._deliveries.changes()

    def open_alerts(self) -> tuple[Alert, ...]:
        """Return everything still owed on this line, oldest first; to be stored for a restart."""
        return self._alerts.open_alerts()

    # ---- inside -------------------------------------------------------------------------------

    @property
    def _is_silent(self) -> bool:
        return self.resync.mute or self.resync.unasked

    def _precedence(self, draft: Draft) -> Precedence:
        rule = self._rules.get(draft.kind)
        if rule is None:
            raise InvalidDocumentError(
                "this line knows no rule for this kind of message",
                given=draft.kind[:40],
                expected="one of " + ", ".join(sorted(self._rules)),
            )
        return draft.prec or rule.precedence

    def _is_owed(self, message_hash: str) -> bool:
        return self._alerts.find(message_hash) is not None

    def _restore_alerts(
        self,
        alerts: Iterable[Alert],
        entries: list[tuple[Envelope, bytes]],
        since: Mapping[str, int],
        now: Now,
    ) -> None:
        open_by_hash = {alert.hash: alert for alert in alerts}
        since_utc_ms = dict(since)
        for envelope, data in entries:
            message_hash = hash_of(data)
            if envelope.seq > self._out.receipted_seq:
                since_utc_ms.setdefault(message_hash, envelope.created_utc_ms)
                alert = alert_for(
                    envelope, message_hash, own=True, rules=self._rules, timers=self._timers
                )
                if alert is not None:
                    open_by_hash.setdefault(message_hash, alert)
        for alert in open_by_hash.values():
            self._alerts.restore(alert, now, since_utc_ms=since_utc_ms.get(alert.hash))
            if alert.own:
                self._deliveries.begin(alert.hash, reached_by(alert, self._rules))

    def _heard_is_false(self, envelope: Envelope) -> bool:
        if envelope.heard is None:
            return False
        try:
            self._out.require_consistent(envelope.heard, envelope.heard)
        except ForkedChainError:
            return True
        return False

    def _mark_lacked(self, hashes: Iterable[str], now: Now) -> None:
        for message_hash in hashes:
            self._deliveries.advance(message_hash, DeliveryState.LACKED)
            self._alerts.receipted(message_hash, now)
        self.checkpoints.receipted(self._out.receipted, now)

    def _watch(self, envelope: Envelope, message_hash: str, now: Now, *, own: bool) -> None:
        alert = alert_for(envelope, message_hash, own=own, rules=self._rules, timers=self._timers)
        if alert is not None:
            self._alerts.open(alert, now)

    def _apply_ref(self, envelope: Envelope, now: Now, *, own: bool) -> None:
        """Let an entry act on the message it refers to; ``own``: that message must be ours."""
        rule = self._rules.get(envelope.kind)
        if rule is None or envelope.ref is None:
            return
        if rule.marks_seen or rule.marks_loaded:
            self._alerts.seen(envelope.ref, now, own=own)
        if rule.extends:
            self._alerts.extended(envelope.ref, now, own=own)
        if rule.closes:
            self._alerts.answered(envelope.ref, now, own=own)
        if own:
            if rule.marks_seen or rule.extends:  # a person who says STANDBY has read it
                self._deliveries.advance(envelope.ref, DeliveryState.SEEN)
            if rule.marks_loaded:
                self._deliveries.advance(envelope.ref, DeliveryState.LOADED)
            if rule.closes:
                self._deliveries.advance(envelope.ref, DeliveryState.CLOSED)


def _opening_key(
    identity: LineIdentity, entries: Iterable[tuple[Envelope, bytes]]
) -> SigningKey | None:
    """Return what signs the entry that opened the present own epoch, while it has no receipt."""
    first = next((envelope for envelope, _ in entries if opening_of(envelope) is not None), None)
    return None if first is None else identity.own_keys.of(identity.own_ring.signer_of(first))
