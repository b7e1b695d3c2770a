"""A node without network, disk or clock: every decision, in the order that makes it safe.

Whoever drives a core (the runtime with sockets and threads, the replay with a virtual clock) keeps
one rule: a :class:`Work` it hands out is made durable before ``finish`` is called, works are
finished in the order given, and after a failed commit nothing more is asked of the core. One
thread at a time.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.errors import (
    DeconflictError,
    ForkedChainError,
    InvalidDocumentError,
    LineStateError,
    NotFoundError,
    VerificationError,
    WrongLineError,
)
from deconflict.line.envelope import Draft, Envelope, SealedEnvelope, read_envelope
from deconflict.line.incoming import IncomingEntry, Outcome
from deconflict.line.keys import ALGORITHM, RandomBytes, SigningKey
from deconflict.line.link import LinkStatus, decode_beat, encode_beat
from deconflict.line.moment import Now
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.packets import Packet, Want
from deconflict.line.precedence import Precedence
from deconflict.line.receipt import SealedReceipt, SealedRefusal, read_receipt
from deconflict.messages.agreement import terms_bytes
from deconflict.messages.bodies import (
    Body,
    Readback,
    ReadbackResult,
    TermsMessage,
    body_to_wire,
    check_outgoing,
)
from deconflict.messages.in_force import conversions_of, minima_of
from deconflict.messages.kinds import KINDS, Kind, check_reference, precedence_of_reply
from deconflict.node.alerts import AlertBook, AlertKey
from deconflict.node.book import Taken
from deconflict.node.line import Line, read_body
from deconflict.node.own_activity import Activity, WordsOnly
from deconflict.node.picture import Conflict, Declared
from deconflict.node.tell.desk import Desk
from deconflict.node.tell.messages import Teller
from deconflict.node.views import AlertView, EventView, Posted
from deconflict.node.work import Work
from deconflict.store.base import (
    EntryRow,
    EvidenceRow,
    NoteRow,
    ReceiptRow,
    SignatureRow,
    Store,
    TermsRow,
)

__all__ = ["Heard", "NodeCore", "Say"]

_ALERT_NOTE = "alert/"
_SWEEP_MS = 1_000
_SIGNATURES_WAIT_MS = 500
_SIGNATURES_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """What a person wants said on a line."""

    kind: Kind
    body: Body
    desk: str
    ref: str | None = None
    precedence: Precedence | None = None
    to_desk: str | None = None
    drill: bool = False
    release: str = "OWN_FORCES"
    lang: str = "en"
    expires_after_ms: int | None = None
    answer_within_ms: int | None = None


@dataclass(slots=True)
class Heard:
    """What packets of the peer led to.

    Attributes:
        work: to be made durable and finished before anything is answered.
        error: why the rest of the packets was not looked at; the connection is to be cut.
    """

    work: Work
    error: DeconflictError | None = None
    _answers: list[Callable[[], list[Packet]]] = field(default_factory=list)

    def answer(self) -> list[Packet]:
        """Return what goes back to the peer. Only after ``work`` is finished."""
        return [packet for make in self._answers for packet in make()]

    def then_answer(self, make: Callable[[], list[Packet]]) -> None:
        """Have ``make`` called for the answer, once the work is finished."""
        self._answers.append(make)


class NodeCore:
    """Everything one node decides.

    Args:
        party: whose node this is.
        desks: its desks, the main one first.
        language: of its desks' screens.
        key: signs what it says.
        store: read for old entries; never written here.
        random_bytes: for ids and epochs (``os.urandom`` in service).
        drill: marks everything it says as exercise.
    """

    def __init__(
        self,
        *,
        party: str,
        desks: Sequence[str],
        language: str,
        key: SigningKey,
        store: Store,
        random_bytes: RandomBytes,
        drill: bool = False,
    ) -> None:
        self.party = party
        self.desks = tuple(desks)
        self.language = language
        self.key = key
        self.drill = drill
        self.random_bytes = random_bytes
        self.lines: dict[str, Line] = {}
        self._store = store
        self._next_event_id = store.last_event_id() + 1
        self._alerts = AlertBook(
            self.desks[0],
            [
                msgspec.json.decode(note.value, type=AlertView)
                for note in store.notes(_ALERT_NOTE)
                if note.value is not None
            ],
        )
        self._teller = Teller(Desk(self._alerts, language), party, self.envelope_of)
        self._unsaved: list[SignatureRow] = []
        self._unsaved_since_ms = 0
        self._activities: dict[str, Activity] = {}
        self._words_only: list[WordsOnly] = []
        self._owed: list[tuple[Line, Say]] = []
        self._swept_ms: int | None = None

    # ---- lines ---------------------------------------------------------------------------

    def add_line(self, line: Line, now: Now) -> None:
        """Take up a line whose record was read and verified; its alerts are what it implies."""
        self.lines[line.line_id] = line
        for alert in self._alerts.open_alerts():
            if alert.rule == "CONFLICT" and alert.line_id == line.line_id and alert.subject:
                line.book.picture.known_since_ms[alert.subject] = parse_utc(alert.raised_utc)
        self._teller.restored(line, now)

    def line_named(self, name: str) -> Line:
        """Return the line of this id or with this peer.

        Raises:
            NotFoundError: there is none.
        """
        line = self.lines.get(name)
        if line is None:
            line = next((held for held in self.lines.values() if held.peer == name), None)
        if line is None:
            raise NotFoundError(
                "this node has no such line",
                given=name[:64],
                expected=", ".join(held.peer for held in self.lines.values()) or "none yet",
                remedy="pin the peer first: deconflict peer add",
            )
        return line

    # ---- saying --------------------------------------------------------------------------

    def say(self, line_id: str, says: Sequence[Say], now: Now) -> tuple[Work, tuple[Posted, ...]]:
        """Take slots for messages of one line, all or none.

        Raises:
            BannedWordError, InvalidDocumentError: the text or the reference cannot be sent.
            LineStateError: the line is suspended for this kind, or has no terms for it yet.
        """
        line = self.line_named(line_id)
        # Everything is checked before the first slot is taken: a slot taken is a slot spent.
        drafts = [self._draft(line, say, now) for say in says]
        work = self._new_work(now)
        posted = []
        for say, draft in zip(says, drafts, strict=True):
            entry = line.machine.prepare(draft, now)
            work.entries.append(
                EntryRow(
                    line_id=line.line_id,
                    party=self.party,
                    epoch=entry.epoch,
                    seq=entry.seq,
                    hash=entry.hash,
                    data=entry.data,
                    algorithm=ALGORITHM,
                    key_id=self.key.key_id,
                    signature=None,
                    logged_utc_ms=now.utc_ms,
                )
            )
            work.then(self._seal(line, entry))
            taken = line.book.take(
                entry.envelope,
                entry.hash,
                say.body,
                own=True,
                delayed=False,
                logged_ms=now.utc_ms,
            )
            self._event(work, now, "message", line.message_event(taken))
            warnings = self._teller.said(line, taken, now)
            self._agreed(line, taken, work, now)
            posted.append(
                Posted(
                    hash=entry.hash,
                    line_id=line.line_id,
                    epoch=entry.epoch,
                    seq=entry.seq,
                    kind=say.kind.value,
                    state="QUEUED",
                    warnings=warnings,
                )
            )
        self._tell(work, now)
        work.wake.add(line.line_id)
        return work, tuple(posted)

    def _draft(self, line: Line, say: Say, now: Now) -> Draft:
        form = KINDS[say.kind]
        check_outgoing(say.body)
        suspension = line.book.suspension_of(say.kind, now.utc_ms)
        if suspension is not None and not form.always_passes:
            raise LineStateError(
                f"the line with {line.peer} is suspended for {say.kind}",
                given=f"scope {suspension.scope}, since {format_utc(suspension.effective_ms)}",
                expected="SAFETY, CEASE and what belongs to them, which always pass",
                remedy="RESUME the scope, or talk by the way agreed for it",
            )
        cited = self._cited(line, say.ref)
        if cited is None:
            check_reference(say.kind, None)
        else:
            check_reference(say.kind, cited[0], ref_is_own=cited[1])
        line.require_ready(say.kind)
        precedence = say.precedence or (
            precedence_of_reply(say.kind, cited[2]) if cited else form.rule.precedence
        )
        limits = [
            limit
            for limit in (say.answer_within_ms, line.answer_within_ms(say.kind))
            if limit is not None and form.rule.needs_answer
        ]
        return Draft(
            kind=say.kind.value,
            body=body_to_wire(say.body),
            sender_desk=say.desk,
            to_desk=say.to_desk or line.peer_desk,
            prec=precedence,
            ref=say.ref,
            drill=say.drill or self.drill,
            release=say.release,
            answer_within_ms=min(limits, default=None),
            expires_after_ms=say.expires_after_ms or line.expires_after_ms(precedence),
            lang=say.lang,
        )

    def _cited(self, line: Line, ref: str | None) -> tuple[Kind, bool, Precedence] | None:
        if ref is None:
            return None
        row = self._store.entry(ref)
        if row is None or row.line_id != line.line_id:
            raise NotFoundError(
                "the message cited is not in the record of this line",
                given=ref[:16],
                remedy="look it up with: deconflict log",
            )
        envelope = read_envelope(row.data)
        return Kind(envelope.kind), row.party == self.party, envelope.prec

    def _seal(self, line: Line, entry: OutgoingEntry) -> Callable[[Now], None]:
        def seal(now: Now) -> None:
            sealed = line.machine.seal(entry)
            if not self._unsaved:
                self._unsaved_since_ms = now.monotonic_ms
            self._unsaved.append(SignatureRow(sealed.hash, sealed.signature.value))

        return seal

    # ---- hearing -------------------------------------------------------------------------

    def hear(self, peer_party: str, line_id: str, packets: Iterable[Packet], now: Now) -> Heard:
        """Take packets that came by the connection of ``peer_party``, in their order.

        The first that does not verify ends it: what came before is kept, the rest is not looked
        at, and ``error`` says why.
        """
        work = self._new_work(now)
        heard = Heard(work)
        line = self.lines.get(line_id)
        if line is None or line.peer != peer_party:
            heard.error = WrongLineError(
                "this connection's party has no such line",
                given=f"{peer_party}, line {line_id[:32]}",
                expected="its own line",
                remedy="pin the peer, or look who calls",
            )
            return heard
        owes_receipt = False
        for packet in packets:
            try:
                match packet:
                    case SealedEnvelope():
                        owes_receipt |= self._hear_envelope(line, packet, heard, now)
                    case SealedReceipt():
                        self._hear_receipt(line, packet, work, now)
                    case SealedRefusal():
                        line.machine.hear_refusal(packet, now)
                    case Want():
                        line.machine.hear_want(packet, now)
                        work.wake.add(line_id)
            except (VerificationError, InvalidDocumentError) as error:
                self._keep_evidence(line, error, work, now)
                heard.error = error
                break
        if owes_receipt:
            heard.then_answer(lambda: _listed(line.machine.receipt_now()))
        self._tell(work, now)
        return heard

    def _hear_envelope(self, line: Line, sealed: SealedEnvelope, heard: Heard, now: Now) -> bool:
        offset_ms = line.monitor.state(now).clock_offset_ms
        found = line.machine.hear(
            sealed, now, stored=line.stored_lookup(self._store), clock_offset_ms=offset_ms or 0
        )
        work = heard.work
        for evidence in found.evidence:
            work.evidence.append(_evidence(line, evidence.reason.value, evidence.sealed, now))
        if found.want is not None:
            want = found.want
            heard.then_answer(lambda: [want])
        for entry in found.entries:
            work.entries.append(
                EntryRow(
                    line_id=line.line_id,
                    party=line.peer,
                    epoch=entry.envelope.epoch,
                    seq=entry.envelope.seq,
                    hash=entry.hash,
                    data=entry.sealed.data,
                    algorithm=entry.sealed.signature.algorithm,
                    key_id=entry.sealed.signature.key_id,
                    signature=entry.sealed.signature.value,
                    logged_utc_ms=entry.received_utc_ms,
                    delayed=entry.delayed,
                )
            )
            self._take_heard(line, entry, work, now)
        if found.entries:
            entries = found.entries

            def log(at: Now) -> None:
                line.machine.logged(entries, at)

            work.then(log)
        return bool(found.entries) or found.outcome is Outcome.DUPLICATE

    def _take_heard(self, line: Line, entry: IncomingEntry, work: Work, now: Now) -> None:
        taken = line.book.take(
            entry.envelope,
            entry.hash,
            read_body(entry.envelope),
            own=False,
            delayed=entry.delayed,
            logged_ms=entry.received_utc_ms,
        )
        self._event(work, now, "message", line.message_event(taken))
        self._teller.heard(line, taken, now)
        if isinstance(taken.body, Readback) and not taken.delayed:
            owed = (line, readback_result(line, taken))
            # Only what is durable can be cited, and others may ask us to advance before it is.
            work.then(lambda _: self._owed.append(owed))
        self._agreed(line, taken, work, now)

    def _hear_receipt(self, line: Line, sealed: SealedReceipt, work: Work, now: Now) -> None:
        if not line.machine.hear_receipt(sealed, now):
            return  # stale or repeated: it says nothing that is not stored
        receipt = read_receipt(sealed.data)
        work.receipts.append(
            ReceiptRow(
                line_id=line.line_id,
                party=line.peer,
                epoch=receipt.epoch,
                seq=receipt.seq,
                hash=receipt.hash,
                data=sealed.data,
                algorithm=sealed.signature.algorithm,
                key_id=sealed.signature.key_id,
                signature=sealed.signature.value,
                stored_utc_ms=now.utc_ms,
            )
        )
        work.wake.add(line.line_id)

    def _keep_evidence(self, line: Line, error: DeconflictError, work: Work, now: Now) -> None:
        # Only what the peer itself signed is evidence against it; noise is not worth a byte.
        for sealed in getattr(error, "evidence", ()):
            if isinstance(sealed, SealedEnvelope):
                work.evidence.append(_evidence(line, type(error).__name__, sealed, now))
        if isinstance(error, ForkedChainError):
            self._teller.forked(line, now)

    def _agreed(self, line: Line, taken: Taken, work: Work, now: Now) -> None:
        book = line.book
        if not isinstance(taken.body, TermsMessage) or taken.delayed:
            return
        self._event(work, now, "terms", {"line_id": line.line_id, "state": line.terms_state()})
        if taken.kind is not Kind.TERMS_ACCEPT or book.terms is None or book.terms_hash is None:
            return
        data = terms_bytes(book.terms)
        for party, signature in book.terms_signatures.items():
            work.terms.append(
                TermsRow(
                    line_id=line.line_id,
                    terms_hash=book.terms_hash,
                    party=party,
                    data=data,
                    algorithm=signature.algorithm,
                    key_id=signature.key_id,
                    signature=base64.b64decode(signature.value),
                    stored_utc_ms=now.utc_ms,
                )
            )
        held = self._store.line(line.line_id)
        if held is not None:
            work.lines.append(replace(held, terms_hash=book.terms_hash))

    # ---- the connection ----------------------------------------------------------------------

    def to_send(self, line_id: str, now: Now) -> list[Packet]:
        """Return what is to be sent to the peer now, and count it as sent."""
        machine = self.lines[line_id].machine
        packets = machine.transmittable(now)
        machine.mark_sent([packet.hash for packet in packets], now)
        return list(packets)

    def next_beat_ms(self, line_id: str) -> int:
        """Return the monotonic time of the next beat."""
        return self.lines[line_id].monitor.next_beat_ms

    def next_send_ms(self, line_id: str) -> int | None:
        """Return the monotonic time of the next sending."""
        return self.lines[line_id].machine.next_deadline_ms()

    def peer_of(self, line_id: str) -> str:
        """Return the peer of a line."""
        return self.lines[line_id].peer

    def send_failed(self, line_id: str, error: DeconflictError) -> None:
        """Note why the peer could not be reached; the screen shows it."""
        self.lines[line_id].last_problem = error.problem

    def beat(self, line_id: str, now: Now) -> bytes:
        """Return the next beat of a line."""
        return encode_beat(self.lines[line_id].monitor.beat(now))

    def heard_beat(self, peer_party: str, line_id: str, body: bytes, now: Now) -> bytes:
        """Take the peer's beat; return our own as the answer.

        Raises:
            WrongLineError, WrongSenderError, InvalidDocumentError: it is not the peer's beat.
        """
        line = self.lines.get(line_id)
        if line is None or line.peer != peer_party:
            raise WrongLineError(
                "this connection's party has no such line", given=f"{peer_party}, {line_id[:32]}"
            )
        line.monitor.heard_beat(decode_beat(body), now)
        return encode_beat(line.monitor.beat(now))

    def beat_answered(self, line_id: str, body: bytes, now: Now) -> None:
        """Take the beat that answered ours."""
        line = self.lines[line_id]
        was_up = line.monitor.state(now).status is LinkStatus.UP
        line.monitor.heard_beat(decode_beat(body), now)
        line.last_reached_ms = now.utc_ms
        line.last_problem = None
        if not was_up and line.monitor.state(now).status is LinkStatus.UP:
            line.machine.hurry(now)

    # ---- as time passes ----------------------------------------------------------------------

    def advance(self, now: Now) -> Work:
        """Look at everything that changed or came due; return what follows from it."""
        work = self._new_work(now)
        sweep = self._swept_ms is None or now.monotonic_ms - self._swept_ms >= _SWEEP_MS
        if sweep:
            self._swept_ms = now.monotonic_ms
        for line in self.lines.values():
            self._advance_line(line, work, now, sweep=sweep)
        if sweep:
            self._look_at_activities(now)
        self._teller.overdue.readbacks_due(self.lines.get, now)
        self._tell(work, now)
        for line, say in self._take_owed():
            more, _ = self.say(line.line_id, [say], now)
            work.merge(more)
        return work

    def next_deadline_ms(self) -> int | None:
        """Return the monotonic time at which :meth:`advance` is due, maybe too early."""
        times = [self._teller.overdue.next_readback_ms()]
        if self._unsaved:
            times.append(self._unsaved_since_ms + _SIGNATURES_WAIT_MS)
        for line in self.lines.values():
            times.append(line.machine.next_deadline_ms())
            times.append(line.monitor.next_deadline_ms())
        return min((time for time in times if time is not None), default=None)

    def _advance_line(self, line: Line, work: Work, now: Now, *, sweep: bool) -> None:
        state = line.monitor.state(now)
        if state.status is not line.shown_status:
            line.shown_status = state.status
            self._event(
                work,
                now,
                "line",
                {
                    "line_id": line.line_id,
                    "peer": line.peer,
                    "state": state.status.value,
                    "since_utc": format_utc(state.since_utc_ms),
                },
            )
            self._teller.link(line, state, now)
        for alarm in line.machine.alarms(now):
            self._teller.overdue.alarm(line, alarm, now)
        for message_hash, delivery in line.machine.changes().items():
            self._teller.overdue.delivered(line, message_hash, delivery, now)
            self._event(
                work,
                now,
                "delivery",
                {
                    "hash": message_hash,
                    "line_id": line.line_id,
                    "state": delivery.state.value,
                    "escalation": delivery.escalated,
                },
            )
        if sweep:
            for declared in line.book.end_past(now.utc_ms):
                self._teller.declarations.over(line, declared, now)
                self._event(work, now, "declaration", _ended(declared))
            self._teller.suspensions(line, now)
            self._teller.declarations.expiring(line, line.book.picture, now)
        for declared in line.book.take_cancelled():
            self._teller.declarations.over(line, declared, now)
            self._event(work, now, "declaration", _ended(declared))
        self._recheck(line, work, now, sweep=sweep)

    def _recheck(self, line: Line, work: Work, now: Now, *, sweep: bool) -> None:
        picture = line.book.picture
        if line.book.terms is None or not (picture.changed or sweep):
            return
        change = picture.recheck(
            now.utc_ms, minima_of(line.book.terms), conversions_of(line.book.terms)
        )
        self._teller.conflicts.changed(line, change, now)
        if not line.checked_once:
            line.checked_once = True
            self._teller.conflicts.drop_old(line, now)
        for conflict in change.found:
            self._event(work, now, "conflict", {**_conflict(line, conflict), "ended": False})
        for conflict in change.ended:
            self._event(work, now, "conflict_ended", _conflict(line, conflict))
        for declared in change.unchecked:
            self._teller.declarations.unchecked(line, declared, now)

    # ---- what our own side does: known here, never sent ------------------------------------

    def record_activity(self, activity: Activity) -> None:
        """Take what our own side really does; it is held against what was declared (R12, R20)."""
        self._activities[activity.activity_id] = activity

    def note_words_only(self, line_id: str, notice: WordsOnly, now: Now) -> None:
        """Take a notice of ours that was given in words: flagged, and it covers nothing (R10)."""
        line = self.line_named(line_id)
        self._words_only.append(notice)
        self._teller.activities.words_only(line, notice, now)
        self._teller.declarations.words_only(line, notice, now)

    def _look_at_activities(self, now: Now) -> None:
        for activity in tuple(self._activities.values()):
            for line in self.lines.values():
                if activity.span.end_ms < now.utc_ms:
                    self._teller.activities.over(line, activity, now)
                elif activity.span.start_ms <= now.utc_ms:
                    self._teller.activities.tell(line, activity, self._words_only, now)
            if activity.span.end_ms < now.utc_ms:
                del self._activities[activity.activity_id]

    # ---- inside --------------------------------------------------------------------------------

    @property
    def alerts(self) -> tuple[AlertView, ...]:
        """The open alerts, the most urgent first."""
        return self._alerts.open_alerts()

    def envelope_of(self, message_hash: str) -> Envelope | None:
        """Return a message of the record, None when it is not there."""
        row = self._store.entry(message_hash)
        return None if row is None else read_envelope(row.data)

    def stored_events(self, after_id: int, limit: int) -> tuple[EventView, ...]:
        """Return events of the record after an id, in order."""
        return tuple(
            EventView(
                row.event_id, format_utc(row.at_utc_ms), row.kind, msgspec.json.decode(row.data)
            )
            for row in self._store.events(after_id, limit=limit)
        )

    def tell(self, now: Now) -> Work:
        """Return the work that keeps alerts which were changed outside an entry."""
        work = self._new_work(now)
        self._tell(work, now)
        return work

    @property
    def teller(self) -> Teller:
        """Who turns what happens into alerts."""
        return self._teller

    def _new_work(self, now: Now) -> Work:
        work = Work()
        if self._unsaved and (
            len(self._unsaved) >= _SIGNATURES_AT_ONCE
            or now.monotonic_ms - self._unsaved_since_ms >= _SIGNATURES_WAIT_MS
        ):
            work.signatures.extend(self._unsaved)
            self._unsaved.clear()
        return work

    def _take_owed(self) -> list[tuple[Line, Say]]:
        owed, self._owed = self._owed, []
        return owed

    def _tell(self, work: Work, now: Now) -> None:
        for alert in self._alerts.drain():
            self._event(work, now, "alert", msgspec.to_builtins(alert))
            key = AlertKey(alert.rule, alert.line_id, alert.subject, alert.object)
            value = msgspec.json.encode(alert) if alert.open else None
            work.notes.append(NoteRow(_ALERT_NOTE + key.name, value))

    def _event(self, work: Work, now: Now, kind: str, data: dict[str, Any]) -> None:
        work.events.append(EventView(self._next_event_id, format_utc(now.utc_ms), kind, data))
        self._next_event_id += 1


def readback_result(line: Line, taken: Taken) -> Say:
    """Return the answer of the machine to a readback of ours: it agrees, or where it does not."""
    body = taken.body
    if not isinstance(body, Readback):
        raise TypeError("only a readback has a result")
    declaration_id = body.values.declaration_id
    found = line.book.readbacks.get(f"{line.book.own}/{declaration_id}")
    fields = () if found is None else tuple(d.field for d in found.differences)
    agrees = found is not None and found.message_hash == taken.hash and not fields
    return Say(
        kind=Kind.READBACK_RESULT,
        body=ReadbackResult(
            declaration_id=declaration_id,
            agrees=agrees,
            fields=() if agrees else fields or ("declaration_id",),
        ),
        desk=taken.envelope.to.desk,
        ref=taken.hash,
        drill=taken.envelope.drill,
    )


def _listed(receipt: SealedReceipt | None) -> list[Packet]:
    return [] if receipt is None else [receipt]


def _evidence(line: Line, reason: str, sealed: SealedEnvelope, now: Now) -> EvidenceRow:
    return EvidenceRow(
        line_id=line.line_id,
        reason=reason,
        hash=sealed.hash,
        data=sealed.data,
        algorithm=sealed.signature.algorithm,
        key_id=sealed.signature.key_id,
        signature=sealed.signature.value,
        stored_utc_ms=now.utc_ms,
    )


def _ended(declared: Declared) -> dict[str, Any]:
    return {
        "declaration_id": declared.declaration.declaration_id,
        "party": declared.party,
        "state": "ENDED",
    }


def _conflict(line: Line, conflict: Conflict) -> dict[str, Any]:
    return {
        "conflict_id": conflict.conflict_id,
        "line_id": line.line_id,
        "own": conflict.own.declaration.declaration_id,
        "peer": conflict.peer.declaration.declaration_id,
        "known_since_utc": format_utc(conflict.known_since_ms),
    }
